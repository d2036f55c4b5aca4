using System.Text.RegularExpressions;
using Preserve.Cli.Tests;

namespace Preserve.Package.Tests;

/// <summary>A page of the documentation that leads its reader through commands, followed to the letter in a folder of its own.</summary>
/// <remarks>A fenced block of <c>console</c> has commands behind <c>$ </c>, each with what it prints; a line of three dots stands for any lines, and a
/// command without lines has only to succeed. A block that names a file behind its language is that file where there is none yet, and shows lines of it
/// where there is, and one of <c>diff</c> changes a file.
/// Run the tests with PRESERVE_ACCEPT=1 to write what the commands print now where a page says otherwise.</remarks>
internal sealed partial class Walkthrough(string page, string folder, PackageFixture fixture)
{
    private const string Prompt = "$ ";
    private const string AnyLines = "...";

    private readonly string _path = Path.Combine(PackageFixture.Repository, "docs", page);

    private static bool Accept => Environment.GetEnvironmentVariable("PRESERVE_ACCEPT") == "1";

    /// <summary>Does what the page says, from its top to its end.</summary>
    /// <returns>How many commands were run.</returns>
    public async Task<int> FollowAsync()
    {
        var commands = 0;
        var text = await File.ReadAllTextAsync(_path);
        var moved = 0;
        foreach (Match block in Block().Matches(text))
        {
            var (language, file, content) = (block.Groups[1].Value, block.Groups[2].Value, block.Groups[3]);
            if (file.Length > 0)
            {
                await HoldAsync(file, content.Value);
            }
            else if (language == "diff")
            {
                await ChangeAsync(content.Value);
            }
            else if (language == "console")
            {
                var run = await RunAllAsync(content.Value);
                commands += run.Count;
                var printed = string.Concat(run.Select(r => $"{Prompt}{r.Command}\n{string.Concat(r.Lines.Select(l => l + "\n"))}"));
                if (printed == content.Value)
                    continue;
                await File.WriteAllTextAsync(_path, (await File.ReadAllTextAsync(_path)).Remove(content.Index + moved, content.Length).Insert(content.Index + moved, printed));
                moved += printed.Length - content.Length;
            }
        }
        return commands;
    }

    /// <summary>Runs the commands of a block.</summary>
    /// <returns>Each with the lines that the page has to show: those that it shows, unless others are to be accepted.</returns>
    private async Task<List<(string Command, string[] Lines)>> RunAllAsync(string block)
    {
        var run = new List<(string Command, string[] Lines)>();
        foreach (var (command, shown) in CommandsOf(block))
        {
            var lines = await RunAsync(command, mayFail: shown.Any(IsError));
            var holds = shown.Length == 0 || Shows(shown, lines);
            (holds || Accept).ShouldBeTrue($"docs/{page} does not show what '{command}' prints, which is\n{string.Join('\n', lines)}\n");
            run.Add((command, holds ? shown : lines));
        }
        return run;
    }

    /// <summary>Figures of the page's sentences that nothing it shows has: they would stay when what is shown changes.</summary>
    public IEnumerable<string> LooseFigures()
    {
        var text = File.ReadAllText(_path);
        var shown = string.Concat(Block().Matches(text).Select(m => m.Value));
        return Figure().Matches(Code().Replace(Block().Replace(text, ""), "")).Select(m => m.Value).Where(f => !shown.Contains(f, StringComparison.Ordinal)).Distinct();
    }

    /// <summary>Writes a file of the page, or finds the lines of one that is there.</summary>
    private async Task HoldAsync(string file, string content)
    {
        var path = Path.Combine(folder, file);
        if (File.Exists(path))
        {
            Shows([AnyLines, .. LinesOf(content), AnyLines], LinesOf(await File.ReadAllTextAsync(path))).ShouldBeTrue($"docs/{page} shows other lines of {file} than it has");
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, content);
    }

    private async Task<string[]> RunAsync(string command, bool mayFail)
    {
        var words = command.Split(' ');
        var run = words[0] switch
        {
            // What the feed would serve by its name stands there under a version that nobody else has.
            "dotnet" => await Tool.RunAsync(folder, Tool.Dotnet, words[1..].Select(w => w == "Preserve.Templates" ? fixture.Templates : w), PackageFixture.ApartIn(folder)),
            "preserve" => await Tool.RunAsync(folder, Tool.Dotnet, [BuiltTool.Path, .. words[1..]]),
            _ => throw new InvalidOperationException($"docs/{page} runs '{words[0]}', which is neither dotnet nor preserve"),
        };
        (run.ExitCode == 0).ShouldBe(!mayFail, $"{command}\n{run.Text}");
        // A build names its files by their whole paths, and a page by those that its reader sees.
        return LinesOf(run.Text.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
    }

    /// <summary>Replaces the lines that go by those that come.</summary>
    private async Task ChangeAsync(string diff)
    {
        var lines = diff.TrimEnd('\n').Split('\n');
        lines[0].ShouldStartWith("--- ");
        lines[1].ShouldStartWith("+++ ");
        var path = Path.Combine(folder, lines[0][4..]);
        string Side(char other) => string.Concat(lines[2..].Where(l => l[0] != other).Select(l => l[1..] + "\n"));
        var (before, after, text) = (Side('+'), Side('-'), await File.ReadAllTextAsync(path));
        text.Split(before).Length.ShouldBe(2, $"docs/{page} changes in {lines[0][4..]}\n{before}");
        await File.WriteAllTextAsync(path, text.Replace(before, after, StringComparison.Ordinal));
    }

    private static string[] LinesOf(string text) => [.. text.ReplaceLineEndings("\n").Trim('\n').Split('\n').Select(l => l.TrimEnd())];

    private static IEnumerable<(string Command, string[] Shown)> CommandsOf(string block)
    {
        block.ShouldStartWith(Prompt);
        foreach (var part in ("\n" + block.TrimEnd('\n')).Split("\n" + Prompt)[1..])
        {
            var lines = part.Split('\n');
            yield return (lines[0], lines[1..]);
        }
    }

    /// <summary>Whether a shown line tells that the command failed: the tool's own errors, and those of a build.</summary>
    private static bool IsError(string line) => line.StartsWith("preserve: ", StringComparison.Ordinal) || line.Contains(": error ", StringComparison.Ordinal);

    /// <summary>Whether the lines from some on are those that are shown from some on.</summary>
    private static bool Shows(string[] shown, string[] lines, int first = 0, int at = 0)
    {
        if (first == shown.Length)
            return at == lines.Length;
        if (shown[first] != AnyLines)
            return at < lines.Length && shown[first] == lines[at] && Shows(shown, lines, first + 1, at + 1);
        return Enumerable.Range(at, lines.Length - at + 1).Any(next => Shows(shown, lines, first + 1, next));
    }

    [GeneratedRegex(@"^```(\w+)(?: (\S+))?\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("`[^`]+`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(?<![\d.,])\d+\.\d{1,3}(?![\d.])")]
    private static partial Regex Figure();
}

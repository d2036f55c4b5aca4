using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Preserve.Cli.Tests;

/// <summary>The tables of a KV-cache in host memory on the page of reproductions, held against what the command prints. Run the tests with PRESERVE_ACCEPT=1 to
/// write what it prints now.</summary>
public sealed partial class ReproducePageTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task The_page_has_the_tables_that_the_command_prints()
    {
        var printed = Tables(await _tool.SucceedAsync("reproduce", "kv-split"));
        printed.Count.ShouldBe(2);
        var path = Page();
        var text = (await File.ReadAllTextAsync(path)).ReplaceLineEndings("\n");
        var begin = text.IndexOf("reproduce kv-split", StringComparison.Ordinal);
        var shown = Tables(text[begin..]);
        shown.Count.ShouldBe(2);
        if (Environment.GetEnvironmentVariable("PRESERVE_ACCEPT") == "1")
        {
            foreach (var (old, now) in shown.Zip(printed))
                text = text.Replace(old, now, StringComparison.Ordinal);
            await File.WriteAllTextAsync(path, text);
            shown = Tables(text[begin..]);
        }
        foreach (var (old, now) in shown.Zip(printed))
            old.Split('\n').ShouldBe(now.Split('\n'), "docs/reproduce.md is not what the command prints: PRESERVE_ACCEPT=1 writes it anew");
    }

    public void Dispose() => _tool.Dispose();

    private static List<string> Tables(string text) => [.. Table().Matches(text.ReplaceLineEndings("\n")).Select(m => m.Value)];

    private static string Page([CallerFilePath] string file = "")
    {
        var folder = new FileInfo(file).Directory!;
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException($"no solution above {file}");
        return Path.Combine(folder.FullName, "docs", "reproduce.md");
    }

    [GeneratedRegex("^╭.*?^╰[^\\n]*", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Table();
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Preserve.Generators.Tests;

/// <summary>The page of a diagnostic in the documentation, and the code that it shows.</summary>
internal sealed partial class DiagnosticPage(string id)
{
    /// <summary>What the code is about where it shows no model.</summary>
    private const string Model = """
        [Model(Hidden = 2048, Vocabulary = 32_000)]
        [Layers(typeof(DecoderLayer), Repeat = 24)]
        public static class Small
        {
            [Layer]
            [Attention(Heads = 16)]
            [FeedForward(Intermediate = 8192)]
            public sealed class DecoderLayer;
        }

        """;

    /// <summary>The pages' folder.</summary>
    public static string Folder { get; } = FolderOf();

    /// <summary>The ids that have a page, in order.</summary>
    public static IReadOnlyList<string> Ids { get; } =
        [.. Directory.GetFiles(Folder, "PRSV*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    public string Id => id;

    public string Text { get; } = File.ReadAllText(Path.Combine(Folder, id + ".md"));

    /// <summary>The code of a section: the source with its model, the options of the project, and its device files. Null where it has none.</summary>
    public (string Source, string Options, string[] DeviceFiles)? CodeOf(string section)
    {
        var text = Regex.Match(Text, $@"## {section}\n\n.*?(?=\n## )", RegexOptions.Singleline);
        if (!text.Success)
            return null;
        var blocks = Block().Matches(text.Value).ToLookup(b => b.Groups[1].Value, b => b.Groups[2].Value);
        var code = string.Concat(blocks["csharp"]);
        return ((code.Contains("class Small", StringComparison.Ordinal) ? "" : Model) + code, string.Concat(blocks["ini"]), [.. blocks["json"]]);
    }

    [GeneratedRegex(@"```(\w+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    private static string FolderOf([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../docs/diagnostics"));
}

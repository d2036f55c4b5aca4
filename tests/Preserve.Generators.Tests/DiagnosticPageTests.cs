using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>Each diagnostic has a page, and the page's code does what it says.</summary>
public partial class DiagnosticPageTests
{
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

    public static TheoryData<string> Ids => [.. Descriptors().Select(d => d.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Has_a_page_whose_code_is_bad_and_good(string id)
    {
        var page = Page(id);
        var descriptor = Descriptors().Single(d => d.Id == id);
        page.ShouldStartWith($"# {id}: {descriptor.Title}\n");
        descriptor.HelpLinkUri.ShouldEndWith($"/docs/diagnostics/{id}.md");
        if (id == "PRSV900")
            return;
        (await Reported(page, "Bad", isEmitted: descriptor.DefaultSeverity != DiagnosticSeverity.Error)).Distinct().ShouldBe([id]);
        (await Reported(page, "Good", isEmitted: true)).ShouldBeEmpty();
        page.ShouldContain("\n## Why\n");
    }

    [Fact]
    public void Every_page_belongs_to_a_diagnostic()
    {
        var pages = Directory.GetFiles(Folder(), "PRSV*.md").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal).ToList();
        pages.ShouldBe(Descriptors().Select(d => d.Id).Order(StringComparer.Ordinal));
        Regex.Matches(Page("README"), @"\[(PRSV\d+)\]\(\1\.md\)").Select(m => m.Groups[1].Value).ShouldBe(pages!);
    }

    private static async Task<string[]> Reported(string page, string section, bool isEmitted)
    {
        var block = Block(section).Match(page);
        block.Success.ShouldBeTrue();
        var (language, code) = (block.Groups[1].Value, block.Groups[2].Value);
        AdditionalText[] files = language == "json" ? [new DeviceText("/own.device.json", code)] : [];
        var source = "using Preserve;\n" + (code.Contains("class Small", StringComparison.Ordinal) ? "" : Model) + (language == "csharp" ? code : "");
        var run = GeneratorRun.Of(TestCompilation.Of(source), files);
        run.ShouldCompile();
        if (source.Contains("[Deployment", StringComparison.Ordinal))
            run.Sources.Length.ShouldBe(isEmitted ? 1 : 0);
        return [.. (await Analysis.DiagnosticsOf(run.Output, files)).Select(d => d.Id)];
    }

    private static Regex Block(string section) => new($@"## {section}\n\n```(\w+)\n(.*?)```", RegexOptions.Singleline);

    private static IEnumerable<DiagnosticDescriptor> Descriptors() =>
        [.. Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics), Generators.Descriptors.PlanningFailed];

    private static string Page(string id) => File.ReadAllText(Path.Combine(Folder(), id + ".md"));

    private static string Folder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../docs/diagnostics"));
}

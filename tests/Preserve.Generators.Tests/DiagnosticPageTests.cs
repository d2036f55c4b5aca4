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
        // What is said of every plan is no fault.
        var (bad, good) = id == "PRSV201" ? ("Reported", "Silent") : ("Bad", "Good");
        (await Reported(page, bad, id, isEmitted: descriptor.DefaultSeverity != DiagnosticSeverity.Error)).Distinct().ShouldBe([id]);
        (await Reported(page, good, id, isEmitted: true)).ShouldBeEmpty();
        page.ShouldContain("\n## Why\n");
    }

    /// <summary>Release tracking, as the compiler's own analyzers read it.</summary>
    [Fact]
    public void Every_diagnostic_has_its_row_of_release_tracking()
    {
        var rows = new[] { "Shipped", "Unshipped" }
            .SelectMany(r => File.ReadAllLines(Path.Combine(Folder(), "../../generators/Preserve.Generators", $"AnalyzerReleases.{r}.md")))
            .Select(l => l.Split('|', StringSplitOptions.TrimEntries)).Where(r => r.Length == 4 && r[0].StartsWith("PRSV", StringComparison.Ordinal)).ToList();
        var reporters = Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics.Select(d => (Descriptor: d, By: a.GetType().Name)))
            .Append((Descriptor: Generators.Descriptors.PlanningFailed, By: nameof(DeploymentGenerator)));
        rows.Select(r => (r[0], r[1], r[2], r[3])).ShouldBe(
            reporters.Select(r => (r.Descriptor.Id, r.Descriptor.Category, r.Descriptor.DefaultSeverity.ToString(), r.By)).OrderBy(r => r.Id, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_page_belongs_to_a_diagnostic()
    {
        var pages = Directory.GetFiles(Folder(), "PRSV*.md").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal).ToList();
        pages.ShouldBe(Descriptors().Select(d => d.Id).Order(StringComparer.Ordinal));
        Regex.Matches(Page("README"), @"\[(PRSV\d+)\]\(\1\.md\)").Select(m => m.Groups[1].Value).ShouldBe(pages!);
    }

    /// <summary>The ids that are reported of a section's code, under its options. The summaries of plans count where they are what the page is about.</summary>
    private static async Task<string[]> Reported(string page, string section, string id, bool isEmitted)
    {
        var text = Section(section).Match(page);
        text.Success.ShouldBeTrue();
        var blocks = Block().Matches(text.Value).ToLookup(b => b.Groups[1].Value, b => b.Groups[2].Value);
        var (code, options) = (string.Concat(blocks["csharp"]), string.Concat(blocks["ini"]));
        AdditionalText[] files = [.. blocks["json"].Select(json => new DeviceText("/own.device.json", json))];
        var source = "using Preserve;\n" + (code.Contains("class Small", StringComparison.Ordinal) ? "" : Model) + code;
        var run = GeneratorRun.Of(TestCompilation.Of(source), files);
        run.ShouldCompile();
        if (source.Contains("[Deployment", StringComparison.Ordinal))
            run.Sources.Length.ShouldBe(isEmitted ? 1 : 0);
        return [.. (await Analysis.AllOf(run.Output, options, files)).Select(d => d.Id).Where(i => i == id || i != "PRSV201")];
    }

    private static Regex Section(string name) => new($@"## {name}\n\n.*?(?=\n## )", RegexOptions.Singleline);

    [GeneratedRegex(@"```(\w+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    private static IEnumerable<DiagnosticDescriptor> Descriptors() =>
        [.. Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics), Generators.Descriptors.PlanningFailed];

    private static string Page(string id) => File.ReadAllText(Path.Combine(Folder(), id + ".md"));

    private static string Folder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../docs/diagnostics"));
}

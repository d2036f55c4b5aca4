using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>Each diagnostic has a page, and the page's code does what it says.</summary>
public class DiagnosticPageTests
{
    public static TheoryData<string> Ids => [.. Descriptors().Select(d => d.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Has_a_page_whose_code_is_bad_and_good(string id)
    {
        var page = new DiagnosticPage(id);
        var descriptor = Descriptors().Single(d => d.Id == id);
        page.Text.ShouldStartWith($"# {id}: {descriptor.Title}\n");
        descriptor.HelpLinkUri.ShouldEndWith($"/docs/diagnostics/{id}.md");
        if (id == "PRSV900")
            return;
        // What is said of every plan is no fault.
        var (bad, good) = id == "PRSV201" ? ("Reported", "Silent") : ("Bad", "Good");
        (await Reported(page, bad, isEmitted: descriptor.DefaultSeverity != DiagnosticSeverity.Error)).Distinct().ShouldBe([id]);
        (await Reported(page, good, isEmitted: true)).ShouldBeEmpty();
        page.Text.ShouldContain("\n## Why\n");
    }

    /// <summary>Release tracking, as the compiler's own analyzers read it.</summary>
    [Fact]
    public void Every_diagnostic_has_its_row_of_release_tracking()
    {
        var rows = new[] { "Shipped", "Unshipped" }
            .SelectMany(r => File.ReadAllLines(Path.Combine(DiagnosticPage.Folder, "../../generators/Preserve.Generators", $"AnalyzerReleases.{r}.md")))
            .Select(l => l.Split('|', StringSplitOptions.TrimEntries)).Where(r => r.Length == 4 && r[0].StartsWith("PRSV", StringComparison.Ordinal)).ToList();
        var reporters = Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics.Select(d => (Descriptor: d, By: a.GetType().Name)))
            .Append((Descriptor: Generators.Descriptors.PlanningFailed, By: nameof(DeploymentGenerator)));
        rows.Select(r => (r[0], r[1], r[2], r[3])).ShouldBe(
            reporters.Select(r => (r.Descriptor.Id, r.Descriptor.Category, r.Descriptor.DefaultSeverity.ToString(), r.By)).OrderBy(r => r.Id, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_page_belongs_to_a_diagnostic()
    {
        DiagnosticPage.Ids.ShouldBe(Descriptors().Select(d => d.Id).Order(StringComparer.Ordinal));
        var list = File.ReadAllText(Path.Combine(DiagnosticPage.Folder, "README.md"));
        Regex.Matches(list, @"\[(PRSV\d+)\]\(\1\.md\)").Select(m => m.Groups[1].Value).ShouldBe(DiagnosticPage.Ids);
    }

    /// <summary>The ids that are reported of a section's code, under its options. Information, on plans and devices, counts where it is what the page is about.</summary>
    private static async Task<string[]> Reported(DiagnosticPage page, string section, bool isEmitted)
    {
        var (source, options, devices) = page.CodeOf(section).ShouldNotBeNull();
        AdditionalText[] files = [.. devices.Select(json => new DeviceText("/own.device.json", json))];
        var run = GeneratorRun.Of(TestCompilation.Of("using Preserve;\n" + source), files);
        run.ShouldCompile();
        if (source.Contains("[Deployment", StringComparison.Ordinal))
            run.Sources.Length.ShouldBe(isEmitted ? 1 : 0);
        return [.. (await Analysis.AllOf(run.Output, options, files)).Select(d => d.Id).Where(i => i == page.Id || i is not ("PRSV106" or "PRSV201"))];
    }

    private static IEnumerable<DiagnosticDescriptor> Descriptors() =>
        [.. Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics), Generators.Descriptors.PlanningFailed];
}

using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>What an <c>.editorconfig</c> asks of the plans, and what is said where it is not kept.</summary>
public class PerformanceContractTests
{
    private static readonly GeneratorRun _run = GeneratorRun.Of(Declarations.Small.With("[Decode(Batch = 4, Context = 128)]", "[Decode(Batch = 4, Context = 128), Prefill(Batch = 1, Tokens = 64)]"));

    private static readonly (decimal Speedup, decimal Microseconds)[] _steps =
    [
        .. EmittedText.PlansOf(_run.Source).Steps.Select(s => ((decimal)s.Report.BasePicoseconds / s.Report.StepPicoseconds, s.Report.StepPicoseconds / 1_000_000m)),
    ];

    [Fact]
    public async Task Nothing_is_asked_by_default() => (await Reported("")).ShouldBeEmpty();

    [Fact]
    public async Task A_step_that_gains_too_little_is_named_with_its_gain()
    {
        var said = await Reported("preserve_minimum_speedup = 2.5");
        said.Select(d => d.Id).ShouldBe(["PRSV202", "PRSV202"]);
        said.ShouldAllBe(d => d.Severity == DiagnosticSeverity.Warning);
        Message(said[0]).ShouldBe($"'Deployed', decode batch 4 context 128: {Text(_steps[0].Speedup, "0.000")} times as fast as the base plan, and preserve_minimum_speedup asks for 2.5");
    }

    [Fact]
    public async Task A_step_that_takes_too_long_is_named_with_its_time()
    {
        var said = await Reported("preserve_maximum_step_microseconds = 0.5");
        said.Select(d => d.Id).ShouldBe(["PRSV203", "PRSV203"]);
        said.ShouldAllBe(d => d.Severity == DiagnosticSeverity.Warning);
        Message(said[1]).ShouldBe($"'Deployed', prefill batch 1 tokens 64: takes {Text(_steps[1].Microseconds, "#,0.0")} us, and preserve_maximum_step_microseconds allows 0.5");
    }

    /// <summary>Rounded as the summary is, but never so that it reads as kept.</summary>
    [Theory]
    [InlineData("1.0054", "1.006", 3, "1.005")]
    [InlineData("1.0056", "1.006", 3, "1.0056")]
    [InlineData("1.00599", "1.006", 3, "1.00599")]
    [InlineData("1.0056", "1.5", 3, "1.006")]
    [InlineData("1742.34", "1742.3", 1, "1,742.34")]
    [InlineData("1742.36", "1742.3", 1, "1,742.4")]
    [InlineData("1742.34", "100", 1, "1,742.3")]
    public void What_breaks_a_limit_reads_as_breaking_it(string value, string limit, int places, string figure) =>
        PerformanceContract.Figure(decimal.Parse(value, CultureInfo.InvariantCulture), decimal.Parse(limit, CultureInfo.InvariantCulture), places).ShouldBe(figure);

    /// <summary>To the picosecond: what is exactly kept is kept.</summary>
    [Fact]
    public async Task A_limit_that_is_just_kept_is_kept()
    {
        var longest = _steps.Max(s => s.Microseconds);
        (await Reported($"preserve_maximum_step_microseconds = {Text(longest, "0.000000")}")).ShouldBeEmpty();
        (await Reported($"preserve_maximum_step_microseconds = {Text(longest - 0.000001m, "0.000000")}")).ShouldHaveSingleItem().Id.ShouldBe("PRSV203");
        (await Reported("preserve_minimum_speedup = 1")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("preserve_maximum_step_microseconds.decode = 0.5", "decode")]
    [InlineData("preserve_maximum_step_microseconds.prefill = 0.5", "prefill")]
    [InlineData("preserve_maximum_step_microseconds = 0.5\npreserve_maximum_step_microseconds.prefill = 1000000", "decode")]
    [InlineData("preserve_maximum_step_microseconds = 0.5\npreserve_maximum_step_microseconds.decode = unset", "prefill")]
    [InlineData("preserve_minimum_speedup = 9\npreserve_minimum_speedup.prefill = 0.5", "decode")]
    public async Task A_phase_has_limits_of_its_own(string options, string phase) =>
        Message((await Reported(options)).ShouldHaveSingleItem()).ShouldContain($"'Deployed', {phase} ");

    [Fact]
    public async Task A_section_asks_of_its_files_alone()
    {
        (await Analysis.AllOf(_run.Output, "[Serving/*.cs]\npreserve_minimum_speedup = 9")).ShouldAllBe(d => d.Id == "PRSV201");
        (await Analysis.AllOf(_run.Output, "[*.cs]\npreserve_minimum_speedup = 9\n[File0.cs]\npreserve_minimum_speedup = unset")).ShouldAllBe(d => d.Id == "PRSV201");
    }

    [Fact]
    public async Task It_fails_a_build_whose_warnings_are_errors()
    {
        var strict = _run.Output.WithOptions(_run.Output.Options.WithGeneralDiagnosticOption(ReportDiagnostic.Error));
        (await Analysis.AllOf(strict, "[*.cs]\npreserve_minimum_speedup.decode = 9")).Select(d => (d.Id, d.Severity)).ShouldContain(("PRSV202", DiagnosticSeverity.Error));
        (await Analysis.AllOf(_run.Output, "[*.cs]\npreserve_minimum_speedup.decode = 9\ndotnet_diagnostic.PRSV202.severity = error")).Select(d => (d.Id, d.Severity))
            .ShouldContain(("PRSV202", DiagnosticSeverity.Error));
    }

    [Theory]
    [InlineData("preserve_minimum_speedup = 1,05", "preserve_minimum_speedup is '1,05', but must be a number above 0 with a point before its fraction, such as 1.05, or unset")]
    [InlineData("preserve_minimum_speedup.decode = fast", "preserve_minimum_speedup.decode is 'fast', but must be a number above 0 with a point before its fraction, such as 1.05, or unset")]
    [InlineData("preserve_maximum_step_microseconds = 0", "preserve_maximum_step_microseconds is '0', but must be a number above 0 with a point before its fraction, such as 20000, or unset")]
    [InlineData("preserve_maximum_step_microseconds = -1", "preserve_maximum_step_microseconds is '-1', but must be a number above 0 with a point before its fraction, such as 20000, or unset")]
    [InlineData("preserve_maximum_step_microseconds = 20 ms", "preserve_maximum_step_microseconds is '20 ms', but must be a number above 0 with a point before its fraction, such as 20000, or unset")]
    [InlineData("preserve_minimum_speed_up = 1.05", "preserve_minimum_speed_up is not an option of Preserve; preserve_minimum_speedup is")]
    [InlineData("preserve_maximum_step_ms = 20", "preserve_maximum_step_ms is not an option of Preserve; preserve_maximum_step_microseconds is")]
    [InlineData("preserve_max_step = 20000", "preserve_max_step is not an option of Preserve; preserve_maximum_step_microseconds is")]
    [InlineData("preserve_minimum_stp_microseconds = 20000", "preserve_minimum_stp_microseconds is not an option of Preserve; preserve_maximum_step_microseconds is")]
    [InlineData("preserve_max_step_us.Prefil = 20000", "preserve_max_step_us.prefil is not an option of Preserve; preserve_maximum_step_microseconds.prefill is")]
    [InlineData("preserve_maximum_spedup_decode = 2", "preserve_maximum_spedup_decode is not an option of Preserve; preserve_minimum_speedup.decode is")]
    [InlineData("preserve_minimum_speedup.generation = 2", "preserve_minimum_speedup.generation is not an option of Preserve; preserve_minimum_speedup is")]
    [InlineData("preserve_minimum = 2", "preserve_minimum is not an option of Preserve; preserve_minimum_speedup and preserve_maximum_step_microseconds are")]
    [InlineData("preserve_speedup_of_step = 2", "preserve_speedup_of_step is not an option of Preserve; preserve_minimum_speedup and preserve_maximum_step_microseconds are")]
    [InlineData("preserve_colour = red", "preserve_colour is not an option of Preserve; preserve_minimum_speedup and preserve_maximum_step_microseconds are")]
    public async Task An_option_that_cannot_be_read_is_named_with_its_value(string option, string message)
    {
        var said = (await Reported(option)).ShouldHaveSingleItem();
        said.Id.ShouldBe("PRSV204");
        said.Severity.ShouldBe(DiagnosticSeverity.Warning);
        Message(said).ShouldBe(message);
    }

    private static async Task<Diagnostic[]> Reported(string options) => [.. (await Analysis.AllOf(_run.Output, "root = true\n[*.cs]\n" + options)).Where(d => d.Id != "PRSV201")];

    private static string Message(Diagnostic diagnostic) => diagnostic.GetMessage(CultureInfo.InvariantCulture);

    private static string Text(decimal value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

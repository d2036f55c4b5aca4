using System.Globalization;
using Microsoft.CodeAnalysis;
using Preserve.Optimizer;

namespace Preserve.Generators.Tests;

/// <summary>What the plans give stands on the deployment's name.</summary>
public class PlanSummaryTests
{
    private const string TwoSteps = "[Decode(Batch = 4, Context = 128), Prefill(Batch = 1, Tokens = 64)]";

    [Fact]
    public async Task Each_step_is_said_at_the_name_in_the_users_own_part()
    {
        var (source, places) = Markup.Parse(Declarations.Small.With("[Decode(Batch = 4, Context = 128)]", TwoSteps).With("class Deployed", "class [|Deployed|]"));
        var said = await Analysis.AllOf(GeneratorRun.Of(source).Output);
        said.Select(d => d.Id).ShouldBe(["PRSV201", "PRSV201"]);
        said.ShouldAllBe(d => d.Severity == DiagnosticSeverity.Info && d.Location.SourceSpan == places.Single() && d.Location.SourceTree!.FilePath == "File0.cs");
        said.Select(d => Message(d).Split(": ")[0]).ShouldBe(["decode batch 4 context 128", "prefill batch 1 tokens 64"], ignoreOrder: true);
    }

    /// <summary>The part with the attribute, wherever the others stand.</summary>
    [Fact]
    public async Task The_name_is_that_of_the_part_that_declares_it()
    {
        var run = GeneratorRun.Of("namespace App; public sealed partial class Deployed;", Declarations.Small);
        (await Analysis.AllOf(run.Output)).ShouldHaveSingleItem().Location.SourceTree!.FilePath.ShouldBe("File1.cs");
    }

    [Fact]
    public async Task It_gives_the_reports_figures_and_the_band_of_the_step()
    {
        var run = GeneratorRun.Of(PublishedModels.Deployed("Opt30B", "Devices.A100Sxm80, TensorParallel = 2", "Decode(Batch = 8, Context = 1_024)"));
        var (plan, report) = EmittedText.PlansOf(run.Source).Steps.Single() switch { var step => (step.Plan, step.Report) };
        DeviceCatalogue.TryGet(Devices.A100Sxm80, out var device).ShouldBeTrue();
        var banded = await BandedRun.OfAsync(plan, 1_024, device!, new SimulationOptions());
        var band = banded.BandOf(r => r.Picoseconds).ShouldNotBeNull();

        var attribute = run.Output.GetSymbolsWithName("Opt30BDeployed").OfType<INamedTypeSymbol>().Single();
        var values = attribute.GetAttributes().Single(a => a.AttributeClass!.Name == nameof(PlanSummaryAttribute)).NamedArguments.ToDictionary(a => a.Key, a => a.Value.Value);
        values[nameof(PlanSummaryAttribute.StepPicoseconds)].ShouldBe(report.StepPicoseconds);
        values[nameof(PlanSummaryAttribute.BasePicoseconds)].ShouldBe(report.BasePicoseconds);
        values[nameof(PlanSummaryAttribute.BoundPicoseconds)].ShouldBe(report.BoundPicoseconds);
        values[nameof(PlanSummaryAttribute.BoundBy)].ShouldBe(report.BoundBy);
        values[nameof(PlanSummaryAttribute.LowPicoseconds)].ShouldBe(band.LowPicoseconds);
        values[nameof(PlanSummaryAttribute.HighPicoseconds)].ShouldBe(band.HighPicoseconds);
        values[nameof(PlanSummaryAttribute.PrefetchPays)].ShouldBe(true);
        values.ShouldNotContainKey(nameof(PlanSummaryAttribute.SplitPays));

        Message((await Analysis.AllOf(run.Output)).Single(d => d.Id == "PRSV201")).ShouldBe(FormattableString.Invariant(
            $"decode batch 8 context 1024: {Us(report.StepPicoseconds)} us (80 %: {Us(band.LowPicoseconds)} to {Us(band.HighPicoseconds)}), {(decimal)report.BasePicoseconds / report.StepPicoseconds:0.000} times as fast as the base plan, {(decimal)report.StepPicoseconds / report.BoundPicoseconds:0.000} times the lower bound (HBM). Prefetch pays; {values["Reason"]}"));
    }

    /// <summary>A step of each kind, and the end of what is said of it.</summary>
    public static TheoryData<string, string, string, string> Reasons => new()
    {
        { "Llama3_70B", "Devices.Ascend910B2, TensorParallel = 8, Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8", "Decode(Batch = 4, Context = 16_384)", "(not measured), 1.391 times as fast as the base plan, 1.029 times the lower bound (critical path). Prefetch pays; most is saved beside down_reduce, 2,655.0 us" },
        { "Qwen3_32B", "Devices.MI300X, KeyValues = Precision.Fp8", "Decode(Batch = 64, CachedTokens = 150_000)", "Prefetch pays; what is left, most of it gate_up_weight beside out: of the 187,904,819 bytes that may be prefetched and not yet read, 471,859 are left, and the search finds nothing more of it worth a prefetch in an L2 of 64 times the size or under collectives of twice the length" },
        { "Llama3_70B", "Devices.H100, TensorParallel = 8, Prefetch = PrefetchPolicy.None", "Decode(Batch = 64, Context = 4_096)", "Prefetch does not pay; the policy prefetches nothing" },
        { "Llama3_70B", "Devices.B200, TensorParallel = 8", "Decode(Batch = 64, Context = 4_096)", "Prefetch does not pay; l2.read_terabytes_per_second of b200-sxm is not known" },
        { "Opt30B", "Devices.A100Sxm40, KeyValueHome = Home.Host, WeightHome = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = 2", "Decode(Batch = 32, Context = 542, Prompt = 512)", "Prefetch does not pay, the KV split pays; a token's activations are 14,336 bytes, the keys and values that they make 28,672: recomputing can pay; transferring everything takes 4,318.746 ms at 542 cached tokens" },
        { "Llama3_70B", "Devices.H100, TensorParallel = 16, KeyValues = Precision.Fp8, Prefetch = PrefetchPolicy.None", "Decode(Batch = 64, Context = 4_096)", ", of the measured part alone; not measured: all-reduce over 16 ranks, decode attention over an fp8 cache, all-gather over 16 ranks), 1.000 times" },
        { "Opt30B", "Devices.A100Sxm80, KeyValueHome = Home.Host, WeightHome = Home.Host, Recompute = RecomputePolicy.None", "Decode(Batch = 32, Context = 542)", "us (not measured: copies between host and device), 1.000 times" },
        { "Opt30B", "Devices.A100Sxm40, KeyValueHome = Home.Host, WeightHome = Home.Host, Recompute = RecomputePolicy.None", "Decode(Batch = 32, Context = 542)", "the KV split does not pay; " },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Says_what_pays_and_the_reason_that_matters_most(string model, string arguments, string steps, string said)
    {
        var messages = await Analysis.AllOf(GeneratorRun.Of(PublishedModels.Deployed(model, arguments, steps)).Output);
        Message(messages.Single(d => d.Id == "PRSV201")).ShouldContain(said);
    }

    [Fact]
    public async Task A_faulty_deployment_has_none() =>
        (await Analysis.AllOf(GeneratorRun.Of(Declarations.Small.With("TensorParallel = 2", "TensorParallel = 3")).Output)).ShouldAllBe(d => d.Id == "PRSV005");

    [Fact]
    public async Task The_severity_is_the_editorconfigs()
    {
        var output = GeneratorRun.Of(Declarations.Small).Output;
        (await Analysis.AllOf(output, "[*.cs]\ndotnet_diagnostic.PRSV201.severity = warning")).ShouldHaveSingleItem().Severity.ShouldBe(DiagnosticSeverity.Warning);
        (await Analysis.AllOf(output, "[*.cs]\ndotnet_diagnostic.PRSV201.severity = none")).ShouldBeEmpty();
        (await Analysis.AllOf(output, "[Other.cs]\ndotnet_diagnostic.PRSV201.severity = none")).ShouldHaveSingleItem().Severity.ShouldBe(DiagnosticSeverity.Info);
    }

    private static string Message(Diagnostic diagnostic) => diagnostic.GetMessage(CultureInfo.InvariantCulture);

    private static string Us(long picoseconds) => (picoseconds / 1_000_000m).ToString("#,0.0", CultureInfo.InvariantCulture);
}

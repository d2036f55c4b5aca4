using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>What can be planned and is probably not meant is said at its place, with its numbers, and planned all the same.</summary>
public partial class AdviceTests
{
    /// <summary>A part of the small declaration, what stands there instead with the place marked, and what is said.</summary>
    public static TheoryData<string, string, string, string> Advice => new()
    {
        { "Heads = 8|TensorParallel = 2", "Heads = 8, KeyValueHeads = 2|[|TensorParallel = 4|]", "PRSV101", "TensorParallel is 4, and layer 'DecoderLayer' has 2 key and value heads: 2 ranks hold each, so that the group's cache of such a layer is 2 times as large" },
        { "Heads = 8|TensorParallel = 2", "Heads = 8, KeyValueHeads = 1|[|TensorParallel = 4|]", "PRSV101", "TensorParallel is 4, and layer 'DecoderLayer' has 1 key and value head: 4 ranks hold it, so that the group's cache of such a layer is 4 times as large" },
        { "Vocabulary = 1000|Context = 128", "Vocabulary = 1000, MaxPositions = 128|[|Context = 128|]", "PRSV102", "the step reaches 129 tokens, and the model was made for sequences of 128: its time is that of the arithmetic, what it would answer is another matter" },
        { "Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 128|Prefill(Batch = 4, [|Tokens = 129|])", "PRSV102", "the step reaches 129 tokens, and the model was made for sequences of 128: its time is that of the arithmetic, what it would answer is another matter" },
        { "Vocabulary = 1000|Decode(Batch = 4, Context = 128)", "Vocabulary = 1000, MaxPositions = 128|[|Generation(Batch = 4, Prompt = 100, Tokens = 30)|]", "PRSV102", "the step reaches 129 tokens, and the model was made for sequences of 128: its time is that of the arithmetic, what it would answer is another matter" },
        { "Vocabulary = 1000|Context = 128", "Vocabulary = 1000, MaxPositions = 128|[|CachedTokens = 509|]", "PRSV102", "the step reaches 129 tokens, and the model was made for sequences of 128: its time is that of the arithmetic, what it would answer is another matter" },
        { "Heads = 8|TensorParallel = 2)]|Context = 128", "Heads = 8, KeyValueHeads = 4|TensorParallel = 2, KeyValueHome = Home.Host, [|Recompute = RecomputePolicy.Best|])]|Context = 128, Prompt = 64", "PRSV103", "'Deployed' asks for a recomputation of keys and values, but a token's activations are 1,024 bytes, the keys and values that they make over 2 links 1,024: recomputing cannot pay" },
        { "TensorParallel = 2)]|Decode(Batch = 4, Context = 128)", "TensorParallel = 2, KeyValueHome = Home.Host, [|Recompute = RecomputePolicy.Best|])]|Prefill(Batch = 4, Tokens = 128)", "PRSV103", "'Deployed' asks for a recomputation of keys and values, but no decode step is declared, and a prefill brings none that could be recomputed" },
        { "Devices.A100Sxm80", "[|Devices.B200|]", "PRSV104", "Nothing is prefetched: l2.read_terabytes_per_second of b200-sxm is not known; a device file of your own can give it, and Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.H100, [|Prefetch = PrefetchPolicy.Paper|]", "PRSV104", "Nothing is prefetched: the policy prefetches under collectives, and one rank has none; Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.B200, [|Prefetch = PrefetchPolicy.Paper|]", "PRSV104", "Nothing is prefetched: the policy prefetches under collectives, and one rank has none; Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "TensorParallel = 2)]|Decode(Batch = 4, Context = 128)", "TensorParallel = 2, [|PrefetchTargets = PrefetchTargets.KeyValues|])]|Prefill(Batch = 4, Tokens = 128)", "PRSV104", "Nothing is prefetched: the deployment lets the KV-cache alone be prefetched, and a prefill reads none from before it; Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "Devices.A100Sxm80, TensorParallel = 2|Context = 128", "Devices.B200, [|PrefetchTargets = PrefetchTargets.KeyValues|], KeyValueHome = Home.Host|Context = 128, Prompt = 64", "PRSV104", "Nothing is prefetched: the deployment lets the KV-cache alone be prefetched, and that is in host memory; Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "Devices.A100Sxm80, TensorParallel = 2", "Devices.H100, WeightHome = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = 2, [|Prefetch = PrefetchPolicy.Best|]", "PRSV104", "Nothing is prefetched: where layers serve several batches, here 2, the planner prefetches nothing; Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "Devices.A100Sxm80|Decode(Batch = 4, Context = 128)", "[|Devices.B200|], PrefetchTargets = PrefetchTargets.KeyValues|Decode(Batch = 4, Context = 128), Prefill(Batch = 4, Tokens = 128)", "PRSV104", "Nothing is prefetched: l2.read_terabytes_per_second of b200-sxm is not known; a device file of your own can give it, and Prefetch = PrefetchPolicy.None says that nothing is meant to be" },
        { "[Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]|Batch = 4, Context = 128", "[[|Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)|]]|Batch = 8192, Context = 2300", "PRSV105", "'Deployed' needs 77.3 of 80.0 GB of each a100-80-sxm, 97 %, 77.2 GB of it for the KV-cache: what a serving system needs beside it, such as captured graphs and buffers of the collectives, may not fit" },
        { "Devices.A100Sxm80", "[|Devices.Ascend910B2|]", "PRSV106", "Nothing of 'ascend-910b2' was measured: times are made of data sheets and 20 assumed values, such as collectives.latency_microseconds" },
        { "Heads = 8|Devices.A100Sxm80, TensorParallel = 2", "Heads = 16|Devices.A100Sxm80, [|TensorParallel = 16|]", "PRSV108", "collectives were measured over 8 ranks at most: those of 16 take the device file's rates of collectives, as if one domain of NVLink3 joined all of them; scale_up.ranks of a device file says how many it joins" },
    };

    [Theory]
    [MemberData(nameof(Advice))]
    public async Task Is_given_at_its_place_with_its_numbers(string parts, string replacements, string id, string message)
    {
        var marked = parts.Split('|').Zip(MarkedParts().Split(replacements)).Aggregate(Declarations.Small, (text, part) => text.With(part.First, part.Second));
        var (source, places) = Markup.Parse(marked);
        var run = GeneratorRun.Of(source);
        run.Sources.Length.ShouldBe(1);
        var said = (await Analysis.DiagnosticsOf(run.Output)).Where(d => d.Id == id || !IsOfTheDevice(d)).ShouldHaveSingleItem();
        said.Id.ShouldBe(id);
        said.Severity.ShouldNotBe(DiagnosticSeverity.Error);
        said.Location.SourceSpan.ShouldBe(places.ShouldHaveSingleItem());
        said.GetMessage(CultureInfo.InvariantCulture).ShouldBe(message);
    }

    /// <summary>What keeps every prefetch away is said once more of each plan: there is one cause.</summary>
    [Theory]
    [InlineData("Devices.B200", "Decode(Batch = 4, Context = 128)")]
    [InlineData("Devices.B200, Prefetch = PrefetchPolicy.Paper", "Decode(Batch = 4, Context = 128), Prefill(Batch = 4, Tokens = 128)")]
    [InlineData("Devices.B200, Prefetch = PrefetchPolicy.Paper, PrefetchTargets = PrefetchTargets.KeyValues", "Prefill(Batch = 4, Tokens = 128)")]
    [InlineData("Devices.B200, PrefetchTargets = PrefetchTargets.KeyValues", "Prefill(Batch = 4, Tokens = 128)")]
    [InlineData("Devices.H100, PrefetchTargets = PrefetchTargets.KeyValues", "Prefill(Batch = 4, Tokens = 128), Prefill(Batch = 1, Tokens = 128)")]
    [InlineData("Devices.B200, PrefetchTargets = PrefetchTargets.KeyValues, KeyValueHome = Home.Host", "Prefill(Batch = 4, Tokens = 128)")]
    public async Task Why_nothing_is_prefetched_is_what_the_plan_says(string device, string steps)
    {
        var run = GeneratorRun.Of(Declarations.Small.With("Devices.A100Sxm80, TensorParallel = 2", device).With("Decode(Batch = 4, Context = 128)", steps));
        var said = (await Analysis.AllOf(run.Output)).ToLookup(d => d.Id, d => d.GetMessage(CultureInfo.InvariantCulture));
        var reason = said["PRSV104"].ShouldHaveSingleItem()["Nothing is prefetched: ".Length..].Split("; ")[0];
        said["PRSV201"].Count().ShouldBe(steps.Split("),").Length);
        said["PRSV201"].ShouldAllBe(s => s.EndsWith("Prefetch does not pay; " + reason, StringComparison.Ordinal));
    }

    /// <summary>An H100 of one's own, of which a part was not measured, and the fields that stand for it left out. What no calibration has, such as the rate of a
    /// prefetch, is assumed of each device, and not said.</summary>
    [Theory]
    [InlineData("", "TensorParallel = 2", null)]
    [InlineData("collectives", "TensorParallel = 2", "collectives.latency_microseconds")]
    [InlineData("collectives", "SequenceParallel = true, TensorParallel = 2", "collectives.latency_microseconds")]
    [InlineData("collectives", "TensorParallel = 1", null)]
    [InlineData("small_operators", "TensorParallel = 2", "kernels.small_operator_fixed_microseconds")]
    [InlineData("decode_attention", "TensorParallel = 2", "kernels.attention_bf16_teraflops, kernels.attention_fixed_microseconds")]
    [InlineData("prefill_attention", "TensorParallel = 2", null)]
    [InlineData("", "TensorParallel = 2, KeyValueHome = Home.Host, Recompute = RecomputePolicy.None", "host_link.latency_microseconds, host_link.pageable_gigabytes_per_second, host_link.duplex_share, host_link.copy_engines, host_link.host_memory_gigabytes_per_second")]
    [InlineData("collectives small_operators", "TensorParallel = 2", "kernels.small_operator_fixed_microseconds, collectives.latency_microseconds")]
    public async Task A_kind_of_kernel_that_runs_and_was_not_measured_is_said_by_what_is_assumed(string lacks, string arguments, string? fields)
    {
        var device = (JsonObject)JsonNode.Parse(DeviceCatalogue.TextOf(Devices.H100)!)!;
        device["id"] = "own-1";
        device.Remove("collectives");
        foreach (var part in lacks.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            device["calibration"]!.AsObject().Remove(part).ShouldBeTrue();
        var file = new DeviceText("/own.device.json", device.ToJsonString());
        var run = GeneratorRun.Of(TestCompilation.Of(Declarations.Small.With("Devices.A100Sxm80, TensorParallel = 2", "\"own-1\", " + arguments)), file);
        (await Analysis.DiagnosticsOf(run.Output, file)).Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture)))
            .ShouldBe(fields is null ? [] : [("PRSV106", $"Not all that 'Deployed' runs was measured on 'own-1': times rest on assumed values of {fields}")]);
    }

    /// <summary>A layer with as many key and value heads as query heads, for which a recomputation pays by its sizes; beside it one with fewer, for which it does not.</summary>
    [Theory]
    [InlineData("Heads = 32, Window = 512", "Heads = 32, KeyValueHeads = 4", "Decode(Batch = 4, Context = 2024, Prompt = 900)", "a token's activations are 8,192 bytes, the keys and values that they make 2,048: recomputing cannot pay")]
    [InlineData("Heads = 32, Window = 512", "Heads = 32, Window = 256", "Decode(Batch = 4, Context = 2024, Prompt = 900)", "no layer keeps the first tokens of its prompt")]
    [InlineData("Heads = 32, Window = 512", "Heads = 32, Window = 256", "Decode(Batch = 4, Context = 2024, Prompt = 900), Decode(Batch = 4, Context = 512, Prompt = 100)", "no layer keeps the first tokens of its prompt")]
    [InlineData("Heads = 32, Window = 512", "Heads = 32, Window = 256", "Decode(Batch = 4, Context = 2024, Prompt = 900), Decode(Batch = 4, Context = 511, Prompt = 100)", null)]
    [InlineData("Heads = 32", "Heads = 32, Window = 256", "Decode(Batch = 4, Context = 2024, Prompt = 900)", null)]
    public async Task A_layer_whose_window_has_left_the_prompt_gains_nothing_by_recomputation(string first, string second, string steps, string? why)
    {
        var run = GeneratorRun.Of($$"""
            using Preserve;

            [Model(Hidden = 4096, Vocabulary = 32_000)]
            [Layers(typeof(A), typeof(B), Repeat = 2)]
            public static class Mixed
            {
                [Layer, Attention({{first}}), FeedForward(Intermediate = 8192)]
                public sealed class A;

                [Layer, Attention({{second}}), FeedForward(Intermediate = 8192)]
                public sealed class B;
            }

            [Deployment(typeof(Mixed), Devices.H100, KeyValueHome = Home.Host, Recompute = RecomputePolicy.Best, Prefetch = PrefetchPolicy.None)]
            [{{steps}}]
            public sealed partial class Deployed : Deployment;
            """);
        (await Analysis.DiagnosticsOf(run.Output)).Where(d => !IsOfTheDevice(d)).Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture)))
            .ShouldBe(why is null ? [] : [("PRSV103", "'Deployed' asks for a recomputation of keys and values, but " + why)]);
        // As the planner has it.
        var reasons = EmittedText.PlansOf(run.Source).Steps.Select(s => s.Report.Split!).ToList();
        if (why is null)
            reasons.ShouldContain(s => s.Outcome != SplitOutcome.CannotPay && s.Outcome != SplitOutcome.NotAsked && s.Outcome != SplitOutcome.NotPossible);
        else
            reasons.ShouldAllBe(s => s.Reason == why);
    }

    /// <summary>Keys and values of 1,024 bytes on each of two ranks, and activations that are a little larger: only halves of them are smaller.</summary>
    [Theory]
    [InlineData(514, "", null)]
    [InlineData(514, "SequenceParallel = true, ", null)]
    [InlineData(513, "", "a token's activations are 1,026 bytes, the keys and values that they make 1,024: recomputing cannot pay")]
    [InlineData(513, "SequenceParallel = true, ", "a token's activations are 1,026 bytes, the keys and values that they make 1,024: recomputing cannot pay")]
    public async Task Activations_are_gathered_from_the_ranks_only_where_these_divide_their_columns(int hidden, string arguments, string? why)
    {
        var run = GeneratorRun.Of(Declarations.Small.With("Hidden = 512", $"Hidden = {hidden}").With("Heads = 8", "Heads = 8, HeadSize = 64")
            .With("TensorParallel = 2", $"TensorParallel = 2, {arguments}KeyValueHome = Home.Host, Recompute = RecomputePolicy.Best, Prefetch = PrefetchPolicy.None").With("Context = 128", "Context = 128, Prompt = 64"));
        (await Analysis.DiagnosticsOf(run.Output)).Where(d => !IsOfTheDevice(d)).Select(d => (d.Id, d.GetMessage(CultureInfo.InvariantCulture)))
            .ShouldBe(why is null ? [] : [("PRSV103", "'Deployed' asks for a recomputation of keys and values, but " + why)]);
        var split = EmittedText.PlansOf(run.Source).Steps[0].Report.Split!;
        (split.Outcome == SplitOutcome.CannotPay ? split.Reason : null).ShouldBe(why);
    }

    /// <summary>A host of a gigabyte, and the KV-cache of 119 tokens of many sequences, 8,192 bytes each.</summary>
    [Theory]
    [InlineData(1_000, "1.0", "97")]
    [InlineData(924, "0.9", "90")]
    [InlineData(923, null, null)]
    public async Task The_hosts_memory_may_be_nearly_full_too(int batch, string? gigabytes, string? share)
    {
        var own = new DeviceText("/own.device.json", DeviceText.Own.With("\"scale_up\"", "\"host_link\": { \"host_memory_capacity_gigabytes\": 1 },\n  \"scale_up\""));
        var source = Declarations.Small.With("Devices.A100Sxm80, TensorParallel = 2", "\"own-1\", TensorParallel = 2, KeyValueHome = Home.Host, Recompute = RecomputePolicy.None")
            .With("Batch = 4, Context = 128", $"Batch = {batch}, Context = 118");
        var run = GeneratorRun.Of(TestCompilation.Of(source), own);
        run.Sources.Length.ShouldBe(1);
        var said = (await Analysis.DiagnosticsOf(run.Output, own)).Where(d => d.Id == "PRSV105").Select(d => d.GetMessage(CultureInfo.InvariantCulture));
        said.ShouldBe(gigabytes is null ? [] :
        [
            $"'Deployed' needs {gigabytes} of 1.0 GB of the host's memory, {share} %, {gigabytes} GB of it for the KV-cache: what the host needs beside it, such as its system, the server and stored activations, may not fit",
        ]);
    }

    /// <summary>A generation's own tokens are those that it generates; its prompt is what the prefill takes.</summary>
    [Fact]
    public async Task A_prompt_beyond_the_positions_is_said_at_the_prompt_and_of_the_whole_generation()
    {
        var source = Declarations.Small.With("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 128").With("Decode(Batch = 4, Context = 128)", "Generation(Batch = 4, Prompt = 129, Tokens = 2)");
        var said = await Analysis.DiagnosticsOf(GeneratorRun.Of(source).Output);
        said.Select(d => (d.Id, source.Substring(d.Location.SourceSpan.Start, d.Location.SourceSpan.Length), d.GetMessage(CultureInfo.InvariantCulture).Split(" tokens")[0])).ShouldBe(
            [("PRSV102", "Prompt = 129", "the step reaches 129"), ("PRSV102", "Generation(Batch = 4, Prompt = 129, Tokens = 2)", "the step reaches 130")], ignoreOrder: true);
    }

    [Fact]
    public void Every_advice_is_provoked() => Analysis.Analyzers.SelectMany(a => a.SupportedDiagnostics).Where(d => d.DefaultSeverity != DiagnosticSeverity.Error).Select(d => d.Id)
        // Device files and what is said of plans have tests of their own.
        .Except(["PRSV107", "PRSV201", "PRSV202", "PRSV203", "PRSV204"]).ShouldBe(Advice.Select(a => a.Data.Item3).Distinct(), ignoreOrder: true);

    [Theory]
    // As many ranks as heads; a step that ends at the last position, its sequences counted together; a table's last row; recomputation by default; no prefetch wanted, or none whatever the L2; a tenth of the memory free.
    [InlineData("Heads = 8", "Heads = 8, KeyValueHeads = 2")]
    [InlineData("Vocabulary = 1000", "Vocabulary = 1000, MaxPositions = 129")]
    [InlineData("Batch = 4, Context = 128", "Batch = 4, CachedTokens = 524_284")]
    [InlineData("TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]", "TensorParallel = 2, KeyValueHome = Home.Host)]\n[Generation(Batch = 4, Prompt = 64, Tokens = 64)]")]
    [InlineData("Devices.A100Sxm80, TensorParallel = 2", "Devices.B200, TensorParallel = 2, Prefetch = PrefetchPolicy.None")]
    [InlineData("Devices.A100Sxm80, TensorParallel = 2", "Devices.B200, TensorParallel = 2, WeightHome = Home.Host, Objective = Objective.Throughput, BatchesPerLayer = 2")]
    [InlineData("TensorParallel = 2)]\n[Decode(Batch = 4, Context = 128)]", "TensorParallel = 2, PrefetchTargets = PrefetchTargets.KeyValues)]\n[Decode(Batch = 4, Context = 128), Prefill(Batch = 4, Tokens = 128)]")]
    [InlineData("Batch = 4, Context = 128", "Batch = 8192, Context = 2100")]
    public async Task None_is_given_where_the_limit_is_kept(string part, string replacement) =>
        (await Analysis.DiagnosticsOf(GeneratorRun.Of(Declarations.Small.With(part, replacement)).Output)).Where(d => !IsOfTheDevice(d)).ShouldBeEmpty();

    /// <summary>No copy was measured on the built-in devices, and of the B200 no attention: their deployments have that beside other advice.</summary>
    private static bool IsOfTheDevice(Diagnostic diagnostic) => diagnostic.Id == "PRSV106";

    /// <summary>What parts the replacements, and marks no place.</summary>
    [GeneratedRegex(@"(?<!\[)\|(?!\])")]
    private static partial Regex MarkedParts();
}

using System.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Benchmarks;

/// <summary>What it takes to plan and run a whole generation of a large model whose KV-cache lives on the host: row by row, and column by column with
/// its weights there too.</summary>
internal static class Generation
{
    private const int Prompt = 512, Tokens = 128, WarmUps = 60, Runs = 31;

    public static void Measure()
    {
        foreach (var prefetch in new[] { PrefetchPolicy.None, PrefetchPolicy.Best })
        {
            // 64 sequences, and prefetches: the deployment of examples/Opt.Offload.
            foreach (var batch in new[] { 16, 64 })
                Measure("row by row", Devices.A100Sxm80, OffloadSpec.None with { KeyValues = Home.Host }, batch, prefetch);
        }
        foreach (var batches in new[] { 2, 8 })
            Measure($"column by column, {batches} batches", Devices.A100Sxm40, new OffloadSpec(Home.Host, Home.Host, Objective.Throughput, batches), batch: 16, PrefetchPolicy.None);
    }

    private static void Measure(string schedule, string id, OffloadSpec offload, int batch, PrefetchPolicy prefetch)
    {
        if (!DeviceCatalogue.TryGet(id, out var device))
            throw new InvalidOperationException("no such device");
        var layer = new LayerSpec(
            "DecoderLayer", Norm.Layer, PostNorm: false, Position.Learned, Parallel: false,
            new MultiHeadAttentionSpec(56, 56, 128, ProjectionBias.All, QueryKeyNorm: false, Window: 0, SoftCap: false),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(28_672, Activation.Relu, Bias: true) });
        var model = new ModelSpec(
            "OPT-30B", 7168, 50_272, 2048, TiedEmbeddings: true, LearnedPositions: 2050, EmbeddingScale: false, Norm.Layer, LogitSoftCap: false, HeadBias: false,
            new[] { new LayerGroup(new[] { layer }, 48) });
        var deployment = new DeploymentSpec(
            model, device.Id, 1, Precision.Bf16, Precision.Bf16, Precision.Bf16, prefetch, SeparateProjections: false,
            new StepSpec[] { new PrefillSpec(batch, Prompt), new DecodeSpec(batch, Prompt + Tokens - 2, Total: false, Prompt) })
        {
            Offload = offload,
        };
        var (plans, runs) = (new List<double>(), new List<double>());
        for (var i = 0; i < WarmUps + Runs; i++)
        {
            var clock = Stopwatch.StartNew();
            var planned = Planner.Plan(deployment, device);
            var planning = clock.Elapsed.TotalMilliseconds;
            _ = GenerationRun.RunAsync(new Executor(new SimulatedBackend(device)), planned.Steps[0].Plan, planned.Steps[1].Plan, Tokens).AsTask().GetAwaiter().GetResult();
            if (i < WarmUps)
                continue;
            plans.Add(planning);
            runs.Add(clock.Elapsed.TotalMilliseconds - planning);
        }
        Console.WriteLine($"{model.Name}, {schedule}, prefetch {prefetch}, {batch} prompts of {Prompt} tokens, {Tokens} tokens each: planned and proved in {Median(plans):0.0} ms, run in {Median(runs):0.0} ms (medians of {Runs})");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

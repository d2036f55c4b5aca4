using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>The evaluation of PRESERVE (arXiv 2501.08192) on the hardware model.</summary>
public static class Reproduction
{
    /// <summary>The published end-to-end speed-ups over all configurations.</summary>
    public const double PublishedLeast = 1.09, PublishedMost = 1.61;

    /// <summary>The main setting.</summary>
    public const int MainBatch = 4, MainLength = 16_384;

    /// <summary>Names of the published models.</summary>
    public static IReadOnlyList<string> Models { get; } = ["llama-3-8b", "llama-3-70b", "qwen2-7b", "qwen2-72b", "phi-3-small", "phi-3-medium"];

    /// <summary>The published range of batches, by doubling.</summary>
    public static IReadOnlyList<int> Batches { get; } = [1, 2, 4, 8, 16, 32, 64];

    /// <summary>The published range of maximum lengths, by doubling.</summary>
    public static IReadOnlyList<int> Lengths { get; } = [2048, 4096, 8192, 16_384, 32_768];

    /// <summary>Sizes of the group within the published server of eight.</summary>
    public static IReadOnlyList<int> Ranks { get; } = [2, 4, 8];

    /// <summary>Times of a small all-reduce that are tried, in microseconds.</summary>
    public static IReadOnlyList<double> Latencies { get; } = [5, 10, 15, 20, 25, 30, 40, 50, 60];

    /// <summary>The model as it was evaluated: attending to all of its tokens, however long the sequence.</summary>
    /// <param name="model">A published model, which may have a sliding window.</param>
    public static ModelSpec WithoutWindow(ModelSpec model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model with { Stack = model.Stack.Select(g => g with { Pattern = g.Pattern.Select(Whole).ToArray() }).ToArray() };

        static LayerSpec Whole(LayerSpec layer) =>
            layer.Attention is MultiHeadAttentionSpec attention ? layer with { Attention = attention with { Window = 0 } } : layer;
    }

    /// <summary>Compares the techniques for every batch of requests that can run.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="techniques">What is compared with the plain technique.</param>
    /// <param name="progress">Is told how many are done; null where nobody asks.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>One comparison for each, in their order; those that cannot run say why.</returns>
    public static IReadOnlyList<Comparison> Compare(
        IReadOnlyList<RequestBatch> requests, Device device, IReadOnlyList<Technique> techniques, IProgress<int>? progress, CancellationToken cancellation) =>
        Each(requests, r => Compare(r, device, techniques, cancellation), progress, cancellation);

    /// <summary>The device with those assumptions and doubts alone that the requests' times depend on: where times were measured, laws read what
    /// was fitted to them.</summary>
    /// <param name="requests">Requests that can run.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="cancellation">Stops before the next plan.</param>
    public static Device Marked(IReadOnlyList<RequestBatch> requests, Device device, CancellationToken cancellation) =>
        FieldUse.Marked(device, Plans(requests, device, cancellation));

    /// <summary>Compares with each constant that the device assumes or doubts at half and at twice its value, where it can be so large.</summary>
    /// <param name="requests">The requests, at the main setting.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="progress">Is told how many are done; null where nobody asks.</param>
    /// <param name="cancellation">Stops it.</param>
    public static IReadOnlyList<SensitivityPoint> Sensitivity(
        IReadOnlyList<RequestBatch> requests, Device device, IProgress<int>? progress, CancellationToken cancellation) =>
        Each(
            [
                .. from constant in AssumedConstant.Of(Marked(requests, device, cancellation))
                   from factor in new[] { 0.5, 2 }
                   let changed = constant.Times(device, factor)
                   where changed != device
                   from r in requests
                   select (constant, factor, changed, r),
            ],
            p => new SensitivityPoint(p.constant, p.factor, Compare(p.r, p.changed, [Technique.Paper, Technique.Best], cancellation)),
            progress, cancellation);

    /// <summary>Compares over the time of a small all-reduce. Requests whose collectives follow measured times are left out.</summary>
    /// <param name="requests">The requests, at the main setting.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="progress">Is told how many are done; null where nobody asks.</param>
    /// <param name="cancellation">Stops it.</param>
    public static IReadOnlyList<LatencyPoint> OverLatency(
        IReadOnlyList<RequestBatch> requests, Device device, IProgress<int>? progress, CancellationToken cancellation) =>
        Each(
            [.. from r in requests where FieldUse.IsRead("collectives", device, Plans([r], device, cancellation)) from latency in Latencies select (r, latency)],
            p => new LatencyPoint(p.latency, Compare(p.r, AssumedConstant.WithLatency(device, p.latency), [Technique.Paper, Technique.Best], cancellation)),
            progress, cancellation);

    /// <summary>Plans with every kind of operation that a technique runs for the requests: what a fused kernel does, its parts do here.</summary>
    private static IReadOnlyList<ExecutionPlan> Plans(IReadOnlyList<RequestBatch> requests, Device device, CancellationToken cancellation) =>
        [.. from r in requests from step in new StepSpec[] { r.Decode, r.Prefill(1) } select Planner.PlanStep(r.Deploy(device, step, Technique.Best), step, device, cancellation)];

    private static Comparison Compare(RequestBatch requests, Device device, IReadOnlyList<Technique> techniques, CancellationToken cancellation)
    {
        var sequences = requests.SequencesPerPrefill(device, out var why);
        if (why is not null)
            return new Comparison(requests, 0, why, null, null, []);
        var timing = new RequestTiming(requests, device, cancellation);
        return new Comparison(
            requests, sequences, null, CollectiveBalance.Of(requests, device, cancellation), timing.Of(Technique.Plain, sequences),
            [.. techniques.Select(t => new TechniqueTime(t, timing.Of(t, sequences)))]);
    }

    private static TResult[] Each<T, TResult>(IReadOnlyList<T> items, Func<T, TResult> work, IProgress<int>? progress, CancellationToken cancellation)
    {
        var (results, done) = (new TResult[items.Count], 0);
        Parallel.For(0, items.Count, Workers.Of(cancellation), i =>
        {
            results[i] = work(items[i]);
            progress?.Report(Interlocked.Increment(ref done));
        });
        return results;
    }
}

/// <summary>What the techniques give one batch of requests.</summary>
/// <param name="Requests">The requests.</param>
/// <param name="SequencesPerPrefill">Sequences that are prefilled at a time; 0 where they cannot run.</param>
/// <param name="WhyNot">Why they cannot run; null where they can.</param>
/// <param name="Balance">Collectives against prefetches; null where they cannot run.</param>
/// <param name="Plain">The time without any technique; null where they cannot run.</param>
/// <param name="Times">The time with each technique; empty where they cannot run.</param>
public sealed record Comparison(
    RequestBatch Requests, int SequencesPerPrefill, string? WhyNot, CollectiveBalance? Balance, RequestTime? Plain, IReadOnlyList<TechniqueTime> Times)
{
    /// <summary>Whether it ran in the main setting.</summary>
    public bool IsMain => WhyNot is null && Requests is { Batch: Reproduction.MainBatch, Length: Reproduction.MainLength };

    /// <summary>How many times as fast a technique makes prefill and decode together.</summary>
    /// <param name="technique">A technique that was compared.</param>
    public double Speedup(Technique technique) => Plain!.Picoseconds / TimeOf(technique).Picoseconds;

    /// <summary>How many times as fast a technique makes the decode steps.</summary>
    /// <param name="technique">A technique that was compared.</param>
    public double DecodeSpeedup(Technique technique) => Plain!.DecodePicoseconds / TimeOf(technique).DecodePicoseconds;

    private RequestTime TimeOf(Technique technique) => Times.First(t => t.Technique == technique).Time;
}

/// <summary>A technique and the time that it takes.</summary>
/// <param name="Technique">The technique.</param>
/// <param name="Time">Its time.</param>
public sealed record TechniqueTime(Technique Technique, RequestTime Time);

/// <summary>A comparison with another value of an assumed constant.</summary>
/// <param name="Constant">The constant.</param>
/// <param name="Factor">Times its declared value.</param>
/// <param name="Comparison">The comparison.</param>
public sealed record SensitivityPoint(AssumedConstant Constant, double Factor, Comparison Comparison);

/// <summary>A comparison with another time of a small all-reduce.</summary>
/// <param name="Microseconds">The time.</param>
/// <param name="Comparison">The comparison.</param>
public sealed record LatencyPoint(double Microseconds, Comparison Comparison);

using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>The time that collectives give against the time that prefetch could use, in the last decode step, with nothing prefetched.</summary>
/// <param name="CollectivePicoseconds">All collectives.</param>
/// <param name="PrefetchPicoseconds">What memory needs for all weights and KV that matmuls and attention read.</param>
/// <param name="CollectiveShare">The part of the step in which nothing but a collective runs.</param>
public sealed record CollectiveBalance(double CollectivePicoseconds, double PrefetchPicoseconds, double CollectiveShare)
{
    /// <summary>How many times as long the collectives take as the prefetches would; 1 where both are equal.</summary>
    public double Ratio => CollectivePicoseconds / PrefetchPicoseconds;

    /// <summary>The balance of a batch of requests.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CollectiveBalance Of(RequestBatch requests, Device device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(device);
        var context = requests.Decode.Context;
        var plan = Planner.PlanStep(requests.Deploy(device, requests.Decode, Technique.Plain), requests.Decode, device, cancellation).Unroll();
        // The modelled device completes at once: nothing is waited for.
        var run = new Executor(new SimulatedBackend(device, new SimulationOptions { RecordTimeline = true })).RunAsync(plan, context, cancellation).AsTask().GetAwaiter().GetResult();

        var tensors = plan.Tensors.Where(t => t.Role != TensorRole.Value).ToDictionary(t => t.Name);
        var bytes = plan.Instructions().Where(i => i.Operation is MatMulOperation or AttentionOperation).SelectMany(i => i.Reads)
            .Where(r => tensors.ContainsKey(r.Tensor))
            .Sum(r => (r.Range?.Length ?? tensors[r.Tensor].Units).At(context) * tensors[r.Tensor].UnitBytes);
        return new CollectiveBalance(
            run.Timeline.Where(i => i.Stream == StreamKind.Collective).Sum(i => i.EndPicoseconds - i.StartPicoseconds),
            bytes / (device.Hbm.SustainedGigabytesPerSecond / 1000), // 1 GB/s is 0.001 bytes per picosecond
            (double)run.CollectiveExposedPicoseconds / run.Picoseconds);
    }
}

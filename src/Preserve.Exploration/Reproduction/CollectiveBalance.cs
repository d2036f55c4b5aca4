using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>The time that collectives give against the time that prefetch could use, in one decode step at the largest context.</summary>
/// <param name="CollectivePicoseconds">All collectives.</param>
/// <param name="PrefetchPicoseconds">What memory needs for all weights and KV that are read between them.</param>
/// <param name="CollectiveShare">The part of the plain step in which nothing but a collective runs.</param>
public sealed record CollectiveBalance(double CollectivePicoseconds, double PrefetchPicoseconds, double CollectiveShare)
{
    /// <summary>How many times as long the collectives take as the prefetches would; 1 where both are equal.</summary>
    public double Ratio => CollectivePicoseconds / PrefetchPicoseconds;

    /// <summary>The balance of a batch of requests; one with at least two ranks.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CollectiveBalance Of(RequestBatch requests, Device device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentNullException.ThrowIfNull(device);
        var report = Planner.Plan(requests.Deploy(device, requests.Decode, Technique.Plain), device, cancellationToken: cancellation).Steps[0].Report;
        double collectives = 0, bytes = 0;
        foreach (var window in report.Windows)
        {
            var times = window.Stride == 0 ? 1 : ((window.LastLayer - window.FirstLayer) / window.Stride) + 1;
            collectives += (double)times * window.WindowPicoseconds;
            bytes += (double)times * window.Candidates.Sum(c => c.Bytes);
        }
        // 1 GB/s is 0.001 bytes per picosecond.
        return new CollectiveBalance(collectives, bytes / (device.Hbm.SustainedGigabytesPerSecond / 1000), (double)report.CollectivePicoseconds / report.BasePicoseconds);
    }
}

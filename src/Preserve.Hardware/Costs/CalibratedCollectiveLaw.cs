using System;

namespace Preserve;

/// <summary>Time of a collective by algorithm and protocol: the fastest of those that a library has for the message and the ranks.</summary>
/// <remarks>Latency and received bytes over a rate: one shot receives (n-1) B, two shots and a ring 2 (n-1)/n B (R. Thakur,
/// R. Rabenseifner and W. Gropp, Optimization of Collective Communication Operations in MPICH, 2005), the switch's multicast B. A
/// message that is cut into c chunks, which follow each other through p hops, takes (p + c) (a + B / (c r)); the best c leaves a term
/// in the square root of B. Outside a captured graph the message is copied into a registered buffer first, and the host's call is a
/// floor under all (vLLM, custom_all_reduce.py).</remarks>
internal static class CalibratedCollectiveLaw
{
    /// <param name="constants">Of the library, kind and ranks.</param>
    /// <param name="fallback">Of the library that takes larger messages; null where there is none.</param>
    /// <param name="bytes">Bytes of the operation, as <see cref="CollectiveOperation.Bytes"/> counts them.</param>
    /// <param name="launch">How it is launched.</param>
    public static KernelDemand Demand(CollectiveCalibration constants, CollectiveCalibration? fallback, double bytes, LaunchMode launch)
    {
        var (of, algorithm) = Fastest(constants, fallback, bytes);
        var demand = Demand(algorithm, of.Kind, bytes, of.Ranks);
        return launch == LaunchMode.Eager && constants.Eager is { } eager ? Launched(demand, eager, bytes) : demand;
    }

    /// <summary>Bytes that one rank receives.</summary>
    public static double ReceivedBytes(CollectiveAlgorithmName algorithm, CollectiveKind kind, double bytes, double ranks) => (algorithm, kind) switch
    {
        (_, CollectiveKind.AllGather) => (ranks - 1) * bytes,
        (_, CollectiveKind.ReduceScatter) => (ranks - 1) / ranks * bytes,
        (CollectiveAlgorithmName.OneShot, _) => (ranks - 1) * bytes,
        (CollectiveAlgorithmName.Multicast, _) => bytes,
        _ => 2 * (ranks - 1) / ranks * bytes,
    };

    /// <summary>The algorithm that is taken, and whose it is.</summary>
    /// <param name="constants">Of the library, kind and ranks.</param>
    /// <param name="fallback">Of the library that takes larger messages; null where there is none.</param>
    /// <param name="bytes">Bytes of the operation.</param>
    public static (CollectiveCalibration Of, CalibratedAlgorithm Algorithm) Fastest(CollectiveCalibration constants, CollectiveCalibration? fallback, double bytes)
    {
        var (of, best, least) = (constants, (CalibratedAlgorithm?)null, double.MaxValue);
        if (constants.LargestBytes is not { } largest || bytes <= largest || fallback is null)
            Take(constants);
        if (fallback is not null)
            Take(fallback);
        return (of, best!);

        void Take(CollectiveCalibration from)
        {
            for (var i = 0; i < from.Algorithms.Count; i++)
            {
                var time = Time(Demand(from.Algorithms[i], from.Kind, bytes, from.Ranks));
                if (best is null || time < least)
                    (of, best, least) = (from, from.Algorithms[i], time);
            }
        }
    }

    private static KernelDemand Demand(CalibratedAlgorithm algorithm, CollectiveKind kind, double bytes, int ranks)
    {
        var fixedTime = algorithm.LatencyMicroseconds + (algorithm.ChunkMicroseconds * Math.Sqrt(bytes / 1e6));
        return new KernelDemand(
            Picoseconds.FromMicroseconds(fixedTime),
            LinkBytes: ReceivedBytes(algorithm.Name, kind, bytes, ranks),
            LinkBytesPerPicosecond: algorithm.GigabytesPerSecond / 1000);
    }

    private static KernelDemand Launched(KernelDemand demand, EagerLaunch eager, double bytes)
    {
        var copied = demand.FixedPicoseconds + (2 * bytes / eager.CopyTerabytesPerSecond);
        var link = demand.LinkBytes / demand.LinkBytesPerPicosecond;
        return demand with { FixedPicoseconds = Picoseconds.Ceiling(Math.Max(copied, (eager.LaunchMicroseconds * 1e6) - link)) };
    }

    private static double Time(in KernelDemand demand) => demand.FixedPicoseconds + (demand.LinkBytes / demand.LinkBytesPerPicosecond);
}

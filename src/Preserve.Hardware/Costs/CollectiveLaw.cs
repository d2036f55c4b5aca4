namespace Preserve;

/// <summary>Time of a collective: fixed time and received bytes over a rate, for the algorithm that is fastest at that size.</summary>
/// <remarks>An all-reduce of B bytes over n ranks receives (n-1) B in one shot, 2 (n-1)/n B in two shots or around a ring; an
/// all-gather of B bytes per rank receives (n-1) B however it is done (Thakur, Rabenseifner and Gropp, Optimization of
/// Collective Communication Operations in MPICH, 2005). Derived, not measured: a reduce-scatter is the first half of an all-reduce
/// in two shots and receives (n-1)/n B. How the latency of the two halves divides is not known, and each is launched and
/// synchronised on its own, so it keeps all of it; of measured libraries, NCCL takes 10.2 us for an empty reduce-scatter over 8 H100
/// and 15.6 us for the all-reduce.</remarks>
internal static class CollectiveLaw
{
    public static KernelDemand Demand(CollectiveOperation operation, CollectiveConstants constants, double linkBytesPerPicosecond)
    {
        var others = operation.Ranks - 1;
        var direct = (double)others * operation.Bytes;
        var staged = operation.Kind switch
        {
            CollectiveKind.AllReduce => 2.0 * others / operation.Ranks * operation.Bytes,
            CollectiveKind.ReduceScatter => (double)others / operation.Ranks * operation.Bytes,
            _ => direct,
        };
        // A rank has use for its own part of each message only: there is nothing to send in one shot that two would not.
        if (operation.Kind == CollectiveKind.ReduceScatter)
            direct = staged;

        if (constants.OneShot is null && constants.TwoShot is null)
            return Demand(constants.LatencyMicroseconds, staged, linkBytesPerPicosecond);
        if (constants.TwoShot is null)
            return Demand(constants.OneShot!, direct);
        var twoShot = Demand(constants.TwoShot, staged);
        return constants.OneShot is null ? twoShot : Faster(Demand(constants.OneShot, direct), twoShot);
    }

    private static KernelDemand Demand(CollectiveAlgorithm algorithm, double bytes) =>
        Demand(algorithm.LatencyMicroseconds, bytes, algorithm.GigabytesPerSecond / 1000);

    private static KernelDemand Demand(double latencyMicroseconds, double bytes, double rate) =>
        new(Picoseconds.FromMicroseconds(latencyMicroseconds), LinkBytes: bytes, LinkBytesPerPicosecond: rate);

    private static KernelDemand Faster(KernelDemand left, KernelDemand right) => Time(right) < Time(left) ? right : left;

    private static double Time(KernelDemand demand) => demand.FixedPicoseconds + (demand.LinkBytes / demand.LinkBytesPerPicosecond);
}

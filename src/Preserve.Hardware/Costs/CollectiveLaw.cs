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
    public static KernelDemand Demand(CollectiveOperation operation, CollectiveConstants constants, double linkBytesPerPicosecond) =>
        AlgorithmOf(operation, constants) switch
        {
            CollectiveAlgorithmName.OneShot => Demand(constants.OneShot!, Received(operation, CollectiveAlgorithmName.OneShot)),
            CollectiveAlgorithmName.TwoShot => Demand(constants.TwoShot!, Received(operation, CollectiveAlgorithmName.TwoShot)),
            _ => Demand(constants.LatencyMicroseconds, Received(operation, CollectiveAlgorithmName.TwoShot), linkBytesPerPicosecond),
        };

    /// <summary>The demand of a rank that waits for the last one of its group first, as all but the last do: no kernel that exchanges ends
    /// before the last rank's, which begins so much later. Memory is free meanwhile.</summary>
    public static KernelDemand AfterSkew(KernelDemand demand, ScaleUpLink link) =>
        demand with { FixedPicoseconds = demand.FixedPicoseconds + Skew(link) };

    /// <summary>How long a rank waits for the last one, in picoseconds.</summary>
    public static long Skew(ScaleUpLink link) => Picoseconds.FromMicroseconds(link.SkewMicroseconds);

    /// <summary>The algorithm that is taken at the operation's size; null where the device names none.</summary>
    public static CollectiveAlgorithmName? AlgorithmOf(CollectiveOperation operation, CollectiveConstants constants) => constants switch
    {
        { OneShot: null, TwoShot: null } => null,
        { OneShot: null } => CollectiveAlgorithmName.TwoShot,
        { TwoShot: null } => CollectiveAlgorithmName.OneShot,
        _ => Time(Demand(constants.TwoShot, Received(operation, CollectiveAlgorithmName.TwoShot))) < Time(Demand(constants.OneShot, Received(operation, CollectiveAlgorithmName.OneShot)))
            ? CollectiveAlgorithmName.TwoShot
            : CollectiveAlgorithmName.OneShot,
    };

    private static double Received(CollectiveOperation operation, CollectiveAlgorithmName algorithm) =>
        CalibratedCollectiveLaw.ReceivedBytes(algorithm, operation.Kind, operation.Bytes, operation.Ranks);

    private static KernelDemand Demand(CollectiveAlgorithm algorithm, double bytes) =>
        Demand(algorithm.LatencyMicroseconds, bytes, algorithm.GigabytesPerSecond / 1000);

    private static KernelDemand Demand(double latencyMicroseconds, double bytes, double rate) =>
        new(Picoseconds.FromMicroseconds(latencyMicroseconds), LinkBytes: bytes, LinkBytesPerPicosecond: rate);

    private static double Time(KernelDemand demand) => demand.FixedPicoseconds + (demand.LinkBytes / demand.LinkBytesPerPicosecond);
}

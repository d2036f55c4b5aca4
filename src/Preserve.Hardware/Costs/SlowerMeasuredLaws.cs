using System;

namespace Preserve;

/// <summary>Cost laws with every kernel that was measured a little longer, and those that were not as they were: how far a time follows what was
/// measured. Events, prefetches and lookups have no law that could be measured, and grow with them: of a time whose kernels were all measured, all follows.</summary>
internal sealed class SlowerMeasuredLaws(ICostLaws laws) : AdjustedCostLaws(laws)
{
    /// <summary>The part of a time that has to follow what was measured, for the bands of that part to say something of the whole.</summary>
    public const double LeastShare = 0.5;

    /// <summary>How much longer measured kernels take to see what follows them: about as much as a law errs.</summary>
    private const double Slower = 1.1;

    /// <summary>The part of a time that follows what was measured, from 0 to 1: by how much of itself it grows under these laws.</summary>
    /// <param name="picoseconds">The time under the laws as they are.</param>
    /// <param name="slower">The same under these.</param>
    public static double ShareOf(long picoseconds, long slower) =>
        picoseconds == 0 ? 1 : Math.Min(Math.Max((slower - picoseconds) / ((Slower - 1) * picoseconds), 0), 1);

    public override long EventPicoseconds => Picoseconds.Ceiling(base.EventPicoseconds * Slower);

    protected override KernelDemand Adjust(Operation operation, in KernelDemand demand) =>
        PerturbedCostLaws.KindOf(operation) is not null && Band(operation) is null ? demand : PerturbedCostLaws.Scaled(demand, operation, this, Slower);
}

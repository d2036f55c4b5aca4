namespace Preserve;

/// <summary>What the optimizer expects of a plan, at the largest context it serves, and why it is as it is.
/// A time that is shown to a user is a run's own, never one of these.</summary>
/// <param name="BasePicoseconds">The base plan's step.</param>
/// <param name="StepPicoseconds">This plan's step.</param>
/// <param name="BoundPicoseconds">No plan of the same operators is faster.</param>
/// <param name="BoundBy">What makes the bound: the critical path, or a resource.</param>
/// <param name="CollectivePicoseconds">Time of the base plan in which only a collective runs.</param>
/// <param name="ReachablePicoseconds">The saving that prefetch can reach at most while collectives run.</param>
/// <param name="ElsewherePicoseconds">Time that prefetches run when no collective does, which can save more than that.</param>
/// <param name="WeightBytes">Weights of one rank.</param>
/// <param name="KeyValueBytes">KV-cache of one rank.</param>
/// <param name="Windows">The collectives and what runs beside them, in program order.</param>
public sealed record PlanReport(
    long BasePicoseconds,
    long StepPicoseconds,
    long BoundPicoseconds,
    string BoundBy,
    long CollectivePicoseconds,
    long ReachablePicoseconds,
    long ElsewherePicoseconds,
    long WeightBytes,
    long KeyValueBytes,
    EquatableArray<WindowReport> Windows);

/// <summary>A collective and what may be prefetched under it, for all layers in which it is the same.</summary>
/// <param name="Collective">The collective's label.</param>
/// <param name="FirstLayer">The first such layer, or -1 for a collective outside the stack.</param>
/// <param name="LastLayer">The last such layer, or -1.</param>
/// <param name="Stride">Layers from one to the next; 0 where there is only one, or none.</param>
/// <param name="WindowPicoseconds">The collective's time in this plan, in its last such layer.</param>
/// <param name="HiddenPicoseconds">Prefetch time inside it.</param>
/// <param name="SavedPicoseconds">Growth of the step when this window's prefetch alone is removed; negative where it harms.</param>
/// <param name="Candidates">Every weight and KV tensor read after this collective and before the next.</param>
public sealed record WindowReport(
    string Collective,
    int FirstLayer,
    int LastLayer,
    int Stride,
    long WindowPicoseconds,
    long HiddenPicoseconds,
    long SavedPicoseconds,
    EquatableArray<CandidateReport> Candidates);

/// <summary>A tensor that could be prefetched into a window, and what became of it.</summary>
/// <param name="Tensor">The tensor; its layer is counted from the window's where the window stands in several layers.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="PrefetchedBytes">Those that the plan prefetches.</param>
/// <param name="Verdict">What was decided.</param>
/// <param name="Reason">Why, with figures, in one sentence.</param>
public sealed record CandidateReport(TensorReference Tensor, long Bytes, long PrefetchedBytes, Verdict Verdict, string Reason);

/// <summary>What became of a prefetch candidate.</summary>
public enum Verdict
{
    /// <summary>Prefetched whole.</summary>
    Whole,

    /// <summary>Prefetched in part.</summary>
    Part,

    /// <summary>It does not fit the room that is left in the L2.</summary>
    NoRoom,

    /// <summary>The walk had stopped at an earlier candidate.</summary>
    Stopped,

    /// <summary>The policy prefetches nothing.</summary>
    NotAsked,

    /// <summary>The device's L2 is unknown.</summary>
    L2Unknown,
}

namespace Preserve;

/// <summary>What the optimizer expects of a plan, at the largest context it serves, and why it is as it is.
/// A time that is shown to a user is a run's own, never one of these.</summary>
/// <param name="BasePicoseconds">The base plan's step: nothing prefetched, and of a KV-cache in host memory nothing recomputed.</param>
/// <param name="StepPicoseconds">This plan's step.</param>
/// <param name="BoundPicoseconds">No plan of the same operators is faster.</param>
/// <param name="BoundBy">What makes the bound: the critical path, or a resource.</param>
/// <param name="CollectivePicoseconds">Time of the base plan in which only a collective runs.</param>
/// <param name="ReachablePicoseconds">What the bytes that memory can bring while collectives run save, where their readers save most: not what prefetches beside other kernels save.</param>
/// <param name="ElsewherePicoseconds">Time that prefetches run when no collective does, which can save more than that.</param>
/// <param name="WeightBytes">Weights of one rank.</param>
/// <param name="KeyValueBytes">KV-cache of one rank.</param>
/// <param name="Windows">The collectives, and the kernels beside which something is prefetched or could be, in program order.</param>
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
    EquatableArray<WindowReport> Windows)
{
    /// <summary>What the plan gains over the base plan when every collective takes half its time; negative where it loses.</summary>
    public long GainAtHalfPicoseconds { get; init; }

    /// <summary>The same when every collective takes twice its time.</summary>
    public long GainAtTwicePicoseconds { get; init; }

    /// <summary>How a KV-cache in host memory is brought; null where it lives on the device, and of a prefill.</summary>
    public SplitReport? Split { get; init; }

    /// <summary>Ranges of contexts in which the plan prefetches nothing, because its choice for the largest context would cost time there; ascending and
    /// apart.</summary>
    public EquatableArray<ContextRange> Pauses { get; init; } = [];

    /// <summary>How sure the gain is; null where the policy searches for nothing.</summary>
    public GuardReport? Guard { get; init; }
}

/// <summary>How sure the gain of a searched plan is.</summary>
/// <param name="Outcome">What was decided.</param>
/// <param name="LowPicoseconds">The low end of the gain's 80 % band over the base plan; null where too little was measured to tell.</param>
/// <param name="HighPicoseconds">The high end.</param>
public sealed record GuardReport(GuardOutcome Outcome, long? LowPicoseconds, long? HighPicoseconds)
{
    /// <summary>The search found nothing that gains.</summary>
    public static GuardReport NothingToGain { get; } = new(GuardOutcome.NothingToGain, null, null);
}

/// <summary>What became of a searched plan.</summary>
public enum GuardOutcome
{
    /// <summary>Emitted: it gains at the stated confidence when the constants of both plans move within their bands.</summary>
    Kept,

    /// <summary>Emitted: it gains by the model, and the collectives, or the larger part of the step, were not measured to say how surely.</summary>
    Nominal,

    /// <summary>The base plan is emitted: the gain is not positive at the stated confidence.</summary>
    Refused,

    /// <summary>The base plan is emitted: no prefetch makes the step shorter.</summary>
    NothingToGain,
}

/// <summary>An operator and what may be prefetched beside it, for all layers in which it is the same.</summary>
/// <param name="Host">The label of the collective, or of the kernel.</param>
/// <param name="FirstLayer">The first such layer, or -1 for a host outside the stack.</param>
/// <param name="LastLayer">The last such layer, or -1.</param>
/// <param name="Stride">Layers from one to the next; 0 where there is only one, or none.</param>
/// <param name="WindowPicoseconds">The host's time in this plan, in its last such layer.</param>
/// <param name="HiddenPicoseconds">Prefetch time inside it, of its own prefetches or of those of a window before.</param>
/// <param name="SavedPicoseconds">Growth of the step when this window's prefetch alone is removed; negative where it harms.</param>
/// <param name="Candidates">Every weight and KV tensor read after this collective and before the next, and what is prefetched beyond that.</param>
public sealed record WindowReport(
    string Host,
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
    /// <summary>All of it is prefetched, here or in several windows.</summary>
    Whole,

    /// <summary>Prefetched in part.</summary>
    Part,

    /// <summary>It does not fit the room that is left in the L2.</summary>
    NoRoom,

    /// <summary>The host is over before more could arrive: a longer one would hide it.</summary>
    WindowTooShort,

    /// <summary>Its reader takes as long with it, or with more of it, in the L2 as without: it is bound by its own work.</summary>
    ComputeBound,

    /// <summary>Its reader takes as long with it in the L2 as without: it waits for the link to the other ranks.</summary>
    LinkBound,

    /// <summary>More of it would push out of the L2 what is still needed, or be pushed out itself: a larger one would keep both.</summary>
    WouldEvict,

    /// <summary>More of it takes more from others, who share the memory, than its reader gains: a memory that serves both would not.</summary>
    Contention,

    /// <summary>More of it hides under nothing: no constraint alone is in the way.</summary>
    NothingToHideUnder,

    /// <summary>It is too small to be worth an instruction.</summary>
    TooSmall,

    /// <summary>Another window brings it, or suffices: a tensor is cut alike in all layers, and here the step is no longer without it.</summary>
    OtherWindow,

    /// <summary>More of it would gain a little, and the search ended before.</summary>
    NotSearched,

    /// <summary>The whole gain is smaller than the model is sure of, so nothing is prefetched.</summary>
    NotSure,

    /// <summary>The walk had stopped at an earlier candidate.</summary>
    Stopped,

    /// <summary>The policy prefetches nothing.</summary>
    NotAsked,

    /// <summary>The device's L2 is unknown.</summary>
    L2Unknown,
}

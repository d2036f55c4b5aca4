namespace Preserve.Optimizer;

/// <summary>What can be wrong with a plan.</summary>
public enum PlanFaultKind
{
    /// <summary>A tensor that is not declared, a layer or a range that does not exist, a value without a place in the arena, a copy between
    /// places that are not what it says, anything else that touches host memory.</summary>
    Reference,

    /// <summary>An operation has another shape than what it reads or writes.</summary>
    Shape,

    /// <summary>An event is waited for that nothing above signals.</summary>
    Event,

    /// <summary>A value is read that may not stand where it is read from: not yet written, or overwritten.</summary>
    Read,

    /// <summary>A value is overwritten while it may still be read.</summary>
    Overwrite,

    /// <summary>An attention does not read every attended token's keys and values exactly once, or they are not stored as it reads them.</summary>
    KeyValueRange,

    /// <summary>More bytes may be prefetched and not yet read than the L2 has room for.</summary>
    PrefetchRoom,

    /// <summary>A layer is left out or done twice.</summary>
    Layers,
}

/// <summary>A reason why a plan is not sound.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Label">The instruction, or empty.</param>
/// <param name="Layer">The layer of the repeat around it; 0 outside.</param>
/// <param name="Context">The context at which it is wrong.</param>
/// <param name="Message">What is wrong, with names and figures.</param>
public sealed record PlanFault(PlanFaultKind Kind, string Label, int Layer, int Context, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Label} (layer {Layer}, context {Context}): {Message}";
}

namespace Preserve;

/// <summary>Where runs keep what the L2 holds and the states that they look back at. These are the largest arrays of a simulation: simulations
/// that run one after the other share them, and each forgets what it finds when it begins.</summary>
internal sealed class StateMemory
{
    /// <summary>States of the first repeat of a step, by turns of this step and of the one before.</summary>
    public (RecurrentStates One, RecurrentStates Other) FirstRepeats { get; } = (new(), new());

    /// <summary>States of the repeat that a run is in, where it is not the first.</summary>
    public RecurrentStates LaterRepeat { get; } = new();

    /// <summary>What the L2 holds.</summary>
    public L2Contents L2 { get; } = new();

    /// <summary>What the L2 held between steps.</summary>
    public L2Border Border { get; } = new();
}

namespace Preserve;

/// <summary>How a KV-cache in host memory is brought to the device in a decode step, and why.</summary>
/// <param name="Outcome">What was decided.</param>
/// <param name="RecomputedTokens">Tokens of each sequence whose keys and values are recomputed at the largest context, in the kind of layer that recomputes most.</param>
/// <param name="ActivationBytes">Activations that are stored of one token of every sequence, in that kind of layer; 0 where none could be recomputed.</param>
/// <param name="KeyValueBytes">Keys and values that they make: on one rank, or on all where they are gathered from all.</param>
/// <param name="Reason">Why, in one sentence with figures.</param>
public sealed record SplitReport(SplitOutcome Outcome, int RecomputedTokens, long ActivationBytes, long KeyValueBytes, string Reason);

/// <summary>What became of the keys and values of a KV-cache in host memory.</summary>
public enum SplitOutcome
{
    /// <summary>The first tokens' are recomputed, as many as make least a layer in which the activations cross first, then the rest beside the recomputation.</summary>
    Sequential,

    /// <summary>The first tokens' are recomputed, as many as make least the longer of all transfers and all work, which run beside each other.</summary>
    Pipelined,

    /// <summary>The first tokens' are recomputed, as many as the simulation finds fastest between those two.</summary>
    Between,

    /// <summary>All cross: a token's activations are not smaller than the keys and values that they make.</summary>
    CannotPay,

    /// <summary>All cross: no split makes the step shorter.</summary>
    NotFaster,

    /// <summary>All cross: the step has no prompt, or the deployment recomputes nothing.</summary>
    NotAsked,

    /// <summary>All cross, whatever is asked for: no layer keeps the first tokens of its prompt, or of sequences that differ in length no prompt is known.</summary>
    NotPossible,
}

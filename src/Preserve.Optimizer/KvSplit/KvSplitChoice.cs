namespace Preserve.Optimizer;

/// <summary>The best split at one length of the cache.</summary>
/// <param name="Form">What was made least.</param>
/// <param name="Activations">How X reaches the ranks; <see cref="ActivationTransfer.Whole"/> where none does.</param>
/// <param name="CachedTokens">Tokens s' that each sequence has cached.</param>
/// <param name="Tokens">Tokens l whose keys and values are recomputed, the least that reach the time.</param>
/// <param name="Seconds">Time of the layer, as the form counts it.</param>
/// <param name="TransferSeconds">Time with l = 0: all keys and values cross.</param>
public sealed record KvSplitChoice(KvSplitForm Form, ActivationTransfer Activations, int CachedTokens, int Tokens, Rational Seconds, Rational TransferSeconds);

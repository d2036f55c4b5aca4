namespace Preserve.Optimizer;

/// <summary>How the stored activations reach the ranks of a tensor-parallel group.</summary>
public enum ActivationTransfer
{
    /// <summary>Every rank pulls all of X over its own host link.</summary>
    Whole,

    /// <summary>Each of n ranks pulls 1/n of X, and all gather the parts over the scale-up link.</summary>
    Gathered,
}

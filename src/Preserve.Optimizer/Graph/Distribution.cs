namespace Preserve.Optimizer;

/// <summary>How a value lies over the ranks of a tensor-parallel group.</summary>
internal enum Distribution
{
    /// <summary>Every rank holds all of it.</summary>
    Whole,

    /// <summary>Every rank holds a part of its columns.</summary>
    Split,

    /// <summary>Every rank holds a summand of it.</summary>
    Partial,

    /// <summary>Every rank holds a part of its rows: of the tokens.</summary>
    Scattered,
}

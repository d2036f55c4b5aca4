namespace Preserve;

/// <summary>Constants of <see cref="SmallOperatorLaw"/> for one operator.</summary>
/// <param name="Operator">Which.</param>
/// <param name="FixedMicroseconds">Launch and ramp.</param>
/// <param name="RowNanoseconds">Each element of a row, that one block of threads passes over; 0 where rows are spread.</param>
/// <param name="TerabytesPerSecond">Most that the kernel moves, read and written.</param>
/// <param name="Band">Its residuals; null where too few shapes were measured to tell.</param>
public sealed record SmallOperatorConstants(
    SmallOperator Operator,
    double FixedMicroseconds,
    double RowNanoseconds,
    double TerabytesPerSecond,
    ResidualBand? Band);

/// <summary>The small operators that are measured.</summary>
public enum SmallOperator
{
    /// <summary>A norm of each row.</summary>
    Norm,

    /// <summary>Rotates queries and keys.</summary>
    Rotary,

    /// <summary>An activation, with its gate where it has one.</summary>
    Activation,

    /// <summary>Adds two values.</summary>
    Add,
}

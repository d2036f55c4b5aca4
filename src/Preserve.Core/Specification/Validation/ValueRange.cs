using System.Globalization;

namespace Preserve;

/// <summary>The whole numbers that a value of a specification may have, both ends included.</summary>
/// <param name="Least">The smallest.</param>
/// <param name="Most">The largest.</param>
public readonly record struct ValueRange(long Least, long Most)
{
    /// <summary>Whether the value is one of them.</summary>
    /// <param name="value">The value.</param>
    public bool Contains(long value) => value >= Least && value <= Most;

    /// <inheritdoc/>
    public override string ToString() => $"{Grouped(Least)} to {Grouped(Most)}";

    internal static string Grouped(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}

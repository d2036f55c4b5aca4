using System.Globalization;

namespace Preserve;

/// <summary>A range of contexts.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them, <paramref name="First"/> or more.</param>
public readonly record struct ContextRange(int First, int Last)
{
    /// <inheritdoc/>
    public override string ToString() => string.Format(CultureInfo.InvariantCulture, "{0} to {1}", First, Last);
}

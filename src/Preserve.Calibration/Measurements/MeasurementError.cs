namespace Preserve;

/// <summary>Something that is wrong in a measurement table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Line">The line, counted from 1; 0 for the whole table.</param>
/// <param name="Message">The field, its value, and what is wrong with it.</param>
public sealed record MeasurementError(string Table, int Line, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? $"{Table}: {Message}" : $"{Table}:{Line}: {Message}";
}

/// <summary>A row that no fit and no validation uses.</summary>
/// <param name="Table">The table.</param>
/// <param name="Line">The line, counted from 1.</param>
/// <param name="Reason">Why.</param>
public sealed record DroppedRow(string Table, int Line, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Table}:{Line}: {Reason}";
}

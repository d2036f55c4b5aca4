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

/// <summary>Sound rows of one kind that nothing is compared with, or that made no constants.</summary>
/// <param name="Table">The table.</param>
/// <param name="System">The machine.</param>
/// <param name="Kind">What they are of.</param>
/// <param name="Rows">How many.</param>
/// <param name="Reason">Why.</param>
public sealed record UnusedRows(string Table, string System, string Kind, int Rows, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Table}: {Rows} {(Rows == 1 ? "row" : "rows")} of {Kind} of {System}: {Reason}";
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

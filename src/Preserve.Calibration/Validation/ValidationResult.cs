namespace Preserve;

/// <summary>How predicted times compare with measured ones, for one kind of rows of one table and system.</summary>
/// <param name="Table">The table.</param>
/// <param name="System">The system.</param>
/// <param name="Kind">The kind, such as <c>decode matmul bf16</c>.</param>
/// <param name="Part">Which rows: those that the fit saw, those that it never saw, or all.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Dropped">How many rows of the table and system were dropped before.</param>
/// <param name="Mape">Mean of the relative errors, in percent.</param>
/// <param name="P50">Half of the relative errors are smaller, in percent.</param>
/// <param name="P90">Nine of ten relative errors are smaller, in percent.</param>
/// <param name="Bias">Mean of predicted over measured less one, in percent: above 0 where the law is too slow.</param>
/// <param name="InsideBand">The part of the rows inside the law's stated band, in percent; null where it states none.</param>
public sealed record ValidationResult(
    string Table,
    string System,
    string Kind,
    ValidatedPart Part,
    int Rows,
    int Dropped,
    double Mape,
    double P50,
    double P90,
    double Bias,
    double? InsideBand);

/// <summary>Which rows a validation compares.</summary>
public enum ValidatedPart
{
    /// <summary>Rows of shapes that no fit saw.</summary>
    HeldOut,

    /// <summary>Rows that the constants were fitted to.</summary>
    Fitted,

    /// <summary>All rows.</summary>
    All,
}

namespace Preserve;

/// <summary>A measured row beside what the laws say of it.</summary>
/// <param name="Table">The table.</param>
/// <param name="Kind">The kind of the row.</param>
/// <param name="Line">Its line in the table.</param>
/// <param name="Shape">Its shape, in words.</param>
/// <param name="Measured">The measured time in microseconds.</param>
/// <param name="Predicted">The predicted time in microseconds.</param>
/// <param name="Band">The law's band; null where it states none.</param>
public sealed record Prediction(string Table, string Kind, int Line, string Shape, double Measured, double Predicted, ResidualBand? Band);

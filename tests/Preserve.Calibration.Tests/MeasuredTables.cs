using Preserve.Tests;

namespace Preserve.Calibration.Tests;

/// <summary>The measured tables, where they are present.</summary>
internal static class MeasuredTables
{
    private static readonly Lazy<MeasurementSet?> s_set = new(Read);

    public static MeasurementSet? Set => s_set.Value;

    private static MeasurementSet? Read()
    {
        if (MeasuredFolder.Path is not { } folder)
            return null;
        var result = MeasurementSet.Read(folder);
        result.Errors.ShouldBeEmpty();
        return result.Measurements;
    }
}

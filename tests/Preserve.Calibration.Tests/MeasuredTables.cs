namespace Preserve.Calibration.Tests;

/// <summary>The measured tables, where they are present: they are no part of the project.</summary>
internal static class MeasuredTables
{
    /// <summary>Why a test did nothing.</summary>
    public const string Absent = "no measurements beside the repository, at ../shared/data/measurements";

    private static readonly Lazy<MeasurementSet?> s_set = new(Read);

    public static MeasurementSet? Set => s_set.Value;

    private static MeasurementSet? Read()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var tables = Path.Combine(folder.FullName, "shared", "data", "measurements");
            if (!Directory.Exists(tables))
                continue;
            var result = MeasurementSet.Read(tables);
            result.Errors.ShouldBeEmpty();
            return result.Measurements;
        }
        return null;
    }
}

/// <summary>A test that needs the measured tables; it is skipped, saying so, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MeasuredFactAttribute : FactAttribute
{
    public MeasuredFactAttribute()
    {
        if (MeasuredTables.Set is null)
            Skip = MeasuredTables.Absent;
    }
}

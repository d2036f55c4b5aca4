using Preserve.Cli.Output;

namespace Preserve.Cli.Commands;

/// <summary>A folder of measured tables as a user names it.</summary>
internal static class MeasurementsArgument
{
    private const int MostErrors = 10;

    /// <summary>Refuses a system that no table has a row of.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static void CheckSystem(MeasurementSet measurements, string folder, string system)
    {
        if (!measurements.Systems.Contains(system))
            throw new InputException($"no row of {folder} is of the system '{system}', only of {string.Join(", ", measurements.Systems)}");
    }

    /// <summary>The systems of the tables but for some, with their rows.</summary>
    public static List<SkippedSystem> Others(MeasurementSet measurements, IEnumerable<string> systems) =>
        [.. measurements.Systems.Except(systems).Select(s => new SkippedSystem(s, measurements.RowsOf(s)))];

    /// <summary>Reads the tables, and says what may be wrong in them.</summary>
    /// <exception cref="InputException">The folder does not exist, has no table, or a table is not sound.</exception>
    public static (MeasurementSet Measurements, IReadOnlyList<string> Doubts) Read(string folder)
    {
        var result = MeasurementSet.Read(folder);
        if (result.Measurements is { } measurements)
            return (measurements, [.. result.Doubts.Select(d => d.ToString())]);
        var shown = result.Errors.Take(MostErrors).Select(e => e.ToString());
        var more = result.Errors.Count - MostErrors;
        throw new InputException(string.Join(Environment.NewLine + "preserve: ", more > 0 ? shown.Append($"and {more} more") : shown));
    }
}

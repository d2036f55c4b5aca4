using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>What all traffic of a device together reaches, as measured rows show it.</summary>
/// <remarks>A row shows that memory gave at least the bytes that no L2 can have kept. While a kernel is launched it gives nothing: no kernel of a kind
/// is launched in more than the shortest of its rows takes, and the rate is that over the rest (the marginal rate of R. Hockney's two constants, The
/// communication challenge for MPP, 1994). What a device file states stays where no row shows more, for slow rows show nothing.</remarks>
internal static class SustainedMemory
{
    /// <summary>Rows of which the shortest takes a larger part say little: not all of it is launch.</summary>
    private const double LeastTimesShortest = 10;

    /// <summary>The memory of a device and where its sustained rate comes from; null where no row shows more than what the file states.</summary>
    /// <param name="rows">The rows that the fit sees.</param>
    /// <param name="system">The name under which they were measured.</param>
    /// <param name="device">The device.</param>
    public static (HbmMemory Memory, FieldNote Source)? Of(SystemRows rows, string system, Device device)
    {
        var checks = new RowChecks(device);
        var matMul = rows.MatMul.GroupBy(r => r.Precision)
            .SelectMany(g => Shown(MeasurementSet.MatMulTableName, g.Select(r => (checks.FromMemory(r), r.Microseconds, r.Line)).ToList()));
        var attention = rows.Attention.GroupBy(r => r.Decode)
            .SelectMany(g => Shown(MeasurementSet.AttentionTableName, g.Select(r => (checks.FromMemory(r), r.Microseconds, r.Line)).ToList()));
        var most = matMul.Concat(attention).OrderByDescending(r => r.GigabytesPerSecond).FirstOrDefault();
        var rate = Rounded.AtMost(most.GigabytesPerSecond, device.Hbm.NominalGigabytesPerSecond);
        if (rate <= device.Hbm.SustainedGigabytesPerSecond)
            return null;
        return (
            device.Hbm with { SustainedGigabytesPerSecond = rate },
            new FieldNote("hbm.sustained_gigabytes_per_second", string.Create(
                CultureInfo.InvariantCulture,
                $"the most that memory gave, beyond the shortest time of the kind, in any row of {system} that the calibration was fitted to: {most.Table}, line {most.Line}")));
    }

    private static IEnumerable<(double GigabytesPerSecond, string Table, int Line)> Shown(string table, List<(double Bytes, double Microseconds, int Line)> rows)
    {
        var shortest = rows.Min(r => r.Microseconds);
        return rows.Where(r => r.Microseconds >= LeastTimesShortest * shortest).Select(r => (r.Bytes / (r.Microseconds - shortest) / 1000, table, r.Line));
    }
}

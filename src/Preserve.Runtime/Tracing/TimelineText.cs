using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>A stretch of a run as text for a terminal: a row per instruction, a bar where it ran, time from left to right.</summary>
public static class TimelineText
{
    /// <summary>Draws the instructions of one layer, and what else ran meanwhile on other streams.</summary>
    /// <param name="run">A run with a timeline.</param>
    /// <param name="layer">The layer; one that a repeat of the plan runs.</param>
    /// <param name="spanPicoseconds">What the width stands for; 0 for the layer's own time. Give two runs the same to compare them.</param>
    /// <param name="width">Characters of the widest bar, 10 or more.</param>
    /// <exception cref="ArgumentException">The run has no timeline, or nothing of the layer in it.</exception>
    public static string OfLayer(StepRun run, int layer, long spanPicoseconds = 0, int width = 60)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 10);
        var (start, end) = SpanOf(run, layer);
        var span = spanPicoseconds > 0 ? spanPicoseconds : end - start;
        var rows = run.Timeline.Where(r => r.EndPicoseconds > start && r.StartPicoseconds < end && r.EndPicoseconds > r.StartPicoseconds).ToList();
        var labels = rows.Max(r => r.Label.Length);
        var text = new StringBuilder();
        text.Append(' ', 14 + labels).Append("0 us").Append(Microseconds(span).PadLeft(width - 4)).Append('\n');
        foreach (var row in rows.OrderBy(r => r.Stream).ThenBy(r => r.StartPicoseconds))
        {
            var from = Math.Clamp((int)((row.StartPicoseconds - start) * width / span), 0, width - 1);
            var to = Math.Clamp((int)((row.EndPicoseconds - start) * width / span), from + 1, width);
            text.Append(row.Stream.ToString().ToLowerInvariant().PadRight(12))
                .Append(row.Label.PadRight(labels)).Append("  ")
                .Append(' ', from).Append(BarOf(row.Stream), to - from).Append(' ', width - to)
                .Append("  ").Append(Microseconds(row.EndPicoseconds - row.StartPicoseconds).PadLeft(11))
                .Append(Moved(row)).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>From the first start to the last end of what a layer computes and exchanges.</summary>
    /// <param name="run">A run with a timeline.</param>
    /// <param name="layer">The layer; one that a repeat of the plan runs.</param>
    /// <exception cref="ArgumentException">The run has no timeline, or nothing of the layer in it.</exception>
    public static (long StartPicoseconds, long EndPicoseconds) SpanOf(StepRun run, int layer)
    {
        ArgumentNullException.ThrowIfNull(run);
        var own = run.Timeline.Where(r => r.Layer == layer && r.Stream != StreamKind.Prefetch).ToList();
        return own.Count > 0
            ? (own.Min(r => r.StartPicoseconds), own.Max(r => r.EndPicoseconds))
            : throw new ArgumentException($"the run has no timeline of layer {layer}: ask the backend to record one", nameof(run));
    }

    /// <summary>A time in microseconds, as the tool prints it.</summary>
    /// <param name="picoseconds">The time.</param>
    public static string Microseconds(long picoseconds) => (picoseconds / 1e6).ToString("#,0.0 us", CultureInfo.InvariantCulture);

    private static char BarOf(StreamKind stream) => stream switch
    {
        StreamKind.Compute => '█',
        StreamKind.Collective => '▒',
        StreamKind.Prefetch => '░',
        _ => '▓',
    };

    /// <summary>Of a kernel, what it read and how much of that it found in the L2; of a prefetch, what it brought there.</summary>
    private static string Moved(InstructionRun row)
    {
        var megabytes = (row.HotBytes + row.ColdBytes) / 1e6;
        if (row.Prefetched is { } tensors)
            return string.Create(CultureInfo.InvariantCulture, $"  {megabytes,6:0.0} MB of {tensors}");
        return row.Stream != StreamKind.Compute || megabytes < 1 ? ""
            : string.Create(CultureInfo.InvariantCulture, $"  {megabytes,6:0.0} MB, {100 * (row.HotBytes / 1e6) / megabytes:0} % from L2");
    }
}

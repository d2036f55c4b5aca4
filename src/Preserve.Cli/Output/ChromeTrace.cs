using System.Text.Json;

namespace Preserve.Cli.Output;

/// <summary>A recorded step in the Trace Event Format, which Perfetto and chrome://tracing open: a track per stream, and counters of what
/// memory, L2 and link carry.</summary>
/// <remarks>The format is described in the document "Trace Event Format" of the Chromium project; times are microseconds.</remarks>
internal static class ChromeTrace
{
    private const int Process = 1;

    public static void Write(Stream stream, string title, StepRun run)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ns");
        json.WriteStartArray("traceEvents");
        Name(json, "process_name", 0, title);
        foreach (var used in run.Timeline.Select(r => r.Stream).Distinct().Order())
            Name(json, "thread_name", Track(used), used.ToString());
        foreach (var instruction in run.Timeline)
            Slice(json, instruction);
        foreach (var (counter, rate) in Counters(run))
        {
            foreach (var use in run.Usage)
                Counter(json, counter, use.StartPicoseconds, rate(use));
            Counter(json, counter, run.Picoseconds, 0);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What is drawn of the device; of the host link only where something is copied.</summary>
    private static List<(string Name, Func<ResourceUse, double> Rate)> Counters(StepRun run)
    {
        var counters = new List<(string, Func<ResourceUse, double>)>
        {
            ("HBM", u => u.HbmGigabytesPerSecond), ("L2", u => u.L2GigabytesPerSecond), ("link", u => u.LinkGigabytesPerSecond),
        };
        if (run.CopyToDevicePicoseconds > 0)
            counters.Add(("host link to device", u => u.ToDeviceGigabytesPerSecond));
        if (run.CopyToHostPicoseconds > 0)
            counters.Add(("host link to host", u => u.ToHostGigabytesPerSecond));
        return counters;
    }

    private static int Track(StreamKind stream) => (int)stream + 1;

    private static void Name(Utf8JsonWriter json, string what, int track, string name)
    {
        json.WriteStartObject();
        json.WriteString("ph", "M");
        json.WriteString("name", what);
        json.WriteNumber("pid", Process);
        json.WriteNumber("tid", track);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Slice(Utf8JsonWriter json, InstructionRun run)
    {
        json.WriteStartObject();
        json.WriteString("ph", "X");
        json.WriteString("name", run.Label);
        json.WriteNumber("pid", Process);
        json.WriteNumber("tid", Track(run.Stream));
        json.WriteNumber("ts", run.StartPicoseconds / 1_000_000m);
        json.WriteNumber("dur", (run.EndPicoseconds - run.StartPicoseconds) / 1_000_000m);
        json.WriteStartObject("args");
        json.WriteNumber("layer", run.Layer);
        json.WriteNumber("bytesFromL2", run.HotBytes);
        json.WriteNumber("bytesFromMemory", run.ColdBytes);
        json.WriteNumber("bytesToMemory", run.WrittenBytes);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Counter(Utf8JsonWriter json, string name, long picoseconds, double gigabytesPerSecond)
    {
        json.WriteStartObject();
        json.WriteString("ph", "C");
        json.WriteString("name", name + " GB/s");
        json.WriteNumber("pid", Process);
        json.WriteNumber("ts", picoseconds / 1_000_000m);
        json.WriteStartObject("args");
        json.WriteNumber("GB/s", Math.Round(gigabytesPerSecond, 3));
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

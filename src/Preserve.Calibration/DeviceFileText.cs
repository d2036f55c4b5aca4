using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>Device files with measured parts in place of those that they had, all else as it was.</summary>
public static class DeviceFileText
{
    private const string Section = "calibration";
    private const string HostSection = "host_link";
    private const string KernelSection = "kernels";
    private const string MemorySection = "hbm";

    /// <summary>Fields of the link to the host that are measured.</summary>
    private static readonly string[] s_measuredOfHostLink = ["sustained_gigabytes_per_second", "latency_microseconds", "pageable_gigabytes_per_second", "duplex_share"];

    /// <summary>A device file with another id, all else as it was.</summary>
    /// <param name="deviceFile">The text of a sound device file.</param>
    /// <param name="id">The id, of the letters a to z, digits, and <c>. _ -</c>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or no device has such an id.</exception>
    public static string Named(string deviceFile, string id)
    {
        ArgumentNullException.ThrowIfNull(deviceFile);
        ArgumentNullException.ThrowIfNull(id);
        Parse(deviceFile, nameof(deviceFile));
        var text = Put(deviceFile.ReplaceLineEndings("\n"), "id", Quoted(id));
        Parse(text, nameof(id));
        return text;
    }

    /// <summary>A device file with a calibration in place of the one that it had, all else as it was.</summary>
    /// <param name="deviceFile">The text of a sound device file.</param>
    /// <param name="calibration">The calibration.</param>
    /// <param name="source">Where its measurements come from, which takes the place of what the file's sources say of it; null where they
    /// remain true.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or its device cannot have these constants.</exception>
    public static string Put(string deviceFile, DeviceCalibration calibration, string? source = null)
    {
        ArgumentNullException.ThrowIfNull(deviceFile);
        ArgumentNullException.ThrowIfNull(calibration);
        var device = Parse(deviceFile, nameof(deviceFile));
        var text = deviceFile.ReplaceLineEndings("\n");
        if (source is not null)
            text = PutSource(text, device, source, Section);
        text = Put(text, Section, Write(calibration));
        Parse(text, nameof(calibration));
        return text;
    }

    /// <summary>A device file with another sustained rate of memory.</summary>
    /// <param name="deviceFile">The text of a sound device file.</param>
    /// <param name="memory">The memory; of it the sustained rate counts.</param>
    /// <param name="source">Where the rate comes from, which takes the place of what the file's sources say of it.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or its memory cannot have such a rate.</exception>
    public static string Put(string deviceFile, HbmMemory memory, FieldNote source)
    {
        ArgumentNullException.ThrowIfNull(deviceFile);
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(source);
        var device = Parse(deviceFile, nameof(deviceFile));
        var text = Put(deviceFile.ReplaceLineEndings("\n"), MemorySection, Object(
            ("capacity_gigabytes", device.Hbm.CapacityGigabytes), ("nominal_gigabytes_per_second", device.Hbm.NominalGigabytesPerSecond),
            ("sustained_gigabytes_per_second", memory.SustainedGigabytesPerSecond)));
        text = PutSource(text, device, source.Note, source.Field);
        Parse(text, nameof(memory));
        return text;
    }

    /// <summary>A device file with measured rate, fixed time, pageable rate and duplex share of the link to the host.</summary>
    /// <param name="deviceFile">The text of a sound device file.</param>
    /// <param name="link">The link; of it those four count.</param>
    /// <param name="source">Where the measurements come from, which takes the place of what the file's sources say of each of the four.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or its device cannot have such a link.</exception>
    public static string Put(string deviceFile, HostLink link, string source)
    {
        ArgumentNullException.ThrowIfNull(deviceFile);
        ArgumentNullException.ThrowIfNull(link);
        ArgumentNullException.ThrowIfNull(source);
        var device = Parse(deviceFile, nameof(deviceFile));
        var text = deviceFile.ReplaceLineEndings("\n");
        // Constants of copies in a calibration would go before those of the link.
        if (device.Calibration is { HostTransfer: not null } calibration)
            text = Put(text, Section, Write(calibration with { HostTransfer = null }));
        var old = device.HostLink;
        text = Put(text, HostSection, Object(
            ("kind", old.Kind.Length == 0 ? null : old.Kind), ("nominal_gigabytes_per_second", Given("nominal_gigabytes_per_second", old.NominalGigabytesPerSecond)),
            ("sustained_gigabytes_per_second", link.SustainedGigabytesPerSecond), ("latency_microseconds", link.LatencyMicroseconds),
            ("pageable_gigabytes_per_second", link.PageableGigabytesPerSecond), ("duplex_share", link.DuplexShare),
            ("copy_engines", Given("copy_engines", old.CopyEngines)),
            ("host_memory_gigabytes_per_second", Given("host_memory_gigabytes_per_second", old.HostMemoryGigabytesPerSecond)),
            ("host_memory_capacity_gigabytes", old.HostMemoryGigabytes)));
        text = PutSource(text, device, source, [.. s_measuredOfHostLink.Select(f => $"{HostSection}.{f}")]);
        Parse(text, nameof(link));
        return text;

        object? Given(string name, object value) => GivenBy(device, HostSection, name, value);
    }

    /// <summary>A device file with a measured rate of large bf16 matmuls.</summary>
    /// <param name="deviceFile">The text of a sound device file.</param>
    /// <param name="teraflops">The rate.</param>
    /// <param name="source">Where the measurement comes from, which takes the place of what the file's sources say of the rate.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The text is not that of a device file, or its device cannot have such a rate.</exception>
    public static string PutMatMulRate(string deviceFile, double teraflops, string source)
    {
        ArgumentNullException.ThrowIfNull(deviceFile);
        ArgumentNullException.ThrowIfNull(source);
        const string rate = "matmul_bf16_teraflops";
        var device = Parse(deviceFile, nameof(deviceFile));
        var old = device.Kernels;
        var text = Put(deviceFile.ReplaceLineEndings("\n"), KernelSection, Object(
            Given("matmul_fixed_microseconds", old.MatMulFixedMicroseconds), Given("matmul_hbm_terabytes_per_second", old.MatMulHbmTerabytesPerSecond), (rate, teraflops),
            Given("attention_fixed_microseconds", old.AttentionFixedMicroseconds), Given("small_operator_fixed_microseconds", old.SmallOperatorFixedMicroseconds),
            Given("prefetch_fixed_microseconds", old.PrefetchFixedMicroseconds), Given("event_microseconds", old.EventMicroseconds),
            Given("prefetch_hbm_terabytes_per_second", old.PrefetchHbmTerabytesPerSecond), Given("quantize_fixed_microseconds", old.QuantizeFixedMicroseconds),
            Given("matmul_8bit_share_of_peak", old.MatMul8BitShareOfPeak), Given("attention_bf16_teraflops", old.AttentionBf16Teraflops)));
        text = PutSource(text, device, source, $"{KernelSection}.{rate}");
        Parse(text, nameof(teraflops));
        return text;

        (string Name, object? Value) Given(string name, object? value) => (name, GivenBy(device, KernelSection, name, value));
    }

    /// <summary>What is assumed where the file is silent stays so.</summary>
    private static object? GivenBy(Device device, string section, string name, object? value) => device.AssumedFields.Any(n => n.Field == $"{section}.{name}") ? null : value;

    /// <summary>The text with a source of some fields in place of those that it had of them.</summary>
    private static string PutSource(string text, Device device, string source, params string[] fields)
    {
        var notes = device.Sources.Where(n => !fields.Contains(n.Field)).Concat(fields.Select(f => new FieldNote(f, source)));
        return Put(text, "sources", $"[{string.Join(",", notes.Select(n => "\n    " + Object(("field", n.Field), ("note", n.Note))))}\n  ]");
    }

    /// <summary>An object's text with a member in place of the one of that name, or behind the last.</summary>
    private static string Put(string text, string name, string value)
    {
        var root = JsonReader.Parse(text);
        var member = $"\"{name}\": {value}";
        var old = root.Members.FirstOrDefault(m => m.Name == name);
        var from = old is null ? text.LastIndexOf('}') : Offset(text, old.Line, old.Column);
        if (old is not null && root.Members.FirstOrDefault(m => (m.Line, m.Column).CompareTo((old.Line, old.Column)) > 0) is { } next)
            return $"{text[..from]}{member},\n  {text[Offset(text, next.Line, next.Column)..]}";
        return $"{text[..from].TrimEnd().TrimEnd(',')},\n  {member}\n}}\n";
    }

    /// <summary>The text of a calibration, as the value of its member.</summary>
    internal static string Write(DeviceCalibration calibration)
    {
        var text = new StringBuilder("{\n");
        var members = new List<string>
        {
            $"\"command\": {Quoted(calibration.Command)}",
            $"\"multiprocessors\": {calibration.Multiprocessors}",
            List("tables", calibration.Tables.Select(t => Object(("table", t.Table), ("rows", t.Rows), ("held_out", t.HeldOut), ("dropped", t.Dropped)))),
            List("matmul", calibration.MatMul.Select(MatMul)),
        };
        if (calibration.Decode is { } decode)
            members.Add("\"decode_attention\": " + Decode(decode));
        if (calibration.Prefill is { } prefill)
            members.Add("\"prefill_attention\": " + Prefill(prefill));
        if (calibration.SmallOperators.Count > 0)
            members.Add(List("small_operators", calibration.SmallOperators.Select(SmallOperator)));
        if (calibration.Collectives.Count > 0)
            members.Add(List("collectives", calibration.Collectives.Select(Collective)));
        if (calibration.HostTransfer is { } host)
            members.Add("\"host_transfer\": " + Host(host));
        text.Append(string.Join(",\n", members.Select(m => "    " + m)));
        return text.Append("\n  }").ToString();
    }

    private static string MatMul(MatMulCalibration m) =>
        $"{{ \"precision\": {Quoted(CalibrationNames.Of(CalibrationNames.Precisions, m.Precision))},\n        \"streaming\": "
        + Object(
            ("fixed_microseconds", m.Streaming.FixedMicroseconds), ("split_nanoseconds_per_root_element", m.Streaming.SplitNanoseconds),
            ("ramp_microseconds_per_root_megabyte", m.Streaming.RampMicroseconds),
            ("hbm_terabytes_per_second", m.Streaming.HbmTerabytesPerSecond), ("wave_share", m.Streaming.WaveShare),
            ("hot_fixed_microseconds", m.Streaming.HotFixedMicroseconds), ("hot_serial_nanoseconds_per_element", m.Streaming.HotSerialNanoseconds),
            ("l2_terabytes_per_second", m.Streaming.L2TerabytesPerSecond), ("band", m.Streaming.Band), ("hot_band", m.Streaming.HotBand))
        + ",\n        \"tiled\": "
        + Object(
            ("fixed_microseconds", m.Tiled.FixedMicroseconds), ("split_nanoseconds_per_root_element", m.Tiled.SplitNanoseconds),
            ("hbm_terabytes_per_second", m.Tiled.HbmTerabytesPerSecond), ("teraflops", m.Tiled.Teraflops),
            ("wave_microseconds", m.Tiled.WaveMicroseconds), ("quantize_picoseconds", m.Tiled.QuantizePicoseconds),
            ("quantize_row_nanoseconds", m.Tiled.QuantizeRowNanoseconds), ("band", m.Tiled.Band))
        + " }";

    private static string Decode(DecodeAttentionConstants c) => Object(
        ("fixed_microseconds", c.FixedMicroseconds), ("split_nanoseconds_per_root_token", c.SplitNanoseconds), ("combine_microseconds", c.CombineMicroseconds),
        ("regroup_microseconds", c.RegroupMicroseconds), ("tile_nanoseconds", c.TileNanoseconds), ("serial_nanoseconds", c.SerialNanoseconds),
        ("hbm_terabytes_per_second", c.HbmTerabytesPerSecond), ("l2_terabytes_per_second", c.L2TerabytesPerSecond), ("band", c.Band));

    private static string Prefill(PrefillAttentionConstants c) => Object(
        ("fixed_microseconds", c.FixedMicroseconds), ("teraflops", c.Teraflops), ("query_terabytes_per_second", c.QueryTerabytesPerSecond),
        ("key_value_terabytes_per_second", c.KeyValueTerabytesPerSecond), ("tile_teraflops", c.TileTeraflops), ("band", c.Band));

    private static string SmallOperator(SmallOperatorConstants c) => Object(
        ("operator", CalibrationNames.Of(CalibrationNames.SmallOperators, c.Operator)), ("fixed_microseconds", c.FixedMicroseconds), ("row_nanoseconds", c.RowNanoseconds),
        ("terabytes_per_second", c.TerabytesPerSecond), ("band", c.Band));

    private static string Collective(CollectiveCalibration c)
    {
        var text = new StringBuilder($"{{ \"library\": {Quoted(c.Library)}, \"kind\": {Quoted(CalibrationNames.Of(CalibrationNames.Collectives, c.Kind))}, \"ranks\": {c.Ranks}, \"algorithms\": [");
        text.Append(string.Join(",", c.Algorithms.Select(a => "\n          " + Object(
            ("name", CalibrationNames.Of(CalibrationNames.Algorithms, a.Name)), ("latency_microseconds", a.LatencyMicroseconds), ("chunk_microseconds_per_root_megabyte", a.ChunkMicroseconds),
            ("gigabytes_per_second", a.GigabytesPerSecond)))));
        text.Append("\n        ]");
        if (c.LargestBytes is { } largest)
            text.Append(CultureInfo.InvariantCulture, $", \"largest_bytes\": {largest}");
        if (c.Fallback is { } fallback)
            text.Append(CultureInfo.InvariantCulture, $", \"fallback\": {Quoted(fallback)}");
        if (c.Eager is { } eager)
            text.Append(",\n        \"eager\": " + Object(("launch_microseconds", eager.LaunchMicroseconds), ("copy_terabytes_per_second", eager.CopyTerabytesPerSecond)));
        if (c.Band is { } band)
            text.Append(",\n        \"band\": " + Band(band));
        return text.Append(" }").ToString();
    }

    private static string Host(HostTransferConstants c) => Object(
        ("pinned_latency_microseconds", c.PinnedLatencyMicroseconds), ("pinned_gigabytes_per_second", c.PinnedGigabytesPerSecond),
        ("pageable_latency_microseconds", c.PageableLatencyMicroseconds), ("pageable_gigabytes_per_second", c.PageableGigabytesPerSecond),
        ("duplex_share", c.DuplexShare), ("host_memory_gigabytes_per_second", c.HostMemoryGigabytesPerSecond));

    private static string List(string name, IEnumerable<string> items) => $"\"{name}\": [{string.Join(",", items.Select(i => "\n      " + i))}\n    ]";

    /// <summary>An object; members without a value are left out.</summary>
    private static string Object(params (string Name, object? Value)[] members) =>
        "{ " + string.Join(", ", members.Where(m => m.Value is not null).Select(m => $"\"{m.Name}\": {Value(m.Value!)}")) + " }";

    private static string Value(object value) => value switch
    {
        ResidualBand band => Band(band),
        string text => Quoted(text),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "neither a text nor a number"),
    };

    private static string Band(ResidualBand band) => Object(("low", band.Low), ("high", band.High));

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (c < ' ')
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    private static int Offset(string text, int line, int column)
    {
        var at = 0;
        for (; line > 1; line--)
            at = text.IndexOf('\n', at) + 1;
        return at + column - 1;
    }

    private static Device Parse(string text, string argument)
    {
        var result = DeviceFile.Parse(text);
        return result.Device ?? throw new ArgumentException($"line {result.Errors[0].Line}: {result.Errors[0].Message}", argument);
    }
}

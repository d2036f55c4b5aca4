using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Reads the constants of calibrated laws, and refuses those that are beyond what the device has.</summary>
internal sealed class CalibrationReader(ComputeRates compute, HbmMemory hbm, L2Cache l2, ScaleUpLink link, HostLink host)
{
    private const string Fixed = "fixed_microseconds", Split = "split_nanoseconds_per_root_element", Hbm = "hbm_terabytes_per_second", L2 = "l2_terabytes_per_second";
    private const string Flops = "teraflops", Rate = "gigabytes_per_second", Latency = "latency_microseconds";

    public DeviceCalibration? Read(DeviceFileSection section)
    {
        if (!section.Present)
            return null;
        var calibration = new DeviceCalibration(
            section.RequiredText("command"),
            (int)section.RequiredWhole("multiprocessors", Bounds.Multiprocessors),
            section.Sections("tables").Select(ReadTable).ToArray(),
            ReadEach(section.Sections("matmul"), ReadMatMul, m => m.Precision, "precision"),
            ReadDecode(section.Section("decode_attention")),
            ReadPrefill(section.Section("prefill_attention")),
            ReadEach(section.Sections("small_operators"), ReadSmallOperator, o => o.Operator, "operator"),
            ReadCollectives(section.Sections("collectives")),
            ReadHostTransfer(section.Section("host_transfer")));
        section.RefuseUnknown();
        return calibration;
    }

    /// <summary>Reads each section, and refuses a second of a name.</summary>
    private static T[] ReadEach<T, TName>(IReadOnlyList<DeviceFileSection> sections, System.Func<DeviceFileSection, T> read, System.Func<T, TName> nameOf, string field)
    {
        var all = sections.Select(read).ToArray();
        for (var i = 1; i < all.Length; i++)
        {
            if (all.Take(i).Any(o => Equals(nameOf(o), nameOf(all[i]))))
                sections[i].Refuse(field, "it stands already");
        }
        return all;
    }

    private static CalibratedTable ReadTable(DeviceFileSection section)
    {
        var table = new CalibratedTable(
            section.RequiredText("table"),
            (int)section.RequiredWhole("rows", Bounds.Rows),
            (int)section.RequiredWhole("held_out", Bounds.Rows),
            (int)section.RequiredWhole("dropped", Bounds.Rows));
        if ((long)table.HeldOut + table.Dropped > table.Rows)
            section.Refuse("held_out", $"with the {table.Dropped} that were dropped it is more than all {table.Rows} rows");
        section.RefuseUnknown();
        return table;
    }

    private MatMulCalibration ReadMatMul(DeviceFileSection section)
    {
        var precision = section.RequiredName("precision", CalibrationNames.Precisions);
        var streaming = section.RequiredSection("streaming");
        var tiled = section.RequiredSection("tiled");
        var calibration = new MatMulCalibration(precision, ReadStreaming(streaming), ReadTiled(tiled, precision));
        section.RefuseUnknown();
        return calibration;
    }

    private StreamingMatMulConstants ReadStreaming(DeviceFileSection section)
    {
        var memory = HbmRate(section, Hbm);
        var constants = new StreamingMatMulConstants(
            section.RequiredNumber(Fixed, Bounds.Microseconds),
            section.RequiredNumber(Split, Bounds.Nanoseconds),
            section.RequiredNumber("ramp_microseconds_per_root_megabyte", Bounds.Microseconds),
            memory,
            section.RequiredNumber("wave_share", Bounds.Share),
            section.RequiredNumber("hot_fixed_microseconds", Bounds.Microseconds),
            section.RequiredNumber("hot_serial_nanoseconds_per_element", Bounds.Nanoseconds),
            L2Rate(section, memory),
            Band(section, "band"),
            Band(section, "hot_band"));
        section.RefuseUnknown();
        return constants;
    }

    private TiledMatMulConstants ReadTiled(DeviceFileSection section, Precision precision)
    {
        var constants = new TiledMatMulConstants(
            section.RequiredNumber(Fixed, Bounds.Microseconds),
            section.RequiredNumber(Split, Bounds.Nanoseconds),
            HbmRate(section, Hbm),
            FlopsRate(section, Flops, compute.TeraflopsOf(precision, precision)),
            section.RequiredNumber("wave_microseconds", Bounds.Microseconds),
            section.RequiredNumber("quantize_picoseconds", Bounds.Picoseconds),
            section.RequiredNumber("quantize_row_nanoseconds", Bounds.Nanoseconds),
            Band(section, "band"));
        section.RefuseUnknown();
        return constants;
    }

    private DecodeAttentionConstants? ReadDecode(DeviceFileSection section)
    {
        if (!section.Present)
            return null;
        var memory = HbmRate(section, Hbm);
        var constants = new DecodeAttentionConstants(
            section.RequiredNumber(Fixed, Bounds.Microseconds),
            section.RequiredNumber("split_nanoseconds_per_root_token", Bounds.Nanoseconds),
            section.RequiredNumber("combine_microseconds", Bounds.Microseconds),
            section.RequiredNumber("regroup_microseconds", Bounds.Microseconds),
            section.RequiredNumber("tile_nanoseconds", Bounds.Nanoseconds),
            section.RequiredNumber("serial_nanoseconds", Bounds.Nanoseconds),
            memory,
            L2Rate(section, memory),
            Band(section, "band"));
        section.RefuseUnknown();
        return constants;
    }

    private PrefillAttentionConstants? ReadPrefill(DeviceFileSection section)
    {
        if (!section.Present)
            return null;
        var constants = new PrefillAttentionConstants(
            section.RequiredNumber(Fixed, Bounds.Microseconds),
            FlopsRate(section, Flops, compute.Bf16Teraflops),
            HbmRate(section, "query_terabytes_per_second"),
            HbmRate(section, "key_value_terabytes_per_second"),
            FlopsRate(section, "tile_teraflops", compute.Bf16Teraflops),
            Band(section, "band"));
        section.RefuseUnknown();
        return constants;
    }

    private SmallOperatorConstants ReadSmallOperator(DeviceFileSection section)
    {
        var constants = new SmallOperatorConstants(
            section.RequiredName("operator", CalibrationNames.SmallOperators),
            section.RequiredNumber(Fixed, Bounds.Microseconds),
            section.RequiredNumber("row_nanoseconds", Bounds.Nanoseconds),
            HbmRate(section, "terabytes_per_second"),
            Band(section, "band"));
        section.RefuseUnknown();
        return constants;
    }

    private CollectiveCalibration[] ReadCollectives(IReadOnlyList<DeviceFileSection> sections)
    {
        var collectives = sections.Select(ReadCollective).ToArray();
        for (var i = 0; i < sections.Count; i++)
        {
            var one = collectives[i];
            if (collectives.Take(i).Any(c => c.Library == one.Library && c.Kind == one.Kind && c.Ranks == one.Ranks))
                sections[i].Refuse("library", $"it stands already, with the same kind and {one.Ranks} ranks");
            if (one.Fallback == one.Library)
                sections[i].Refuse("fallback", "it is the library itself");
            else if (one.Fallback is not null && CollectiveChoice.FallbackOf(one, collectives) is null)
                sections[i].Refuse("fallback", $"it has no collective of the same kind and {one.Ranks} ranks");
        }
        return collectives;
    }

    private CollectiveCalibration ReadCollective(DeviceFileSection section)
    {
        var library = section.RequiredText("library");
        var kind = section.RequiredName("kind", CalibrationNames.Collectives);
        var ranks = (int)section.RequiredWhole("ranks", Bounds.Ranks);
        var algorithms = section.Sections("algorithms");
        if (algorithms.Count == 0)
            section.Refuse("algorithms", "at least one algorithm must stand");
        var eager = section.Section("eager");
        var calibration = new CollectiveCalibration(
            library,
            kind,
            ranks,
            algorithms.Select(ReadAlgorithm).ToArray(),
            section.Whole("largest_bytes", Bounds.Bytes),
            section.Text("fallback"),
            eager.Present ? new EagerLaunch(eager.RequiredNumber("launch_microseconds", Bounds.Microseconds), HbmRate(eager, "copy_terabytes_per_second")) : null,
            Band(section, "band"));
        if (calibration.LargestBytes is not null && calibration.Fallback is null)
            section.Refuse("largest_bytes", "no fallback takes larger messages");
        eager.RefuseUnknown();
        section.RefuseUnknown();
        return calibration;
    }

    private CalibratedAlgorithm ReadAlgorithm(DeviceFileSection section)
    {
        var algorithm = new CalibratedAlgorithm(
            section.RequiredName("name", CalibrationNames.Algorithms),
            section.RequiredNumber(Latency, Bounds.Microseconds),
            section.RequiredNumber("chunk_microseconds_per_root_megabyte", Bounds.Microseconds),
            section.RequiredNumber(Rate, Bounds.LinkRate));
        if (algorithm.GigabytesPerSecond > link.GigabytesPerSecondPerDirection)
            section.Refuse(Rate, $"the link carries {DeviceFileReader.Spelled(link.GigabytesPerSecondPerDirection)} in one direction: are these bits?");
        section.RefuseUnknown();
        return algorithm;
    }

    private HostTransferConstants? ReadHostTransfer(DeviceFileSection section)
    {
        if (!section.Present)
            return null;
        var pinned = HostRate(section, "pinned_gigabytes_per_second");
        var pageable = HostRate(section, "pageable_gigabytes_per_second");
        if (pageable > pinned)
            section.Refuse("pageable_gigabytes_per_second", $"pinned memory is copied at {DeviceFileReader.Spelled(pinned)}: pageable memory passes through it");
        var constants = new HostTransferConstants(
            section.RequiredNumber("pinned_latency_microseconds", Bounds.Microseconds),
            pinned,
            section.RequiredNumber("pageable_latency_microseconds", Bounds.Microseconds),
            pageable,
            section.RequiredNumber("duplex_share", Bounds.PartAboveZero),
            section.RequiredNumber("host_memory_gigabytes_per_second", Bounds.MemoryRate));
        section.RefuseUnknown();
        return constants;
    }

    private double HbmRate(DeviceFileSection section, string name)
    {
        var rate = section.RequiredNumber(name, Bounds.OnChipRate);
        if (DeviceFileReader.Gigabytes(rate) > hbm.NominalGigabytesPerSecond)
            section.Refuse(name, $"memory gives {DeviceFileReader.Spelled(hbm.NominalGigabytesPerSecond / 1000)} on paper: are these bits, or gigabytes?");
        else if (DeviceFileReader.Gigabytes(rate) > hbm.SustainedGigabytesPerSecond)
            section.Refuse(name, $"hbm.sustained_gigabytes_per_second lets all kernels together draw {DeviceFileReader.Spelled(hbm.SustainedGigabytesPerSecond / 1000)}");
        return rate;
    }

    private double L2Rate(DeviceFileSection section, double memory)
    {
        var rate = section.RequiredNumber(L2, Bounds.OnChipRate);
        var most = l2.MostTerabytesPerSecond(hbm);
        if (rate > most)
            section.Refuse(L2, $"beside memory of {DeviceFileReader.Spelled(hbm.NominalGigabytesPerSecond / 1000)} an L2 gives at most {DeviceFileReader.Spelled(most)}, where l2.read_terabytes_per_second does not say more: are these gigabytes?");
        if (rate < memory)
            section.Refuse(L2, $"the kernel draws {DeviceFileReader.Spelled(memory)} from memory: an L2 is not slower than what it caches");
        return rate;
    }

    private static double FlopsRate(DeviceFileSection section, string name, double peak)
    {
        var rate = section.RequiredNumber(name, Bounds.Teraflops);
        if (rate > peak)
            section.Refuse(name, $"the peak is {DeviceFileReader.Spelled(peak)}");
        return rate;
    }

    private double HostRate(DeviceFileSection section, string name)
    {
        var rate = section.RequiredNumber(name, Bounds.LinkRate);
        if (rate > host.NominalGigabytesPerSecond)
            section.Refuse(name, $"the link carries {DeviceFileReader.Spelled(host.NominalGigabytesPerSecond)} in one direction: are these bits, or both directions?");
        return rate;
    }

    private static ResidualBand? Band(DeviceFileSection section, string name)
    {
        var band = section.Section(name);
        if (!band.Present)
        {
            band.Find("low");
            band.Find("high");
            return null;
        }
        var (low, high) = (band.RequiredNumber("low", Bounds.Ratio), band.RequiredNumber("high", Bounds.Ratio));
        if (low > high)
            band.Refuse("low", $"high is {DeviceFileReader.Spelled(high)}");
        else if (low > 1)
            band.Refuse("low", "a band holds 1, the law's own time");
        else if (high < 1)
            band.Refuse("high", "a band holds 1, the law's own time");
        band.RefuseUnknown();
        return new ResidualBand(low, high);
    }
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Makes a device of a device file, fills what is missing with marked assumptions, and refuses what cannot be.</summary>
internal sealed class DeviceFileReader
{
    private static readonly Dictionary<string, LaunchMode> _launchModes = new() { ["graph"] = LaunchMode.Graph, ["eager"] = LaunchMode.Eager };

    private readonly JsonValue _root;
    private readonly DeviceFileErrors _errors = new();
    private readonly List<FieldNote> _assumed = [];

    public DeviceFileReader(JsonValue root) => _root = root;

    /// <summary>The paths of the fields and sections that a device file may have, once one was read.</summary>
    public IReadOnlyCollection<string> Fields => _errors.Fields;

    public DeviceFileResult Read()
    {
        var file = new DeviceFileSection(_root, _errors);
        if (!file.Present)
            return new DeviceFileResult(null, _errors.InOrder());

        file.RequiredNumber("preserve_device", new Bounds(DeviceFile.Version, DeviceFile.Version, ", the version of the format that this library reads"));
        var id = file.RequiredText("id");
        var (idLine, idColumn) = file.Find("id") is { } place ? (place.Line, place.Column) : (0, 0);
        // It stands in the text of plans, and is typed by hand: none of its characters may be mistaken for another, or for a column's end.
        if (!IsId(id))
            file.Refuse("id", "must be of the letters a to z, digits, and . _ -");
        var name = file.PrintableText("name") ?? id;
        var vendor = file.PrintableText("vendor") ?? "";
        var architecture = file.PrintableText("architecture") ?? "";
        var computeSection = file.Section("compute");
        var compute = ReadCompute(computeSection);
        var hbm = ReadHbm(file.Section("hbm"), IsMeasured(file, "hbm"));
        // The slowest cores that are counted compute some operations for each byte that their memory brings.
        if (!_errors.Any && !IsMeasured(file, "compute") && compute.Bf16Teraflops * 1000 < hbm.NominalGigabytesPerSecond)
            computeSection.Refuse("bf16_teraflops", $"memory brings {Spelled(hbm.NominalGigabytesPerSecond)} GB a second, and no device computes less than one operation for each byte: are these 10^15 operations?");
        var l2 = ReadL2(file.Section("l2"), hbm);
        var scaleUp = ReadScaleUp(file.Section("scale_up"), hbm);
        var host = ReadHostLink(file.Section("host_link"));
        var kernels = ReadKernels(file.Section("kernels"), compute, hbm);
        var collectivesSection = file.Section("collectives");
        var collectives = ReadCollectives(collectivesSection, scaleUp);
        var chip = ReadChip(file.Section("chip"));
        var calibration = new CalibrationReader(compute, hbm, l2, scaleUp, host).Read(file.Section("calibration"));
        CheckMeasured(collectivesSection, collectives, calibration);

        var notes = new[] { file.Find("assumed"), file.Find("doubtful"), file.Find("sources") };
        var assumed = ReadNotes("assumed", notes[0]);
        var doubtful = ReadNotes("doubtful", notes[1]);
        var sources = ReadNotes("sources", notes[2]);
        assumed.AddRange(_assumed);
        file.RefuseUnknown();
        if (_errors.Any)
            return new DeviceFileResult(null, _errors.InOrder()) { Id = id.Length > 0 && IsId(id) ? id : null, IdLine = idLine, IdColumn = idColumn };
        return new DeviceFileResult(
            new Device(id, name, vendor, architecture, compute, hbm, l2, scaleUp, host, kernels, collectives, chip,
                assumed.ToArray(), doubtful.ToArray(), sources.ToArray(), calibration),
            default)
        {
            Id = id,
            IdLine = idLine,
            IdColumn = idColumn,
            Doubts = _errors.DoubtsInOrder(),
        };
    }

    /// <summary>Whether the file says that a section was measured. A rate that is far too low was then not typed in another unit.</summary>
    private static bool IsMeasured(DeviceFileSection file, string section) =>
        file.Find("sources") is { Kind: JsonKind.Array } notes
        && notes.Items.Any(n => n.Find("field") is { Kind: JsonKind.String } field && field.Text == section
            && n.Find("note") is { Kind: JsonKind.String } note && note.Text.StartsWith("measured", StringComparison.Ordinal));

    private static ComputeRates ReadCompute(DeviceFileSection section)
    {
        const string fp8Name = "fp8_teraflops", fp4Name = "fp4_teraflops";
        var rates = new ComputeRates(
            section.RequiredNumber("bf16_teraflops", Bounds.Teraflops),
            section.Number(fp8Name, Bounds.Teraflops),
            section.Number("int8_teraops", Bounds.Teraflops),
            section.Number(fp4Name, Bounds.Teraflops));
        // Of integers this does not hold: newer devices have given up some of their rate.
        if (rates.Fp8Teraflops < rates.Bf16Teraflops)
            section.Refuse(fp8Name, $"bf16 is computed at {Spelled(rates.Bf16Teraflops)}: a format of fewer bits is not computed slower; leave it out where the device does not compute it");
        if (rates.Fp4Teraflops < (rates.Fp8Teraflops ?? rates.Bf16Teraflops))
            section.Refuse(fp4Name, $"{(rates.Fp8Teraflops is null ? "bf16" : "fp8")} is computed at {Spelled(rates.Fp8Teraflops ?? rates.Bf16Teraflops)}: a format of fewer bits is not computed slower; leave it out where the device does not compute it");
        section.RefuseUnknown();
        return rates;
    }

    private HbmMemory ReadHbm(DeviceFileSection section, bool measured)
    {
        const string nominalName = "nominal_gigabytes_per_second", sustainedName = "sustained_gigabytes_per_second";
        var capacity = section.RequiredNumber("capacity_gigabytes", Bounds.CapacityGigabytes);
        var nominal = section.RequiredNumber(nominalName, Bounds.MemoryRate);
        // The fastest memories for their size are read through some 60 times a second; bits for bytes make it 100 to 400.
        if (nominal > 90 * capacity)
            section.Refuse(nominalName, $"memory of {Spelled(capacity)} GB is not read more than 90 times a second: are these bits?");
        // A processor reads all of its memory in some seconds, an accelerator in less than one; TB/s for GB/s makes it 20 and more.
        if (!measured && 15 * nominal < capacity)
            section.Refuse(nominalName, $"memory of {Spelled(capacity)} GB does not take more than 15 seconds to read: are these 10^12 bytes?");
        var given = section.Number(sustainedName, Bounds.MemoryRate);
        if (!measured && 15 * given < capacity)
            section.Refuse(sustainedName, $"memory of {Spelled(capacity)} GB does not take more than 15 seconds to read: are these 10^12 bytes?");
        if (given > nominal)
            section.Refuse(sustainedName, $"the nominal rate is {Spelled(nominal)}");
        DoubtAnEighth(section, sustainedName, given, nominal, "memory carries on paper");
        var sustained = given ?? Assume(section.PathOf(sustainedName), DeviceAssumptions.SustainedShare * nominal, DeviceAssumptions.SustainedHbmNote);
        section.RefuseUnknown();
        return new HbmMemory(capacity, nominal, sustained);
    }

    private L2Cache ReadL2(DeviceFileSection section, HbmMemory hbm)
    {
        const string usableName = "usable_mebibytes", limitName = "limit_mebibytes", readName = "read_terabytes_per_second", writeName = "write_terabytes_per_second", asideName = "set_aside_mebibytes";
        var capacity = section.Number("capacity_mebibytes", Bounds.Mebibytes);
        var usable = section.Number(usableName, Bounds.Mebibytes);
        if (usable > capacity)
            section.Refuse(usableName, $"the capacity is {Spelled(capacity.GetValueOrDefault())}");
        if (usable is null && capacity is { } whole)
            usable = Assume(section.PathOf(usableName), DeviceAssumptions.UsableL2Share * whole, DeviceAssumptions.UsableL2Note);
        var limit = section.Number(limitName, Bounds.Mebibytes);
        if (limit > capacity)
            section.Refuse(limitName, $"the capacity is {Spelled(capacity.GetValueOrDefault())}");
        else if (limit < usable)
            section.Refuse(limitName, $"the usable part is {Spelled(usable.GetValueOrDefault())}");
        else if (limit is null && usable is not null)
            Assume(section.PathOf(limitName), 0, DeviceAssumptions.L2LimitNote);
        var read = section.Number(readName, Bounds.OnChipRate);
        if (Gigabytes(read) < hbm.SustainedGigabytesPerSecond)
            section.Refuse(readName, $"memory sustains {Spelled(hbm.SustainedGigabytesPerSecond / 1000)}: an L2 is not slower than what it caches");
        var write = section.Number(writeName, Bounds.OnChipRate);
        if (Gigabytes(write) < hbm.SustainedGigabytesPerSecond)
            section.Refuse(writeName, $"memory sustains {Spelled(hbm.SustainedGigabytesPerSecond / 1000)}: an L2 takes what its memory brings");
        var persisting = section.Number("persisting_share", Bounds.Share);
        var aside = section.Number(asideName, Bounds.Mebibytes);
        if (aside is not null && (persisting is null || capacity is null))
            section.Refuse(asideName, $"{(capacity is null ? "capacity_mebibytes" : "persisting_share")} is missing, which says how much may be set aside");
        else if (aside > persisting * capacity)
            section.Refuse(asideName, $"at most {Spelled((persisting * capacity).GetValueOrDefault())} may be set aside, by persisting_share");
        section.RefuseUnknown();
        return new L2Cache(capacity, usable, read, write, limit, persisting, aside ?? 0);
    }

    private static ScaleUpLink ReadScaleUp(DeviceFileSection section, HbmMemory hbm)
    {
        const string rateName = "gigabytes_per_second_per_direction";
        var kind = section.RequiredText("kind");
        var rate = section.RequiredNumber(rateName, Bounds.LinkRate);
        CheckPeak(section, rateName, rate, kind);
        // Of another link this is all that is known: nothing is sent faster than it is read.
        if (LinkPeaks.GigabytesPerSecondOf(kind) is null && rate > hbm.NominalGigabytesPerSecond)
            section.Refuse(rateName, $"memory brings {Spelled(hbm.NominalGigabytesPerSecond)} GB a second, and what {kind} carries comes from there: are these bits?");
        section.RequirePrintable("kind");
        var ranks = section.Whole("ranks", Bounds.Ranks);
        var skew = section.Number("skew_microseconds", Bounds.Microseconds);
        section.RefuseUnknown();
        return new ScaleUpLink(kind, rate, (int?)ranks, skew ?? 0);
    }

    private HostLink ReadHostLink(DeviceFileSection section)
    {
        const string nominalName = "nominal_gigabytes_per_second", sustainedName = "sustained_gigabytes_per_second", latencyName = "latency_microseconds";
        const string pageableName = "pageable_gigabytes_per_second", duplexName = "duplex_share", enginesName = "copy_engines", memoryName = "host_memory_gigabytes_per_second";
        var kind = section.PrintableText("kind") ?? "";
        var nominal = section.Number(nominalName, Bounds.LinkRate)
            ?? Assume(section.PathOf(nominalName), DeviceAssumptions.HostGigabytesPerSecond, DeviceAssumptions.HostNote);
        CheckPeak(section, nominalName, nominal, kind);
        var given = section.Number(sustainedName, Bounds.LinkRate);
        if (given > nominal)
            section.Refuse(sustainedName, $"the nominal rate is {Spelled(nominal)}");
        DoubtAnEighth(section, sustainedName, given, nominal, "the link carries on paper");
        var sustained = given ?? Assume(section.PathOf(sustainedName), DeviceAssumptions.SustainedShare * nominal, DeviceAssumptions.SustainedHostNote);
        var latency = section.Number(latencyName, Bounds.Microseconds)
            ?? Assume(section.PathOf(latencyName), DeviceAssumptions.HostLatencyMicroseconds, DeviceAssumptions.HostLatencyNote);
        var pageable = section.Number(pageableName, Bounds.LinkRate);
        if (pageable > sustained)
            section.Refuse(pageableName, $"pinned memory is copied at {Spelled(sustained)}: pageable memory passes through it");
        pageable ??= Assume(section.PathOf(pageableName), DeviceAssumptions.PageableShare * sustained, DeviceAssumptions.PageableNote);
        var duplex = section.Number(duplexName, Bounds.PartAboveZero)
            ?? Assume(section.PathOf(duplexName), DeviceAssumptions.DuplexShare, DeviceAssumptions.DuplexNote);
        var engines = section.Number(enginesName, Bounds.CopyEngines);
        if (engines is { } count && count != Math.Floor(count))
            section.Refuse(enginesName, "engines are counted whole");
        engines ??= Assume(section.PathOf(enginesName), DeviceAssumptions.CopyEngines, DeviceAssumptions.CopyEnginesNote);
        var memory = section.Number(memoryName, Bounds.MemoryRate)
            ?? Assume(section.PathOf(memoryName), DeviceAssumptions.HostMemoryGigabytesPerSecond, DeviceAssumptions.HostMemoryNote);
        var capacity = section.Number("host_memory_capacity_gigabytes", Bounds.HostGigabytes);
        section.RefuseUnknown();
        return new HostLink(kind, nominal, sustained, latency, pageable.Value, duplex, (int)engines.Value, memory, capacity);
    }

    private KernelConstants ReadKernels(DeviceFileSection section, ComputeRates compute, HbmMemory hbm)
    {
        const string rateName = "matmul_hbm_terabytes_per_second", flopsName = "matmul_bf16_teraflops", prefetchName = "prefetch_hbm_terabytes_per_second";
        const string shareName = "matmul_8bit_share_of_peak", attentionName = "attention_bf16_teraflops";
        var rate = section.Number(rateName, Bounds.OnChipRate)
            ?? Assume(section.PathOf(rateName), hbm.SustainedGigabytesPerSecond / 1000, DeviceAssumptions.MatMulHbmNote);
        if (Gigabytes(rate) > hbm.SustainedGigabytesPerSecond)
            section.Refuse(rateName, $"memory sustains {Spelled(hbm.SustainedGigabytesPerSecond / 1000)}");
        var flops = section.Number(flopsName, Bounds.Teraflops)
            ?? Assume(section.PathOf(flopsName), DeviceAssumptions.SustainedShare * compute.Bf16Teraflops, DeviceAssumptions.MatMulFlopsNote);
        if (flops > compute.Bf16Teraflops)
            section.Refuse(flopsName, $"the peak is {Spelled(compute.Bf16Teraflops)}");
        var share = section.Number(shareName, Bounds.PartAboveZero)
            ?? Assume(section.PathOf(shareName), Math.Min(DeviceAssumptions.MatMul8BitShare, flops / compute.Bf16Teraflops), DeviceAssumptions.MatMul8BitNote);
        var attention = section.Number(attentionName, Bounds.Teraflops)
            ?? Assume(section.PathOf(attentionName), Math.Min(DeviceAssumptions.AttentionShare * compute.Bf16Teraflops, flops), DeviceAssumptions.AttentionFlopsNote);
        if (attention > compute.Bf16Teraflops)
            section.Refuse(attentionName, $"the peak is {Spelled(compute.Bf16Teraflops)}");
        var prefetch = section.Number(prefetchName, Bounds.OnChipRate);
        if (Gigabytes(prefetch) > hbm.SustainedGigabytesPerSecond)
            section.Refuse(prefetchName, $"memory sustains {Spelled(hbm.SustainedGigabytesPerSecond / 1000)}");
        else if (prefetch is null)
            Assume(section.PathOf(prefetchName), 0, DeviceAssumptions.PrefetchHbmNote);
        var constants = new KernelConstants(
            Fixed("matmul_fixed_microseconds", DeviceAssumptions.MatMulFixedMicroseconds, DeviceAssumptions.MatMulFixedNote),
            rate,
            flops,
            Fixed("attention_fixed_microseconds", DeviceAssumptions.AttentionFixedMicroseconds, DeviceAssumptions.AttentionFixedNote),
            Fixed("small_operator_fixed_microseconds", DeviceAssumptions.SmallOperatorFixedMicroseconds, DeviceAssumptions.SmallOperatorFixedNote),
            Fixed("prefetch_fixed_microseconds", DeviceAssumptions.PrefetchFixedMicroseconds, DeviceAssumptions.PrefetchFixedNote),
            Fixed("event_microseconds", DeviceAssumptions.EventMicroseconds, DeviceAssumptions.EventNote),
            prefetch,
            Fixed("quantize_fixed_microseconds", DeviceAssumptions.QuantizeFixedMicroseconds, DeviceAssumptions.QuantizeFixedNote),
            share,
            attention);
        section.RefuseUnknown();
        return constants;

        double Fixed(string name, double standIn, string note) =>
            section.Number(name, Bounds.Microseconds) ?? Assume(section.PathOf(name), standIn, note);
    }

    private CollectiveConstants ReadCollectives(DeviceFileSection section, ScaleUpLink link)
    {
        const string latencyName = "latency_microseconds";
        var latency = section.Number(latencyName, Bounds.CollectiveMicroseconds)
            ?? Assume(section.PathOf(latencyName), DeviceAssumptions.CollectiveLatencyMicroseconds, DeviceAssumptions.CollectiveLatencyNote);
        var launch = section.Name("launch", _launchModes);
        var constants = new CollectiveConstants(latency, Algorithm("one_shot"), Algorithm("two_shot"), launch ?? LaunchMode.Graph, section.Text("library"));
        section.RefuseUnknown();
        return constants;

        CollectiveAlgorithm? Algorithm(string name)
        {
            const string rateName = "gigabytes_per_second";
            var algorithm = section.Section(name);
            if (!algorithm.Present)
            {
                algorithm.Find(latencyName);
                algorithm.Find(rateName);
                return null;
            }
            var fixedTime = algorithm.RequiredNumber(latencyName, Bounds.CollectiveMicroseconds);
            var rate = algorithm.RequiredNumber(rateName, Bounds.LinkRate);
            if (rate > link.GigabytesPerSecondPerDirection)
                algorithm.Refuse(rateName, $"the link carries {Spelled(link.GigabytesPerSecondPerDirection)} in one direction");
            algorithm.RefuseUnknown();
            return new CollectiveAlgorithm(fixedTime, rate);
        }
    }

    /// <summary>What is declared of collectives must have been measured.</summary>
    private static void CheckMeasured(DeviceFileSection section, CollectiveConstants collectives, DeviceCalibration? calibration)
    {
        var measured = calibration?.Collectives.ToArray() ?? [];
        if (collectives.Library is { } library)
        {
            var libraries = measured.Select(c => c.Library).Distinct().ToArray();
            measured = measured.Where(c => c.Library == library).ToArray();
            if (measured.Length == 0)
                section.Refuse("library", libraries.Length == 0 ? "no library was measured: calibration.collectives has none" : $"must be one of those that were measured: {string.Join(", ", libraries)}");
        }
        if (collectives.Launch == LaunchMode.Eager && !measured.Any(c => c.Eager is not null))
            section.Refuse("launch", $"no eager calls of {collectives.Library ?? "a library"} were measured: calibration.collectives has none with eager");
    }

    private static ChipFacts ReadChip(DeviceFileSection section)
    {
        var chip = new ChipFacts(
            section.PrintableText("process"),
            section.Number("die_square_millimetres", Bounds.SquareMillimetres),
            section.Number("power_watts", Bounds.Watts),
            section.Number("price_dollars", Bounds.Dollars));
        section.RefuseUnknown();
        return chip;
    }

    /// <summary>A list of remarks. Each must name a field or a section that a device file may have.</summary>
    private List<FieldNote> ReadNotes(string list, JsonValue? value)
    {
        var notes = new List<FieldNote>();
        if (value is null)
            return notes;
        if (value.Kind != JsonKind.Array)
        {
            _errors.Add(value, $"{list} must be a list of objects with a field and a note");
            return notes;
        }
        foreach (var item in value.Items)
        {
            if (item.Find("field") is not { Kind: JsonKind.String } field || item.Find("note") is not { Kind: JsonKind.String } note || item.Members.Count != 2)
            {
                _errors.Add(item, $"an item of {list} must be an object with a field and a note, both texts");
                continue;
            }
            if (!_errors.IsField(field.Text))
            {
                var nearest = _errors.NearestField(field.Text);
                _errors.Add(field, $"'{field.Text}' is not a field of a device file{(nearest is null ? "" : $"; '{nearest}' is")}");
            }
            if (!NameRules.IsPrintable(note.Text))
                _errors.Add(note, $"a note of {list} is '{note.Text}', but must be one printable line");
            notes.Add(new FieldNote(field.Text, note.Text));
        }
        return notes;
    }

    /// <summary>Holds a link's rate against what its kind carries: bits for bytes are refused, bytes taken for bits are doubted.</summary>
    private static void CheckPeak(DeviceFileSection section, string name, double rate, string kind)
    {
        if (LinkPeaks.GigabytesPerSecondOf(kind) is not { } peak)
            return;
        if (rate > peak)
            section.Refuse(name, $"{kind} carries {Spelled(peak)} in one direction: are these bits, or both directions?");
        DoubtAnEighth(section, name, rate, peak, $"{kind} carries in one direction");
    }

    /// <summary>Doubts a rate that is an eighth of what it should come near: nothing slow on its own is slow by just that. What is sustained
    /// is some less than what stands on paper.</summary>
    private static void DoubtAnEighth(DeviceFileSection section, string name, double? rate, double of, string what)
    {
        const double least = 0.7, most = 1.05;
        if (8 * rate >= least * of && 8 * rate <= most * of)
            section.Doubt(name, $"about an eighth of the {Spelled(of)} that {what}: was a rate in bytes divided by 8 as if it were one in bits?");
    }

    private double Assume(string field, double value, string note)
    {
        _assumed.Add(new FieldNote(field, note));
        return value;
    }

    /// <summary>A rate in terabytes as gigabytes, with the digits that it was written with: 0.01204 is 12.04, and not the double behind it.</summary>
    public static double? Gigabytes(double? terabytes) => terabytes is { } value ? Math.Round(1000 * value, 9) : null;

    public static string Spelled(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static bool IsId(string id)
    {
        foreach (var c in id)
        {
            if (!IsIdCharacter(c))
                return false;
        }
        return true;
    }

    private static bool IsIdCharacter(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' or '-';
}

using System.Globalization;
using System.Text.Json.Nodes;
using Preserve.Tests;

namespace Preserve.Calibration.Tests;

/// <summary>What a device without measurements assumes of its kernels, held against those that were measured.</summary>
public class AssumptionTests
{
    private static readonly string[] s_systems = ["a100_sxm", "h100_sxm", "h200_sxm", "b200_sxm"];

    private static readonly string[] s_kinds =
    [
        "decode matmul bf16", "decode matmul fp8", "large matmul bf16", "large matmul fp8", "decode attention", "prefill attention", "small operator", "all-reduce",
        "decoder layer Llama-2-70b-hf tp1", "decoder layer Llama-2-70b-hf tp4",
    ];

    /// <summary>A device of whose kernels nothing is known.</summary>
    private static readonly Device s_unmeasured = DeviceOf("ascend-910b2");

    /// <summary>A fixed cost is the same time in every row: that which errs least in microseconds is the median of what the rows take besides.</summary>
    [MeasuredFact]
    public void Fixed_costs_are_the_mean_of_those_that_measured_devices_show()
    {
        Holds("kernels.attention_fixed_microseconds", s_unmeasured.Kernels.AttentionFixedMicroseconds, "0.0",
            Figures("decode attention", s => s.AttentionFixed));
        Holds("kernels.small_operator_fixed_microseconds", s_unmeasured.Kernels.SmallOperatorFixedMicroseconds, "0.0",
            Figures("small operator", s => FixedCost(s, "small operator", d => d with { SmallOperatorFixedMicroseconds = 0 })));
        Holds("kernels.quantize_fixed_microseconds", s_unmeasured.Kernels.QuantizeFixedMicroseconds, "0.0",
            Figures("decode matmul fp8", s => s.QuantizeFixed));
    }

    /// <summary>A rate takes its part of every row: that which errs least in proportion.</summary>
    [MeasuredFact]
    public void Parts_of_the_peak_are_the_mean_of_those_that_measured_devices_reach()
    {
        Holds("kernels.attention_bf16_teraflops", s_unmeasured.Kernels.AttentionBf16Teraflops!.Value / s_unmeasured.Compute.Bf16Teraflops, "0.00",
            Figures("prefill attention", s => BestShare(s, "prefill attention", (d, share) => d.Kernels with
            {
                AttentionFixedMicroseconds = s.AttentionFixed,
                AttentionBf16Teraflops = share * d.Compute.Bf16Teraflops,
            })));
        Holds("kernels.matmul_8bit_share_of_peak", s_unmeasured.Kernels.MatMul8BitShareOfPeak!.Value, "0.00",
            Figures("large matmul fp8", s => BestShare(s, "large matmul fp8", (d, share) => d.Kernels with
            {
                QuantizeFixedMicroseconds = s.QuantizeFixed,
                MatMul8BitShareOfPeak = share,
            })));
    }

    /// <summary>The second table of README has in every cell the mean relative error and the bias.</summary>
    [MeasuredFact]
    public void README_states_how_far_a_data_sheet_and_assumptions_are_off()
    {
        var found = s_systems.SelectMany(system => Errors(system)).ToDictionary(e => e.Key, e => e.Errors);
        var stated = StatedAccuracy.OfReadme("| kind, by data sheet | A100 | H100 | H200 | B200 |", s_systems);
        stated.Keys.Order().ShouldBe(found.Keys.Order());
        foreach (var (key, text) in stated)
            text.ShouldBe(string.Create(CultureInfo.InvariantCulture, $"{100 * found[key].Average(Math.Abs):0} % / {100 * found[key].Average():+0;-0;0}"), $"{key}");
    }

    private static void Holds(string field, double assumed, string format, IReadOnlyList<double> figures)
    {
        assumed.ShouldBe(double.Parse(figures.Average().ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), tolerance: 1e-9, field);
        var words = figures.Select(f => f.ToString(format, CultureInfo.InvariantCulture)).ToArray();
        s_unmeasured.AssumedFields.Single(n => n.Field == field).Note.ShouldContain($"{string.Join(", ", words[..^1])} and {words[^1]}");
    }

    /// <summary>A figure of each system that has rows of a kind.</summary>
    private static List<double> Figures(string kind, Func<Subject, double> figure) =>
        [.. s_systems.Select(s => new Subject(s)).Where(s => s.Rows(s.Device, kind).Count > 0).Select(figure)];

    private static double FixedCost(Subject subject, string kind, Func<KernelConstants, KernelConstants> without) =>
        Residuals.Quantile(subject.Rows(subject.Device with { Kernels = without(subject.Device.Kernels) }, kind).Select(p => p.Measured - p.Predicted).ToList(), 0.5);

    private static double BestShare(Subject subject, string kind, Func<Device, double, KernelConstants> with) =>
        Enumerable.Range(1, 100).Select(i => i / 100.0)
            .MinBy(share => subject.Rows(subject.Device with { Kernels = with(subject.Device, share) }, kind).Average(p => Math.Abs((p.Predicted / p.Measured) - 1)));

    /// <summary>The relative errors of rows that no fit saw, by kind.</summary>
    private static IEnumerable<((string System, string Kind) Key, List<double> Errors)> Errors(string system) =>
        Validator.Predict(MeasuredTables.Set!, system, ByDataSheet(system), ValidatedPart.HeldOut)
            .SelectMany(p => StatedAccuracy.KindsOf(p.Kind).Select(k => (Kind: k, Error: (p.Predicted / p.Measured) - 1)))
            .Where(p => s_kinds.Contains(p.Kind))
            .GroupBy(p => p.Kind, p => p.Error)
            .Select(g => ((system, g.Key), g.ToList()));

    /// <summary>The device with nothing that was measured of it.</summary>
    private static Device ByDataSheet(string system)
    {
        var file = JsonNode.Parse(DeviceCatalogue.TextOf(MeasuredSystem.Of(system)!.DeviceId)!)!.AsObject();
        foreach (var section in new[] { "calibration", "kernels", "collectives", "assumed", "doubtful", "sources" })
            file.Remove(section);
        file["hbm"]!.AsObject().Remove("sustained_gigabytes_per_second");
        file["l2"]!.AsObject().Remove("usable_mebibytes");
        file["l2"]!.AsObject().Remove("limit_mebibytes");
        var result = DeviceFile.Parse(file.ToJsonString());
        result.Errors.ShouldBeEmpty();
        return result.Device!;
    }

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new ArgumentException(id);

    /// <summary>A measured device whose calibration is taken away, and the rows that its fits saw.</summary>
    private sealed class Subject
    {
        private readonly string _system;
        private readonly SystemRows _rows;
        private readonly Lazy<double> _attentionFixed;
        private readonly Lazy<double> _quantizeFixed;

        public Subject(string system)
        {
            _system = system;
            Device = DeviceOf(MeasuredSystem.Of(system)!.DeviceId) with { Calibration = null };
            _rows = SystemRows.Of(MeasuredTables.Set!, system, Device).Fitted;
            _attentionFixed = new(() => FixedCost(this, "decode attention", d => d with { AttentionFixedMicroseconds = 0 }));
            _quantizeFixed = new(() => FixedCost(this, "decode matmul fp8", d => d with { QuantizeFixedMicroseconds = 0 }));
        }

        public Device Device { get; }

        public double AttentionFixed => _attentionFixed.Value;

        public double QuantizeFixed => _quantizeFixed.Value;

        public List<Prediction> Rows(Device device, string kind)
        {
            var rows = kind.EndsWith("attention", StringComparison.Ordinal) ? Only(_rows) with { Attention = _rows.Attention }
                : kind == "small operator" ? Only(_rows) with { SmallOperators = _rows.SmallOperators }
                : Only(_rows) with { MatMul = _rows.MatMul };
            return [.. new Predictor(device).Predict(rows, _system).Where(p => p.Kind == kind)];
        }

        private static SystemRows Only(SystemRows rows) => rows with { MatMul = [], HotMatMul = [], Attention = [], Collectives = [], Layers = [], SmallOperators = [], LayerMatMul = [] };
    }
}

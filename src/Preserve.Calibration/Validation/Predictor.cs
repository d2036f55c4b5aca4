using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Predicts measured rows by the cost laws that simulations use, as the measurements were made: alone on the machine.</summary>
internal sealed class Predictor
{
    private readonly Device _device;
    private readonly ICostLaws _laws;
    private readonly Dictionary<(string Library, LaunchMode Launch), ICostLaws?> _ofLibrary = [];

    public Predictor(Device device)
    {
        // In what was measured ranks begin together.
        _device = device with { ScaleUp = device.ScaleUp with { SkewMicroseconds = 0 } };
        _laws = CostLaws.For(_device);
    }

    /// <summary>Predictions of a system's rows.</summary>
    public IEnumerable<Prediction> Predict(SystemRows rows, string system) =>
        rows.MatMul.Select(MatMul)
            .Concat(rows.HotMatMul.Select(r => HotMatMul(r, system)))
            .Concat(rows.Attention.Select(Attention))
            .Concat(rows.Collectives.Select(Collective).OfType<Prediction>())
            .Concat(rows.SmallOperators.Select(SmallOperator))
            .Concat(rows.LayerMatMul.Select(r => MatMul(r) with { Table = MeasurementSet.LayerTableName }).Select(p => p with { Kind = "layer's " + p.Kind }))
            .Concat(PredictLayers(rows.Layers));

    /// <summary>Sound rows that have no prediction.</summary>
    public IEnumerable<UnusedRows> NotPredicted(SystemRows rows, string system) =>
        rows.Unused.Concat(rows.Collectives.Where(r => LawsOf(r.Library, r.Launch) is null).GroupBy(KindOf)
            .Select(g => new UnusedRows(MeasurementSet.CollectiveTableName, system, g.Key, g.Count(), $"{_device.Id} has no constants of the library")));

    /// <summary>Predictions of whole layers: the sum over the operators, the embedding left out. Errors of one kind of kernel are common to its
    /// operators, those of different kinds independent, as the band of a step takes them.</summary>
    private IEnumerable<Prediction> PredictLayers(IEnumerable<LayerRow> rows)
    {
        foreach (var row in rows)
        {
            if (LayerShapes.Of(row.Model) is not { } shapes)
                continue;
            double measured = 0, predicted = 0;
            var deviations = new Dictionary<KernelKind, (double Low, double High)>();
            foreach (var (column, at) in LayerTable.Operators.Select((c, i) => (c, i)))
            {
                if (shapes.Operation(column, row.Ranks, row.Tokens) is not var (operation, bytes))
                    continue;
                var time = Microseconds(operation, hotBytes: 0, bytes);
                measured += row.Microseconds[at];
                predicted += time;
                if (PerturbedCostLaws.KindOf(operation) is not { } kind || _laws.Band(operation) is not { } band)
                    continue;
                var (low, high) = deviations.GetValueOrDefault(kind);
                deviations[kind] = (low + (time * (1 - band.Low)), high + (time * (band.High - 1)));
            }
            var phase = row.Tokens <= MatMulShape.MostStreamedRows ? "decoder layer" : "decoder layer, many tokens";
            yield return new Prediction(
                MeasurementSet.LayerTableName, $"{phase} {row.Model} tp{row.Ranks}", row.Line, $"{row.Tokens} tokens", measured, predicted, Sum(deviations, predicted));
        }
    }

    private static ResidualBand? Sum(Dictionary<KernelKind, (double Low, double High)> deviations, double predicted) => deviations.Count == 0
        ? null
        : new ResidualBand(
            1 - (Math.Sqrt(deviations.Values.Sum(d => Math.Max(d.Low, 0) * Math.Max(d.Low, 0))) / predicted),
            1 + (Math.Sqrt(deviations.Values.Sum(d => Math.Max(d.High, 0) * Math.Max(d.High, 0))) / predicted));

    private Prediction MatMul(MatMulRow row)
    {
        var operation = Operation(row);
        var bytes = Bytes(row);
        var weight = Calibrator.WeightBytes(row);
        var few = row.Rows <= MatMulShape.MostStreamedRows;
        var cold = weight >= Calibrator.LeastColdBytes;
        // Tiles of many rows are bound by computing; few rows of a small weight find it where the rotation left it.
        var hot = few && !cold ? _device.Residency.Share(RowChecks.RotatedWeights * weight) * bytes : 0;
        var kind = (few ? cold ? "decode matmul" : "decode matmul below 10 MB" : "large matmul") + " " + Name(row.Precision);
        var band = few && hot > bytes / 2 ? HotBand(row.Precision) : _laws.Band(operation);
        return Of(MeasurementSet.MatMulTableName, kind, row, Microseconds(operation, hot, bytes - hot), band);
    }

    private Prediction HotMatMul(MatMulRow row, string system)
    {
        var operation = Operation(row);
        var bytes = Bytes(row);
        var hot = _device.Residency.Share(Calibrator.WeightBytes(row)) * bytes;
        var few = row.Rows <= MatMulShape.MostStreamedRows;
        var resident = Calibrator.WeightBytes(row) <= _device.Residency.FullBytes;
        var kind = (few ? "L2-hot decode matmul" : "L2-hot large matmul") + (resident ? "" : " beyond the L2");
        var band = few && resident ? HotBand(row.Precision) : _laws.Band(operation);
        return Of(MeasurementSet.HotTableName(system), kind, row, Microseconds(operation, hot, bytes - hot), band);
    }

    private Prediction Attention(AttentionRow row)
    {
        var shape = AttentionFit.ShapeOf(row);
        var operation = new AttentionOperation(
            row.Batch, (int)shape.NewTokens, row.Heads, row.KeyValueHeads, AttentionTable.HeadSize, (long)shape.Pairs, SoftCap: false);
        var hot = shape.NewTokens == 1 ? _device.Residency.Share(shape.Bytes) * shape.Bytes : 0;
        return new Prediction(
            MeasurementSet.AttentionTableName,
            row.Decode ? "decode attention" : AttentionFit.IsOneTokenPrompt(row) ? "attention of one-token prompts" : "prefill attention",
            row.Line,
            $"batch {row.Batch}, {row.Length} tokens, {row.Heads} heads over {row.KeyValueHeads}",
            row.Microseconds,
            Microseconds(operation, hot, shape.Bytes - hot),
            _laws.Band(operation));
    }

    private Prediction? Collective(CollectiveRow row)
    {
        if (LawsOf(row.Library, row.Launch) is not { } laws)
            return null;
        var operation = new CollectiveOperation(CollectiveTable.KindOf(row.Operation)!.Value, (long)CollectiveFit.OperationBytes(row), row.Ranks);
        var time = KernelTime.Picoseconds(laws.Demand(operation, 0, 0, 0), 0, 0) / 1e6;
        return new Prediction(
            MeasurementSet.CollectiveTableName,
            KindOf(row),
            row.Line,
            $"{row.Bytes} bytes",
            row.Microseconds,
            time,
            laws.Band(operation));
    }

    private static string KindOf(CollectiveRow row) =>
        $"{row.Operation.Replace('_', '-')} {row.Library}{(row.Launch == LaunchMode.Eager ? " eager" : "")} {row.Ranks} ranks";

    private Prediction SmallOperator(SmallOperatorRow row)
    {
        Operation operation = row.Kind switch
        {
            Preserve.SmallOperator.Norm => new NormOperation(Norm.Rms, row.Tokens, row.Width),
            Preserve.SmallOperator.Rotary => new ElementwiseOperation(ElementwiseFunction.Rotary, row.Tokens, row.Width),
            Preserve.SmallOperator.Add => new ElementwiseOperation(ElementwiseFunction.Add, row.Tokens, row.Width),
            _ => new ElementwiseOperation(ElementwiseFunction.SwiGlu, row.Tokens, row.Width),
        };
        return new Prediction(
            MeasurementSet.LayerTableName,
            "small operator",
            row.Line,
            $"{row.Kind}, {row.Tokens} x {row.Width}",
            row.Microseconds,
            Microseconds(operation, 0, row.Bytes),
            _laws.Band(operation));
    }

    private double Microseconds(Operation operation, double hotBytes, double coldBytes)
    {
        var demand = _laws.Demand(operation, context: 0, (long)(hotBytes + coldBytes), 0);
        return KernelTime.Picoseconds(demand, hotBytes, coldBytes, _laws.HbmBytesPerPicosecond, _laws.L2BytesPerPicosecond) / 1e6;
    }

    private ICostLaws? LawsOf(string library, LaunchMode launch)
    {
        if (_ofLibrary.TryGetValue((library, launch), out var laws))
            return laws;
        laws = _device.Calibration is null ? _laws
            : _device.Calibration.Collectives.Any(c => c.Library == library) ? new CalibratedCostLaws(_device, library, launch)
            : null;
        return _ofLibrary[(library, launch)] = laws;
    }

    private ResidualBand? HotBand(Precision precision) =>
        _device.Calibration?.MatMul.FirstOrDefault(m => m.Precision == precision)?.Streaming.HotBand;

    private static MatMulOperation Operation(MatMulRow row) => new(row.Rows, row.Columns, row.Depth, row.Precision, row.Precision);

    private static double Bytes(MatMulRow row) => new MatMulShape(row.Rows, row.Columns, row.Depth, row.Precision.Bits()).Bytes;

    private static Prediction Of(string table, string kind, MatMulRow row, double predicted, ResidualBand? band) =>
        new(table, kind, row.Line, $"{row.Rows} x {row.Columns} x {row.Depth}", row.Microseconds, predicted, band);

    private static string Name(Precision precision) => precision switch
    {
        Precision.Bf16 => "bf16",
        Precision.Fp8 => "fp8",
        _ => "int8",
    };
}

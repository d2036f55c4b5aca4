using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>The rows of one system that can be, and which of them a fit never sees.</summary>
/// <remarks>They stand in the order of what they say, whatever order the tables have: the last bit of a sum of errors depends on its order, and
/// where a search has corners to pass, the last bit may turn its path.</remarks>
internal sealed record SystemRows(
    IReadOnlyList<MatMulRow> MatMul,
    IReadOnlyList<MatMulRow> HotMatMul,
    IReadOnlyList<AttentionRow> Attention,
    IReadOnlyList<CollectiveRow> Collectives,
    IReadOnlyList<LayerRow> Layers,
    IReadOnlyList<SmallOperatorRow> SmallOperators,
    IReadOnlyList<MatMulRow> LayerMatMul,
    IReadOnlyList<DroppedRow> Dropped,
    IReadOnlyList<UnusedRows> Unused)
{
    /// <summary>The rows that a fit sees.</summary>
    public SystemRows Fitted => Part(heldOut: false);

    /// <summary>The rows that it never sees.</summary>
    public SystemRows HeldOut => Part(heldOut: true);

    public static SystemRows Of(MeasurementSet measurements, string system, Device device)
    {
        var checks = new RowChecks(device);
        var dropped = new List<DroppedRow>();
        var collectives = measurements.Collectives.Where(r => r.System == system).ToLookup(r => CollectiveTable.KindOf(r.Operation) is not null);
        var layers = InOrder(Kept(MeasurementSet.LayerTableName, measurements.Layers.Where(r => r.System == system), checks.Check, r => r.Line, dropped));
        return new SystemRows(
            InOrder(Kept(MeasurementSet.MatMulTableName, measurements.MatMul.Where(r => r.System == system), checks.Check, r => r.Line, dropped)),
            InOrder(Kept(MeasurementSet.HotTableName(system), measurements.HotMatMul.Where(r => r.System == system), checks.Check, r => r.Line, dropped)),
            InOrder(Kept(MeasurementSet.AttentionTableName, measurements.Attention.Where(r => r.System == system), checks.Check, r => r.Line, dropped)),
            InOrder(Kept(MeasurementSet.CollectiveTableName, collectives[true], checks.Check, r => r.Line, dropped)),
            layers,
            layers.SelectMany(SmallOperatorRow.Of).ToList(),
            layers.SelectMany(MatMulsOf).ToList(),
            dropped,
            collectives[false].GroupBy(r => r.Operation).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new UnusedRows(MeasurementSet.CollectiveTableName, system, g.Key, g.Count(), "no cost law is of it")).ToList());
    }

    /// <summary>The rows of the kinds that have constants.</summary>
    public SystemRows UsedBy(DeviceCalibration calibration)
    {
        var precisions = calibration.MatMul.Select(m => m.Precision).ToHashSet();
        var operators = calibration.SmallOperators.Select(o => o.Operator).ToHashSet();
        return this with
        {
            MatMul = MatMul.Where(r => precisions.Contains(r.Precision)).ToList(),
            HotMatMul = HotMatMul.Where(r => precisions.Contains(r.Precision)).ToList(),
            Attention = Attention.Where(r => r.Decode ? calibration.Decode is not null : calibration.Prefill is not null).ToList(),
            Collectives = Collectives.Where(r => calibration.Collectives.Any(c => IsOf(r, c))).ToList(),
            SmallOperators = SmallOperators.Where(r => operators.Contains(r.Kind)).ToList(),
            LayerMatMul = LayerMatMul.Where(r => precisions.Contains(r.Precision)).ToList(),
        };

        static bool IsOf(CollectiveRow row, CollectiveCalibration constants) =>
            (row.Library, CollectiveTable.KindOf(row.Operation), row.Ranks) == (constants.Library, constants.Kind, constants.Ranks)
            && (row.Launch == LaunchMode.Graph || constants.Eager is not null);
    }

    /// <summary>What each table gave.</summary>
    public CalibratedTable[] Tables(string system)
    {
        var heldOut = HeldOut;
        return new[]
        {
            Table(MeasurementSet.MatMulTableName, MatMul.Count, heldOut.MatMul.Count),
            Table(MeasurementSet.HotTableName(system), HotMatMul.Count, heldOut.HotMatMul.Count),
            Table(MeasurementSet.AttentionTableName, Attention.Count, heldOut.Attention.Count),
            Table(MeasurementSet.CollectiveTableName, Collectives.Count, heldOut.Collectives.Count),
            // A layer's row is a list of operators, each held out by its own shape.
            Table(MeasurementSet.LayerTableName, SmallOperators.Count + LayerMatMul.Count, heldOut.SmallOperators.Count + heldOut.LayerMatMul.Count),
        }.Where(t => t.Rows > 0).ToArray();

        CalibratedTable Table(string name, int rows, int held)
        {
            var drops = Dropped.Count(d => d.Table == name);
            return new CalibratedTable(name, rows + drops, held, drops);
        }
    }

    private SystemRows Part(bool heldOut)
    {
        var ofModels = Layers.Where(r => Split.IsHeldOutModel(r.Model)).Select(r => r.Line).ToHashSet();
        return this with
        {
            MatMul = MatMul.Where(r => Split.IsHeldOut(MatMulFit.Shape(r)) == heldOut).ToList(),
            HotMatMul = HotMatMul.Where(r => Split.IsHeldOut(MatMulFit.Shape(r)) == heldOut).ToList(),
            Attention = Attention.Where(r => (AttentionFit.IsOneTokenPrompt(r) || Split.IsHeldOut(AttentionFit.Shape(r))) == heldOut).ToList(),
            Collectives = Collectives.GroupBy(r => (r.Operation, r.Ranks)).SelectMany(g => PartOf(g.ToList(), heldOut)).ToList(),
            Layers = Layers.Where(r => Split.IsHeldOutModel(r.Model) == heldOut).ToList(),
            SmallOperators = SmallOperators.Where(r => (ofModels.Contains(r.Line) || Split.IsHeldOut(r.Shape)) == heldOut).ToList(),
            LayerMatMul = LayerMatMul.Where(r => (ofModels.Contains(r.Line) || Split.IsHeldOut(MatMulFit.Shape(r))) == heldOut).ToList(),
        };
    }

    private static IEnumerable<MatMulRow> MatMulsOf(LayerRow layer)
    {
        if (LayerShapes.Of(layer.Model) is not { } shapes)
            yield break;
        foreach (var (column, at) in LayerTable.Operators.Select((c, i) => (c, i)))
        {
            if (shapes.Operation(column, layer.Ranks, layer.Tokens) is (MatMulOperation o, _))
                yield return new MatMulRow(layer.Line, layer.System, Precision.Bf16, o.Rows, o.Columns, o.Depth, layer.Microseconds[at], Hot: false);
        }
    }

    private static IEnumerable<CollectiveRow> PartOf(List<CollectiveRow> group, bool heldOut)
    {
        var messages = Split.HeldOutMessages($"{group[0].Operation} {group[0].Ranks}", group.Select(r => r.Bytes));
        return group.Where(r => messages.Contains(r.Bytes) == heldOut);
    }

    /// <summary>The rows that stay.</summary>
    private static List<T> Kept<T>(string table, IEnumerable<T> rows, Func<T, string?> check, Func<T, int> line, List<DroppedRow> dropped)
    {
        var kept = new List<T>();
        foreach (var row in rows)
        {
            if (check(row) is { } reason)
                dropped.Add(new DroppedRow(table, line(row), reason));
            else
                kept.Add(row);
        }
        return kept;
    }

    private static List<MatMulRow> InOrder(List<MatMulRow> rows) =>
        [.. rows.OrderBy(r => r.Precision).ThenBy(r => r.Rows).ThenBy(r => r.Columns).ThenBy(r => r.Depth).ThenBy(r => r.Microseconds)];

    private static List<AttentionRow> InOrder(List<AttentionRow> rows) =>
        [.. rows.OrderBy(r => r.Decode).ThenBy(r => r.Batch).ThenBy(r => r.Length).ThenBy(r => r.Heads).ThenBy(r => r.KeyValueHeads).ThenBy(r => r.Microseconds)];

    private static List<CollectiveRow> InOrder(List<CollectiveRow> rows) =>
    [
        .. rows.OrderBy(r => r.Operation, StringComparer.Ordinal).ThenBy(r => r.Library, StringComparer.Ordinal)
            .ThenBy(r => r.Launch).ThenBy(r => r.Ranks).ThenBy(r => r.Bytes).ThenBy(r => r.Microseconds)
    ];

    private static List<LayerRow> InOrder(List<LayerRow> rows)
    {
        var ordered = rows.OrderBy(r => r.Model, StringComparer.Ordinal).ThenBy(r => r.Ranks).ThenBy(r => r.Tokens);
        for (var i = 0; i < LayerTable.Operators.Count; i++)
        {
            var at = i;
            ordered = ordered.ThenBy(r => r.Microseconds[at]);
        }
        return [.. ordered];
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Preserve;

/// <summary>Measured times, as read from a folder of tables.</summary>
/// <param name="MatMul">Matrix multiplications, with the weights rotated: cold where six copies exceed the L2.</param>
/// <param name="HotMatMul">Matrix multiplications with the weights in the L2.</param>
/// <param name="Attention">Attention.</param>
/// <param name="Collectives">Collectives.</param>
/// <param name="Layers">Decoder layers.</param>
public sealed record MeasurementSet(
    IReadOnlyList<MatMulRow> MatMul,
    IReadOnlyList<MatMulRow> HotMatMul,
    IReadOnlyList<AttentionRow> Attention,
    IReadOnlyList<CollectiveRow> Collectives,
    IReadOnlyList<LayerRow> Layers)
{
    /// <summary>Names of the tables.</summary>
    public const string MatMulTableName = "gemm.csv", AttentionTableName = "attention.csv", CollectiveTableName = "collectives.csv", LayerTableName = "layer-ops.csv";

    private const string HotPrefix = "gemm-", HotSuffix = "-l2-hot.csv";

    /// <summary>What the names of the built-in systems have behind that of the chip. Their tables of layers and of hot matmuls name the chip alone.</summary>
    private const string Board = "_sxm";

    /// <summary>Name of the table of hot matmuls of a system: it has the system's name in it, of a built-in one that of the chip.</summary>
    /// <param name="system">The system.</param>
    public static string HotTableName(string system)
    {
        ArgumentNullException.ThrowIfNull(system);
        return HotPrefix + (MeasuredSystem.Of(system) is null ? system : system[..^Board.Length]) + HotSuffix;
    }

    /// <summary>The systems that stand in any table, in ordinal order.</summary>
    public IReadOnlyList<string> Systems =>
        MatMul.Select(r => r.System).Concat(HotMatMul.Select(r => r.System)).Concat(Attention.Select(r => r.System))
            .Concat(Collectives.Select(r => r.System)).Concat(Layers.Select(r => r.System))
            .Distinct().Order(StringComparer.Ordinal).ToArray();

    /// <summary>How many rows of all tables are of a system.</summary>
    /// <param name="system">The system.</param>
    public int RowsOf(string system) =>
        MatMul.Count(r => r.System == system) + HotMatMul.Count(r => r.System == system) + Attention.Count(r => r.System == system)
        + Collectives.Count(r => r.System == system) + Layers.Count(r => r.System == system);

    /// <summary>Reads the tables of a folder. A table that is not there has no rows.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The measurements, or every error that was found; never both.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="folder"/> is null.</exception>
    public static MeasurementResult Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var errors = new List<MeasurementError>();
        if (!Directory.Exists(folder))
            return new MeasurementResult(null, [new MeasurementError(folder, 0, "there is no such folder")], []);
        var doubts = new List<MeasurementError>();
        var matMul = ReadTable(folder, MatMulTableName, errors, doubts, MatMulTable.Read);
        var attention = ReadTable(folder, AttentionTableName, errors, doubts, AttentionTable.Read);
        var collectives = ReadTable(folder, CollectiveTableName, errors, doubts, CollectiveTable.Read);
        var named = matMul.Select(r => r.System).Concat(attention.Select(r => r.System)).Concat(collectives.Select(r => r.System)).ToHashSet();
        var hot = Directory.EnumerateFiles(folder, HotPrefix + "*" + HotSuffix).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)
            .SelectMany(name => ReadHot(folder, name, SystemOf(name[HotPrefix.Length..^HotSuffix.Length], named), errors, doubts)).ToList();
        var layers = ReadTable(folder, LayerTableName, errors, doubts, LayerTable.Read).ConvertAll(r => r with { System = SystemOf(r.System, named) });
        if (errors.Count == 0 && matMul.Count + hot.Count + attention.Count + collectives.Count + layers.Count == 0)
            errors.Add(new MeasurementError(folder, 0, $"none of {MatMulTableName}, {AttentionTableName}, {CollectiveTableName}, {LayerTableName} with rows stands here"));
        return errors.Count > 0 ? new MeasurementResult(null, errors, []) : new MeasurementResult(new MeasurementSet(matMul, hot, attention, collectives, layers), [], doubts);
    }

    /// <summary>The system of a name in the tables that may name the chip alone: the one of that name, or the built-in one with the chip.</summary>
    private static string SystemOf(string name, HashSet<string> named) => named.Contains(name) ? name : MeasuredSystem.Of(name + Board)?.Name ?? name;

    private static List<MatMulRow> ReadHot(string folder, string name, string system, List<MeasurementError> errors, List<MeasurementError> doubts)
    {
        if (name == HotTableName(system))
            return ReadTable(folder, name, errors, doubts, t => MatMulTable.ReadHot(t, system));
        errors.Add(new MeasurementError(name, 0, $"the table of '{system}' must be named {HotTableName(system)}"));
        return [];
    }

    private static List<T> ReadTable<T>(
        string folder, string name, List<MeasurementError> errors, List<MeasurementError> doubts, Func<TableReader, List<T>> read)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
            return [];
        try
        {
            using var text = new StreamReader(path);
            var table = new TableReader(name, text, errors);
            var rows = read(table);
            if (table.Cut is { } cut)
                doubts.Add(cut);
            return rows;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new MeasurementError(name, 0, e.Message));
            return [];
        }
    }
}

/// <summary>Measurements, or the errors of their tables.</summary>
/// <param name="Measurements">The measurements; null where there are errors.</param>
/// <param name="Errors">The errors; empty where there are measurements.</param>
/// <param name="Doubts">What may be wrong in sound tables: a last line without an end, which may be cut.</param>
public sealed record MeasurementResult(MeasurementSet? Measurements, IReadOnlyList<MeasurementError> Errors, IReadOnlyList<MeasurementError> Doubts);

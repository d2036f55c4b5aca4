using System.Collections.Generic;

namespace Preserve;

/// <summary>How the section <c>calibration</c> of a device file spells the values of enumerations.</summary>
internal static class CalibrationNames
{
    public static readonly IReadOnlyDictionary<string, Precision> Precisions = new Dictionary<string, Precision>
    {
        ["bf16"] = Precision.Bf16,
        ["fp8"] = Precision.Fp8,
        ["int8"] = Precision.Int8,
    };

    public static readonly IReadOnlyDictionary<string, SmallOperator> SmallOperators = new Dictionary<string, SmallOperator>
    {
        ["norm"] = SmallOperator.Norm,
        ["rotary"] = SmallOperator.Rotary,
        ["activation"] = SmallOperator.Activation,
        ["add"] = SmallOperator.Add,
    };

    public static readonly IReadOnlyDictionary<string, CollectiveKind> Collectives = new Dictionary<string, CollectiveKind>
    {
        ["all_reduce"] = CollectiveKind.AllReduce,
        ["all_gather"] = CollectiveKind.AllGather,
        ["reduce_scatter"] = CollectiveKind.ReduceScatter,
    };

    public static readonly IReadOnlyDictionary<string, CollectiveAlgorithmName> Algorithms = new Dictionary<string, CollectiveAlgorithmName>
    {
        ["one_shot"] = CollectiveAlgorithmName.OneShot,
        ["two_shot"] = CollectiveAlgorithmName.TwoShot,
        ["ring"] = CollectiveAlgorithmName.Ring,
        ["tree"] = CollectiveAlgorithmName.Tree,
        ["multicast"] = CollectiveAlgorithmName.Multicast,
    };

    /// <summary>The spelling of a value.</summary>
    /// <param name="names">The spellings.</param>
    /// <param name="value">A value that has one.</param>
    public static string Of<T>(IReadOnlyDictionary<string, T> names, T value)
    {
        foreach (var name in names)
        {
            if (EqualityComparer<T>.Default.Equals(name.Value, value))
                return name.Key;
        }
        throw new KeyNotFoundException($"a device file has no spelling of {value}");
    }
}

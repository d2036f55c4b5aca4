using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What a calibration has constants of, in words.</summary>
internal static class ConstantKinds
{
    /// <summary>The kinds that one calibration has and another has not; collectives of one library together.</summary>
    /// <param name="calibration">The one that has them; null for none.</param>
    /// <param name="other">The other.</param>
    public static IReadOnlyList<string> Missing(DeviceCalibration? calibration, DeviceCalibration other)
    {
        if (calibration is null)
            return [];
        return [.. Kernels(calibration).Except(Kernels(other)), .. Collectives(calibration).Except(Collectives(other)).GroupBy(c => c.Kind, (kind, c) => $"{kind} {string.Join(", ", c.Select(o => o.Ranks))} ranks")];
    }

    private static IEnumerable<string> Kernels(DeviceCalibration calibration)
    {
        foreach (var precision in calibration.MatMul.Select(m => m.Precision))
            yield return OfMatMul(precision);
        if (calibration.Decode is not null)
            yield return OfAttention(decode: true);
        if (calibration.Prefill is not null)
            yield return OfAttention(decode: false);
        foreach (var kind in calibration.SmallOperators.Select(o => o.Operator))
            yield return Of(kind);
    }

    private static IEnumerable<(string Kind, int Ranks)> Collectives(DeviceCalibration calibration)
    {
        foreach (var c in calibration.Collectives)
        {
            yield return ($"{Names.Collectives[c.Kind]} {c.Library}", c.Ranks);
            if (c.Eager is not null)
                yield return ($"{Names.Collectives[c.Kind]} {c.Library} eager", c.Ranks);
        }
    }

    /// <summary>Matmuls of a format.</summary>
    public static string OfMatMul(Precision precision) => $"matmul {CalibrationNames.Of(CalibrationNames.Precisions, precision)}";

    /// <summary>Attention of one phase.</summary>
    public static string OfAttention(bool decode) => decode ? "decode attention" : "prefill attention";

    /// <summary>A small operator.</summary>
    public static string Of(SmallOperator kind) => CalibrationNames.Of(CalibrationNames.SmallOperators, kind);
}

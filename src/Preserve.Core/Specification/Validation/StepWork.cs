using System.Globalization;
using System.Linq;
using System.Numerics;

namespace Preserve;

/// <summary>Sizes of a specification that may not fit 64 bits, to refuse those that do not.</summary>
internal static class StepWork
{
    /// <summary>Trained parameters. Those of one layer fit 64 bits when its values are in their ranges.</summary>
    public static BigInteger Parameters(ModelSpec model)
    {
        BigInteger total = (model with { Stack = default }).ParameterCount;
        foreach (var group in model.Stack)
            total += (BigInteger)group.Repeat * group.Pattern.Sum(l => l.ParameterCount(model.Hidden));
        return total;
    }

    /// <summary>Floating-point operations of a step on all ranks: two per parameter and row, and four per query element and
    /// attended token.</summary>
    public static BigInteger Operations(ModelSpec model, StepSpec step)
    {
        var rows = (BigInteger)step.Batch * step.NewTokens;
        var total = 2 * Parameters(model) * rows;
        var attended = step.ContextIsTotal
            ? (BigInteger)step.MaxContext + step.Batch
            : rows * ((BigInteger)step.MaxContext + step.NewTokens);
        foreach (var group in model.Stack)
        {
            foreach (var attention in group.Pattern.Select(l => l.Attention).OfType<MultiHeadAttentionSpec>())
                total += 4 * group.Repeat * attended * attention.Heads * attention.HeadSize;
        }
        return total;
    }

    public static string Grouped(BigInteger value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}

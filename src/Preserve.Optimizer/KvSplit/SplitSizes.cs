using System;
using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>What decides whether recomputation can pay at all: the bytes of a token's X, and those of the keys and values that it
/// saves.</summary>
/// <remarks>X crosses instead of the keys and values. Where it is not the smaller of the two, every l above 0 takes the link longer than
/// l = 0, whatever the device computes: h p_x must be less than 2 d_kv p_kv. With X gathered, the keys and values of all ranks count.</remarks>
/// <param name="Activations">How X reaches the ranks.</param>
/// <param name="Links">Links that share one X: the ranks where it is gathered, else 1.</param>
/// <param name="Sequences">Sequences in the batch, 1 or more.</param>
/// <param name="ActivationBytes">X of one token of every sequence.</param>
/// <param name="KeyValueBytesOfRank">Keys and values of one token of every sequence, on one rank.</param>
public sealed record SplitSizes(ActivationTransfer Activations, int Links, int Sequences, Rational ActivationBytes, Rational KeyValueBytesOfRank)
{
    /// <summary>Keys and values that one X makes, over all links that share it.</summary>
    public Rational KeyValueBytes => KeyValueBytesOfRank * Links;

    /// <summary>X over keys and values: multi-head attention in one precision has 1/2.</summary>
    public Rational Ratio => ActivationBytes / KeyValueBytes;

    /// <summary>Whether X is smaller.</summary>
    public bool CanPay => Ratio < 1;

    /// <summary>One sentence with both sizes, of a token of one sequence.</summary>
    public override string ToString()
    {
        var (x, kv) = (Bytes(ActivationBytes / Sequences), Bytes(KeyValueBytes / Sequences));
        var links = Links == 1 ? "" : $" over {Links} links";
        return CanPay
            ? $"a token's activations are {x} bytes, the keys and values that they make{links} {kv}: recomputing can pay"
            : $"a token's activations are {x} bytes, the keys and values that they make{links} {kv}: recomputing cannot pay";
    }

    private static string Bytes(Rational bytes) => Math.Round(bytes.ToDouble(), 2).ToString("#,0.##", CultureInfo.InvariantCulture);
}

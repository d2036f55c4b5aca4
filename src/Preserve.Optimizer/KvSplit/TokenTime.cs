using System;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>The time that something takes for l tokens of every sequence: 0 for none. A closed family: <see cref="LinearTime"/> and
/// <see cref="SampledTime"/>.</summary>
public abstract record TokenTime
{
    private protected TokenTime()
    {
    }

    /// <summary>The time of the matmul that makes the keys and values of l tokens again, at one rate: 4 b h d_kv operations a token.</summary>
    /// <param name="batch">Sequences, 1 or more.</param>
    /// <param name="hidden">Width of the activations, in elements.</param>
    /// <param name="keyValueWidth">KV heads of one rank x head size, in elements.</param>
    /// <param name="flopsPerSecond">Operations per second, above 0; a multiply-add counts as two.</param>
    /// <param name="fixedSeconds">What the matmul takes beside its operations, 0 or more.</param>
    public static LinearTime Recompute(int batch, int hidden, int keyValueWidth, Rational flopsPerSecond, Rational fixedSeconds = default) =>
        new(fixedSeconds, (Rational)4 * batch * hidden * keyValueWidth / flopsPerSecond);

    /// <summary>Seconds for some tokens.</summary>
    /// <param name="tokens">Tokens of every sequence, 0 or more; where the time was sampled, a multiple of the tile or all tokens.</param>
    public abstract Rational Seconds(int tokens);

    /// <summary>Whether more tokens never take less.</summary>
    internal abstract bool NeverFalls { get; }
}

/// <summary>A fixed time, and a time for each token.</summary>
/// <param name="FixedSeconds">Whatever the number of tokens, if there are any; 0 or more.</param>
/// <param name="SecondsPerToken">For a token of every sequence, 0 or more.</param>
public sealed record LinearTime(Rational FixedSeconds, Rational SecondsPerToken) : TokenTime
{
    /// <inheritdoc/>
    public override Rational Seconds(int tokens) => tokens == 0 ? 0 : FixedSeconds + (SecondsPerToken * tokens);

    internal override bool NeverFalls => true;
}

/// <summary>Times that a cost law or a measurement gives, one for each multiple of the tile, and one for all tokens.</summary>
/// <param name="Tile">Tokens between two samples, 1 or more; fewer before the last where all tokens are no multiple of it.</param>
/// <param name="Picoseconds">The time of 0, 1, 2, ... tiles, each 0 or more; that of none is 0.</param>
public sealed record SampledTime(int Tile, EquatableArray<long> Picoseconds) : TokenTime
{
    /// <summary>Asks for the time of every multiple of a tile, and for that of all tokens.</summary>
    /// <param name="tile">Tokens between two samples, 1 or more.</param>
    /// <param name="most">The most tokens that are asked for.</param>
    /// <param name="picoseconds">The time of a number of tokens, 1 or more.</param>
    public static SampledTime Of(int tile, int most, Func<int, long> picoseconds)
    {
        if (tile < 1)
            throw new ArgumentOutOfRangeException(nameof(tile), tile, "a tile has 1 token or more");
        return new(tile, Enumerable.Range(0, Tiles(tile, most) + 1).Select(i => i == 0 ? 0 : picoseconds((int)Math.Min((long)i * tile, most))).ToArray());
    }

    /// <inheritdoc/>
    public override Rational Seconds(int tokens) => new(Picoseconds[Tiles(Tile, tokens)], 1_000_000_000_000);

    /// <summary>Tiles that some tokens take, the last perhaps not full.</summary>
    internal static int Tiles(int tile, int tokens) => (int)(((long)tokens + tile - 1) / tile);

    internal override bool NeverFalls
    {
        get
        {
            for (var i = 1; i < Picoseconds.Count; i++)
            {
                if (Picoseconds[i] < Picoseconds[i - 1])
                    return false;
            }
            return true;
        }
    }
}

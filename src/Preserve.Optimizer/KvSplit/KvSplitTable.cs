using System;
using System.Globalization;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>The best split as a function of the tokens cached: lines between breakpoints, each rounded down to whole tiles, and at most the prompt.</summary>
/// <param name="Form">What was made least at every length.</param>
/// <param name="Activations">How X reaches the ranks, at every length of the range.</param>
/// <param name="First">The least s' of the range.</param>
/// <param name="Last">The largest s' of the range.</param>
/// <param name="Tile">Tokens of a tile, 1 or more.</param>
/// <param name="Prompt">Tokens of the prompt, 0 or more: of its last tile l may have a part, where that is no whole one.</param>
/// <param name="Pieces">The pieces, by rising <see cref="KvSplitPiece.From"/>; the first begins at <paramref name="First"/>.</param>
/// <param name="Seconds">The sum of the layer's times over the range.</param>
public sealed record KvSplitTable(
    KvSplitForm Form, ActivationTransfer Activations, int First, int Last, int Tile, int Prompt, EquatableArray<KvSplitPiece> Pieces, Rational Seconds)
{
    /// <summary>Whether nothing is recomputed at any length.</summary>
    public bool IsZero => MostTokens == 0;

    /// <summary>The largest l of the range: so many tokens' X are stored.</summary>
    public int MostTokens
    {
        get
        {
            var most = TokensAt(Last);
            // Within a piece the tiles never shrink; where a split shrinks at all it does so between two.
            for (var i = 1; i < Pieces.Count; i++)
                most = Math.Max(most, TokensAt(Pieces[i].From - 1));
            return most;
        }
    }

    /// <summary>Tokens to recompute.</summary>
    /// <param name="cachedTokens">Tokens s' cached, from <see cref="First"/> to <see cref="Last"/>.</param>
    public int TokensAt(int cachedTokens)
    {
        if (cachedTokens < First || cachedTokens > Last)
            throw new ArgumentOutOfRangeException(nameof(cachedTokens), cachedTokens, $"the table holds {First.ToString(CultureInfo.InvariantCulture)} to {Last.ToString(CultureInfo.InvariantCulture)} tokens");
        var at = Pieces.Count - 1;
        while (Pieces[at].From > cachedTokens)
            at--;
        return (int)Math.Min(Tile * Pieces[at].TilesAt(cachedTokens), Prompt);
    }

    /// <summary>The pieces in one line, such as <c>{0; c>=96: 64*((2c+5)/96)}</c>, with c the tokens cached and the quotient rounded down.</summary>
    public override string ToString()
    {
        var pieces = Pieces.Select((p, i) => (i == 0 ? "" : $"c>={p.From.ToString(CultureInfo.InvariantCulture)}: ") + Text(i));
        return Pieces.Count == 1 ? Text(0) : "{" + string.Join("; ", pieces) + "}";
    }

    private string Text(int piece)
    {
        var tokens = Tile * Pieces[piece].TilesAt(piece + 1 == Pieces.Count ? Last : Pieces[piece + 1].From - 1);
        var text = Pieces[piece].Text(Tile);
        var prompt = Prompt.ToString(CultureInfo.InvariantCulture);
        return tokens <= Prompt ? text : Pieces[piece].Rise == 0 ? prompt : $"min({text}, {prompt})";
    }
}

/// <summary>A part of a <see cref="KvSplitTable"/>: floor((Rise x s' + Offset) / Run) tiles.</summary>
/// <param name="From">The first s' that it holds for.</param>
/// <param name="Rise">Tiles by which it rises over <paramref name="Run"/> tokens, 0 or more; no factor is common to both.</param>
/// <param name="Run">Tokens, 1 or more.</param>
/// <param name="Offset">Of the line, in tiles over <paramref name="Run"/>.</param>
public readonly record struct KvSplitPiece(int From, long Rise, long Run, long Offset)
{
    /// <summary>Whole tiles at a length.</summary>
    /// <param name="cachedTokens">Tokens s' cached.</param>
    public long TilesAt(int cachedTokens)
    {
        var value = checked((Rise * cachedTokens) + Offset);
        return (value / Run) - (value % Run < 0 ? 1 : 0);
    }

    internal string Text(int tile)
    {
        if (Rise == 0)
            return (tile * TilesAt(From)).ToString(CultureInfo.InvariantCulture);
        var line = (Rise == 1 ? "c" : Rise.ToString(CultureInfo.InvariantCulture) + "c") + (Offset == 0 ? "" : Offset.ToString("+0;-0", CultureInfo.InvariantCulture));
        var quotient = Run == 1 ? line : $"({line})/{Run.ToString(CultureInfo.InvariantCulture)}";
        return tile == 1 ? quotient : $"{tile.ToString(CultureInfo.InvariantCulture)}*({quotient})";
    }
}

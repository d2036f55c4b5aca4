using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>A whole number that depends on the context: affine between breakpoints. One plan serves a range of
/// contexts because its sizes are amounts.</summary>
/// <remarks>Written <c>2048c+512</c>, or with breakpoints <c>{2048c; c>=4096: 8388608}</c>, where c is the context.</remarks>
public readonly struct Amount : IEquatable<Amount>
{
    private readonly AmountPiece _first;
    private readonly AmountPiece[]? _later;

    private Amount(AmountPiece first, AmountPiece[]? later)
    {
        _first = first;
        _later = later;
    }

    private Amount(List<AmountPiece> pieces)
        : this(pieces[0], pieces.Count == 1 ? null : pieces.Skip(1).ToArray())
    {
    }

    /// <summary>The context itself.</summary>
    public static Amount Context { get; } = new(new AmountPiece(0, 0, 1), null);

    /// <summary>The pieces, by rising <see cref="AmountPiece.From"/>; the first begins at 0.</summary>
    public IReadOnlyList<AmountPiece> Pieces => _later is null ? [_first] : [_first, .. _later];

    /// <summary>Whether the amount is the same at every context.</summary>
    public bool IsConstant => _later is null && _first.PerToken == 0;

    /// <summary>Whether the amount is 0 at every context.</summary>
    public bool IsZero => IsConstant && _first.Constant == 0;

    /// <summary>An amount that does not depend on the context.</summary>
    /// <param name="value">The amount.</param>
    public static implicit operator Amount(long value) => new(new AmountPiece(0, value, 0), null);

    /// <summary>The sum at every context.</summary>
    public static Amount operator +(Amount left, Amount right) =>
        Combine(left, right, static (from, a, b) => new AmountPiece(from, checked(a.Constant + b.Constant), checked(a.PerToken + b.PerToken)));

    /// <summary>The difference at every context.</summary>
    public static Amount operator -(Amount left, Amount right) => left + (right * -1);

    /// <summary>The multiple at every context.</summary>
    public static Amount operator *(Amount left, long right)
    {
        static AmountPiece Times(AmountPiece p, long f) => new(p.From, checked(p.Constant * f), checked(p.PerToken * f));
        return new(Times(left._first, right), left._later?.Select(p => Times(p, right)).ToArray());
    }

    /// <summary>Whether both are the same function of the context.</summary>
    public static bool operator ==(Amount left, Amount right) => left.Equals(right);

    /// <summary>Whether they differ at some context.</summary>
    public static bool operator !=(Amount left, Amount right) => !left.Equals(right);

    /// <summary>The smaller of the two at every context.</summary>
    /// <param name="left">One amount.</param>
    /// <param name="right">The other.</param>
    public static Amount Min(Amount left, Amount right) => WhereNotNegative(right - left, left, right);

    /// <summary>The larger of the two at every context.</summary>
    /// <param name="left">One amount.</param>
    /// <param name="right">The other.</param>
    public static Amount Max(Amount left, Amount right) => WhereNotNegative(left - right, left, right);

    /// <summary><paramref name="then"/> at the contexts where <paramref name="condition"/> is 0 or more, and
    /// <paramref name="otherwise"/> at the others.</summary>
    /// <param name="condition">What decides.</param>
    /// <param name="then">The amount where it is not negative.</param>
    /// <param name="otherwise">The amount where it is negative.</param>
    public static Amount WhereNotNegative(Amount condition, Amount then, Amount otherwise)
    {
        if (condition.IsConstant)
            return condition._first.Constant >= 0 ? then : otherwise;

        var cuts = new List<int>(8) { 0 };
        AddCuts(cuts, condition);
        AddCuts(cuts, then);
        AddCuts(cuts, otherwise);
        for (var i = 0; i < condition.PieceCount; i++)
        {
            var piece = condition.Piece(i);
            var end = i + 1 < condition.PieceCount ? condition.Piece(i + 1).From : int.MaxValue;
            if (piece.SignChange() is { } change && change > piece.From && change < end)
                cuts.Add((int)change);
        }
        cuts.Sort();
        var pieces = new List<AmountPiece>(cuts.Count);
        foreach (var from in cuts)
        {
            var source = condition.PieceAt(from).At(from) >= 0 ? then : otherwise;
            var p = source.PieceAt(from);
            Append(pieces, new AmountPiece(from, p.Constant, p.PerToken));
        }
        return new Amount(pieces);
    }

    /// <summary>The same amount at the contexts of a range, without breakpoints outside of it.</summary>
    /// <param name="first">The first context of the range.</param>
    /// <param name="last">The last context of the range.</param>
    public Amount Within(int first, int last)
    {
        if (_later is null)
            return this;
        var start = PieceAt(first);
        var pieces = new List<AmountPiece> { start with { From = 0 } };
        foreach (var piece in _later)
        {
            if (piece.From > first && piece.From <= last)
                Append(pieces, piece);
        }
        return new Amount(pieces);
    }

    /// <summary>The largest value at the contexts of a range.</summary>
    /// <param name="first">The first context of the range.</param>
    /// <param name="last">The last context of the range, <paramref name="first"/> or more.</param>
    public long Most(int first, int last)
    {
        // A line is largest at one of its ends.
        var most = Math.Max(At(first), At(last));
        for (var i = 1; i < PieceCount; i++)
        {
            var from = Piece(i).From;
            if (from > first && from <= last)
                most = Math.Max(most, Math.Max(At(from), At(from - 1)));
        }
        return most;
    }

    /// <summary>The amount at one context.</summary>
    /// <param name="context">The context, 0 or more.</param>
    public long At(int context) => PieceAt(context).At(context);

    /// <summary>The amount as <see cref="ToString"/> writes it.</summary>
    /// <param name="text">The text, without surrounding blanks.</param>
    /// <exception cref="FormatException">The text is not an amount.</exception>
    public static Amount Parse(string text)
    {
        if (text is null)
            throw new ArgumentNullException(nameof(text));
        if (!text.StartsWith("{", StringComparison.Ordinal))
            return new(AmountPiece.Parse(0, text), null);
        if (!text.EndsWith("}", StringComparison.Ordinal))
            throw new FormatException($"'{text}' has no closing brace");

        var pieces = new List<AmountPiece>();
        foreach (var part in text.Substring(1, text.Length - 2).Split(';').Select(p => p.Trim()))
        {
            var from = 0;
            var body = part;
            if (pieces.Count > 0)
            {
                var colon = part.IndexOf(':');
                if (!part.StartsWith("c>=", StringComparison.Ordinal) || colon < 0
                    || !int.TryParse(part.Substring(3, colon - 3), NumberStyles.None, CultureInfo.InvariantCulture, out from)
                    || from <= pieces[pieces.Count - 1].From)
                {
                    throw new FormatException($"'{part}' is not a piece such as 'c>=4096: 512', with rising bounds");
                }
                body = part.Substring(colon + 1).Trim();
            }
            pieces.Add(AmountPiece.Parse(from, body));
        }
        return new Amount(pieces);
    }

    /// <inheritdoc/>
    public bool Equals(Amount other)
    {
        if (_first != other._first || (_later?.Length ?? 0) != (other._later?.Length ?? 0))
            return false;
        return _later is null || _later.SequenceEqual(other._later!);
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Amount other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((_first.GetHashCode() * 31) + (_later?.Length ?? 0));

    /// <inheritdoc/>
    public override string ToString()
    {
        if (_later is null)
            return _first.ToString();
        var text = new StringBuilder("{").Append(_first);
        foreach (var piece in _later)
            text.Append("; c>=").Append(piece.From.ToString(CultureInfo.InvariantCulture)).Append(": ").Append(piece);
        return text.Append('}').ToString();
    }

    private int PieceCount => 1 + (_later?.Length ?? 0);

    private AmountPiece Piece(int index) => index == 0 ? _first : _later![index - 1];

    /// <summary>Adds the contexts at which a later piece begins.</summary>
    private static void AddCuts(List<int> cuts, Amount amount)
    {
        for (var i = 1; i < amount.PieceCount; i++)
            cuts.Add(amount.Piece(i).From);
    }

    private AmountPiece PieceAt(int context)
    {
        if (_later is null || context < _later[0].From)
            return _first;
        var at = _later.Length - 1;
        while (_later[at].From > context)
            at--;
        return _later[at];
    }

    private static Amount Combine(Amount left, Amount right, Func<int, AmountPiece, AmountPiece, AmountPiece> combine)
    {
        if (left._later is null && right._later is null)
            return new(combine(0, left._first, right._first), null);
        var cuts = new List<int>(8) { 0 };
        AddCuts(cuts, left);
        AddCuts(cuts, right);
        cuts.Sort();
        var pieces = new List<AmountPiece>(cuts.Count);
        foreach (var from in cuts)
            Append(pieces, combine(from, left.PieceAt(from), right.PieceAt(from)));
        return new Amount(pieces);
    }

    /// <summary>Adds a piece, or lengthens the last one where both are the same line, so that equal functions are equal values.</summary>
    private static void Append(List<AmountPiece> pieces, AmountPiece piece)
    {
        if (pieces.Count > 0 && pieces[pieces.Count - 1] is var last && last.Constant == piece.Constant && last.PerToken == piece.PerToken)
            return;
        pieces.Add(piece);
    }
}

/// <summary>A part of an amount: <c>Constant + PerToken x context</c> from one context on.</summary>
/// <param name="From">The first context it holds for.</param>
/// <param name="Constant">The part that does not grow.</param>
/// <param name="PerToken">The growth per token of context.</param>
public readonly record struct AmountPiece(int From, long Constant, long PerToken)
{
    /// <summary>The value at one context.</summary>
    /// <param name="context">The context.</param>
    public long At(int context) => checked(Constant + (PerToken * context));

    /// <inheritdoc/>
    public override string ToString()
    {
        if (PerToken == 0)
            return Constant.ToString(CultureInfo.InvariantCulture);
        var slope = PerToken switch
        {
            1 => "c",
            -1 => "-c",
            _ => PerToken.ToString(CultureInfo.InvariantCulture) + "c",
        };
        return Constant == 0 ? slope : slope + Constant.ToString("+0;-0", CultureInfo.InvariantCulture);
    }

    /// <summary>The first context at which the sign is no longer that at minus infinity, or null for a constant.</summary>
    internal long? SignChange()
    {
        if (PerToken == 0)
            return null;
        // Rising: the first c with Constant + PerToken c >= 0. Falling: the first c with Constant + PerToken c < 0.
        return PerToken > 0 ? CeilingDivide(-Constant, PerToken) : FloorDivide(Constant, -PerToken) + 1;
    }

    internal static AmountPiece Parse(int from, string text)
    {
        var c = text.IndexOf('c');
        if (c < 0)
            return new(from, Whole(text, text), 0);
        var slopeText = text.Substring(0, c);
        var slope = slopeText switch { "" => 1, "-" => -1, _ => Whole(slopeText, text) };
        var rest = text.Substring(c + 1);
        return new(from, rest.Length == 0 ? 0 : Whole(rest, text), slope);
    }

    private static long Whole(string digits, string text) =>
        long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new FormatException($"'{text}' is not an amount such as '512', '2048c' or '2048c+512'");

    private static long FloorDivide(long a, long b) => (a / b) - (a % b < 0 ? 1 : 0);

    private static long CeilingDivide(long a, long b) => (a / b) + (a % b > 0 ? 1 : 0);
}

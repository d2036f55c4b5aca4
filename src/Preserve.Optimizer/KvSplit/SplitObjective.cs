using System.Linq;
using System.Numerics;

namespace Preserve.Optimizer;

/// <summary>The time of a layer over l and s', in whole units of one fraction of a second, so that comparing is exact and cheap.</summary>
/// <remarks>In all forms the time is a sum of a part that never shrinks with l and the larger of one that rises and one that falls:
/// <code>
/// sequential  W1 + X(l) + max(G(l) + R(l), KV(s' - l) + W2)
/// pipelined   max(W1 + X(l) + KV(s' - l) + W2, R(l) + other(s'), G(l))
/// </code>
/// with X the activations' transfer, R the recomputation, G the gathering, KV the rest's transfer, W1 and W2 a batch's share of the weights'. The
/// published form is the sequential one without G, W1, W2 and fixed costs.</remarks>
internal sealed class SplitObjective
{
    private readonly bool _pipelined;
    private readonly BigInteger _unitsPerSecond;
    private readonly BigInteger _transfer;
    private readonly BigInteger _activation;
    private readonly BigInteger _keyValue;
    private readonly BigInteger _firstWeights;
    private readonly BigInteger _otherWeights;
    private readonly BigInteger _other;
    private readonly BigInteger _otherPerToken;
    private readonly UnitTime _recompute;
    private readonly UnitTime _gather;

    public SplitObjective(KvSplitProblem problem, KvSplitForm form, ActivationTransfer activations)
    {
        var published = form == KvSplitForm.Published;
        _pipelined = form == KvSplitForm.Pipelined;
        Tile = published ? 1 : problem.Tile;
        Prompt = problem.Prompt;

        var rate = published ? problem.LinkBytesPerSecond : problem.RankBytesPerSecond;
        var transfer = published ? 0 : problem.TransferSeconds;
        var sizes = problem.Sizes(activations);
        var activation = sizes.ActivationBytes / sizes.Links / rate;
        var keyValue = sizes.KeyValueBytesOfRank / rate;
        var recompute = published ? new LinearTime(0, ((LinearTime)problem.Recompute).SecondsPerToken) : problem.Recompute;
        var gather = activations == ActivationTransfer.Gathered ? problem.Gather! : new LinearTime(0, 0);
        var first = published ? 0 : Weights(problem.FirstWeightBytes);
        var others = published ? 0 : Weights(problem.OtherWeightBytes);
        var other = _pipelined ? problem.OtherSeconds : 0;
        var otherPerToken = _pipelined ? problem.OtherSecondsPerToken : 0;

        // Samples are whole picoseconds; everything else brings its own denominator.
        Rational[] terms = [transfer, activation, keyValue, first, others, other, otherPerToken, .. Terms(recompute), .. Terms(gather)];
        _unitsPerSecond = terms.Aggregate(BigInteger.One, (units, term) =>
            units / BigInteger.GreatestCommonDivisor(units, term.Denominator) * term.Denominator);
        (_transfer, _activation, _keyValue) = (Units(transfer), Units(activation), Units(keyValue));
        (_firstWeights, _otherWeights, _other, _otherPerToken) = (Units(first), Units(others), Units(other), Units(otherPerToken));
        _recompute = new UnitTime(recompute, _unitsPerSecond);
        _gather = new UnitTime(gather, _unitsPerSecond);

        CanPay = _activation < _keyValue;
        RisesAndFalls = recompute.NeverFalls && gather.NeverFalls;

        Rational Weights(long bytes) => bytes == 0 ? 0 : (transfer + (bytes / rate)) / problem.Batches;
    }

    /// <summary>Tokens of a tile.</summary>
    public int Tile { get; }

    /// <summary>Tokens whose X is stored.</summary>
    public int Prompt { get; }

    /// <summary>Whether a token's X takes the link less than its keys and values. Where it does not, l = 0 is best.</summary>
    public bool CanPay { get; }

    /// <summary>Whether what rises with l does so everywhere; only then is the least time where the two parts cross.</summary>
    public bool RisesAndFalls { get; }

    /// <summary>Tokens of a number of tiles: where all of the prompt is cached, its last tile may be a part of one.</summary>
    public int Tokens(int tiles) => (int)System.Math.Min((long)tiles * Tile, Prompt);

    /// <summary>Most tiles that may be recomputed.</summary>
    public int MostTiles(int cached) => cached >= Prompt ? SampledTime.Tiles(Tile, Prompt) : cached / Tile;

    /// <summary>Units of time at a split.</summary>
    public BigInteger Time(int tiles, int cached)
    {
        var (rising, falling) = Parts(tiles, cached);
        return (_pipelined ? 0 : _firstWeights + Activations(tiles)) + BigInteger.Max(rising, falling);
    }

    /// <summary>Whether the part that rises with l has reached the part that falls.</summary>
    public bool HasCrossed(int tiles, int cached)
    {
        var (rising, falling) = Parts(tiles, cached);
        return rising >= falling;
    }

    public Rational Seconds(BigInteger units) => new(units, _unitsPerSecond);

    private (BigInteger Rising, BigInteger Falling) Parts(int tiles, int cached)
    {
        var keyValues = _transfer + (_keyValue * (cached - Tokens(tiles))) + _otherWeights;
        return _pipelined
            ? (BigInteger.Max(_recompute.Of(tiles, Tokens(tiles)) + _other + (_otherPerToken * cached), _gather.Of(tiles, Tokens(tiles))),
                _firstWeights + Activations(tiles) + keyValues)
            : (_gather.Of(tiles, Tokens(tiles)) + _recompute.Of(tiles, Tokens(tiles)), keyValues);
    }

    private BigInteger Activations(int tiles) => tiles == 0 ? BigInteger.Zero : _transfer + (_activation * Tokens(tiles));

    private BigInteger Units(Rational seconds) => seconds.Numerator * (_unitsPerSecond / seconds.Denominator);

    private static Rational[] Terms(TokenTime time) => time is LinearTime linear
        ? [linear.FixedSeconds, linear.SecondsPerToken]
        : [new Rational(1, 1_000_000_000_000)];

    /// <summary>A <see cref="TokenTime"/> in whole units.</summary>
    private sealed class UnitTime
    {
        private readonly BigInteger _fixed;
        private readonly BigInteger _perToken;
        private readonly BigInteger[]? _samples;

        public UnitTime(TokenTime time, BigInteger unitsPerSecond)
        {
            if (time is LinearTime linear)
            {
                _fixed = (linear.FixedSeconds * new Rational(unitsPerSecond, 1)).Numerator;
                _perToken = (linear.SecondsPerToken * new Rational(unitsPerSecond, 1)).Numerator;
            }
            else
            {
                _samples = ((SampledTime)time).Picoseconds.Select(p => p * (unitsPerSecond / 1_000_000_000_000)).ToArray();
            }
        }

        public BigInteger Of(int tiles, int tokens) =>
            tiles == 0 ? BigInteger.Zero : _samples is not null ? _samples[tiles] : _fixed + (_perToken * tokens);
    }
}

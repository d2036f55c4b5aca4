using System;
using System.Globalization;
using System.Numerics;

namespace Preserve.Optimizer;

/// <summary>Finds how many tokens' keys and values to recompute: the least l, of the multiples of the tile and the whole prompt, at
/// which a layer takes least time.</summary>
/// <remarks>Exact. Left of the place where the rising and the falling part of the time meet, each more token saves what its keys and
/// values take beyond its X; right of it, each costs. So the best l is one of the two candidates about that place, or 0, which alone has
/// no fixed costs of X and the matmul. The place is found by bisection; where a sampled time falls somewhere, every multiple is tried.
/// Differences of the time between two l never grow with s' (the larger of the parts passes from the falling one to the rising one), so the
/// best l never shrinks as s' grows; in the pipelined form where the other work of a token takes no longer than its keys and values' transfer.</remarks>
public sealed class KvSplitSolver
{
    private readonly KvSplitProblem _problem;
    private readonly SplitObjective?[,] _objectives = new SplitObjective?[3, 2];

    /// <summary>Takes a problem.</summary>
    /// <param name="problem">Sizes and rates.</param>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public KvSplitSolver(KvSplitProblem problem)
    {
        _problem = problem ?? throw new ArgumentNullException(nameof(problem));
        problem.Check();
    }

    /// <summary>The problem.</summary>
    public KvSplitProblem Problem => _problem;

    /// <summary>The best split at one length of the cache; of both forms of tensor parallelism, where both are considered, the faster
    /// one, and every rank's own X where they are equal.</summary>
    /// <param name="form">Which time is made least.</param>
    /// <param name="cachedTokens">Tokens s' that each sequence has cached, 0 or more.</param>
    /// <exception cref="ArgumentException">The published form does not hold for the problem, or a value is out of its range.</exception>
    public KvSplitChoice Solve(KvSplitForm form, int cachedTokens)
    {
        var whole = Solve(form, ActivationTransfer.Whole, cachedTokens);
        if (!IsGatheringConsidered(form))
            return whole;
        var gathered = Solve(form, ActivationTransfer.Gathered, cachedTokens);
        return gathered.Seconds < whole.Seconds ? gathered : whole;
    }

    /// <summary>The best split at one length of the cache, with X brought to the ranks in one way.</summary>
    /// <param name="form">Which time is made least.</param>
    /// <param name="activations">How X reaches the ranks.</param>
    /// <param name="cachedTokens">Tokens s' that each sequence has cached, 0 or more.</param>
    /// <exception cref="ArgumentException">The form does not hold for the problem, or a value is out of its range.</exception>
    public KvSplitChoice Solve(KvSplitForm form, ActivationTransfer activations, int cachedTokens)
    {
        CheckCached(cachedTokens);
        var objective = Objective(form, activations);
        var crossing = 0;
        var tiles = BestTiles(objective, cachedTokens, ref crossing, out var time);
        return new KvSplitChoice(form, activations, cachedTokens, objective.Tokens(tiles),
            objective.Seconds(time), objective.Seconds(objective.Time(0, cachedTokens)));
    }

    /// <summary>The best split at every length of a range. A plan brings X to the ranks in one way: that with the least time over the
    /// whole range.</summary>
    /// <param name="form">Which time is made least.</param>
    /// <param name="first">The least s', 0 or more.</param>
    /// <param name="last">The largest s', at least <paramref name="first"/>.</param>
    /// <exception cref="ArgumentException">The form does not hold for the problem, or a value is out of its range.</exception>
    public KvSplitTable Table(KvSplitForm form, int first, int last)
    {
        var whole = Table(form, ActivationTransfer.Whole, first, last);
        if (!IsGatheringConsidered(form))
            return whole;
        var gathered = Table(form, ActivationTransfer.Gathered, first, last);
        return gathered.Seconds < whole.Seconds ? gathered : whole;
    }

    /// <summary>The best split at every length of a range, with X brought to the ranks in one way.</summary>
    /// <param name="form">Which time is made least.</param>
    /// <param name="activations">How X reaches the ranks.</param>
    /// <param name="first">The least s', 0 or more.</param>
    /// <param name="last">The largest s', at least <paramref name="first"/>.</param>
    /// <exception cref="ArgumentException">The form does not hold for the problem, or a value is out of its range.</exception>
    public KvSplitTable Table(KvSplitForm form, ActivationTransfer activations, int first, int last)
    {
        CheckCached(first);
        if (last < first)
            throw new ArgumentOutOfRangeException(nameof(last), last, $"a range from {first.ToString(CultureInfo.InvariantCulture)} on cannot end before it");
        var objective = Objective(form, activations);
        var tiles = new int[last - first + 1];
        var crossing = 0;
        var total = BigInteger.Zero;
        for (var i = 0; i < tiles.Length; i++)
        {
            tiles[i] = BestTiles(objective, first + i, ref crossing, out var time);
            total += time;
        }
        return new KvSplitTable(form, activations, first, last, objective.Tile, objective.Prompt, DigitalLine.Cover(first, tiles), objective.Seconds(total));
    }

    /// <summary>Time of a layer at any split, best or not.</summary>
    /// <param name="form">Which time.</param>
    /// <param name="activations">How X reaches the ranks.</param>
    /// <param name="cachedTokens">Tokens s' that each sequence has cached, 0 or more.</param>
    /// <param name="tokens">Tokens l that are recomputed: a multiple of the tile, or the prompt, at most s'.</param>
    /// <exception cref="ArgumentException">The form does not hold for the problem, or a value is out of its range.</exception>
    public Rational Seconds(KvSplitForm form, ActivationTransfer activations, int cachedTokens, int tokens)
    {
        CheckCached(cachedTokens);
        var objective = Objective(form, activations);
        var tiles = tokens < 0 ? 0 : SampledTime.Tiles(objective.Tile, tokens);
        var most = objective.MostTiles(cachedTokens);
        if (tiles > most || objective.Tokens(tiles) != tokens)
        {
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens,
                $"must be a multiple of {objective.Tile} from 0 to {objective.Tokens(most)}{(objective.Tokens(most) % objective.Tile == 0 ? "" : ", which is the prompt")}");
        }
        return objective.Seconds(objective.Time(tiles, cachedTokens));
    }

    /// <summary>Where the two parts of the time meet if l may be any number and nothing has a fixed cost.</summary>
    /// <remarks>With a, x and c the seconds that a token takes to recompute, in X and in keys and values: c s'/(a + c), for multi-head
    /// attention s'/(1 + (2h/p)(v_c/v_g)) (KVPR, arXiv 2411.17089, equation 11); pipelined, where all transfers are as long as the
    /// recomputation, c s'/(a + c - x), for multi-head attention 2x s'/(a + x). At most the prompt and s'; 0 where X is not smaller than
    /// keys and values.</remarks>
    /// <param name="form">Which form.</param>
    /// <param name="cachedTokens">Tokens s' that each sequence has cached, 0 or more.</param>
    /// <exception cref="ArgumentException">The recomputation's time is sampled, or the published form does not hold.</exception>
    public Rational ClosedForm(KvSplitForm form, int cachedTokens)
    {
        CheckCached(cachedTokens);
        CheckForm(form);
        if (_problem.Recompute is not LinearTime recompute)
            throw new ArgumentException("the closed form needs a time of recomputation that is linear in its tokens; this one is sampled");
        var sizes = _problem.Sizes(ActivationTransfer.Whole);
        if (!sizes.CanPay)
            return 0;
        var rate = form == KvSplitForm.Published ? _problem.LinkBytesPerSecond : _problem.RankBytesPerSecond;
        var (x, keyValue) = (sizes.ActivationBytes / rate, sizes.KeyValueBytesOfRank / rate);
        var meeting = keyValue * cachedTokens / (recompute.SecondsPerToken + keyValue - (form == KvSplitForm.Pipelined ? x : 0));
        return Rational.Min(meeting, Math.Min(_problem.Prompt, cachedTokens));
    }

    /// <summary>Whether the form with X gathered is priced.</summary>
    private bool IsGatheringConsidered(KvSplitForm form) => form != KvSplitForm.Published && _problem.Gather is not null;

    private SplitObjective Objective(KvSplitForm form, ActivationTransfer activations)
    {
        CheckForm(form);
        if (activations == ActivationTransfer.Gathered && !IsGatheringConsidered(form))
            throw new ArgumentException($"X cannot be gathered in the {form} form: {(form == KvSplitForm.Published ? "it holds for one rank" : "the problem has no time of the all-gather")}");
        return _objectives[(int)form, (int)activations] ??= new SplitObjective(_problem, form, activations);
    }

    /// <param name="objective">The time.</param>
    /// <param name="cached">s'.</param>
    /// <param name="crossing">Where the parts met at a smaller s', or 0: they do not meet before it, so it is where to begin.</param>
    /// <param name="least">The least time.</param>
    private static int BestTiles(SplitObjective objective, int cached, ref int crossing, out BigInteger least)
    {
        var most = objective.MostTiles(cached);
        var best = 0;
        var time = objective.Time(0, cached);
        if (objective.CanPay && objective.RisesAndFalls)
        {
            crossing = Crossing(objective, cached, Math.Min(Math.Max(crossing, 1), most + 1), most);
            Try(crossing - 1);
            Try(crossing);
        }
        else if (objective.CanPay)
        {
            for (var tiles = 1; tiles <= most; tiles++)
                Try(tiles);
        }
        least = time;
        return best;

        void Try(int tiles)
        {
            if (tiles < 1 || tiles > most)
                return;
            var candidate = objective.Time(tiles, cached);
            if (candidate < time)
                (best, time) = (tiles, candidate);
        }
    }

    /// <summary>The first number of tiles, 1 or more, at which the rising part has reached the falling one; one more than there are where
    /// it never does. Searched from a guess in doubling strides, then by bisection.</summary>
    private static int Crossing(SplitObjective objective, int cached, int guess, int most)
    {
        var (before, at) = (0, most + 1);
        var stride = 1;
        if (guess <= most && objective.HasCrossed(guess, cached))
        {
            at = guess;
            for (; at - stride > 0 && objective.HasCrossed(at - stride, cached); stride *= 2)
                at -= stride;
            before = Math.Max(at - stride, 0);
        }
        else if (guess <= most)
        {
            before = guess;
            for (; before + stride <= most && !objective.HasCrossed(before + stride, cached); stride *= 2)
                before += stride;
            at = Math.Min(before + stride, most + 1);
        }
        while (at - before > 1)
        {
            var middle = before + ((at - before) / 2);
            if (objective.HasCrossed(middle, cached))
                at = middle;
            else
                before = middle;
        }
        return at;
    }

    private void CheckForm(KvSplitForm form)
    {
        if (form is < KvSplitForm.Published or > KvSplitForm.Pipelined)
            throw new ArgumentOutOfRangeException(nameof(form), form, "must be a form of KvSplitForm");
        if (form != KvSplitForm.Published)
            return;
        if (_problem.KeyValueWidth != _problem.Hidden || _problem.ActivationBytes != _problem.KeyValueBytes)
        {
            throw new ArgumentException(
                $"the published form holds for multi-head attention in one precision: KeyValueWidth is {_problem.KeyValueWidth} beside Hidden {_problem.Hidden}, KeyValueBytes {_problem.KeyValueBytes} beside ActivationBytes {_problem.ActivationBytes}");
        }
        if (_problem.Ranks != 1)
            throw new ArgumentException($"the published form holds for one rank, but Ranks is {_problem.Ranks}");
        if (_problem.Recompute is not LinearTime)
            throw new ArgumentException("the published form computes at one rate, but Recompute is sampled");
    }

    private static void CheckCached(int cached)
    {
        if (cached < 0)
            throw new ArgumentOutOfRangeException(nameof(cached), cached, "a cache has 0 tokens or more");
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Times splits of a decode step, and keeps the one that takes least: those of both forms, and those between them.</summary>
/// <remarks>The sequential form hides too little of the transfers, the pipelined one hides all of them and leaves out what it cannot: a
/// gathering before the recomputation, the first layer. What is best lies between.</remarks>
/// <param name="step">The step.</param>
/// <param name="problems">The problem of each kind of layer that keeps its prompt, by the prefix of its names.</param>
/// <param name="whole">The step with everything transferred.</param>
/// <param name="plan">Plans the step with a split, and prefetches nothing.</param>
/// <param name="times">Times of plans.</param>
/// <param name="room">Bytes that a rank has for its values on the device, and for the cache and the activations on the host; null where that is not known.</param>
internal sealed class SplitSearch(
    DecodeSpec step, IReadOnlyDictionary<string, KvSplitProblem> problems, StepDraft whole, Func<CacheSplit, StepDraft> plan, PlanTimes times, (long Device, long? Host) room)
{
    /// <summary>Numbers of tokens that are tried where one holds for every context, before it is looked for between them.</summary>
    private const int Levels = 16;

    private readonly List<int> _contexts = step.SampledContexts().ToList();
    private readonly ContextCheck _check = new(whole.Plan, times);
    private readonly List<Trial> _tried = [];

    /// <summary>Those that were timed and cost time at some context, where nothing can be taken back.</summary>
    private readonly List<Trial> _lost = [];
    private readonly Dictionary<ActivationTransfer, SplitRoom> _rooms = [];
    private readonly int _tile = problems.Values.Min(p => p.Tile);
    private string _short = "";

    /// <summary>Tries the splits of one way in which activations reach the ranks.</summary>
    public void Try(ActivationTransfer transfer)
    {
        var curves = problems.Where(p => p.Value.Prompt > 0 && p.Value.Sizes(transfer).CanPay).ToDictionary(p => p.Key, p => new SplitCurve(p.Value, transfer));
        // Quarters of the way: an end, the other, the middle, and the quarter beside the better end.
        var first = Time(0);
        var last = Time(4);
        Time(2);
        Time(first <= last ? 1 : 3);
        if (transfer == ActivationTransfer.Gathered && curves.Count > 0)
            TryLevels(curves.Keys);

        // The time over the contexts, of as many of the tokens as there is room for; the largest there is where nothing is recomputed.
        long Time(int quarters)
        {
            // A collective has one size at every context.
            var steps = transfer == ActivationTransfer.Gathered ? 1 : SplitCurve.MostSteps;
            KvSplitForm? form = quarters switch { 0 => KvSplitForm.Sequential, 4 => KvSplitForm.Pipelined, _ => null };
            var split = new CacheSplit(form, curves.ToDictionary(c => c.Key, c => c.Value.StepsOf(quarters, step.MinContext, step.MaxContext, steps))) { Activations = transfer };
            if (_tried.Find(t => t.Wanted.RecomputesAs(split)) is { } known)
                return known.Time;
            if (Fitted(split) is not { } trial)
                return long.MaxValue;
            _tried.Add(trial);
            return trial.Time;
        }
    }

    /// <summary>Looks for the number of tokens that gains most without a loss at any context, where the ranks gather as many at every one: sixteenths of
    /// the prompt, and nearer and nearer to the best of them.</summary>
    /// <remarks>Nothing can be taken back in a range of contexts, as where the split follows them: what gains most where much is cached may lose where less is.
    /// The time over the number of tokens has a tooth for each wave of the recomputation's tiles, so that a search must not trust a slope.</remarks>
    /// <param name="kinds">The kinds of layers that recompute.</param>
    private void TryLevels(IReadOnlyCollection<string> kinds)
    {
        if (Fitted(Level(step.Prompt)) is not { } largest)
            return;
        var most = SampledTime.Tiles(_tile, largest.Split.MostTokens(step));
        var stride = Math.Max(most / Levels, 1);
        var tried = new Dictionary<int, Trial?> { [most] = largest };
        for (var level = most; level > 0; level -= stride)
            Of(level);
        // Whether there is a loss is asked of as few as can be: it takes many contexts.
        var (best, found) = tried.Where(t => t.Value is not null).OrderBy(t => t.Value!.Time).Select(t => (t.Key, t.Value)).FirstOrDefault(t => IsLossless(t.Value!));
        if (found is null)
        {
            _lost.AddRange(tried.Values.OfType<Trial>());
            return;
        }
        for (stride /= 2; stride > 0; stride /= 2)
        {
            foreach (var level in new[] { best - stride, best + stride })
            {
                if (level > 0 && level <= most && Of(level) is { } trial && trial.Time < found.Time && IsLossless(trial))
                    (best, found) = (level, trial);
            }
        }
        _tried.Add(found);

        Trial? Of(int level)
        {
            if (!tried.TryGetValue(level, out var trial))
            {
                var split = Level(Math.Min(level * _tile, step.Prompt));
                tried.Add(level, trial = _tried.Find(t => t.Split.RecomputesAs(split)) ?? Timed(split, split));
            }
            return trial;
        }

        bool IsLossless(Trial trial) => _check.Losses(trial.Plan).Count == 0;

        CacheSplit Level(int tokens) => new(null, kinds.ToDictionary(k => k, _ => (Amount)tokens)) { Activations = ActivationTransfer.Gathered };
    }

    /// <summary>Of the splits that were tried, the one that takes least over some contexts, and at none more than transferring everything. One that
    /// takes more in some ranges of contexts recomputes nothing there, and keeps what it gains in the others.</summary>
    public CacheSplit Best()
    {
        var transferred = _contexts.Sum(c => times.Of(whole.Plan, c));
        Trial? best = null;
        // No less than this is left when it is mended.
        foreach (var (tried, least) in _tried.Select(t => (Trial: t, Least: _contexts.Sum(c => Math.Min(times.Of(t.Plan, c), times.Of(whole.Plan, c))))).OrderBy(t => t.Least))
        {
            if (least >= (best?.Time ?? transferred))
                break;
            if (Mended(tried) is { } trial && trial.Time < (best?.Time ?? transferred))
                best = trial;
        }
        return best?.Split ?? CacheSplit.None;
    }

    /// <summary>Why none was taken.</summary>
    public string WhyNot()
    {
        if (_tried.Concat(_lost).OrderBy(t => times.Of(t.Plan, step.MaxContext)).FirstOrDefault() is { } fastest)
        {
            var (time, transferred) = (times.Of(fastest.Plan, step.MaxContext), times.Of(whole.Plan, step.MaxContext));
            var shortage = RoomOf(fastest.Split)?.ShortageOf(fastest.Split, step);
            return $"of the splits that were tried the fastest takes {SplitReasons.Time(time)} at {step.MaxContext} cached tokens, transferring everything {SplitReasons.Time(transferred)}{(time < transferred ? ", and each is slower at others" : "")}{shortage}";
        }
        return _rooms.Count > 0
            ? $"{_rooms.Values.First().Memory} has no room for the activations of {(_tile == 1 ? "1 token" : _tile + " tokens")}, the fewest that are looked at"
            : "however many of the prompt's tokens are made again, by the rates of the device it takes longer than to transfer them";
    }

    /// <summary>What the memory has room for, of activations that reach the ranks as those of a split; null where all had room.</summary>
    /// <param name="split">The split.</param>
    public SplitRoom? RoomOf(CacheSplit split) => _rooms.TryGetValue(split.Activations, out var known) ? known : null;

    /// <summary>A split without the ranges in which it is slower than transferring everything; null where nothing is left of it.</summary>
    private Trial? Mended(Trial tried)
    {
        var left = new List<ContextRange>();
        for (var trial = tried; trial is not null; trial = Timed(tried.Wanted, tried.Split.Without(left, step)))
        {
            var losses = _check.Losses(trial.Plan);
            if (losses.Count == 0)
                return trial;
            var before = left;
            left = ContextCheck.Union(left, losses);
            // With nothing recomputed in a range, events and copies of the others may still cost something there.
            if (left.SequenceEqual(before))
                return null;
        }
        return null;
    }

    /// <summary>A split, or where it does not fit, the same with no more tokens than there is room for; null where nothing is recomputed then.</summary>
    private Trial? Fitted(CacheSplit split)
    {
        if (split.IsNone)
            return null;
        var known = RoomOf(split);
        var most = Math.Min(split.MostTokens(step), known?.Tokens ?? int.MaxValue);
        if (Timed(split, split.AtMost(most)) is { } unbounded)
            return unbounded;
        Trial? fitted = null;
        var (fits, fails) = (0, SampledTime.Tiles(_tile, most));
        while (fails - fits > 1)
        {
            var middle = fits + ((fails - fits) / 2);
            if (Timed(split, split.AtMost(middle * _tile)) is { } trial)
                (fits, fitted) = (middle, trial);
            else
                fails = middle;
        }
        _rooms[split.Activations] = new SplitRoom(_short, Math.Max(known?.Tokens ?? 0, fits * _tile));
        return fitted;
    }

    /// <summary>The plan of a split and its time over the contexts; null where nothing is recomputed or it does not fit.</summary>
    private Trial? Timed(CacheSplit wanted, CacheSplit split)
    {
        if (split.IsNone)
            return null;
        var draft = plan(split);
        if (draft.Graph.ArenaBytes > room.Device || (room.Host is { } host && PlanFootprint.Of(draft.Plan, step.MaxContext).HostBytes > host))
        {
            _short = draft.Graph.ArenaBytes > room.Device ? "the device's memory" : "the host's memory";
            return null;
        }
        return new Trial(wanted, split, draft.Plan, _contexts.Sum(c => times.Of(draft.Plan, c)));
    }

    /// <summary>A split that was planned and timed, with the one that it was made from.</summary>
    private sealed record Trial(CacheSplit Wanted, CacheSplit Split, ExecutionPlan Plan, long Time);
}

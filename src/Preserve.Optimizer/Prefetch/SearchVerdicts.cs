using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Says why the search prefetched no more of a tensor. Each reason is a constraint, found by lifting it: a choice with more of the
/// tensor is timed on machines on each of which one constraint does not hold, and the one that gains most names it.</summary>
internal sealed class SearchVerdicts(PrefetchSearch search, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>How far a constraint is lifted. An L2 is lifted twice: what streams past a tensor before it is read can be much more than
    /// an L2.</summary>
    private const double Relaxation = 2, LargeRelaxation = 8;

    private readonly Machine _nominal = new(search, laws, cancellationToken);
    private readonly Machine _longer = new(search, new ScaledCollectiveLaws(laws, Relaxation), cancellationToken);
    private readonly Machine _larger = new(search, new LargerL2Laws(laws, Relaxation), cancellationToken);
    private readonly Machine _largest = new(search, new LargerL2Laws(laws, LargeRelaxation), cancellationToken);
    private readonly Machine _faster = new(search, new FasterComputeLaws(laws, Relaxation), cancellationToken);
    private readonly Machine _wider = new(search, new WiderMemoryLaws(laws, Relaxation), cancellationToken);
    private readonly Dictionary<(int Part, string Host), (Verdict Constraint, string Text)> _reasons = [];

    /// <summary>The verdict on a candidate.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="host">Beside what it would be prefetched.</param>
    /// <param name="refused">Whether the guard refused the whole choice.</param>
    public (Verdict Verdict, string Reason) Of(PrefetchCandidate candidate, GraphOperator host, GuardReport? refused)
    {
        var part = search.Problem.Find(candidate);
        if (part < 0)
            return (Verdict.NotAsked, "the policy prefetches matrices and the KV-cache only");
        var whole = search.Problem.Parts[part];
        var (hot, cold) = ReaderTimes(whole);
        if (search.IsWorthless(part))
            return (Verdict.ComputeBound, Text($"its reader takes {cold / 1e6:0.0} us with it in the L2 or without"));
        if (refused is { Outcome: GuardOutcome.Refused, LowPicoseconds: { } low, HighPicoseconds: { } high })
            return (Verdict.NotSure, Text($"all prefetches together gain {low / 1e6:0.0} to {high / 1e6:0.0} us, which is not sure to be a gain"));

        var here = search.Best[part];
        var elsewhere = search.Problem.Parts.Select((p, i) => p.Tensor == whole.Tensor && i != part ? search.Best[i] : 0).Sum();
        if (here + elsewhere >= whole.Units)
        {
            return (Verdict.Whole, elsewhere > 0
                ? Text($"all of it is prefetched, {elsewhere * whole.UnitBytes:#,0} bytes of it elsewhere; its reader takes {hot / 1e6:0.0} us, not {cold / 1e6:0.0}")
                : Text($"its reader takes {hot / 1e6:0.0} us, not {cold / 1e6:0.0}"));
        }
        var (reason, text) = WhyNotMore(part, host);
        return (here > 0 ? Verdict.Part : reason, text);
    }

    /// <summary>The constraint that keeps a part from growing. Windows of one host have the same parts and the same reasons.</summary>
    public (Verdict Constraint, string Text) WhyNotMore(int part, GraphOperator host)
    {
        if (!_reasons.TryGetValue((part, host.Label), out var reason))
            _reasons.Add((part, host.Label), reason = FindReason(part, host));
        return reason;
    }

    private (Verdict Constraint, string Text) FindReason(int part, GraphOperator host)
    {
        var whole = search.Problem.Parts[part];
        var room = Math.Max(0, search.RoomLeft(part));
        var beyond = search.Lengthened(part, whole.Bytes / 8, withinRoom: false)!;
        var more = search.Lengthened(part, whole.Bytes / 8, withinRoom: true);
        var added = ((more ?? beyond)[part] - search.Best[part]) * whole.UnitBytes;
        var cost = more is null ? 0 : _nominal.Loss(more);

        var least = (Constraint: (Verdict?)null, Loss: Math.Min(cost, 0));
        if (host.IsCollective)
            Lift(Verdict.WindowTooShort, _longer, more);
        Lift(Verdict.ComputeBound, _faster, more);
        Lift(Verdict.Contention, _wider, more);
        Lift(Verdict.WouldEvict, _larger, more);
        if (least.Constraint is null)
            Lift(Verdict.NoRoom, _larger, beyond);
        if (least.Constraint is null)
            Lift(more is null ? Verdict.NoRoom : Verdict.WouldEvict, _largest, more ?? beyond);

        var price = cost switch
        {
            > 0 => Text($"{added:#,0} bytes more would cost {cost / 1e6:0.000} us of the step"),
            0 => Text($"{added:#,0} bytes more would save nothing"),
            _ => Text($"{added:#,0} bytes more would save {-cost / 1e6:0.000} us of the step, which the search left"),
        };
        var left = Text($"of the {search.RoomBytes:#,0} bytes that may be prefetched and not yet read, {room:#,0} are left");
        return least.Constraint switch
        {
            Verdict.NoRoom => (Verdict.NoRoom, left),
            Verdict.WouldEvict => (Verdict.WouldEvict, $"{price}: they would push out what is still needed"),
            Verdict.WindowTooShort => (Verdict.WindowTooShort, Text($"{search.BytesUnder(host):#,0} bytes arrive while {host.Label} runs; ") + price),
            Verdict.ComputeBound => (Verdict.ComputeBound, $"{price}: its reader is bound by its own work then"),
            Verdict.Contention => (Verdict.Contention, $"{price}: others, who share the memory, lose what its reader gains"),
            _ when more is null => (Verdict.NothingToHideUnder, left + ", and more would gain nothing in a larger L2 either"),
            _ => (Verdict.NothingToHideUnder, price + ", and no constraint alone is in the way"),
        };

        void Lift(Verdict constraint, Machine machine, long[]? choice)
        {
            if (choice is not null && machine.Loss(choice) is var loss && loss < least.Loss)
                least = (constraint, loss);
        }
    }

    private (double Hot, double Cold) ReaderTimes(PrefetchPart part)
    {
        var demand = laws.Demand(part.Reader, search.Context, part.Bytes, 0);
        return (KernelTime.Picoseconds(demand, part.Bytes, 0, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond),
            KernelTime.Picoseconds(demand, 0, part.Bytes, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The machine with one constraint lifted, or none. Trials on it are compiled when they are first asked for.</summary>
    private sealed class Machine(PrefetchSearch search, ICostLaws laws, CancellationToken cancellationToken)
    {
        private PrefetchTrials? _trials;
        private long _best;

        /// <summary>What a choice takes longer than the best, in picoseconds: negative where it gains.</summary>
        public long Loss(long[] choice)
        {
            if (_trials is null)
            {
                _trials = search.TrialsWith(laws);
                _best = _trials.Time(search.Best, cancellationToken);
            }
            return _trials.Time(choice, cancellationToken) - _best;
        }
    }
}

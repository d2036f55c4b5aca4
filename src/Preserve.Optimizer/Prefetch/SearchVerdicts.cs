using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Says why the search prefetched no more of a tensor. Each reason is a constraint, found by lifting it: a choice with more of the
/// tensor is timed on machines on each of which one constraint does not hold, and the one that gains most names it.</summary>
internal sealed class SearchVerdicts(PrefetchChoice choice, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>How far a constraint is lifted. An L2 is lifted twice: what streams past a tensor before it is read can be much more than
    /// an L2.</summary>
    private const double Relaxation = 2, LargeRelaxation = 8;

    /// <summary>Picoseconds that lifting a constraint gains at least to count: what a reason shows of a microsecond.</summary>
    private const long LeastGain = 1000;

    private readonly Machine _nominal = new(choice, laws, cancellationToken);
    private readonly Machine _longer = new(choice, new ScaledCollectiveLaws(laws, Relaxation), cancellationToken);
    private readonly Machine _larger = new(choice, new LargerL2Laws(laws, Relaxation), cancellationToken);
    private readonly Machine _largest = new(choice, new LargerL2Laws(laws, LargeRelaxation), cancellationToken);
    private readonly Machine _faster = new(choice, new FasterComputeLaws(laws, Relaxation), cancellationToken);
    private readonly Machine _wider = new(choice, new WiderMemoryLaws(laws, Relaxation), cancellationToken);
    private readonly Again _withLonger = new("collectives of twice the length", new(() => choice.Search.With(new ScaledCollectiveLaws(laws, Relaxation)).Run()));
    private readonly Again _withLarger = new("an L2 of twice the size", new(() => choice.Search.With(new LargerL2Laws(laws, Relaxation)).Run()));
    private readonly Again _withLargest = new("an L2 of 64 times the size", new(() => choice.Search.With(new LargerL2Laws(laws, LargeRelaxation * LargeRelaxation)).Run()));

    private readonly Dictionary<(int Part, string Host), (Verdict Constraint, string Text)> _reasons = [];

    /// <summary>The verdict on a candidate that the policy considers.</summary>
    /// <param name="candidate">The candidate.</param>
    /// <param name="host">Beside what it would be prefetched.</param>
    /// <param name="elsewhere">Units of the same layer's tensor that the plan prefetches elsewhere, and not here; and beside what.</param>
    /// <param name="reader">The reader's time in the base plan and in this one.</param>
    /// <param name="refused">Whether the guard refused the whole choice.</param>
    public (Verdict Verdict, string Reason) Of(
        PrefetchCandidate candidate, GraphOperator host, (long Units, IReadOnlyList<string> Hosts) elsewhere, (long Base, long Plan) reader, GuardReport? refused)
    {
        var part = choice.Problem.Find(candidate);
        if (part < 0)
            return (Verdict.TooSmall, "it is too small to be worth an instruction");
        var whole = choice.Problem.Parts[part];
        var here = candidate.Chosen?.Length.At(choice.Space.Context) ?? 0;
        if (choice.Search.IsWorthless(part) && here + elsewhere.Units < whole.Units)
            return Worthless(candidate.Operator, reader.Base);
        if (refused is { Outcome: GuardOutcome.Refused, LowPicoseconds: { } low, HighPicoseconds: { } high })
            return (Verdict.NotSure, Text($"all prefetches together gain {low / 1e6:#,0.0} to {high / 1e6:#,0.0} us, which is not sure to be a gain"));

        if (here + elsewhere.Units >= whole.Units)
        {
            var times = Text($"{candidate.Operator.Label} takes {reader.Plan / 1e6:#,0.0} us, not {reader.Base / 1e6:#,0.0}");
            return (Verdict.Whole, elsewhere.Units > 0 ? Text($"all of it is prefetched, {elsewhere.Units * whole.UnitBytes:#,0} bytes of it beside {string.Join(" and ", elsewhere.Hosts)}; ") + times : times);
        }
        if (here < choice.Units[part])
            return (Verdict.OtherWindow, "the step is no longer without it: what the layers' own windows bring suffices, or another brings the same");
        var (reason, text) = WhyNotMore(part, host);
        return (here > 0 ? Verdict.Part : reason, text);
    }

    /// <summary>What bounds a reader that takes as long with its tensor in the L2 as without.</summary>
    private (Verdict Verdict, string Reason) Worthless(GraphOperator reader, long picoseconds)
    {
        var takes = Text($"{reader.Label} takes {picoseconds / 1e6:#,0.0} us with it in the L2 or without");
        var context = choice.Space.Context;
        var demand = laws.Demand(reader.Operation, context, reader.Reads.Sum(r => r.Bytes.At(context)), reader.Writes.Sum(w => w.Bytes.At(context)));
        return KernelTime.WaitsForLink(demand) ? (Verdict.LinkBound, takes + ": it waits for the link to the other ranks") : (Verdict.ComputeBound, takes);
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
        var whole = choice.Problem.Parts[part];
        if (choice.Lengthened(part, whole.Bytes / 8, withinRoom: false) is not { } beyond)
            return (Verdict.OtherWindow, "a tensor is cut alike in all layers, and in the others another window brings the rest of it");
        var more = choice.Lengthened(part, whole.Bytes / 8, withinRoom: true);
        var cost = more is null ? 0 : _nominal.Loss(more);
        var price = Price(part, more ?? beyond, cost);
        if (SearchEnd.IsWorthTheName(-cost, choice.Search.BasePicoseconds))
            return NotSearched(part, price);

        var most = Math.Min(Math.Min(cost, 0), 1 - LeastGain);
        var lifts = more is null ? [] : Lifts(more, cost, host.IsCollective).Where(l => l.Loss < most).OrderBy(l => l.Loss).ToList();
        if (lifts.Count > 0)
            return (lifts[0].Constraint, price + lifts[0].Text + Saved(lifts[0].Loss) + string.Concat(lifts.Skip(1).Where(l => l.Loss <= lifts[0].Loss / 2).Select(l => $"; {l.Also}{Saved(l.Loss)} too")));
        var left = Text($"of the {choice.Search.Room.Bytes:#,0} bytes that may be prefetched and not yet read, {Math.Max(0, choice.RoomLeft(part)):#,0} are left");
        if (_larger.Loss(beyond) is var loss && loss < most)
            return (Verdict.NoRoom, left + InAnL2Of(Relaxation) + Saved(loss));
        if (_largest.Loss(more ?? beyond) is var last && last < most)
            return more is null ? (Verdict.NoRoom, left + InAnL2Of(LargeRelaxation) + Saved(last)) : (Verdict.WouldEvict, price + PushedOut(cost, LargeRelaxation) + Saved(last));
        if (cost < 0)
            return NotSearched(part, price);
        return more is null ? Searched(part, left, Verdict.NoRoom) : Searched(part, price, Verdict.WouldEvict);

        string InAnL2Of(double times) => Text($"; in an L2 of {times} times the size {AddedBytes(part, beyond):#,0} bytes more of it");
    }

    /// <summary>What some more of a tensor loses on each machine on which one constraint does not hold, how a reason says that, and how it does beside another.</summary>
    private IEnumerable<(Verdict Constraint, long Loss, string Text, string Also)> Lifts(long[] more, long cost, bool underCollective)
    {
        if (underCollective)
            yield return (Verdict.WindowTooShort, _longer.Loss(more), "; were each collective twice as long, they", "with collectives of twice the length they");
        yield return (Verdict.ComputeBound, _faster.Loss(more), ": its reader is bound by its own work then, and were that done twice as fast, they", "with work done twice as fast they");
        yield return (Verdict.Contention, _wider.Loss(more), ": others, who share the memory, lose what its reader gains, and if none did, they", "with a memory that serves two as fast as one they");
        yield return (Verdict.WouldEvict, _larger.Loss(more), PushedOut(cost, Relaxation), "in an L2 of twice the size they");
    }

    private static string PushedOut(long cost, double times) =>
        (cost > 0 ? ": they push out what is still needed" : ": they are pushed out before they are read") + Text($", and in an L2 of {times} times the size they");

    private static string Saved(long loss) => Text($" would save {-loss / 1e6:0.000} us");

    private long AddedBytes(int part, long[] more) => (more[part] - choice.Units[part]) * choice.Problem.Parts[part].UnitBytes;

    /// <summary>What some more of a tensor costs here.</summary>
    private string Price(int part, long[] more, long cost)
    {
        var longer = Text($"{AddedBytes(part, more):#,0} bytes more") + (choice.Space.IsPerLayer(part) ? " in all layers" : "");
        return cost switch
        {
            > 0 => Text($"{longer} would cost {cost / 1e6:0.000} us of the step"),
            0 => $"{longer} would save nothing",
            _ => Text($"{longer} would save {-cost / 1e6:0.000} us of the step"),
        };
    }

    /// <summary>Nothing is in the way.</summary>
    private (Verdict Constraint, string Text) NotSearched(int part, string price) => (Verdict.NotSearched, price + (choice.Search.IsMoved(part)
        ? Text($": the search ended before it tried that, after {choice.Search.Trials} plans")
        : ": its window occurs once in a deep stack, and the search tries few lengths there"));

    /// <summary>Where more of a part alone gains on no machine, all parts together may: the search runs again with longer collectives and with a larger L2,
    /// and that under which it prefetches most of the tensor is the reason. Where it brings as much under both, the one that the text is about.</summary>
    private (Verdict Constraint, string Text) Searched(int part, string text, Verdict ofTheL2)
    {
        var here = BytesOf(choice);
        var (longer, larger, ofL2) = (More(_withLonger), More(_withLarger), _withLarger);
        if (longer + larger == 0)
            (larger, ofL2) = (More(_withLargest), _withLargest);
        if (longer + larger == 0)
            return (Verdict.NothingToHideUnder, text + ", and the search finds nothing more of it worth a prefetch in an L2 of 64 times the size or under collectives of twice the length");
        var isOfTheL2 = larger > longer || (larger == longer && ofTheL2 == Verdict.NoRoom);
        var (most, other) = isOfTheL2 ? ((ofL2.Name, More: larger), (_withLonger.Name, More: longer)) : ((_withLonger.Name, More: longer), (ofL2.Name, More: larger));
        text += Text($"; with {most.Name} the search prefetches {here + most.More:#,0} bytes of it") + (other.More > 0 ? Text($", and with {other.Name} {here + other.More:#,0}") : "");
        return (isOfTheL2 ? ofTheL2 : Verdict.WindowTooShort, text + Text($", not {here:#,0}"));

        long More(Again again) => again.Choice.Value is { } found ? Math.Max(0, BytesOf(found) - here) : 0;

        long BytesOf(PrefetchChoice any) => choice.Problem.TensorBytes(part, any.Units);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The search again, on the machine with one constraint lifted. It runs when it is first asked for.</summary>
    private sealed record Again(string Name, Lazy<PrefetchChoice?> Choice);

    /// <summary>The machine with one constraint lifted, or none. Trials on it are compiled when they are first asked for.</summary>
    private sealed class Machine(PrefetchChoice choice, ICostLaws laws, CancellationToken cancellationToken)
    {
        private PrefetchTrials? _trials;
        private long _chosen;

        /// <summary>What lengths take longer than the choice's, in picoseconds: negative where they gain.</summary>
        public long Loss(long[] units)
        {
            if (_trials is null)
            {
                _trials = choice.Space.TrialsWith(laws);
                _chosen = _trials.Time(choice.Units, cancellationToken);
            }
            return _trials.Time(units, cancellationToken) - _chosen;
        }
    }
}

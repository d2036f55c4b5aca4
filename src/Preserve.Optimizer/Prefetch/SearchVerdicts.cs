using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Says why the search prefetched no more of a tensor. Each reason is a constraint, found by lifting it: a choice with more of the
/// tensor is timed on a machine on which that constraint alone does not hold.</summary>
internal sealed class SearchVerdicts(PrefetchSearch search, ICostLaws laws, CancellationToken cancellationToken)
{
    /// <summary>How far a constraint is lifted.</summary>
    private const double Relaxation = 2;

    private readonly Lazy<PrefetchTrials> _nominal = new(() => search.TrialsWith(laws));
    private readonly Lazy<PrefetchTrials> _longer = new(() => search.TrialsWith(new ScaledCollectiveLaws(laws, Relaxation)));
    private readonly Lazy<PrefetchTrials> _larger = new(() => search.TrialsWith(new LargerL2Laws(laws, Relaxation)));

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
            return (here == 0 ? Verdict.Part : Verdict.Whole, elsewhere > 0
                ? Text($"all of it is prefetched, {elsewhere * whole.UnitBytes:#,0} bytes of it elsewhere; its reader takes {hot / 1e6:0.0} us, not {cold / 1e6:0.0}")
                : Text($"its reader takes {hot / 1e6:0.0} us, not {cold / 1e6:0.0}"));
        }
        var (reason, text) = WhyNotMore(part, host);
        return (here > 0 ? Verdict.Part : reason, text);
    }

    /// <summary>The constraint that keeps a part from growing.</summary>
    public (Verdict Constraint, string Text) WhyNotMore(int part, GraphOperator host)
    {
        var whole = search.Problem.Parts[part];
        var room = search.RoomLeft(part);
        var step = Math.Max(whole.Bytes / 8, whole.Tile * whole.UnitBytes);
        if (room < step)
            return (Verdict.NoRoom, Text($"of the {search.RoomBytes:#,0} bytes that may be prefetched and not yet read, {room:#,0} are left"));
        var more = search.Lengthened(part, step);
        var added = (more[part] - search.Best[part]) * whole.UnitBytes;
        var costs = Loss(_nominal, more);
        if (host.IsCollective && Loss(_longer, more) < Math.Min(costs, 0))
        {
            return (Verdict.WindowTooShort, Text($"{search.BytesUnder(host):#,0} bytes arrive while {host.Label} runs; {added:#,0} more would cost {costs / 1e6:0.000} us of the step"));
        }
        if (Loss(_larger, more) < Math.Min(costs, 0))
            return (Verdict.WouldEvict, Text($"{added:#,0} more bytes would push out what is still needed, and cost {costs / 1e6:0.000} us of the step"));
        return (Verdict.Contention, costs < 1
            ? Text($"{added:#,0} more bytes would save nothing: others lose what its reader gains")
            : Text($"{added:#,0} more bytes would cost {costs / 1e6:0.000} us of the step, by what they take from others"));
    }

    private double Loss(Lazy<PrefetchTrials> trials, long[] more) =>
        trials.Value.Time(more, cancellationToken) - trials.Value.Time(search.Best, cancellationToken);

    private (double Hot, double Cold) ReaderTimes(PrefetchPart part)
    {
        var demand = laws.Demand(part.Reader, search.Context, part.Bytes, 0);
        return (KernelTime.Picoseconds(demand, part.Bytes, 0, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond),
            KernelTime.Picoseconds(demand, 0, part.Bytes, laws.HbmBytesPerPicosecond, laws.L2BytesPerPicosecond));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Plans the decode steps of a KV-cache in host memory: with everything transferred, with the best split of either form, and with
/// some between them, of which it takes the one that the simulation finds fastest. And the prefills that store what they recompute from.</summary>
/// <remarks>The formulas price a layer alone; the simulation runs the whole step, with its event costs, its first and last layer, and
/// whatever else is on the link. In a range of contexts in which a split is slower than transferring everything, where its plan changes course,
/// it recomputes nothing.</remarks>
internal sealed class SplitPlanner
{
    /// <summary>Times that the gain of a generation's decode steps is what its prefill loses, from where on storing less is not looked at.</summary>
    private const int ClearGain = 8;

    private readonly DeploymentSpec _deployment;
    private readonly SplitDrafts _drafts;
    private readonly SplitDecider _decider;
    private readonly SplitBesidePrefetch _besidePrefetch;
    private readonly Dictionary<DecodeSpec, StepDraft> _planned = [];

    /// <summary>A planner of a deployment's steps.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="cancellationToken">Stops the planning.</param>
    public SplitPlanner(DeploymentSpec deployment, ICostLaws laws, CancellationToken cancellationToken)
    {
        _deployment = deployment;
        _drafts = new SplitDrafts(deployment, laws, cancellationToken);
        _decider = new SplitDecider(deployment, laws, _drafts);
        _besidePrefetch = new SplitBesidePrefetch(deployment, laws, _drafts);
    }

    /// <summary>Plans a decode step, once.</summary>
    public StepDraft Plan(DecodeSpec step)
    {
        if (!_planned.TryGetValue(step, out var draft))
            _planned.Add(step, draft = Choose(step));
        return draft;
    }

    /// <summary>Plans a prefill, which stores what the declared decode steps that go on from it recompute at most.</summary>
    public StepDraft Plan(PrefillSpec prefill) => _drafts.Storing(prefill, CacheSplit.Stored(_deployment.Steps.OfType<DecodeSpec>()
        .Where(d => d.Batch == prefill.Batch && d.Prompt > 0 && d.Prompt <= prefill.Tokens)
        .Select(d => (Plan(d).Split!.Split, (StepSpec)d)).ToList()));

    private StepDraft Choose(DecodeSpec step)
    {
        var decision = _decider.Decide(step, stored: _planned.Values.FirstOrDefault(d => !d.Split!.Split.IsNone)?.Split!.Split.Activations);
        var draft = _besidePrefetch.Plan(step, decision);
        if (!draft.Split!.Split.IsNone)
        {
            draft = _deployment.Steps.OfType<PrefillSpec>().FirstOrDefault(p => p.Batch == step.Batch && p.Tokens == step.Prompt) is { } prefill
                ? Weighed(step, prefill, decision, draft)
                : SplitReasons.With(draft, $"a prefill stores {SplitReasons.StoredBytes(step, draft)} bytes of activations for it");
        }
        return draft with { Split = draft.Split! with { Reason = draft.Split.Reason + draft.Split.Room?.ShortageOf(draft.Split.Split, step) } };
    }

    /// <summary>What is best of a declared generation: what its decode steps gain over all its lengths, less what its prefill takes longer to store the
    /// activations. Where that is a loss, or a large part of the gain, halves are tried, and nothing is recomputed where each is a loss.</summary>
    private StepDraft Weighed(DecodeSpec step, PrefillSpec prefill, SplitDecision decision, StepDraft draft)
    {
        var transferred = _drafts.Prefetched(step, CacheSplit.None);
        var check = new ContextCheck(transferred.Plan, _drafts.Times);
        var prefillLoss = new PrefillLoss(step, stored => _drafts.Storing(prefill, stored).Plan, transferred.Plan, _drafts.Times);
        var loss = prefillLoss.Of(draft);
        var gain = prefillLoss.GainOf(draft, enough: loss * ClearGain);
        if (gain >= loss * ClearGain)
            return WithPrefill(draft, loss);
        var reason = $"storing {SplitReasons.StoredBytes(step, draft)} bytes of activations takes the prefill {SplitReasons.Time(loss)} longer, and the decode steps gain {SplitReasons.Time(gain)}";
        (StepDraft Draft, long Loss, long Net)? best = gain > loss ? (draft, loss, gain - loss) : null;
        var tile = SplitTile.Of(step);
        for (var tiles = SampledTime.Tiles(tile, draft.Split!.Split.MostTokens(step)) / 2; tiles > 0; tiles /= 2)
        {
            var smaller = _besidePrefetch.Plan(step, decision with { Split = decision.Split.AtMost(tiles * tile), Outcome = SplitOutcome.Between });
            if (smaller.Split!.Split.IsNone || check.Losses(smaller.Plan).Count > 0)
                continue;
            var less = prefillLoss.Of(smaller);
            gain = prefillLoss.GainOf(smaller, enough: long.MaxValue);
            if (best is not null && gain - less <= best.Value.Net)
                break;
            if (gain > less)
                best = (smaller, less, gain - less);
        }
        return best is { } found
            ? WithPrefill(found.Draft, found.Loss)
            : transferred with { Split = decision with { Outcome = SplitOutcome.NotFaster, Split = CacheSplit.None, Reason = reason } };

        StepDraft WithPrefill(StepDraft some, long longer) =>
            SplitReasons.With(some, $"storing {SplitReasons.StoredBytes(step, some)} bytes of activations takes the prefill {(longer > 0 ? SplitReasons.Time(longer) + " longer" : "no longer")}");
    }
}

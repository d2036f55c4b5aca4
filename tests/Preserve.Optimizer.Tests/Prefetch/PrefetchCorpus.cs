using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Random models, devices and shapes, and what has to hold of the policy Best on each.</summary>
internal static class PrefetchCorpus
{
    /// <summary>Cases that one seed gives.</summary>
    public const int ChunkSize = 500;

    /// <summary>Contexts of each case at which the emitted plan is held against the base plan, beside those that the planner looks at.</summary>
    public const int RandomContexts = 4;

    /// <summary>A report takes as long as all else: one case in so many has one.</summary>
    private const int ReportEvery = 20;

    private static readonly Device[] _devices = [.. DeviceCatalogue.Ids.Select(Get).Where(d => d.L2Known)];

    private static readonly Gen<(DeploymentSpec Deployment, ICostLaws Laws)> _cases =
        from deployment in RandomDeployments.Generator(maxRepeat: 12)
        from device in Gen.Elements(_devices)
        from share in Gen.Elements(0.1, 0.5, 1)
        from factor in Gen.Elements(0.3, 1, 3)
        select (deployment with { Prefetch = PrefetchPolicy.Best, Device = device.Id },
            (ICostLaws)new ScaledCollectiveLaws(new LargerL2Laws(CostLaws.For(device), share), factor));

    /// <summary>Checks the cases of one seed.</summary>
    /// <param name="chunk">The seed.</param>
    /// <param name="mostTrials">How long the search may take: what has to hold does not depend on it.</param>
    public static List<PrefetchOutcome> Check(int chunk, int mostTrials = PrefetchSearch.MostTrials)
    {
        var outcomes = new List<PrefetchOutcome>(ChunkSize);
        Prop.ForAll(Arb.From(_cases), c =>
        {
            outcomes.Add(Check(c.Deployment, c.Laws, mostTrials, withReport: outcomes.Count % ReportEvery == 0));
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(ChunkSize).WithReplay(RandomDeployments.Seed + (ulong)chunk, 1_234_567));
        return outcomes;
    }

    /// <summary>Checks that the verdicts of a draft account for every byte that its plan prefetches.</summary>
    public static void CheckVerdicts(DeploymentSpec deployment, StepDraft draft, ICostLaws laws)
    {
        var report = new ReportBuilder(deployment, draft, laws, default).Build();
        foreach (var candidate in report.Windows.SelectMany(w => w.Candidates))
        {
            candidate.PrefetchedBytes.ShouldBeInRange(0, candidate.Bytes);
            if (candidate.Verdict is Verdict.Part)
                candidate.PrefetchedBytes.ShouldBeGreaterThan(0);
            if (candidate.PrefetchedBytes == candidate.Bytes)
                candidate.Verdict.ShouldBe(Verdict.Whole);
            candidate.Reason.ShouldNotBeEmpty();
        }
        var (plan, context) = (draft.Plan, draft.Plan.Step.MaxContext);
        var tensors = plan.Tensors.ToDictionary(t => t.Name);
        // Unrolled, so that every layer's stand there.
        var prefetched = plan.Unroll().Instructions().Where(i => i.Operation is PrefetchOperation).SelectMany(i => i.Reads).ToList();
        // Whole is said of those, and only those, that the plan itself brings whole to that layer.
        foreach (var window in report.Windows)
        {
            foreach (var candidate in window.Candidates)
            {
                var layer = candidate.Tensor.Layer.Resolve(window.LastLayer);
                var ranges = prefetched.Where(r => r.Tensor == candidate.Tensor.Tensor && r.Layer.Resolve(0) == layer);
                (BytesOf(ranges, tensors[candidate.Tensor.Tensor], context) >= candidate.Bytes).ShouldBe(candidate.Verdict == Verdict.Whole, $"{window.Host} {candidate}");
            }
        }
        // What the windows prefetch, each as often as it stands in the stack, is what the plan does.
        report.Windows.Sum(w => (w.Stride == 0 ? 1 : ((w.LastLayer - w.FirstLayer) / w.Stride) + 1) * w.Candidates.Sum(c => c.PrefetchedBytes)).ShouldBe(
            prefetched.Where(r => tensors[r.Tensor].Role != TensorRole.BlockTable)
                .Sum(r => (r.Range?.Length ?? tensors[r.Tensor].Units).At(context) * tensors[r.Tensor].UnitBytes));
    }

    private static PrefetchOutcome Check(DeploymentSpec deployment, ICostLaws laws, int mostTrials, bool withReport)
    {
        var step = deployment.Steps[0];
        var context = step.MaxContext;
        // Without the guard: what the search chose. Where it harms at a smaller context, nothing is prefetched there.
        var search = new BestPrefetch(deployment, step, laws, default) { MostTrials = mostTrials };
        var chosen = search.Choose();
        var (basePlan, published) = (search.Base!, search.Published!);
        // Timed anew: what the search took them to be does not count.
        var times = new PlanTimes(laws, default);
        var baseTime = times.Of(basePlan, context);
        var publishedTime = times.Of(published, context);
        var chosenTime = times.Of(chosen.Plan, context);
        chosenTime.ShouldBeLessThanOrEqualTo(baseTime);
        // The published rule is not taken where it would cost time at a smaller context.
        var slowerThanPublished = chosenTime > publishedTime;
        if (slowerThanPublished)
            new ContextCheck(basePlan, times).Losses(published).ShouldNotBeEmpty("the published rule is faster, and harms nowhere");

        // With it: what is emitted.
        var emitted = search.Guarded(chosen);
        foreach (var any in emitted.Plan.CheckedContexts())
            times.Of(emitted.Plan, any).ShouldBeLessThanOrEqualTo(times.Of(basePlan, any));
        // The planner looks at some contexts; these are others.
        var random = new Random(context);
        var slower = Enumerable.Range(0, RandomContexts).Select(_ => random.Next(step.MinContext, context + 1)).Count(c => times.Of(emitted.Plan, c) > times.Of(basePlan, c));
        PlanVerifier.Verify(chosen.Plan).ShouldBeEmpty();
        if (!ReferenceEquals(emitted.Plan, chosen.Plan))
            PlanVerifier.Verify(emitted.Plan).ShouldBeEmpty();
        LowerBound.Of(chosen.Plan, context, laws).Picoseconds.ShouldBeLessThanOrEqualTo(chosenTime);
        foreach (var candidate in chosen.Graph.Windows.SelectMany(w => w.Candidates))
            candidate.Prefetched.At(context).ShouldBeInRange(0, candidate.Bytes.At(context));
        if (withReport)
        {
            CheckVerdicts(deployment, emitted, laws);
            // No host's prefetches are there for nothing.
            foreach (var label in chosen.Plan.Instructions().Where(i => i.Operation is PrefetchOperation).Select(i => i.Label).Distinct())
                times.Of(chosen.Plan.WithoutPrefetch(i => i.Label == label), context).ShouldBeGreaterThan(chosenTime, label);
        }
        return new PrefetchOutcome(baseTime, publishedTime, chosenTime, times.Of(emitted.Plan, context), slower, chosen.Pauses.Count > 0, slowerThanPublished);
    }

    /// <summary>Bytes of ranges of one tensor, none counted twice.</summary>
    private static long BytesOf(IEnumerable<TensorReference> ranges, TensorDeclaration tensor, int context)
    {
        var (bytes, covered) = (0L, 0L);
        foreach (var (begin, end) in ranges.Select(r => (r.Range?.Begin.At(context) ?? 0, (r.Range?.End ?? tensor.Units).At(context))).Order())
        {
            bytes += Math.Max(0, end - Math.Max(begin, covered)) * tensor.UnitBytes;
            covered = Math.Max(covered, end);
        }
        return bytes;
    }

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}

/// <summary>Steps of one case, in picoseconds.</summary>
/// <param name="SlowerContexts">Random contexts, of <see cref="PrefetchCorpus.RandomContexts"/>, at which the emitted plan is slower than the base plan.</param>
/// <param name="Pauses">Whether the choice prefetches nothing at some contexts, because it would cost time there.</param>
/// <param name="SlowerThanPublished">Whether the published rule is faster than the choice at the largest context: it was not taken, because it would cost time at a smaller one.</param>
internal readonly record struct PrefetchOutcome(long Base, long Published, long Chosen, long Emitted, int SlowerContexts, bool Pauses, bool SlowerThanPublished);

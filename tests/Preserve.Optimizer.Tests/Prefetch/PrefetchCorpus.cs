using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Random models, devices and shapes, and what has to hold of the policy Best on each.</summary>
internal static class PrefetchCorpus
{
    /// <summary>Cases that one seed gives.</summary>
    public const int ChunkSize = 500;

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
            outcomes.Add(Check(c.Deployment, c.Laws, mostTrials));
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(ChunkSize).WithReplay(RandomDeployments.Seed + (ulong)chunk, 1_234_567));
        return outcomes;
    }

    private static PrefetchOutcome Check(DeploymentSpec deployment, ICostLaws laws, int mostTrials)
    {
        var step = deployment.Steps[0];
        var context = step.MaxContext;
        // Without the guard: what the search chose. A choice that harms at a smaller context is not taken, the published one neither.
        var search = new BestPrefetch(deployment, step, laws, default) { MostTrials = mostTrials };
        var chosen = search.Choose();
        var (basePlan, published) = (search.Base!, search.Published!);
        // Timed anew: what the search took them to be does not count.
        var times = new PlanTimes(laws, default);
        var baseTime = times.Of(basePlan, context);
        var publishedTime = times.Of(published, context);
        var chosenTime = times.Of(chosen.Plan, context);
        chosenTime.ShouldBeLessThanOrEqualTo(baseTime);
        if (chosenTime > publishedTime)
            step.GuardedContexts().ShouldContain(c => times.Of(published, c) > times.Of(basePlan, c), "the published rule is faster, and harms nowhere");

        // With it: what is emitted.
        var emitted = search.Guarded(chosen);
        foreach (var any in step.GuardedContexts())
            times.Of(emitted.Plan, any).ShouldBeLessThanOrEqualTo(times.Of(basePlan, any));
        PlanVerifier.Verify(chosen.Plan).ShouldBeEmpty();
        if (!ReferenceEquals(emitted.Plan, chosen.Plan))
            PlanVerifier.Verify(emitted.Plan).ShouldBeEmpty();
        LowerBound.Of(chosen.Plan, context, laws).Picoseconds.ShouldBeLessThanOrEqualTo(chosenTime);
        foreach (var candidate in chosen.Graph.Windows.SelectMany(w => w.Candidates))
            candidate.Prefetched.At(context).ShouldBeInRange(0, candidate.Bytes.At(context));
        return new PrefetchOutcome(baseTime, publishedTime, chosenTime, times.Of(emitted.Plan, context));
    }

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}

/// <summary>Steps of one case, in picoseconds.</summary>
internal readonly record struct PrefetchOutcome(long Base, long Published, long Chosen, long Emitted);

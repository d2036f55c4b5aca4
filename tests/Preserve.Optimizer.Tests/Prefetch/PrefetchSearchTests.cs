using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public sealed class PrefetchSearchTests
{
    [Fact]
    public void Every_choice_that_is_named_is_another_better_than_none_fits_and_drops_what_nobody_would_miss() =>
        Prop.ForAll(Arb.From(RandomDeployments.Generator(maxRepeat: 30)), deployment =>
        {
            var laws = CostLaws.For(Get(Devices.A100Sxm80));
            deployment = deployment with { Prefetch = PrefetchPolicy.Best, Device = Devices.A100Sxm80 };
            var space = new BestPrefetch(deployment, deployment.Steps[0], laws, default) { MostTrials = 1 }.Choose().Choice?.Space;
            // A rival that is not taken.
            var search = space is null ? null : new PrefetchSearch(space, laws, PrefetchSearch.MostTrials, default) { Rival = new long[space.Problem.Parts.Count] };
            var named = new List<PrefetchChoice>();
            for (var next = search?.Run(); next is not null; next = search!.Next(search.BasePicoseconds - 1))
            {
                next.Picoseconds.ShouldBeLessThan(search!.BasePicoseconds);
                search.Room.Fits(next.Units).ShouldBeTrue();
                search.Space.TrialsWith(laws).Time(next.Units, default).ShouldBe(next.Picoseconds);
                named.ShouldNotContain(n => n.Units.SequenceEqual(next.Units));
                named.Add(next);
                // The last part was asked about last: without it, the step is longer.
                if (Array.FindLastIndex(next.Units, u => u > 0) is >= 0 and var last)
                {
                    var without = (long[])next.Units.Clone();
                    without[last] = 0;
                    search.Space.TrialsWith(laws).Time(without, default).ShouldBeGreaterThan(next.Picoseconds);
                }
            }
            return true;
        }).Check(RandomDeployments.Runs(150));

    [Fact]
    public void It_times_no_more_plans_than_it_may_and_comes_to_all_of_its_searches()
    {
        // Kinds of layers enough that each search could take all of the trials.
        var device = Get(Devices.A100Sxm80);
        var deployment = Specs.Deploy(Specs.TwoKinds, 2, Specs.Decode(16, 2000), Precision.Bf16, PrefetchPolicy.Best, device.Id);
        var laws = CostLaws.For(device);
        var space = new BestPrefetch(deployment, deployment.Steps[0], laws, default) { MostTrials = 1 }.Choose().Choice!.Space;
        var least = long.MaxValue;
        foreach (var most in (int[])[1, 16, 64, 256])
        {
            var search = new PrefetchSearch(space, laws, most, default);
            var found = search.Run();
            // What is found is simplified after the last of them.
            search.Trials.ShouldBeLessThanOrEqualTo(most + space.Problem.Parts.Count);
            var time = found?.Picoseconds ?? search.BasePicoseconds;
            time.ShouldBeLessThanOrEqualTo(least);
            least = time;
        }
    }

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException(id);
}

using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Hardware.Tests.Simulation;

public class MaxMinFairnessTests
{
    private const double Free = double.MaxValue;

    [Theory]
    // 12 over three: 4 each.
    [InlineData(new[] { Free, Free, Free }, new[] { 4.0, 4.0, 4.0 })]
    // The first stops at 2; 10 are left for two: 5 each.
    [InlineData(new[] { 2.0, Free, Free }, new[] { 2.0, 5.0, 5.0 })]
    // The first stops at 1, the second at 3; the third has the 8 that are left.
    [InlineData(new[] { 1.0, 3.0, Free }, new[] { 1.0, 3.0, 8.0 })]
    // As before, but the third stops at 6: 2 are left unused.
    [InlineData(new[] { 1.0, 3.0, 6.0 }, new[] { 1.0, 3.0, 6.0 })]
    // The third stops at 3; 9 are left for two: 4.5 each, below the cap of 5.
    [InlineData(new[] { 5.0, Free, 3.0 }, new[] { 4.5, 4.5, 3.0 })]
    public void Three_flows_share_one_resource(double[] caps, double[] rates) =>
        Share([Resources.Hbm, Resources.Hbm, Resources.Hbm], caps, hbm: 12).ShouldBe(rates);

    [Fact]
    public void A_flow_through_two_resources_stops_at_the_first_that_is_full()
    {
        // Cold, cold and hot bytes; HBM 4, L2 9. All rise to 2, where HBM is full; the hot flow goes on to the 9 - 4 that the L2 has left.
        Share([Resources.Hbm | Resources.L2, Resources.Hbm | Resources.L2, Resources.L2], [Free, Free, Free], hbm: 4, l2: 9).ShouldBe([2.0, 2.0, 5.0]);
        // L2 5: all rise to 5/3, where the L2 is full; HBM keeps 2/3.
        Share([Resources.Hbm | Resources.L2, Resources.Hbm | Resources.L2, Resources.L2], [Free, Free, Free], hbm: 4, l2: 5)
            .ShouldBe([5.0 / 3, 5.0 / 3, 5.0 / 3]);
    }

    [Fact]
    public void Flows_on_different_resources_do_not_meet() =>
        Share([Resources.Hbm, Resources.Compute, Resources.L2], [Free, 0.5, Free], hbm: 4, l2: 9).ShouldBe([4.0, 0.5, 9.0]);

    [Fact]
    public void Two_flows_have_to_the_last_bit_what_they_have_beside_others_elsewhere()
    {
        var cap = Gen.Choose(1, 400).Select(c => c % 10 == 0 ? Free : c / 30.0);
        var draws = Gen.Elements(Resources.Hbm, Resources.Hbm | Resources.L2, Resources.Hbm | Resources.Compute);
        var cases = from one in draws from other in draws from caps in cap.ArrayOf(4) from hbm in Gen.Choose(1, 300) from l2 in Gen.Choose(1, 300) select (one, other, caps, hbm, l2);
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var alone = Share([c.one, c.other], c.caps[..2], c.hbm / 17.0, c.l2 / 13.0);
            var beside = Share([c.one, c.other, Resources.ScaleUpLink, Resources.ScaleUpLink], c.caps, c.hbm / 17.0, c.l2 / 13.0);
            beside[..2].ShouldBe(alone);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(12, 1));
    }

    [Fact]
    public void No_resource_is_overdrawn_and_no_flow_could_have_more()
    {
        var flow = from draws in Gen.Elements(Resources.Hbm, Resources.L2, Resources.Hbm | Resources.L2, Resources.ScaleUpLink)
                   from cap in Gen.Choose(1, 20)
                   select (draws, cap: cap == 20 ? Free : cap);
        Prop.ForAll(flow.NonEmptyListOf().Where(f => f.Count <= 8).ToArbitrary(), flows =>
        {
            var draws = flows.Select(f => f.draws).ToArray();
            var rates = Share(draws, flows.Select(f => f.cap).ToArray(), hbm: 7, l2: 11);
            double Used(Resources r) => rates.Where((_, i) => (draws[i] & r) != 0).Sum();
            (Resources Resource, double Capacity)[] resources = [(Resources.Hbm, 7), (Resources.L2, 11), (Resources.ScaleUpLink, 1)];
            foreach (var (resource, capacity) in resources)
                Used(resource).ShouldBeLessThanOrEqualTo(capacity + 1e-9);
            for (var i = 0; i < rates.Length; i++)
            {
                rates[i].ShouldBeGreaterThan(0);
                var stopped = rates[i] >= flows[i].cap - 1e-9 || resources.Any(r => (draws[i] & r.Resource) != 0
                    && Used(r.Resource) > r.Capacity - 1e-9
                    && rates.Where((_, j) => (draws[j] & r.Resource) != 0).Max() <= rates[i] + 1e-9);
                stopped.ShouldBeTrue();
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(11, 1));
    }

    private static double[] Share(Resources[] draws, double[] caps, double hbm, double l2 = 1)
    {
        double[] capacities = [1, hbm, l2, 1, 1, 1, 1];
        var flows = draws.Select((d, i) => new Flow { Id = i, Draws = d, Cap = caps[i], AloneRate = Math.Min(caps[i], MaxMinFairness.Least(capacities, d)) }).ToArray();
        MaxMinFairness.Share(capacities, flows, flows.Length);
        return [.. flows.Select(f => f.Rate)];
    }
}

using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Execution.Tests;

/// <summary>A rolled plan takes what its unrolled form takes, to the picosecond, however much was skipped.</summary>
public class RolledPlanTests
{
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(600).WithReplay(20250112, 7);

    [Fact]
    public void A_random_plan_takes_what_its_unrolled_form_takes() =>
        Prop.ForAll(TestPlans.Random.ToArbitrary(), plan =>
        {
            foreach (var (l2, setAside, fixedTime) in new[] { (8.0, 0.0, 1.0), (8.0, 3.0, 1.0), (64.0, 0.0, 0.0), (0.0, 0.0, 2.5) })
            {
                var plain = TestPlans.PlainDevice(l2, fixedTime, eventMicroseconds: 0.5);
                var device = plain with { L2 = plain.L2 with { PersistingShare = 0.5, SetAsideMebibytes = setAside } };
                StepRun? rolled = null;
                try
                {
                    rolled = TestPlans.Simulate(plan, 777, device);
                }
                catch (InvalidOperationException)
                {
                    // Random waits may form a circle; the unrolled form then has it too.
                    Should.Throw<InvalidOperationException>(() => TestPlans.Simulate(plan.Unroll(), 777, device));
                }
                if (rolled is not null)
                    TestPlans.Simulate(plan.Unroll(), 777, device).ShouldBe(rolled);
            }
        }).Check(s_config);

    [Fact]
    public async Task A_context_takes_what_it_takes_on_a_fresh_backend()
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        var plan = TestPlans.Llama();
        var executor = new Executor(new SimulatedBackend(device));
        foreach (var context in new[] { 4096, 1, 10_000, 1, 777 })
            (await executor.RunAsync(plan, context)).ShouldBe(TestPlans.Simulate(plan, context, device));
    }

    [Theory]
    [InlineData("h100-sxm", true)]
    [InlineData("h100-sxm", false)]
    [InlineData("ascend-910b2", true)]
    [InlineData("ascend-910b2", false)]
    [InlineData("b200-sxm", true)]
    public void A_decode_step_takes_what_its_unrolled_form_takes(string id, bool prefetch)
    {
        DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
        var plan = TestPlans.Llama(prefetch: prefetch);
        foreach (var context in new[] { 1, 999, 4096, 10_000 })
            TestPlans.Simulate(plan.Unroll(), context, device).ShouldBe(TestPlans.Simulate(plan, context, device));
    }

    [Theory]
    [InlineData(300)]
    [InlineData(1500)]
    [InlineData(4000)]
    public void Layers_of_which_the_L2_holds_hundreds_take_what_their_unrolled_form_takes(int layers) =>
        TestPlans.Simulate(SmallLayers(layers).Unroll(), 1, TestPlans.PlainDevice(l2Mebibytes: 8)).ShouldBe(TestPlans.Simulate(SmallLayers(layers), 1, TestPlans.PlainDevice(l2Mebibytes: 8)));

    [Fact]
    public void Of_layers_of_which_the_L2_holds_hundreds_as_many_are_walked_in_a_stack_of_any_depth()
    {
        Walked(80_000).ShouldBe(Walked(8000));
        // The L2 holds some 430 layers of three instructions; a step is walked until it is full of them, and again until the next state recurs.
        Walked(8000).ShouldBeLessThan(10 * 3 * 430);

        static long Walked(int layers)
        {
            var simulation = new StepSimulation(new CompiledPlan(SmallLayers(layers)), new NominalCostLaws(TestPlans.PlainDevice(l2Mebibytes: 8)), new StateMemory());
            simulation.Begin(1);
            simulation.RunSteps(coldStart: false, default);
            return simulation.Walked;
        }
    }

    /// <summary>Layers of 20 kB, a part of which is prefetched.</summary>
    private static ExecutionPlan SmallLayers(int layers) => TestPlans.Plan(
        [TestPlans.Weight("one", 12_000), TestPlans.Weight("other", 7500), TestPlans.Weight("head", 90_000, perLayer: false)],
        new Repeat(layers, 0, 1, new PlanNode[]
        {
            TestPlans.Read("first", [TestPlans.Here("one")], signals: true),
            TestPlans.Prefetch("ahead", [TestPlans.Here("other")], waits: ["first"]),
            TestPlans.Read("second", [TestPlans.Here("other")]),
        }),
        TestPlans.Read("last", [TestPlans.Once("head")])) with
    { Layers = layers };

    [Fact]
    public void A_timeline_does_not_change_the_run()
    {
        DeviceCatalogue.TryGet(Devices.Ascend910B2, out var device).ShouldBeTrue();
        var plan = TestPlans.Llama();
        var plain = TestPlans.Simulate(plan, 3000, device);
        var traced = TestPlans.Simulate(plan, 3000, device, new SimulationOptions { RecordTimeline = true });
        (traced with { Timeline = plain.Timeline, Usage = plain.Usage }).ShouldBe(plain);
        traced.Usage.Count.ShouldBeGreaterThan(plan.Layers);
        traced.Timeline.Count.ShouldBe(plan.Unroll().Body.Count);
        traced.Timeline.Max(i => i.EndPicoseconds).ShouldBe(plain.Picoseconds);
    }

    [Fact]
    public void The_unrolled_timeline_is_the_rolled_one()
    {
        DeviceCatalogue.TryGet(Devices.H100, out var device).ShouldBeTrue();
        var options = new SimulationOptions { RecordTimeline = true };
        var plan = TestPlans.Llama(layers: 7);
        var rolled = TestPlans.Simulate(plan, 3000, device, options).Timeline.Select(i => i with { Layer = 0 });
        TestPlans.Simulate(plan.Unroll(), 3000, device, options).Timeline.ShouldBe(rolled);
    }
}

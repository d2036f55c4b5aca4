namespace Preserve.Optimizer.Tests;

public class SplitSearchTests
{
    [Fact]
    public void A_form_that_recomputes_nothing_does_not_keep_another_from_it()
    {
        // The recomputation takes what all keys and values take to cross, however few tokens it has: behind the activations it is too late, beside all that
        // crosses it is not.
        var device = DeviceOf(Devices.A100Sxm40);
        var step = new DecodeSpec(16, 128, Total: false, Prompt: 128);
        var deployment = HostCaches.Of(Specs.Opt13B, step);
        var laws = CostLaws.For(device);
        var problem = KvSplitProblem.Of(new ModelledRates(laws, Precision.Bf16, Precision.Bf16), deployment, Specs.Opt13B.Stack[0].Pattern[0], 16, 128, tile: 8);
        var crossing = (long)(problem.Sizes(ActivationTransfer.Whole).KeyValueBytes * 128 / problem.RankBytesPerSecond * 1_000_000_000_000).Ceiling();
        problem = problem with { Recompute = SampledTime.Of(8, 128, _ => crossing) };
        var solver = new KvSplitSolver(problem);
        solver.Solve(KvSplitForm.Sequential, 128).Tokens.ShouldBe(0);
        solver.Solve(KvSplitForm.Pipelined, 128).Tokens.ShouldBe(8);

        var search = new SplitSearch(
            step, new Dictionary<string, KvSplitProblem> { [""] = problem }, Planned(CacheSplit.None), Planned, new PlanTimes(laws, CancellationToken.None), (device.MemoryBytes, null));
        search.Try(ActivationTransfer.Whole);
        var best = search.Best();
        best.IsNone.ShouldBeFalse();
        search.RoomOf(best).ShouldBeNull();

        StepDraft Planned(CacheSplit split) => Planner.DraftPrefetched(deployment, step, laws, split, CancellationToken.None);
    }

    [Fact]
    public void A_memory_that_is_short_is_a_reason_only_where_the_split_takes_all_of_its_room()
    {
        // With half the prompt's activations a step is fastest; the pipelined form alone has no room.
        var reason = Split(HostCaches.Of(Specs.Opt6B, new DecodeSpec(8, 132, Total: false, Prompt: 128)), 89, out var tokens).Reason;
        tokens.ShouldBe(64);
        reason.ShouldNotContain("has room");
        Split(HostCaches.Of(Specs.Opt6B, new DecodeSpec(8, 132, Total: false, Prompt: 128)), 41, out tokens).Reason
            .ShouldEndWith("; the host's memory has room for the activations of 40 tokens");
        tokens.ShouldBe(40);
    }

    [Fact]
    public void Where_prefetches_gain_more_without_a_split_its_memory_is_no_reason()
    {
        Split(HostCaches.Of(Small, new DecodeSpec(16, 400, Total: false, Prompt: 32), Devices.L40S, prefetch: PrefetchPolicy.Best), 4, out var tokens).Reason
            .ShouldBe("what is prefetched gains more where everything is transferred");
        tokens.ShouldBe(0);
    }

    [Fact]
    public void Where_a_split_gains_nothing_because_so_few_tokens_have_room_the_reason_says_it()
    {
        var deployment = HostCaches.Of(Small, new DecodeSpec(4, 400, Total: false, Prompt: 32), Devices.L40S);
        Split(deployment, 32, out var tokens).Reason.ShouldNotContain("has room");
        tokens.ShouldBe(32);
        var report = Split(deployment, 1, out tokens);
        tokens.ShouldBe(0);
        report.Outcome.ShouldBe(SplitOutcome.NotFaster);
        report.Reason.ShouldEndWith("; the host's memory has room for the activations of 1 token");
    }

    private static ModelSpec Small { get; } = Specs.Model("Small", 2048, 32_000, Specs.Group(24, Specs.Layer("DecoderLayer", 32, 32, 64, 8192)));

    /// <summary>What is said of a step whose host has room for the cache and the activations of some tokens.</summary>
    private static SplitReport Split(DeploymentSpec deployment, int room, out int recomputed)
    {
        var (device, step, hidden) = (DeviceOf(deployment.Device), (DecodeSpec)deployment.Steps[0], deployment.Model.Hidden);
        var token = (long)step.Batch * deployment.Model.Stack[0].Repeat * hidden * 2;
        var bytes = (2 * (step.Context + 1) * token) + (room * token);
        var report = Planner.Plan(deployment, device with { HostLink = device.HostLink with { HostMemoryGigabytes = bytes / 1e9 } }).Steps[0].Report.Split!;
        recomputed = report.RecomputedTokens;
        return report;
    }

    private static Device DeviceOf(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new ArgumentException(id);
}

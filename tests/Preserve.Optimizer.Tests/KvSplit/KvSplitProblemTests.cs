namespace Preserve.Optimizer.Tests;

public class KvSplitProblemTests
{
    [Fact]
    public void A_deployment_gives_the_quantities_of_its_layers()
    {
        var deployment = Deployment(Specs.Layer("Layer", 32, 8, 128, 8192), ranks: 4) with
        {
            KeyValues = Precision.Int4,
            Offload = new OffloadSpec(Home.Host, Home.Host, StoredActivations: Precision.Int8),
        };
        var problem = KvSplitProblem.Of(new FixedRates(), deployment, deployment.Model.Stack[0].Pattern[0], batch: 16, prompt: 100, tile: 8);
        problem.ShouldBe(new KvSplitProblem(16, 4096, 256, 1, new Rational(9, 16), 1000, problem.Recompute, 100)
        {
            TransferSeconds = 2,
            HostMemoryBytesPerSecond = 3000,
            FirstWeightBytes = 2L * 2 * 256 * 4096,
            OtherWeightBytes = problem.OtherWeightBytes,
            Tile = 8,
            Ranks = 4,
            Gather = problem.Gather,
        });
        // The matrices of a layer on a rank: query, key, value and output, three of the feed-forward block. Norms stay on the device.
        (problem.FirstWeightBytes + problem.OtherWeightBytes).ShouldBe(2L * 4096 * ((2 * 1024) + (2 * 256) + (3 * 2048)));
        problem.Sizes(ActivationTransfer.Gathered).ActivationBytes.ShouldBe(16 * 4096);
        ((SampledTime)problem.Recompute).Picoseconds.ShouldBe([0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 100]);
    }

    [Fact]
    public void More_ranks_than_heads_replicate_them_and_a_window_keeps_the_prompt_up_to_its_size()
    {
        var replicated = Deployment(Specs.Layer("Layer", 32, 2, 128, 8192), ranks: 8);
        KvSplitProblem.Of(new FixedRates(), replicated, replicated.Model.Stack[0].Pattern[0], 1, 100, 1).KeyValueWidth.ShouldBe(128);
        var windowed = Deployment(Specs.Layer("Layer", 32, 32, 128, 8192, window: 64), ranks: 1);
        KvSplitProblem.KeepsPrompt(windowed.Model.Stack[0].Pattern[0], most: 64).ShouldBeFalse();
        KvSplitProblem.KeepsPrompt(windowed.Model.Stack[0].Pattern[0], most: 63).ShouldBeTrue();
        KvSplitProblem.KeepsPrompt(replicated.Model.Stack[0].Pattern[0], most: int.MaxValue).ShouldBeTrue();
    }

    [Fact]
    public void On_a_modelled_device_the_split_follows_its_laws()
    {
        DeviceCatalogue.TryGet(Devices.A100Sxm80, out var device).ShouldBeTrue();
        var rates = new ModelledRates(CostLaws.For(device), Precision.Bf16, Precision.Bf16);
        rates.Copy(TransferDirection.HostToDevice).BytesPerSecond.ToDouble().ShouldBe(device.HostTransfer.PinnedGigabytesPerSecond * 1e9, 1);
        // A copy takes memory's rate away, and never makes a matmul faster.
        foreach (var tokens in new[] { 1, 16, 64, 256 })
        {
            rates.RecomputePicoseconds(32 * tokens, 5120, 5120, underTransfer: true)
                .ShouldBeGreaterThanOrEqualTo(rates.RecomputePicoseconds(32 * tokens, 5120, 5120, underTransfer: false));
        }
        var deployment = Deployment(Specs.Layer("Layer", 40, 40, 128, 8192), ranks: 1, hidden: 5120);
        var problem = KvSplitProblem.Of(rates, deployment, deployment.Model.Stack[0].Pattern[0], batch: 32, prompt: 1024, tile: 16);
        var solver = new KvSplitSolver(problem);
        // The published 671 of 1,024 has 32 GB/s and the peak rate; a slower link and a slower matmul move it both ways.
        solver.Solve(KvSplitForm.Sequential, 1024).Tokens.ShouldBeInRange(560, 780);
        solver.Solve(KvSplitForm.Pipelined, 1024).Tokens.ShouldBeGreaterThan(solver.Solve(KvSplitForm.Sequential, 1024).Tokens);
        var table = solver.Table(KvSplitForm.Sequential, 1024, 1152);
        table.Seconds.ShouldBeLessThan(129 * solver.Solve(KvSplitForm.Sequential, 1152).TransferSeconds);

        // Two ranks gather what neither would pull alone.
        var two = Deployment(Specs.Layer("Layer", 40, 40, 128, 8192), ranks: 2, hidden: 5120);
        var choice = new KvSplitSolver(KvSplitProblem.Of(rates, two, two.Model.Stack[0].Pattern[0], 32, 1024, 16)).Solve(KvSplitForm.Sequential, 1024);
        choice.Activations.ShouldBe(ActivationTransfer.Gathered);
        choice.Seconds.ShouldBeLessThan(choice.TransferSeconds);
    }

    private static DeploymentSpec Deployment(LayerSpec layer, int ranks, int hidden = 4096) =>
        Specs.Deploy(Specs.Llama3_70B with { Hidden = hidden, Stack = new[] { new LayerGroup(new[] { layer }, 4) } }, ranks, Specs.Decode(16, 4096)) with
        {
            Weights = Precision.Bf16,
            KeyValues = Precision.Bf16,
            Activations = Precision.Bf16,
            Offload = new OffloadSpec(Home.Host),
        };

    private sealed class FixedRates : ISplitRates
    {
        public string Source => "test";

        public Rational? HostMemoryBytesPerSecond => 3000;

        public CopyRate Copy(TransferDirection direction) => new(2, 1000);

        public TokenTime Recompute(int batch, int hidden, int keyValueWidth, int tile, int most) => SampledTime.Of(tile, most, tokens => tokens);

        public TokenTime? Gather(Rational bytesPerToken, int ranks, int tile, int most) => new LinearTime(1, bytesPerToken);
    }
}

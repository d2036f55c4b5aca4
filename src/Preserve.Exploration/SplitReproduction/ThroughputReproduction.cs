using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>The throughput evaluation of KVPR (arXiv 2411.17089) on the hardware model, column by column: every time is a run of plans by the
/// executor, the prefill's among them.</summary>
/// <remarks>
/// <para>The published system is modelled as its latency runs were read: each step moves the full static length, prompt and tokens, and l = s / 2. Its
/// copies run beside work, as FlexGen's do, and its kernels take what the device's own laws say: nothing of its own cost is known here.</para>
/// <para>The link of the A100 carries what was fitted to the published latencies of OPT-13B; that of the workstation card its nominal rate's share that
/// device files assume. Nothing is fitted to any throughput.</para>
/// </remarks>
public static class ThroughputReproduction
{
    /// <summary>Repeats a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="model">Its model.</param>
    /// <param name="device">Its device.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The model does not fit the device.</exception>
    public static async Task<ReproducedThroughput> RunAsync(PublishedThroughput row, ModelSpec model, Device device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        var linked = row.Device == PublishedThroughput.Server
            ? device with { HostLink = device.HostLink with { SustainedGigabytesPerSecond = SplitReproduction.LinkGigabytesPerSecond } }
            : device;
        var (prompt, tokens) = (row.Prompt, row.Tokens);
        var steps = new StepSpec[] { new DecodeSpec(PublishedThroughput.Batch, prompt + tokens - 2, Total: false, prompt), new PrefillSpec(PublishedThroughput.Batch, prompt) };
        var deployment = Deployment(model, linked, RecomputePolicy.Best, steps);
        var plans = Planner.Plan(deployment, linked, cancellationToken: cancellation);
        var basic = Planner.Plan(Deployment(model, linked, RecomputePolicy.None, steps), linked, cancellationToken: cancellation);
        var published = await PublishedAsync(deployment, linked, prompt, tokens, 0, cancellation);
        var publishedSplit = await PublishedAsync(deployment, linked, prompt, tokens, prompt / 2, cancellation);
        var transferred = await RunAsync(basic, linked, tokens, cancellation);
        var optimised = await RunAsync(plans, linked, tokens, cancellation);
        return new ReproducedThroughput(
            row, published.TokensPerSecond, publishedSplit.TokensPerSecond, transferred.TokensPerSecond, optimised.TokensPerSecond,
            plans.Steps[0].Report.Split!, plans.Steps[0].Plan.RecomputedTokens(prompt), PublishedOptimum.Of(model, linked, prompt, prompt + tokens - 2),
            new Utilisation(published.Utilisation, publishedSplit.Utilisation, transferred.Share(s => s.KernelPicoseconds), optimised.Share(s => s.KernelPicoseconds)));
    }

    /// <summary>The device of a row: built in, or one of the evaluation's own.</summary>
    /// <param name="row">The row.</param>
    public static Device DeviceOf(PublishedThroughput row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (DeviceCatalogue.TryGet(row.Device, out var builtIn))
            return builtIn;
        using var stream = typeof(ThroughputReproduction).Assembly.GetManifestResourceStream(row.Device + ".device.json")!;
        using var reader = new StreamReader(stream);
        return DeviceFile.Parse(reader.ReadToEnd()).Device!;
    }

    /// <summary>Tokens per second of the published system: the prefill, and decode steps of one static length.</summary>
    private static async Task<(double TokensPerSecond, double Utilisation)> PublishedAsync(DeploymentSpec deployment, Device device, int prompt, int tokens, int recomputed, CancellationToken cancellation)
    {
        var split = new CacheSplit(null, new Dictionary<string, Amount> { [""] = recomputed });
        var prefill = await RunAsync(new PrefillSpec(PublishedThroughput.Batch, prompt));
        var decode = await RunAsync(new DecodeSpec(PublishedThroughput.Batch, prompt + tokens, Total: false, prompt + tokens));
        var (time, kernels) = (Sum(r => r.Picoseconds), Sum(r => r.KernelPicoseconds));
        return (PublishedThroughput.Batches * PublishedThroughput.Batch * tokens / (time / 1e12), kernels / time);

        double Sum(Func<StepRun, long> of) => of(prefill) + ((tokens - 1) * (double)of(decode));

        async Task<StepRun> RunAsync(StepSpec step)
        {
            var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, step, PublishedRule.Nothing, split), deployment, 0);
            return await new Executor(new SimulatedBackend(device)).RunAsync(plan, step.MaxContext, cancellation);
        }
    }

    private static async Task<GenerationRun> RunAsync(PlanSet plans, Device device, int tokens, CancellationToken cancellation) =>
        await GenerationRun.RunAsync(new Executor(new SimulatedBackend(device)), plans.Steps[1].Plan, plans.Steps[0].Plan, tokens, cancellation);

    private static DeploymentSpec Deployment(ModelSpec model, Device device, RecomputePolicy recompute, StepSpec[] steps) =>
        new(model, device.Id, 1, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.None, SeparateProjections: false, steps)
        {
            Offload = new OffloadSpec(Home.Host, Home.Host, Objective.Throughput, PublishedThroughput.Batches, Recompute: recompute),
        };
}

/// <summary>A published row of throughput, and what comes of it on the hardware model: tokens of all sequences per second, the prefill included.</summary>
/// <param name="Published">The row as published.</param>
/// <param name="ModelledBaseline">The published system on the model, all transferred.</param>
/// <param name="ModelledSplit">The same with half of the prompt recomputed.</param>
/// <param name="Base">This planner's plans with all transferred.</param>
/// <param name="Optimised">This planner's plans.</param>
/// <param name="Split">How their split was chosen, at the last step.</param>
/// <param name="FirstTokens">Tokens that they recompute in the first step.</param>
/// <param name="Optimum">Tokens that the published formula would have recomputed.</param>
/// <param name="Utilisation">Parts of the generations' times in which a kernel runs, the prefill included.</param>
public sealed record ReproducedThroughput(
    PublishedThroughput Published, double ModelledBaseline, double ModelledSplit, double Base, double Optimised, SplitReport Split, int FirstTokens,
    PublishedOptimum Optimum, Utilisation Utilisation)
{
    /// <summary>How far the modelled baseline is from the published one: 0.01 for 1 % more; null where none was published.</summary>
    public double? BaselineError => (ModelledBaseline / Published.BaselineTokensPerSecond) - 1;

    /// <summary>How far the modelled split is from the published one; null likewise.</summary>
    public double? SplitError => (ModelledSplit / Published.SplitTokensPerSecond) - 1;

    /// <summary>The gain of the published system on the model, in percent.</summary>
    public double ModelledGainPercent => 100 * ((ModelledSplit / ModelledBaseline) - 1);

    /// <summary>The gain of this planner's plans over those with all transferred, in percent.</summary>
    public double OptimisedGainPercent => 100 * ((Optimised / Base) - 1);
}

using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>The evaluation of KVPR (arXiv 2411.17089) on the hardware model: every time is a run of plans by the executor.</summary>
/// <remarks>
/// <para>The published system moves the full static length, prompt and tokens, in each step, and its times follow
/// 39 layers x (tokens - 1) x (1.58 ms + bytes / 25.9 GB/s) for OPT-13B: one layer of the stack crosses no link, and a layer's own time is
/// not hidden. Both constants are fitted to the baseline column of OPT-13B, and to nothing else. Its split is l = s / 2.</para>
/// <para>The optimised column is this planner's: lengths that grow, copies a layer ahead, the split that the simulation finds fastest. Its
/// link has the same fitted rate, its kernels the device's own laws.</para>
/// </remarks>
public static class SplitReproduction
{
    /// <summary>Rate of the link in GB/s, fitted to the published baseline of OPT-13B.</summary>
    public const double LinkGigabytesPerSecond = 25.9;

    /// <summary>Time of a layer beside its copies in ms, fitted to the published baseline of OPT-13B.</summary>
    public const double LayerMilliseconds = 1.58;

    /// <summary>Repeats a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="model">Its model.</param>
    /// <param name="device">The device; its link takes the fitted rate.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The model does not fit the device.</exception>
    public static async Task<ReproducedLatency> RunAsync(PublishedLatency row, ModelSpec model, Device device, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(device);
        var linked = device with { HostLink = device.HostLink with { SustainedGigabytesPerSecond = LinkGigabytesPerSecond } };
        var (prompt, tokens) = (row.Prompt, row.Tokens);
        var published = await PublishedAsync(model, linked, prompt, tokens, 0, cancellation);
        var publishedSplit = await PublishedAsync(model, linked, prompt, tokens, prompt / 2, cancellation);

        var last = prompt + tokens - 2;
        var step = new DecodeSpec(PublishedLatency.Batch, last, Total: false, prompt);
        var deployment = Deployment(model, linked, step);
        var planned = Planner.Plan(deployment, linked, cancellationToken: cancellation).Steps[0];
        var basePlan = Planner.PlanStep(deployment with { Offload = deployment.Offload with { Recompute = RecomputePolicy.None } }, step, linked, cancellation);
        var basic = await DecodeAsync(basePlan, linked, prompt, last, cancellation);
        var optimised = await DecodeAsync(planned.Plan, linked, prompt, last, cancellation);
        return new ReproducedLatency(
            row, published.Seconds, publishedSplit.Seconds, basic.Seconds, optimised.Seconds, planned.Report.Split!, planned.Plan.RecomputedTokens(prompt),
            PublishedOptimum.Of(model, linked, prompt, last), new Utilisation(published.Utilisation, publishedSplit.Utilisation, basic.Utilisation, optimised.Utilisation));
    }

    /// <summary>Seconds of the published system's decode steps, all of the same static length.</summary>
    private static async Task<(double Seconds, double Utilisation)> PublishedAsync(ModelSpec model, Device device, int prompt, int tokens, int recomputed, CancellationToken cancellation)
    {
        var stack = model.Stack.ToArray();
        stack[0] = stack[0] with { Repeat = stack[0].Repeat - 1 };
        var step = new DecodeSpec(PublishedLatency.Batch, prompt + tokens, Total: false, prompt + tokens);
        var deployment = Deployment(model with { Stack = stack }, device, step);
        var split = new CacheSplit(null, new Dictionary<string, Amount> { [""] = recomputed }) { Ahead = false };
        var plan = PlanEmission.Emit(StepPlanner.Plan(deployment, step, PublishedRule.Nothing, split), deployment, 0);
        var laws = new PublishedSystemLaws(CostLaws.For(device), (long)(LayerMilliseconds * 1e9));
        var backend = new SimulatedBackend(device, new SimulationOptions { CostLaws = _ => laws });
        var run = await new Executor(backend).RunAsync(plan, prompt + tokens, cancellation);
        return ((tokens - 1) * run.Picoseconds / 1e12, (double)run.KernelPicoseconds / run.Picoseconds);
    }

    private static async Task<(double Seconds, double Utilisation)> DecodeAsync(ExecutionPlan plan, Device device, int first, int last, CancellationToken cancellation)
    {
        var executor = new Executor(new SimulatedBackend(device));
        var (time, kernels) = (0L, 0L);
        for (var context = first; context <= last; context++)
        {
            var run = await executor.RunAsync(plan, context, cancellation);
            (time, kernels) = (time + run.Picoseconds, kernels + run.KernelPicoseconds);
        }
        return (time / 1e12, (double)kernels / time);
    }

    private static DeploymentSpec Deployment(ModelSpec model, Device device, StepSpec step) =>
        new(model, device.Id, 1, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.None, SeparateProjections: false, new[] { step })
        {
            Offload = OffloadSpec.None with { KeyValues = Home.Host },
        };
}

/// <summary>A published row, and what comes of it on the hardware model. Times are those of the decode steps, in seconds.</summary>
/// <param name="Published">The row as published.</param>
/// <param name="ModelledBaselineSeconds">The published system on the model, all transferred.</param>
/// <param name="ModelledSplitSeconds">The same with half of the prompt recomputed.</param>
/// <param name="BaseSeconds">This planner's base plan: all transferred, a layer ahead.</param>
/// <param name="OptimisedSeconds">This planner's plan.</param>
/// <param name="Split">How its split was chosen, at the last step.</param>
/// <param name="FirstTokens">Tokens that it recomputes in the first step.</param>
/// <param name="Optimum">Tokens that the published formula would have recomputed.</param>
/// <param name="Utilisation">Parts of the decode steps' times in which a kernel runs.</param>
public sealed record ReproducedLatency(
    PublishedLatency Published, double ModelledBaselineSeconds, double ModelledSplitSeconds, double BaseSeconds, double OptimisedSeconds, SplitReport Split, int FirstTokens,
    PublishedOptimum Optimum, Utilisation Utilisation)
{
    /// <summary>How far the modelled baseline is from the published one: 0.01 for 1 % more.</summary>
    public double BaselineError => (ModelledBaselineSeconds / Published.BaselineSeconds) - 1;

    /// <summary>How far the modelled split is from the published one.</summary>
    public double SplitError => (ModelledSplitSeconds / Published.SplitSeconds) - 1;
}

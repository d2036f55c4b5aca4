using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>Plans one small deployment beside the compiler, once in a process, so that the optimizer is compiled to machine code
/// while the compiler still binds attributes.</summary>
/// <remarks>In a fresh process nearly all of the optimizer's time is the runtime's just-in-time compilation, and a compiler binds on one
/// thread. The result is thrown away: no plan depends on whether, or when, it ran.</remarks>
internal static class Rehearsal
{
    private static int _begun;

    /// <summary>Begins on another thread; every call but the first does nothing.</summary>
    /// <returns>True: it stands at the end of the condition that finds the first deployment.</returns>
    public static bool Begin()
    {
        if (Volatile.Read(ref _begun) == 0 && Interlocked.Exchange(ref _begun, 1) == 0)
            _ = Task.Run(Play);
        return true;
    }

    /// <summary>Plans and prints.</summary>
    /// <returns>The text of the plans.</returns>
    internal static string Play()
    {
        var layer = new LayerSpec(
            "Layer", Norm.Rms, PostNorm: false, Position.Rotary, Parallel: false,
            new MultiHeadAttentionSpec(8, 8, 64, ProjectionBias.None, QueryKeyNorm: false, Window: 0, SoftCap: false),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(1024, Activation.SwiGlu, Bias: false) });
        var model = new ModelSpec(
            "Rehearsal", 512, 1024, 4096, TiedEmbeddings: false, LearnedPositions: 0, EmbeddingScale: false, Norm.Rms, LogitSoftCap: false, HeadBias: false,
            new[] { new LayerGroup(new[] { layer }, 8) });
        var deployment = new DeploymentSpec(
            model, Devices.H100, 2, Precision.Bf16, Precision.Bf16, Precision.Bf16, PrefetchPolicy.Best, SeparateProjections: false,
            new StepSpec[] { new DecodeSpec(1, 128, Total: false) });
        if (!DeviceCatalogue.TryGet(deployment.Device, out var device))
            return "";
        var plans = Planner.Plan(deployment, device);
        _ = plans.Steps.Select(s => StepSummary.Of(s, deployment, device)).ToList();
        return PlanText.Write(plans);
    }
}

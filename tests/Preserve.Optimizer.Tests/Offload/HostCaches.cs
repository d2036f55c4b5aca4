using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Deployments whose KV-cache lives in host memory.</summary>
internal static class HostCaches
{
    public static DeploymentSpec Of(DeploymentSpec deployment, RecomputePolicy recompute = RecomputePolicy.Best) =>
        deployment with { KeyValueBlockTokens = 0, Offload = OffloadSpec.None with { KeyValues = Home.Host, Recompute = recompute } };

    public static DeploymentSpec Of(ModelSpec model, StepSpec step, string device = Devices.A100Sxm40, int ranks = 1, Precision format = Precision.Bf16, PrefetchPolicy prefetch = PrefetchPolicy.None) =>
        Of(Specs.Deploy(model, ranks, step, format, prefetch, device));

    /// <summary>Random deployments, their decode steps with a prompt where they know one.</summary>
    public static FsCheck.Gen<DeploymentSpec> Generator(int maxRepeat) =>
        from any in RandomDeployments.Generator(maxRepeat)
        from device in Gen.Elements(Devices.Ascend910B2, Devices.A100Sxm40, Devices.H100, Devices.L40S)
        from prompt in Gen.Choose(1, 4000)
        from more in Gen.Choose(0, 300)
        from recompute in Gen.Elements(RecomputePolicy.Best, RecomputePolicy.Best, RecomputePolicy.None)
        from stored in Gen.Elements(Precision.Bf16, Precision.Bf16, Precision.Fp8, Precision.Int8, Precision.Int4)
        let step = any.Steps[0] is DecodeSpec { Total: false } d ? new DecodeSpec(d.Batch, prompt + more, Total: false, prompt) : any.Steps[0]
        let isTotal = step is DecodeSpec { Total: true }
        let hosted = Of(any with { Device = device, Steps = new[] { step } }, isTotal ? RecomputePolicy.None : recompute)
        select hosted.Offload.Recompute == RecomputePolicy.None ? hosted : hosted with { Offload = hosted.Offload with { StoredActivations = stored } };

    /// <summary>Random generations of few tokens, on devices whose prefills are soon done.</summary>
    public static FsCheck.Gen<DeploymentSpec> Generations(int maxRepeat) =>
        from hosted in Generator(maxRepeat)
        where hosted.Steps[0] is DecodeSpec { Total: false } && hosted.Offload.Recompute == RecomputePolicy.Best
        from device in Gen.Elements(Devices.B200, Devices.H200, Devices.A100Sxm40)
        from prompt in Gen.Choose(16, 600)
        from more in Gen.Choose(0, 12)
        from batches in Gen.Elements(1, 1, 2)
        let step = new DecodeSpec(hosted.Steps[0].Batch, prompt + more, Total: false, prompt)
        select hosted with
        {
            Device = device,
            Steps = new StepSpec[] { new PrefillSpec(step.Batch, prompt), step },
            Offload = hosted.Offload with { Objective = batches > 1 ? Objective.Throughput : Objective.Latency, BatchesPerLayer = batches },
            Prefetch = batches > 1 ? PrefetchPolicy.None : hosted.Prefetch,
        };

    /// <summary>Random generations of more tokens than a plan looks at lengths, of multi-head attention behind slow links and fast ones.</summary>
    public static FsCheck.Gen<(DeploymentSpec Deployment, Device Device)> LongGenerations() =>
        from id in Gen.Elements(Devices.A100Sxm40, Devices.A100Sxm80, Devices.L40S, Devices.H100, Devices.Ascend910B2, Devices.B200)
        from gigabytesPerSecond in Gen.Elements(0, 0, 8, 64, 200)
        from hidden in Gen.Elements(1024, 2048, 4096, 5120)
        from layers in Gen.Elements(2, 8, 24)
        from wider in Gen.Elements(1, 2, 4)
        from batch in Gen.Elements(1, 2, 4, 16, 32, 64)
        from prompt in Gen.Choose(16, 2000)
        from more in Gen.Choose(257, 4000)
        from weights in Gen.Elements(Home.Device, Home.Device, Home.Host)
        from ranks in Gen.Elements(1, 1, 2)
        let model = Specs.Model("Long", hidden, 32_000, Specs.Group(layers, Specs.Layer("DecoderLayer", hidden / 64, hidden / 64, 64, wider * hidden)))
        let hosted = Of(model, new DecodeSpec(batch, prompt + more, Total: false, prompt), id, ranks)
        select (hosted with { Offload = hosted.Offload with { Weights = weights } }, Linked(id, gigabytesPerSecond));

    /// <summary>A device with another link to the host; with its own for a rate of 0.</summary>
    private static Device Linked(string id, double gigabytesPerSecond)
    {
        if (!DeviceCatalogue.TryGet(id, out var device))
            throw new ArgumentException(id);
        if (gigabytesPerSecond == 0)
            return device;
        var rates = device.HostLink with { NominalGigabytesPerSecond = gigabytesPerSecond, SustainedGigabytesPerSecond = gigabytesPerSecond, PageableGigabytesPerSecond = 6 };
        return device with { HostLink = rates with { HostMemoryGigabytesPerSecond = 500 } };
    }

    /// <summary>Random deployments with their cache, their weights or both on the host, whose layers serve up to five batches.</summary>
    public static FsCheck.Gen<DeploymentSpec> Columns(int maxRepeat) =>
        from hosted in Generator(maxRepeat)
        from homes in Gen.Elements((Home.Host, Home.Device), (Home.Device, Home.Host), (Home.Host, Home.Host))
        from blocks in Gen.Elements(0, 16)
        from batches in Gen.Choose(1, 5)
        select hosted with
        {
            Prefetch = PrefetchPolicy.None,
            KeyValueBlockTokens = homes.Item1 == Home.Device ? blocks : 0,
            Offload = hosted.Offload with { KeyValues = homes.Item1, Weights = homes.Item2, Objective = Objective.Throughput, BatchesPerLayer = batches, StoredActivations = homes.Item1 == Home.Host ? hosted.Offload.StoredActivations : Precision.Bf16 },
        };
}

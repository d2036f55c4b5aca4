using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Small random instances of the prefetch problem: two layers, an embedding and a head that are too small to matter.</summary>
internal static class PrefetchInstances
{
    public static Gen<(DeploymentSpec Deployment, ICostLaws Laws)> Generator { get; } =
        from device in Gen.Elements(Devices.H100, Devices.A100Sxm80, Devices.Ascend910B2, Devices.H200)
        from ranks in Gen.Elements(2, 4, 8)
        from hidden in Gen.Elements(2048, 4096, 8192)
        from headsPerRank in Gen.Elements(2, 4, 8)
        from keyValueHeads in Gen.Elements(1, 2)
        from intermediate in Gen.Choose(8, 60)
        from batch in Gen.Elements(1, 4, 16, 64)
        from context in Gen.Choose(256, 8192)
        from format in Gen.Elements(Precision.Int8, Precision.Bf16)
        from share in Gen.Choose(5, 100)
        from slower in Gen.Choose(5, 20)
        let model = Specs.Model("Two", hidden, 512, Specs.Group(2, Specs.Layer(
            "Layer", headsPerRank * ranks, keyValueHeads * ranks, 128, intermediate * 64 * ranks)))
        select (Specs.Deploy(model, ranks, Specs.Decode(batch, context), format, PrefetchPolicy.Best, device), (ICostLaws)Laws(device, share / 100.0, slower / 10.0));

    /// <summary>The device's laws with a share of its L2 and collectives of another length.</summary>
    private static ScaledCollectiveLaws Laws(string id, double share, double factor)
    {
        _ = DeviceCatalogue.TryGet(id, out var device);
        return new ScaledCollectiveLaws(new LargerL2Laws(CostLaws.For(device!), share), factor);
    }
}

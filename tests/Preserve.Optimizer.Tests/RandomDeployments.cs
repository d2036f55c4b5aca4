using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

/// <summary>Random deployments that the rules of the declaration accept: small and large, one kind of layer and several.</summary>
public static class RandomDeployments
{
    /// <summary>The seed of every run, so that a machine fails where another did.</summary>
    public const ulong Seed = 20_250_108;

    /// <summary>Tokens of the longest step: a learned table has a row for each.</summary>
    private const int LongestStep = 400_001;

    public static Config Runs(int count) =>
        Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(Seed, 1_234_567UL | 1).WithArbitrary([typeof(RandomDeployments)]);

    public static Arbitrary<DeploymentSpec> Deployments() => Arb.From(Generator(maxRepeat: 90));

    public static Gen<DeploymentSpec> Generator(int maxRepeat) =>
        from ranks in Gen.Elements(1, 2, 4, 8)
        from headsPerRank in Gen.Choose(1, 4)
        from keyValueShare in Gen.Elements(1, 2, 4)
        from kinds in Gen.Choose(1, 3)
        from layers in Gen.ListOf(Layer(ranks, headsPerRank * ranks, keyValueShare), kinds)
        from groups in Groups(layers.ToArray(), maxRepeat)
        from hidden in Gen.Elements(64, 512, 4096, 8192)
        from vocabulary in Gen.Choose(1, 130_000)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 6)
        from weights in Format()
        from activations in Format()
        from keyValues in Format()
        from policy in Gen.Elements(PrefetchPolicy.None, PrefetchPolicy.Paper, PrefetchPolicy.Best)
        from step in Step()
        from fusion in Gen.Elements(CollectiveFusion.None, CollectiveFusion.None, CollectiveFusion.Norm, CollectiveFusion.MatMul)
        from blocks in Gen.Elements(0, 0, 1, 16, 100)
        from positions in Gen.Elements(LongestStep, 1_000_000, 16_000_000)
        let learned = groups.SelectMany(g => g.Pattern).Any(l => l.Position == Position.Learned)
        select new DeploymentSpec(
            new ModelSpec("Random", hidden, vocabulary, 131_072, flags[0], learned ? positions : 0, flags[1], Norm.Rms, flags[2], flags[3], groups),
            Devices.Ascend910B2, ranks, weights, activations, keyValues, policy, flags[4], new[] { step },
            SequenceParallel: flags[5] && ranks > 1 && step.Batch * step.NewTokens % ranks == 0 && fusion != CollectiveFusion.Norm,
            CollectiveFusion: ranks > 1 ? fusion : CollectiveFusion.None)
        {
            KeyValueBlockTokens = blocks,
        };

    private static Gen<Precision> Format() => Gen.Elements(Precision.Bf16, Precision.Fp8, Precision.Int8, Precision.Int4);

    private static Gen<StepSpec> Step() => Gen.Frequency(
        (4, from batch in Gen.Choose(1, 64) from context in Gen.Choose(1, 40_000) select (StepSpec)new DecodeSpec(batch, context, Total: false)),
        (1, from batch in Gen.Choose(1, 64) from prompt in Gen.Choose(1, 40_000) from more in Gen.Choose(0, 500) select (StepSpec)new DecodeSpec(batch, prompt + more, Total: false, prompt)),
        (1, from batch in Gen.Choose(1, 64) from context in Gen.Choose(64, 400_000) select (StepSpec)new DecodeSpec(batch, context, Total: true)),
        (1, from batch in Gen.Choose(1, 4) from tokens in Gen.Choose(1, 4096) select (StepSpec)new PrefillSpec(batch, tokens)));

    private static Gen<LayerSpec> Layer(int ranks, int heads, int keyValueShare) =>
        from name in Gen.Elements("Local", "Global", "Wide")
        from norm in Gen.Elements(Norm.Rms, Norm.Layer)
        from position in Gen.Elements(Position.Rotary, Position.Learned, Position.None)
        from bias in Gen.Elements(ProjectionBias.None, ProjectionBias.QueryKeyValue, ProjectionBias.All)
        from activation in Gen.Elements(Activation.SwiGlu, Activation.GeGlu, Activation.Gelu, Activation.Relu)
        from window in Gen.Elements(0, 0, 1, 128, 4096)
        from headSize in Gen.Elements(64, 96, 128)
        from intermediate in Gen.Choose(1, 4000)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 6)
        let keyValueHeads = KeyValueHeads(heads, ranks, keyValueShare)
        select Specs.Layer(name, heads, keyValueHeads, headSize, intermediate * ranks, window, norm, flags[0], position, flags[1] && !flags[0], bias,
            flags[2], flags[3], activation, flags[4], flags[5] && flags[1] && !flags[0]);

    private static int KeyValueHeads(int heads, int ranks, int share) =>
        heads % share == 0 && ((heads / share) % ranks == 0 || ranks % (heads / share) == 0) ? heads / share : heads;

    private static Gen<EquatableArray<LayerGroup>> Groups(LayerSpec[] layers, int maxRepeat) => layers.Length switch
    {
        1 => from repeat in Gen.Choose(1, maxRepeat) select (EquatableArray<LayerGroup>)new[] { new LayerGroup(layers, repeat) },
        2 => from repeat in Gen.Choose(1, maxRepeat / 2)
             from tail in Gen.Choose(1, 5)
             from alternating in Gen.Elements(true, false)
             select (EquatableArray<LayerGroup>)(alternating
                 ? [new LayerGroup(layers, repeat)]
                 : new[] { new LayerGroup(new[] { layers[0] }, repeat), new LayerGroup(new[] { layers[1] }, tail) }),
        _ => from repeats in Gen.ArrayOf(Gen.Choose(1, maxRepeat / 3), 3)
             select (EquatableArray<LayerGroup>)layers.Select((l, i) => new LayerGroup(new[] { l }, repeats[i])).ToArray(),
    };
}

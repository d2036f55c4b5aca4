using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Cpu.Tests;

/// <summary>Random models that are computed in a moment: every mix of layers that the declaration allows.</summary>
internal static class SmallModels
{
    public const int MostPositions = 64;

    public static LayerSpec Layer(
        string name = "Layer", int heads = 4, int keyValueHeads = 2, int headSize = 8, int intermediate = 24, int window = 0, Norm norm = Norm.Rms,
        bool postNorm = false, Position position = Position.Rotary, bool parallel = false, ProjectionBias bias = ProjectionBias.None,
        bool queryKeyNorm = false, bool softCap = false, Activation activation = Activation.SwiGlu, bool feedForwardBias = false, bool separateNorms = false) =>
        new(name, norm, postNorm, position, parallel,
            new MultiHeadAttentionSpec(heads, keyValueHeads, headSize, bias, queryKeyNorm, window, softCap),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(intermediate, activation, feedForwardBias) }, separateNorms);

    public static ModelSpec Model(int hidden, int vocabulary, params LayerGroup[] stack)
    {
        var learned = stack.Any(g => g.Pattern.Any(l => l.Position == Position.Learned));
        return new("Small", hidden, vocabulary, 2 * MostPositions, TiedEmbeddings: false, learned ? MostPositions : 0, EmbeddingScale: false, Norm.Rms, LogitSoftCap: false, HeadBias: false, stack);
    }

    /// <summary>Models that can be divided over so many ranks.</summary>
    public static Gen<ModelSpec> Models(int ranks) =>
        from kinds in Gen.Frequency((3, Gen.Constant(1)), (1, Gen.Constant(2)))
        from headsPerRank in Gen.Frequency((4, Gen.Elements(1, 2)), (1, Gen.Elements(3, 4)))
        from layers in Gen.ArrayOf(Layers(ranks, headsPerRank * ranks), kinds)
        from repeat in Gen.Choose(1, 3)
        from tail in Gen.Choose(1, 2)
        from alternating in Gen.Elements(true, false)
        from hidden in Gen.Elements(8, 16, 24, 40)
        from vocabulary in Gen.Choose(3, 37)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 5)
        select Model(hidden, vocabulary, Stack(layers, repeat, tail, alternating)) with
        {
            // Learned positions begin at the table's first row, or behind two rows of no token.
            MaxPositions = flags[3] ? 2 * MostPositions : MostPositions - 2,
            TiedEmbeddings = flags[0],
            EmbeddingScale = flags[1],
            LogitSoftCap = flags[2],
            HeadBias = flags[3],
            FinalNorm = flags[4] ? Norm.Layer : Norm.Rms,
        };

    private static LayerGroup[] Stack(LayerSpec[] layers, int repeat, int tail, bool alternating) => layers.Length == 1 || alternating
        ? [new LayerGroup(layers, repeat)]
        : [new LayerGroup(new[] { layers[0] }, repeat), new LayerGroup(new[] { layers[1] }, tail)];

    private static Gen<LayerSpec> Layers(int ranks, int heads) =>
        from name in Gen.Elements("Local", "Global")
        from norm in Gen.Elements(Norm.Rms, Norm.Layer)
        from position in Gen.Elements(Position.Rotary, Position.Learned, Position.None)
        from bias in Gen.Elements(ProjectionBias.None, ProjectionBias.QueryKeyValue, ProjectionBias.All)
        from activation in Gen.Elements(Activation.SwiGlu, Activation.GeGlu, Activation.Gelu, Activation.Relu)
        from window in Gen.Elements(0, 0, 0, 1, 4)
        from headSize in Gen.Frequency((4, Gen.Elements(2, 4, 6)), (1, Gen.Elements(1, 3, 5)), (1, Gen.Elements(8, 33, 34, 48)))
        from keyValueHeads in Gen.Elements(Shared(heads, ranks))
        from intermediate in Gen.Choose(1, 6)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 6)
        select Layer(name, heads, keyValueHeads, headSize, intermediate * ranks, window, norm, flags[0], position, flags[1], bias,
            flags[2], flags[3], activation, flags[4], flags[5] && flags[1]);

    /// <summary>Numbers of KV heads that so many query heads can share on so many ranks: whole ones on each rank, or one on several.</summary>
    private static int[] Shared(int heads, int ranks) =>
        [.. Enumerable.Range(1, heads).Where(k => heads % k == 0 && (k % ranks == 0 || ranks % k == 0))];
}

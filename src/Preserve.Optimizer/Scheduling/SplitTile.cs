using System;

namespace Preserve.Optimizer;

/// <summary>How finely splits of a step are looked at.</summary>
internal static class SplitTile
{
    /// <summary>Most samples of the recomputation's time: a long prompt has larger tiles, so that the solver's work does not grow with it.</summary>
    private const int MostSamples = 256;

    /// <summary>Fewest samples where the prompt has as many tokens: of a small or an odd batch few splits fill their tiles, and with a finer one a step may be
    /// shorter though the last tile is not full. The sampled time tells.</summary>
    private const int FewestSamples = 32;

    /// <summary>Rows of a tile of a matmul's result: tokens of the batch beside it leave a part of one empty.</summary>
    private const int TileRows = 128;

    /// <summary>Tokens between two splits that are looked at.</summary>
    public static int Of(DecodeSpec step)
    {
        var tile = TileRows / GreatestCommonDivisor(TileRows, step.Batch);
        tile *= ((step.Prompt - 1) / (tile * MostSamples)) + 1;
        while (tile > 1 && tile * FewestSamples > step.Prompt)
            tile /= 2;
        return tile;
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}

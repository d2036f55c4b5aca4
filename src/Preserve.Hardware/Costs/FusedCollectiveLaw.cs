using System;

namespace Preserve;

/// <summary>Time of a collective that shares a kernel with a matmul or a norm.</summary>
/// <remarks>Derived from the laws of the parts; no such kernel was measured.</remarks>
internal static class FusedCollectiveLaw
{
    /// <summary>Rows and columns of a tile of the result, after which its part of the exchange may begin (L.-W. Chang et al., FLUX, arXiv
    /// 2406.06858, section 4, with the tiles of CUTLASS).</summary>
    private const int TileRows = 128, TileColumns = 128;

    /// <summary>The norm of a row, which no launch precedes: what it reads and writes is the kernel's memory traffic, and the pass over
    /// the row follows the exchange.</summary>
    /// <param name="exchange">Of the collective alone.</param>
    /// <param name="rowPicoseconds">The serial pass over one row; 0 where it is not known.</param>
    public static KernelDemand WithNorm(in KernelDemand exchange, double rowPicoseconds) =>
        exchange with { FixedPicoseconds = exchange.FixedPicoseconds + Picoseconds.Ceiling(rowPicoseconds) };

    /// <summary>A matmul whose tiles are exchanged while the next ones are computed: of equal tiles in two stages, the longer stage and
    /// one tile of the shorter (S. M. Johnson, Optimal two- and three-stage production schedules, 1954; the same ideal is the bound of
    /// T3, arXiv 2401.16677, which leaves the tile out). Memory, processors and link are drawn on at the same time.</summary>
    /// <remarks>Favours the fused kernel: the collective's latency begins with the kernel and not with the last tile, and tiles end one
    /// after the other, while those of one wave end together.</remarks>
    /// <param name="matMul">Of the matmul alone.</param>
    /// <param name="exchange">Of the collective alone.</param>
    /// <param name="shape">The matmul.</param>
    /// <param name="readBytes">Bytes that the matmul reads.</param>
    /// <param name="hbmBytesPerPicosecond">What memory gives at most.</param>
    public static KernelDemand WithMatMul(in KernelDemand matMul, in KernelDemand exchange, MatMulOperation shape, long readBytes, double hbmBytesPerPicosecond)
    {
        var computing = KernelTime.Picoseconds(matMul, 0, readBytes, hbmBytesPerPicosecond) - matMul.FixedPicoseconds;
        var exchanging = exchange.LinkBytes / exchange.LinkBytesPerPicosecond;
        var tiles = Tiles(shape.Rows, TileRows) * Tiles(shape.Columns, TileColumns);
        var tile = Math.Min(computing, exchanging) / tiles;
        // What of the latency the matmul's own fixed phase does not cover delays the exchange, and nothing else.
        var late = Math.Max(0, exchange.FixedPicoseconds - matMul.FixedPicoseconds);
        return matMul with
        {
            FixedPicoseconds = matMul.FixedPicoseconds + Picoseconds.Ceiling(tile),
            LinkBytes = exchange.LinkBytes,
            LinkBytesPerPicosecond = exchange.LinkBytes / (exchanging + late),
        };
    }

    private static double Tiles(int length, int tile) => Math.Ceiling((double)length / tile);
}

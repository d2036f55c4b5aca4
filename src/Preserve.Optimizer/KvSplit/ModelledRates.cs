using System;

namespace Preserve.Optimizer;

/// <summary>The rates that a device's cost laws give.</summary>
/// <param name="laws">The laws.</param>
/// <param name="weights">Format of W_K and W_V.</param>
/// <param name="activations">Format in which activations enter a matmul.</param>
public sealed class ModelledRates(ICostLaws laws, Precision weights, Precision activations) : ISplitRates
{
    private readonly HostTransferConstants _transfer = laws.Device.HostTransfer;

    /// <inheritdoc/>
    public Rational? HostMemoryBytesPerSecond => Rational.FromDouble(_transfer.HostMemoryGigabytesPerSecond) * 1_000_000_000;

    /// <inheritdoc/>
    public CopyRate Copy(TransferDirection direction) => new(
        Rational.FromDouble(_transfer.PinnedLatencyMicroseconds) / 1_000_000, Rational.FromDouble(_transfer.PinnedGigabytesPerSecond) * 1_000_000_000);

    /// <summary>Time of one copy, in picoseconds.</summary>
    /// <param name="bytes">Its size, 0 or more.</param>
    /// <param name="direction">Its direction.</param>
    /// <param name="pinned">Whether the host's memory is pinned.</param>
    /// <param name="bothDirections">Whether as much is copied in the other direction meanwhile.</param>
    public long CopyPicoseconds(long bytes, TransferDirection direction, bool pinned, bool bothDirections) =>
        HostTransferLaw.Time(_transfer, new TransferOperation(direction, pinned), bytes, bothDirections, ranks: 1);

    /// <inheritdoc/>
    public TokenTime Recompute(int batch, int hidden, int keyValueWidth, int tile, int most) =>
        SampledTime.Of(tile, most, tokens => RecomputePicoseconds(checked(batch * tokens), hidden, keyValueWidth, underTransfer: true));

    /// <summary>Time of the matmul of some tokens, in picoseconds.</summary>
    /// <param name="rows">Tokens of all sequences, 1 or more.</param>
    /// <param name="hidden">Width of the activations, in elements.</param>
    /// <param name="keyValueWidth">d_kv of one rank, in elements.</param>
    /// <param name="underTransfer">Whether a copy writes to the device's memory meanwhile, at the link's rate.</param>
    public long RecomputePicoseconds(int rows, int hidden, int keyValueWidth, bool underTransfer)
    {
        var operation = new MatMulOperation(rows, checked(2 * keyValueWidth), hidden, weights, activations);
        // What is computed is bf16, whatever it is converted to on the way.
        var written = Precision.Bf16.Bytes((long)operation.Rows * operation.Columns);
        var read = Precision.Bf16.Bytes((long)operation.Rows * hidden) + weights.Bytes((long)operation.Columns * hidden);
        var demand = laws.Demand(operation, context: 0, read, written);
        var memory = laws.HbmBytesPerPicosecond;
        if (underTransfer)
            memory = Math.Max(memory - HostTransferLaw.LinkRate(_transfer, bothDirections: false), memory / 2);
        return Picoseconds.Ceiling(KernelTime.Picoseconds(demand, hotBytes: 0, read + written, memory, laws.L2BytesPerPicosecond));
    }

    /// <inheritdoc/>
    public TokenTime? Gather(Rational bytesPerToken, int ranks, int tile, int most) => SampledTime.Of(tile, most, tokens =>
    {
        var part = (long)(bytesPerToken * tokens / ranks).Ceiling();
        var operation = new CollectiveOperation(CollectiveKind.AllGather, part, ranks);
        return Picoseconds.Ceiling(KernelTime.Picoseconds(laws.Demand(operation, context: 0, part, part * ranks), hotBytes: 0, coldBytes: 0));
    });
}

using Preserve.Optimizer;

namespace Preserve.Profiling;

/// <summary>Answers from a device's file and cost laws.</summary>
/// <param name="laws">The laws.</param>
/// <param name="weights">Format of the weights.</param>
/// <param name="activations">Format in which activations enter a matmul.</param>
public sealed class ModelledProfiler(ICostLaws laws, Precision weights = Precision.Bf16, Precision activations = Precision.Bf16) : IProfiler
{
    private readonly ModelledRates _rates = new(laws, weights, activations);

    /// <inheritdoc/>
    public ProfileSource Source { get; } = new("model", laws.Device.Id, 0, "", "times of the hardware model, from the device's file and cost laws");

    /// <inheritdoc/>
    public Timing Copy(long bytes, CopyKind kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return Single(_rates.CopyPicoseconds(bytes, kind.Direction, kind.Pinned, kind.BothDirections));
    }

    /// <inheritdoc/>
    public Timing MatMul(RecomputeShape shape, int tokens, bool underTransfer)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return Single(_rates.RecomputePicoseconds(shape.Rows(tokens), shape.Hidden, shape.KeyValueWidth, underTransfer));
    }

    private static Timing Single(long picoseconds) => new(picoseconds / 1e6, picoseconds / 1e6, picoseconds / 1e6, 1);
}

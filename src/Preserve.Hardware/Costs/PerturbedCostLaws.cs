using System;

namespace Preserve;

/// <summary>Cost laws with the times of one kind of kernel at an end of their stated band.</summary>
/// <remarks>Fixed times and rates are scaled alike, so that a kernel alone takes its time at the end of the band; beside others it shares
/// the device as before.</remarks>
public sealed class PerturbedCostLaws : ICostLaws
{
    private readonly ICostLaws _laws;
    private readonly KernelKind? _kind;
    private readonly bool _slow;

    /// <summary>Perturbs laws.</summary>
    /// <param name="laws">The laws.</param>
    /// <param name="kind">Which kernels; null for none: the laws whose memory serves as much at once as that of the others.</param>
    /// <param name="slow">Whether at the slow end of the band, or at the fast one.</param>
    /// <exception cref="ArgumentNullException"><paramref name="laws"/> is null.</exception>
    public PerturbedCostLaws(ICostLaws laws, KernelKind? kind, bool slow)
    {
        _laws = laws ?? throw new ArgumentNullException(nameof(laws));
        _kind = kind;
        _slow = slow;
    }

    /// <inheritdoc/>
    public Device Device => _laws.Device;

    /// <inheritdoc/>
    public long EventPicoseconds => _laws.EventPicoseconds;

    /// <inheritdoc/>
    /// <remarks>At the fast end twice the laws' rate: a kernel may be faster because the memory is, and each one's own rate is bounded.</remarks>
    public double HbmBytesPerPicosecond => _slow ? _laws.HbmBytesPerPicosecond : 2 * _laws.HbmBytesPerPicosecond;

    /// <inheritdoc/>
    /// <remarks>At the fast end twice the laws' rate.</remarks>
    public double L2BytesPerPicosecond => _slow ? _laws.L2BytesPerPicosecond : 2 * _laws.L2BytesPerPicosecond;

    /// <summary>The kind of an operation's kernel, or null for what has none or has no law that could be measured.</summary>
    /// <param name="operation">The operation.</param>
    public static KernelKind? KindOf(Operation operation) => operation switch
    {
        MatMulOperation or RecomputeOperation => KernelKind.MatMul,
        AttentionOperation => KernelKind.Attention,
        NormOperation or ElementwiseOperation => KernelKind.SmallOperator,
        CollectiveOperation => KernelKind.Collective,
        TransferOperation => KernelKind.Transfer,
        _ => null,
    };

    /// <inheritdoc/>
    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes)
    {
        var demand = _laws.Demand(operation, context, readBytes, writtenBytes);
        var factor = _kind is null || KindOf(operation) != _kind || _laws.Band(operation) is not { } band ? 1 : _slow ? band.High : band.Low;
        // What is not perturbed keeps the device's own rates, which alone limit it where its demand names none.
        return Scaled(demand, operation, _laws, factor);
    }

    /// <summary>The demand of a kernel that takes so many times as long alone.</summary>
    /// <param name="demand">What its law says.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="laws">The laws of the device, whose own rates limit it where its demand names none.</param>
    /// <param name="factor">How many times as long, above 0.</param>
    internal static KernelDemand Scaled(in KernelDemand demand, Operation operation, ICostLaws laws, double factor)
    {
        // The skew of ranks is declared, and not a law's error.
        var declared = operation is CollectiveOperation ? CollectiveLaw.Skew(laws.Device.ScaleUp) : 0;
        return demand with
        {
            FixedPicoseconds = declared + Picoseconds.Ceiling((demand.FixedPicoseconds - declared) * factor),
            HbmBytesPerPicosecond = Limited(demand.HbmBytesPerPicosecond, laws.HbmBytesPerPicosecond) / factor,
            L2BytesPerPicosecond = Limited(demand.L2BytesPerPicosecond, laws.L2BytesPerPicosecond) / factor,
            FlopsPerPicosecond = demand.FlopsPerPicosecond / factor,
            LinkBytesPerPicosecond = demand.LinkBytesPerPicosecond / factor,
        };
    }

    private static double Limited(double rate, double most) => rate > 0 ? Math.Min(rate, most) : most;

    /// <inheritdoc/>
    public CollectiveMethod MethodOf(CollectiveOperation operation) => _laws.MethodOf(operation);

    /// <inheritdoc/>
    public ResidualBand? Band(Operation operation) => _laws.Band(operation);
}

/// <summary>Kinds of kernels whose laws are measured apart from each other.</summary>
public enum KernelKind
{
    /// <summary>Matrix multiplications.</summary>
    MatMul,

    /// <summary>Attention.</summary>
    Attention,

    /// <summary>Norms and elementwise operators.</summary>
    SmallOperator,

    /// <summary>Collectives.</summary>
    Collective,

    /// <summary>Copies between host and device.</summary>
    Transfer,
}

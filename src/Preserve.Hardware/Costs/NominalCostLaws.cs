using System;

namespace Preserve;

/// <summary>Cost laws with the constants of the device file and nothing fitted to shapes.</summary>
/// <remarks>The roofline with a fixed cost: a kernel takes its launch, then the longest of its demands (S. Williams, A. Waterman
/// and D. Patterson, Roofline, 2009), with the rates that one kernel was measured to draw.</remarks>
public sealed class NominalCostLaws : ICostLaws
{
    private readonly long _matMulFixed;
    private readonly long _quantizeFixed;
    private readonly long _attentionFixed;
    private readonly long _smallFixed;
    private readonly long _prefetchFixed;
    private readonly double _prefetchHbmRate;
    private readonly double _matMulHbmRate;
    private readonly double _matMulBf16Rate;
    private readonly double _matMul8BitShareOfPeak;
    private readonly double _attentionRate;
    private readonly double _linkRate;
    private readonly HostTransferConstants _hostTransfer;

    /// <summary>The laws of a device.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    public NominalCostLaws(Device device)
    {
        Device = device ?? throw new ArgumentNullException(nameof(device));
        var kernels = device.Kernels;
        _matMulFixed = Picoseconds.FromMicroseconds(kernels.MatMulFixedMicroseconds);
        _quantizeFixed = Picoseconds.FromMicroseconds(kernels.QuantizeFixedMicroseconds);
        _attentionFixed = Picoseconds.FromMicroseconds(kernels.AttentionFixedMicroseconds);
        _smallFixed = Picoseconds.FromMicroseconds(kernels.SmallOperatorFixedMicroseconds);
        _prefetchFixed = Picoseconds.FromMicroseconds(kernels.PrefetchFixedMicroseconds);
        EventPicoseconds = Picoseconds.FromMicroseconds(kernels.EventMicroseconds);
        _prefetchHbmRate = kernels.PrefetchHbmTerabytesPerSecond ?? 0;
        _matMulHbmRate = kernels.MatMulHbmTerabytesPerSecond;
        _matMulBf16Rate = kernels.MatMulBf16Teraflops;
        _matMul8BitShareOfPeak = kernels.MatMul8BitShareOfPeak ?? _matMulBf16Rate / device.Compute.Bf16Teraflops;
        _attentionRate = kernels.AttentionBf16Teraflops ?? _matMulBf16Rate;
        _linkRate = device.ScaleUp.GigabytesPerSecondPerDirection / 1000;
        _hostTransfer = device.HostTransfer;
        HbmBytesPerPicosecond = device.Hbm.SustainedGigabytesPerSecond / 1000;
        L2BytesPerPicosecond = device.L2Known ? device.L2.ReadTerabytesPerSecond.GetValueOrDefault() : HbmBytesPerPicosecond;
    }

    /// <inheritdoc/>
    public Device Device { get; }

    /// <inheritdoc/>
    public long EventPicoseconds { get; }

    /// <inheritdoc/>
    public double HbmBytesPerPicosecond { get; }

    /// <inheritdoc/>
    public double L2BytesPerPicosecond { get; }

    /// <inheritdoc/>
    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) => operation switch
    {
        MatMulOperation o => MatMul(2.0 * o.Rows * o.Columns * o.Depth, o.Weights, o.Activations),
        RecomputeOperation o => o.Tokens.At(context) is 0 ? default : MatMul(o.Flops.At(context), o.Weights, o.Activations),
        AttentionOperation o => new(
            _attentionFixed,
            Flops: 4.0 * o.Pairs.At(context) * o.Heads * o.HeadSize,
            FlopsPerPicosecond: _attentionRate),
        EmbedOperation or NormOperation or ElementwiseOperation => new(_smallFixed),
        CollectiveOperation o => CollectiveLaw.AfterSkew(
            o.MatMul is { } m ? FusedCollectiveLaw.WithMatMul(Demand(m, context, readBytes, writtenBytes), Exchange(o), m, readBytes, HbmBytesPerPicosecond) : Exchange(o),
            Device.ScaleUp),
        PrefetchOperation => new(_prefetchFixed, HbmBytesPerPicosecond: _prefetchHbmRate),
        TransferOperation o => HostTransferLaw.Demand(_hostTransfer, o),
        JoinOperation => default,
        null => throw new ArgumentNullException(nameof(operation)),
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "an operation without a cost law"),
    };

    /// <inheritdoc/>
    public CollectiveMethod MethodOf(CollectiveOperation operation) => new(null, operation is null ? throw new ArgumentNullException(nameof(operation)) : CollectiveLaw.AlgorithmOf(operation, Device.Collectives));

    /// <inheritdoc/>
    public ResidualBand? Band(Operation operation) => null;

    private KernelDemand MatMul(double flops, Precision weights, Precision activations)
    {
        var converts = Device.Compute.FormatOf(weights, activations) != Precision.Bf16;
        return new(
            converts ? _matMulFixed + _quantizeFixed : _matMulFixed,
            HbmBytesPerPicosecond: _matMulHbmRate,
            Flops: flops,
            FlopsPerPicosecond: converts ? Device.Compute.TeraflopsOf(weights, activations) * _matMul8BitShareOfPeak : _matMulBf16Rate);
    }

    /// <summary>The exchange alone, whatever shares its kernel.</summary>
    internal KernelDemand Exchange(CollectiveOperation operation) => CollectiveLaw.Demand(operation, Device.Collectives, _linkRate);
}

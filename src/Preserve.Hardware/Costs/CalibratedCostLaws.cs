using System;
using System.Linq;

namespace Preserve;

/// <summary>Cost laws with the constants that a device was calibrated to. What it lacks follows the nominal law.</summary>
public sealed class CalibratedCostLaws : ICostLaws
{
    private readonly NominalCostLaws _nominal;
    private readonly DeviceCalibration _calibration;
    private readonly LaunchMode _launch;
    private readonly MatMulCalibration? _bf16;
    private readonly MatMulCalibration? _fp8;
    private readonly MatMulCalibration? _int8;
    private readonly bool _fp8Measured;
    private readonly bool _int8Measured;
    private readonly SmallOperatorConstants?[] _small = new SmallOperatorConstants?[4];
    private readonly CollectiveChoice[] _allReduce;
    private readonly CollectiveChoice[] _allGather;
    private readonly CollectiveChoice[] _reduceScatter;

    /// <summary>The calibrated laws of a device.</summary>
    /// <param name="device">A device with a calibration.</param>
    /// <param name="library">The library of its collectives, which leaves to the others what it was not measured with; null for what the device
    /// declares, which is the fastest where it declares none.</param>
    /// <param name="launch">How collectives are launched; null for what the device declares.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    /// <exception cref="ArgumentException">The device has no calibration, or none of that library.</exception>
    public CalibratedCostLaws(Device device, string? library = null, LaunchMode? launch = null)
    {
        _nominal = new NominalCostLaws(device);
        _calibration = device.Calibration ?? throw new ArgumentException($"'{device.Id}' has no calibration", nameof(device));
        _launch = launch ?? device.Collectives.Launch;
        _bf16 = Find(Precision.Bf16);
        (_fp8Measured, _int8Measured) = (Find(Precision.Fp8) is not null, Find(Precision.Int8) is not null);
        _fp8 = Find(Precision.Fp8) ?? Instead(Precision.Fp8, Precision.Int8);
        _int8 = Find(Precision.Int8) ?? Instead(Precision.Int8, Precision.Fp8);
        foreach (var constants in _calibration.SmallOperators)
            _small[(int)constants.Operator] = constants;
        library ??= device.Collectives.Library;
        if (library is not null && !_calibration.Collectives.Any(c => c.Library == library))
            throw new ArgumentException($"'{device.Id}' has no collectives of '{library}'", nameof(library));
        _allReduce = CollectiveChoice.Of(_calibration.Collectives, CollectiveKind.AllReduce, library);
        _allGather = CollectiveChoice.Of(_calibration.Collectives, CollectiveKind.AllGather, library);
        _reduceScatter = CollectiveChoice.Of(_calibration.Collectives, CollectiveKind.ReduceScatter, library);

        HbmBytesPerPicosecond = _nominal.HbmBytesPerPicosecond;
        var l2 = _nominal.L2BytesPerPicosecond;
        foreach (var matMul in _calibration.MatMul)
            l2 = Math.Max(l2, matMul.Streaming.L2TerabytesPerSecond);
        L2BytesPerPicosecond = device.L2Known ? l2 : _nominal.L2BytesPerPicosecond;
    }

    /// <inheritdoc/>
    public Device Device => _nominal.Device;

    /// <inheritdoc/>
    public long EventPicoseconds => _nominal.EventPicoseconds;

    /// <inheritdoc/>
    public double HbmBytesPerPicosecond { get; }

    /// <inheritdoc/>
    public double L2BytesPerPicosecond { get; }

    /// <inheritdoc/>
    public KernelDemand Demand(Operation operation, int context, long readBytes, long writtenBytes) => operation switch
    {
        MatMulOperation o when MatMul(o.Weights, o.Activations) is { } c => Demand(new MatMulShape(o.Rows, o.Columns, o.Depth, o.Weights.Bits()), o.Weights, o.Activations, c),
        RecomputeOperation o when MatMul(o.Weights, o.Activations) is { } c => o.Tokens.At(context) * o.Sequences is var rows && rows == 0
            ? default
            : Demand(new MatMulShape((int)rows, o.Columns, o.Depth, o.Weights.Bits()), o.Weights, o.Activations, c),
        AttentionOperation { NewTokens: 1 } o when _calibration.Decode is { } c => DecodeAttentionLaw.Demand(AttentionShape.Of(o, context), c),
        AttentionOperation { NewTokens: > 1 } o when _calibration.Prefill is { } c =>
            PrefillAttentionLaw.Demand(AttentionShape.Of(o, context), c, _calibration.Multiprocessors),
        NormOperation o when _small[(int)SmallOperator.Norm] is { } c => SmallOperatorLaw.Demand(c, o.Width, readBytes + writtenBytes),
        ElementwiseOperation o when _small[(int)Measured(o.Function)] is { } c => SmallOperatorLaw.Demand(c, o.Width, readBytes + writtenBytes),
        CollectiveOperation o => CollectiveLaw.AfterSkew(
            o switch
            {
                { MatMul: { } m } => FusedCollectiveLaw.WithMatMul(Demand(m, context, readBytes, writtenBytes), Exchange(o), m, readBytes, HbmBytesPerPicosecond),
                { Norm: { } n } => FusedCollectiveLaw.WithNorm(Exchange(o), _small[(int)SmallOperator.Norm]?.RowNanoseconds * 1000 * n.Width ?? 0),
                _ => Exchange(o),
            },
            Device.ScaleUp),
        _ => _nominal.Demand(operation, context, readBytes, writtenBytes),
    };

    /// <inheritdoc/>
    public CollectiveMethod MethodOf(CollectiveOperation operation)
    {
        if (operation is null)
            throw new ArgumentNullException(nameof(operation));
        if (Choice(operation) is not { Constants: not null } choice)
            return _nominal.MethodOf(operation);
        var (of, algorithm) = CalibratedCollectiveLaw.Fastest(choice.Constants, choice.Fallback, operation.Bytes);
        return new CollectiveMethod(of.Library, algorithm.Name);
    }

    /// <inheritdoc/>
    public ResidualBand? Band(Operation operation) => operation switch
    {
        // What is recomputed has many rows at every context but the smallest.
        RecomputeOperation o => IsMeasured(o.Weights, o.Activations) && MatMul(o.Weights, o.Activations) is { } c ? c.Tiled.Band : null,
        MatMulOperation o => IsMeasured(o.Weights, o.Activations) && MatMul(o.Weights, o.Activations) is { } c ? o.Rows <= MatMulShape.MostStreamedRows ? c.Streaming.Band : c.Tiled.Band : null,
        AttentionOperation { KeyValues: not Precision.Bf16 } => null,
        AttentionOperation { NewTokens: 1 } => _calibration.Decode?.Band,
        AttentionOperation => _calibration.Prefill?.Band,
        NormOperation => _small[(int)SmallOperator.Norm]?.Band,
        ElementwiseOperation o => _small[(int)Measured(o.Function)]?.Band,
        CollectiveOperation { IsFused: false } o => Choice(o).Constants?.Band,
        _ => null,
    };

    /// <summary>Whether fitted constants stand for an operation, and not those of the law on paper.</summary>
    internal bool IsFitted(Operation operation) => operation switch
    {
        MatMulOperation o => MatMul(o.Weights, o.Activations) is not null,
        RecomputeOperation o => MatMul(o.Weights, o.Activations) is not null,
        AttentionOperation { NewTokens: 1 } => _calibration.Decode is not null,
        AttentionOperation => _calibration.Prefill is not null,
        NormOperation => _small[(int)SmallOperator.Norm] is not null,
        ElementwiseOperation o => _small[(int)Measured(o.Function)] is not null,
        CollectiveOperation o => Choice(o).Constants is not null,
        TransferOperation => _calibration.HostTransfer is not null,
        _ => false,
    };

    private KernelDemand Demand(in MatMulShape shape, Precision weights, Precision activations, MatMulCalibration constants) =>
        shape.Rows <= MatMulShape.MostStreamedRows
            ? StreamingMatMulLaw.Demand(shape, constants.Streaming, _calibration.Multiprocessors, Device.Compute.TeraflopsOf(weights, activations))
            : TiledMatMulLaw.Demand(shape, constants.Precision, constants.Tiled, _calibration.Multiprocessors, constants.Streaming.L2TerabytesPerSecond);

    /// <summary>The constants of the kernels that run: where a device does not compute in a format, its elements are converted to bf16.</summary>
    private MatMulCalibration? MatMul(Precision weights, Precision activations) => (weights, activations) switch
    {
        (Precision.Fp8, Precision.Fp8) => _fp8 ?? _bf16,
        (Precision.Int8, Precision.Int8) => _int8 ?? _bf16,
        _ => _bf16,
    };

    /// <summary>Whether kernels with inputs of these formats were measured. The bytes of a weight that is converted on the way are counted;
    /// what converting costs is not known.</summary>
    private bool IsMeasured(Precision weights, Precision activations) => (weights, activations) switch
    {
        (Precision.Bf16, Precision.Bf16) => true,
        (Precision.Fp8, Precision.Fp8) => _fp8Measured,
        (Precision.Int8, Precision.Int8) => _int8Measured,
        _ => false,
    };

    /// <summary>Constants of an 8-bit format that was not measured on a device that has it: those of the other one, which the library runs
    /// by the same kernels (vLLM, csrc/quantization/w8a8/cutlass), else those of bf16; the rate of computing by the peaks' ratio.</summary>
    private MatMulCalibration? Instead(Precision precision, Precision other)
    {
        var compute = Device.Compute;
        if (compute.FormatOf(precision, precision) != precision || (Find(other) ?? _bf16) is not { } measured)
            return null;
        var ratio = compute.TeraflopsOf(precision, precision) / compute.TeraflopsOf(measured.Precision, measured.Precision);
        return measured with { Tiled = measured.Tiled with { Teraflops = measured.Tiled.Teraflops * ratio } };
    }

    /// <summary>The exchange alone, whatever shares its kernel.</summary>
    private KernelDemand Exchange(CollectiveOperation operation) => Choice(operation) is { Constants: not null } c
        ? CalibratedCollectiveLaw.Demand(c.Constants, c.Fallback, operation.Bytes, _launch)
        : _nominal.Exchange(operation);

    private CollectiveChoice Choice(CollectiveOperation operation)
    {
        var choices = operation.Kind switch
        {
            CollectiveKind.AllReduce => _allReduce,
            CollectiveKind.AllGather => _allGather,
            _ => _reduceScatter,
        };
        var best = default(CollectiveChoice);
        var (least, called) = (double.MaxValue, false);
        for (var i = 0; i < choices.Length; i++)
        {
            if (choices[i].Constants!.Ranks != operation.Ranks)
                continue;
            // A library whose calls were not measured seems the faster for it: it is taken only where none was.
            var knows = _launch == LaunchMode.Eager && choices[i].Constants!.Eager is not null;
            if (called && !knows)
                continue;
            if (knows && !called)
                (called, least) = (true, double.MaxValue);
            var demand = CalibratedCollectiveLaw.Demand(choices[i].Constants!, choices[i].Fallback, operation.Bytes, _launch);
            var time = KernelTime.Picoseconds(demand, 0, 0);
            if (time < least)
                (best, least) = (choices[i], time);
        }
        return best;
    }

    private MatMulCalibration? Find(Precision precision)
    {
        foreach (var matMul in _calibration.MatMul)
        {
            if (matMul.Precision == precision)
                return matMul;
        }
        return null;
    }

    /// <summary>The measured operator that passes over a row as a function does.</summary>
    internal static SmallOperator Measured(ElementwiseFunction function) => function switch
    {
        ElementwiseFunction.Rotary or ElementwiseFunction.Store => SmallOperator.Rotary,
        ElementwiseFunction.Add or ElementwiseFunction.Position or ElementwiseFunction.Scale => SmallOperator.Add,
        _ => SmallOperator.Activation,
    };
}

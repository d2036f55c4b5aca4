using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Which fields of a device file the cost laws of some plans read: a fitted law takes its constants from the calibration, and the fields
/// that the law on paper would have read say nothing of its times.</summary>
public static class FieldUse
{
    private const string L2Read = "l2.read_terabytes_per_second";

    private static readonly string[] _matMul = ["kernels.matmul_fixed_microseconds", "kernels.matmul_hbm_terabytes_per_second"];
    private static readonly string[] _matMulBf16 = [.. _matMul, "kernels.matmul_bf16_teraflops"];
    private static readonly string[] _matMul8Bit = [.. _matMul, "kernels.quantize_fixed_microseconds", "kernels.matmul_8bit_share_of_peak"];
    private static readonly string[] _attention = ["kernels.attention_fixed_microseconds", "kernels.attention_bf16_teraflops"];
    private static readonly string[] _small = ["kernels.small_operator_fixed_microseconds"];
    private static readonly string[] _prefetch = ["kernels.prefetch_fixed_microseconds", "kernels.prefetch_hbm_terabytes_per_second"];
    private static readonly string[] _collective = ["collectives.latency_microseconds", "collectives.one_shot", "collectives.two_shot"];

    private static readonly string[] _transfer =
    [
        "host_link.sustained_gigabytes_per_second", "host_link.latency_microseconds", "host_link.pageable_gigabytes_per_second", "host_link.duplex_share",
        "host_link.host_memory_gigabytes_per_second",
    ];

    /// <summary>What a device file records and no cost law reads.</summary>
    private static readonly string[] _recorded = ["chip", "l2.write_terabytes_per_second"];

    private static readonly string[] _ofLaws = [.. _matMulBf16, .. _matMul8Bit, .. _attention, .. _small, .. _prefetch, .. _collective, .. _transfer, L2Read];

    /// <summary>The device with those assumptions and doubts alone that the plans' times depend on.</summary>
    /// <param name="device">The device.</param>
    /// <param name="plans">Plans for it.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Device Marked(Device device, IEnumerable<ExecutionPlan> plans)
    {
        var (read, operations) = (Read(device, plans), Operations(plans));
        var transfers = operations.Any(o => o is TransferOperation);
        return device with { AssumedFields = device.AssumedFields.Where(n => Counts(n.Field)).ToArray(), DoubtfulFields = device.DoubtfulFields.Where(n => Counts(n.Field)).ToArray() };

        bool Counts(string field)
        {
            if (_recorded.Any(f => FieldNote.IsWithin(field, f)) || (FieldNote.IsWithin(field, "host_link") && !transfers))
                return false;
            var known = _ofLaws.Where(f => FieldNote.IsWithin(f, field) || FieldNote.IsWithin(field, f)).ToArray();
            return known.Length == 0 || known.Any(read.Contains);
        }
    }

    /// <summary>The fields that the device file gives, that the laws on paper would have read, and in whose place fitted constants stand.</summary>
    /// <param name="device">The device.</param>
    /// <param name="plans">Plans for it.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IReadOnlyList<string> Overridden(Device device, IEnumerable<ExecutionPlan> plans)
    {
        var read = Read(device, plans);
        return Operations(plans).SelectMany(o => FieldsOf(o, device)).Append(L2Read).Distinct().Where(f => !read.Contains(f) && IsGiven(f, device)).ToArray();
    }

    /// <summary>Whether the laws of this device read a field for the plans, or one of a section.</summary>
    /// <param name="field">The field or section.</param>
    /// <param name="device">The device.</param>
    /// <param name="plans">Plans for it.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static bool IsRead(string field, Device device, IEnumerable<ExecutionPlan> plans) => Read(device, plans).Any(f => FieldNote.IsWithin(f, field));

    /// <summary>Of the fields that laws read, those that the laws of this device do.</summary>
    private static HashSet<string> Read(Device device, IEnumerable<ExecutionPlan> plans)
    {
        var laws = CostLaws.For(device);
        var fitted = laws as CalibratedCostLaws;
        var read = new HashSet<string>(Operations(plans).Where(o => fitted?.IsFitted(o) != true).SelectMany(o => FieldsOf(o, device)));
        if (device.L2.ReadTerabytesPerSecond is not { } rate || laws.L2BytesPerPicosecond <= rate)
            read.Add(L2Read);
        return read;
    }

    private static List<Operation> Operations(IEnumerable<ExecutionPlan> plans)
    {
        var operations = (plans ?? throw new ArgumentNullException(nameof(plans))).SelectMany(p => p.Instructions()).Select(i => i.Operation).ToList();
        operations.AddRange(operations.OfType<CollectiveOperation>().Select(o => o.MatMul).OfType<MatMulOperation>().ToArray());
        return operations;
    }

    private static string[] FieldsOf(Operation operation, Device device)
    {
        return operation switch
        {
            MatMulOperation o => MatMul(o.Weights, o.Activations),
            RecomputeOperation o => MatMul(o.Weights, o.Activations),
            AttentionOperation => _attention,
            NormOperation or ElementwiseOperation or EmbedOperation => _small,
            PrefetchOperation => _prefetch,
            CollectiveOperation => _collective,
            TransferOperation => _transfer,
            _ => [],
        };

        string[] MatMul(Precision weights, Precision activations) =>
            device.Compute.FormatOf(weights, activations) == Precision.Bf16 ? _matMulBf16 : _matMul8Bit;
    }

    private static bool IsGiven(string field, Device device) => field switch
    {
        "collectives.one_shot" => device.Collectives.OneShot is not null,
        "collectives.two_shot" => device.Collectives.TwoShot is not null,
        _ => device.AssumedFields.All(n => n.Field != field),
    };
}

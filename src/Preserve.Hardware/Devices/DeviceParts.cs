using System;

namespace Preserve;

/// <summary>Peak rates of dense matrix multiplication. 1 TFLOP/s is one operation per picosecond; a multiply-add counts as two.</summary>
/// <param name="Bf16Teraflops">bf16 inputs.</param>
/// <param name="Fp8Teraflops">fp8 inputs; null where the device has none.</param>
/// <param name="Int8Teraops">int8 inputs; null where the device has none.</param>
/// <param name="Fp4Teraflops">fp4 inputs; null where the device has none.</param>
public sealed record ComputeRates(double Bf16Teraflops, double? Fp8Teraflops, double? Int8Teraops, double? Fp4Teraflops)
{
    /// <summary>The format in which a matmul computes: an 8-bit one only where both inputs are of it and the device has it; everything else
    /// is converted and runs in bf16.</summary>
    /// <param name="weights">Format of the weight.</param>
    /// <param name="activations">Format in which activations enter.</param>
    public Precision FormatOf(Precision weights, Precision activations) => (weights, activations) switch
    {
        (Precision.Fp8, Precision.Fp8) when Fp8Teraflops is not null => Precision.Fp8,
        (Precision.Int8, Precision.Int8) when Int8Teraops is not null => Precision.Int8,
        _ => Precision.Bf16,
    };

    /// <summary>The peak rate of a matmul, in the format in which it computes.</summary>
    /// <param name="weights">Format of the weight.</param>
    /// <param name="activations">Format in which activations enter.</param>
    public double TeraflopsOf(Precision weights, Precision activations) => FormatOf(weights, activations) switch
    {
        Precision.Fp8 => Fp8Teraflops.GetValueOrDefault(),
        Precision.Int8 => Int8Teraops.GetValueOrDefault(),
        _ => Bf16Teraflops,
    };
}

/// <summary>The device's memory, HBM or other.</summary>
/// <param name="CapacityGigabytes">Capacity.</param>
/// <param name="NominalGigabytesPerSecond">Rate on paper.</param>
/// <param name="SustainedGigabytesPerSecond">Rate that all traffic together reaches.</param>
public sealed record HbmMemory(double CapacityGigabytes, double NominalGigabytesPerSecond, double SustainedGigabytesPerSecond);

/// <summary>The on-chip memory between HBM and the cores that all of them read.</summary>
/// <param name="CapacityMebibytes">Capacity; null where unknown.</param>
/// <param name="UsableMebibytes">The part that stays resident at full speed; null where the capacity is unknown.</param>
/// <param name="ReadTerabytesPerSecond">Read rate; null where unknown.</param>
/// <param name="WriteTerabytesPerSecond">Write rate; null where unknown. Recorded, and used by no cost law: what comes from memory is written as fast as memory gives it.</param>
/// <param name="LimitMebibytes">Beyond which nothing is found again; null where it was not measured.</param>
/// <param name="PersistingShare">The part of the capacity that may be set aside for what is to persist; null where none may, or none is known.</param>
/// <param name="SetAsideMebibytes">What is set aside: only prefetches fill it, and nothing else evicts from it. Declared, 0 where nothing is; at most
/// the part that may be.</param>
public sealed record L2Cache(
    double? CapacityMebibytes, double? UsableMebibytes, double? ReadTerabytesPerSecond, double? WriteTerabytesPerSecond, double? LimitMebibytes = null,
    double? PersistingShare = null, double SetAsideMebibytes = 0)
{
    /// <summary>The most that a kernel can be said to draw from the L2, in TB/s: no cache of the last years gives more than ten times its
    /// memory's rate, unless the device file says so.</summary>
    internal double MostTerabytesPerSecond(HbmMemory memory) => Math.Max(10 * memory.NominalGigabytesPerSecond / 1000, ReadTerabytesPerSecond ?? 0);
}

/// <summary>The link between the ranks of a group.</summary>
/// <param name="Kind">What it is. Of a kind that is known the rate is checked: <c>NVLink 3</c> to <c>5</c> (or <c>NVLink4 (18 links)</c>), <c>PCIe 3.0 x16</c> to
/// <c>PCIe 6.0 x16</c> of any number of lanes, <c>InfiniBand EDR</c> to <c>XDR</c>, <c>400 GbE</c>, <c>RoCE 400G</c>, several ports as <c>InfiniBand NDR x2</c>;
/// <c>Gen5</c>, hyphens and blanks are read as well. Any other name is allowed: of it only is checked that memory is no slower.</param>
/// <param name="GigabytesPerSecondPerDirection">Rate of one rank in one direction, on paper.</param>
/// <param name="Ranks">Devices that one domain of such links joins; null where that is not known.</param>
/// <param name="SkewMicroseconds">How much later the last rank of a group comes to a collective than the one that is planned, which waits for it;
/// declared, 0 where the ranks keep step.</param>
public sealed record ScaleUpLink(string Kind, double GigabytesPerSecondPerDirection, int? Ranks = null, double SkewMicroseconds = 0);

/// <summary>The link between device and host memory.</summary>
/// <param name="Kind">What it is. Of a kind that is known, which are those of the link to the other ranks, the rate is checked.</param>
/// <param name="NominalGigabytesPerSecond">Rate in one direction, on paper.</param>
/// <param name="SustainedGigabytesPerSecond">Rate in one direction that large pinned copies reach.</param>
/// <param name="LatencyMicroseconds">Fixed time of one copy.</param>
/// <param name="PageableGigabytesPerSecond">Rate in one direction of copies to or from pageable memory.</param>
/// <param name="DuplexShare">The part of the rate that a direction keeps while the other one runs too, above 0 to 1.</param>
/// <param name="CopyEngines">Copies that run at once, 1 or more.</param>
/// <param name="HostMemoryGigabytesPerSecond">Rate of the host's memory, which all ranks of a host share.</param>
/// <param name="HostMemoryGigabytes">Capacity of the host's memory, which they share too; null where it is not known, and then it is no bound.</param>
public sealed record HostLink(
    string Kind,
    double NominalGigabytesPerSecond,
    double SustainedGigabytesPerSecond,
    double LatencyMicroseconds,
    double PageableGigabytesPerSecond,
    double DuplexShare,
    int CopyEngines,
    double HostMemoryGigabytesPerSecond,
    double? HostMemoryGigabytes = null);

/// <summary>Constants of kernels: what each costs beyond its bytes and operations, and the rates one kernel can draw.</summary>
/// <remarks>Where a program leaves out the share of 8-bit matmuls or the rate of attention, they are those of a large bf16 matmul; where a device file does,
/// what measured devices show.</remarks>
/// <param name="MatMulFixedMicroseconds">Launch and ramp of a matmul.</param>
/// <param name="MatMulHbmTerabytesPerSecond">Most that one matmul draws from memory.</param>
/// <param name="MatMulBf16Teraflops">Rate that a large bf16 matmul reaches.</param>
/// <param name="AttentionFixedMicroseconds">Launch and ramp of attention.</param>
/// <param name="SmallOperatorFixedMicroseconds">Launch and ramp of a norm, an elementwise operator or a lookup.</param>
/// <param name="PrefetchFixedMicroseconds">Launch of a prefetch.</param>
/// <param name="EventMicroseconds">Cost of each wait for an event of another stream.</param>
/// <param name="PrefetchHbmTerabytesPerSecond">Most that a prefetch draws from memory; null where that is what memory sustains.</param>
/// <param name="QuantizeFixedMicroseconds">Launch and ramp of what converts the activations of an 8-bit matmul, before it.</param>
/// <param name="MatMul8BitShareOfPeak">The part of the peak that a large 8-bit matmul reaches.</param>
/// <param name="AttentionBf16Teraflops">Rate that attention of long prompts reaches.</param>
public sealed record KernelConstants(
    double MatMulFixedMicroseconds,
    double MatMulHbmTerabytesPerSecond,
    double MatMulBf16Teraflops,
    double AttentionFixedMicroseconds,
    double SmallOperatorFixedMicroseconds,
    double PrefetchFixedMicroseconds,
    double EventMicroseconds,
    double? PrefetchHbmTerabytesPerSecond = null,
    double QuantizeFixedMicroseconds = 0,
    double? MatMul8BitShareOfPeak = null,
    double? AttentionBf16Teraflops = null);

/// <summary>Constants of collectives between the ranks of a group.</summary>
/// <param name="LatencyMicroseconds">Time of a small message by the library's general algorithm, which moves its bytes at
/// the link's rate. Used where neither of the others is known.</param>
/// <param name="OneShot">Every rank reads all others' messages; null where not known.</param>
/// <param name="TwoShot">Each rank reduces its part, then all gather the parts; null where not known.</param>
/// <param name="Launch">How they are launched: <c>graph</c>, as nodes of a captured graph, or <c>eager</c>, one by one. Declared; eager calls want a
/// library whose calls were measured.</param>
/// <param name="Library">The library that the ranks call, one of those that were measured; null for the fastest of them at each size. Declared; kinds and
/// numbers of ranks that it was not measured with are left to the others.</param>
public sealed record CollectiveConstants(
    double LatencyMicroseconds, CollectiveAlgorithm? OneShot, CollectiveAlgorithm? TwoShot, LaunchMode Launch = LaunchMode.Graph, string? Library = null);

/// <summary>A collective algorithm: fixed time and the rate at which a rank receives.</summary>
/// <param name="LatencyMicroseconds">Fixed time.</param>
/// <param name="GigabytesPerSecond">Bytes that one rank receives per second.</param>
public sealed record CollectiveAlgorithm(double LatencyMicroseconds, double GigabytesPerSecond);

/// <summary>Facts about the chip that no cost law uses.</summary>
/// <param name="Process">How it is made; null where unknown.</param>
/// <param name="DieSquareMillimetres">Area of its dies; null where unknown.</param>
/// <param name="PowerWatts">Design power; null where unknown.</param>
/// <param name="PriceDollars">Price in US dollars; null where unknown.</param>
public sealed record ChipFacts(string? Process, double? DieSquareMillimetres, double? PowerWatts, double? PriceDollars);

namespace Preserve;

/// <summary>What stands for values that a device file leaves out, each with its reason. A device lists those it uses.</summary>
internal static class DeviceAssumptions
{
    public const double SustainedShare = 0.8;
    public const string SustainedHbmNote = "0.8 of the nominal rate; measured devices reach 0.79 to 0.96";
    public const string SustainedHostNote = "0.8 of the nominal rate; PCIe 4.0 and 5.0 x16 reach 0.78 and 0.87";
    public const string MatMulFlopsNote = "0.8 of the peak; A100, H100, H200 and B200 reach 0.84, 0.80, 0.78 and 0.68 in large matmuls";

    public const double UsableL2Share = 0.7;
    public const string UsableL2Note = "0.7 of the capacity; A100, H100 and H200 keep 0.68, 0.74 and 0.84 at full speed";

    public const string L2LimitNote = "a third more than the usable part, and no more than the capacity";

    // Eight: what one baseboard holds, of HGX (NVIDIA) as of OAM servers (Open Compute Project, Universal Baseboard).
    public const int ServerRanks = 8;

    public const double HostGigabytesPerSecond = 32;
    public const string HostNote = "PCIe 4.0 x16";
    public const double HostLatencyMicroseconds = 10;
    public const string HostLatencyNote = "a copy is queued and its end seen in about 10 us";

    public const double PageableShare = 0.5;
    public const string PageableNote = "half of the sustained rate: the bytes are copied twice, first into a pinned buffer";
    public const double DuplexShare = 0.7;
    public const string DuplexNote = "0.7: nvbandwidth on an A100 SXM server keeps 24 of 25 GB/s to the host and 11 of 25 to the device when both run (forums.developer.nvidia.com, topic 352186)";
    public const int CopyEngines = 2;
    public const string CopyEnginesNote = "2: one in each direction, which CUDA wants for copies both ways at once (CUDA programming guide, asyncEngineCount)";
    public const double HostMemoryGigabytesPerSecond = 328;
    public const string HostMemoryNote = "0.8 of the 409.6 GB/s of two sockets with eight channels of DDR4-3200 each";

    public const double MatMulFixedMicroseconds = 4.2;
    public const string MatMulFixedNote = "mean of A100, H100, H200 and B200, whose cold decode matmuls take 3.7 to 5.1 us besides their bytes";
    public const string MatMulHbmNote = "one matmul draws what memory sustains";
    // The constants of quantizing, attention and small operators are means over the measured devices, each of one constant that the law on paper was given for the rows that fits see, with
    // all else as the device has it: of a fixed cost the median of what remains, which errs least in microseconds, of a rate the part of the peak that errs
    // least in proportion.
    public const double QuantizeFixedMicroseconds = 4.4;
    public const string QuantizeFixedNote = "mean of H100, H200 and B200, whose fp8 decode matmuls take 3.7, 4.1 and 5.4 us more than bf16 ones besides their bytes";
    public const double MatMul8BitShare = 0.5;
    public const string MatMul8BitNote = "mean of H100, H200 and B200, which reach 0.51, 0.56 and 0.42 in large fp8 matmuls; no more than in bf16";
    public const double AttentionFixedMicroseconds = 20;
    public const string AttentionFixedNote = "mean of A100, H100 and H200, whose attention of one token takes 27.4, 15.4 and 16.1 us besides its bytes";
    public const double AttentionShare = 0.53;
    public const string AttentionFlopsNote = "0.53 of the peak, and no more than a matmul; A100, H100 and H200 reach 0.50, 0.55 and 0.55 in attention of prompts";
    public const double SmallOperatorFixedMicroseconds = 3.6;
    public const string SmallOperatorFixedNote = "mean of A100 and H100, whose norms, rotations, activations and additions take 3.9 and 3.3 us besides their bytes";
    public const double PrefetchFixedMicroseconds = 1;
    public const string PrefetchFixedNote = "one small kernel or copy command that has no result to wait for";
    public const string PrefetchHbmNote = "a prefetch draws what memory sustains; no prefetch was measured";
    public const double EventMicroseconds = 1;
    public const string EventNote = "an edge between streams of a captured graph: one semaphore written and polled";

    public const double CollectiveLatencyMicroseconds = 20;
    public const string CollectiveLatencyNote = "a library's small all-reduce; its floor is 19 us on H100 and 22 to 28 us on A100";
}

namespace Preserve;

/// <summary>The ids of the built-in devices.</summary>
public static class Devices
{
    /// <summary>NVIDIA A100, 40 GB, SXM.</summary>
    public const string A100Sxm40 = "a100-40-sxm";

    /// <summary>NVIDIA A100, 80 GB, SXM.</summary>
    public const string A100Sxm80 = "a100-80-sxm";

    /// <summary>NVIDIA H100, 80 GB, SXM.</summary>
    public const string H100 = "h100-sxm";

    /// <summary>NVIDIA H200, 141 GB, SXM.</summary>
    public const string H200 = "h200-sxm";

    /// <summary>NVIDIA B200, 180 GB, SXM.</summary>
    public const string B200 = "b200-sxm";

    /// <summary>AMD Instinct MI300X, 192 GB.</summary>
    public const string MI300X = "mi300x";

    /// <summary>Huawei Ascend 910B2, 64 GB.</summary>
    public const string Ascend910B2 = "ascend-910b2";

    /// <summary>Google TPU v4, 32 GB.</summary>
    public const string TpuV4 = "tpu-v4";

    /// <summary>Google TPU v5e, 16 GB.</summary>
    public const string TpuV5e = "tpu-v5e";

    /// <summary>Google TPU v5p, 95 GB.</summary>
    public const string TpuV5p = "tpu-v5p";

    /// <summary>NVIDIA L40S, 48 GB.</summary>
    public const string L40S = "l40s";

    /// <summary>NVIDIA GeForce RTX 4090, 24 GB.</summary>
    public const string Rtx4090 = "rtx4090";

    /// <summary>NVIDIA GeForce RTX 5090, 32 GB.</summary>
    public const string Rtx5090 = "rtx5090";
}

namespace Preserve;

/// <summary>What an instruction is, where the simulation tells instructions apart.</summary>
internal enum InstructionKind : byte
{
    /// <summary>What runs on the device's processors by itself.</summary>
    Kernel,

    /// <summary>A collective.</summary>
    Collective,

    /// <summary>A prefetch.</summary>
    Prefetch,

    /// <summary>A copy between host and device.</summary>
    Transfer,
}

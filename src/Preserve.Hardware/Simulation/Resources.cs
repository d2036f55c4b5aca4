using System;

namespace Preserve;

/// <summary>The resources of a device that running instructions share. A flow may draw on several at once.</summary>
[Flags]
internal enum Resources
{
    None = 0,
    Compute = 1 << 0,
    Hbm = 1 << 1,
    L2 = 1 << 2,
    ScaleUpLink = 1 << 3,
    HostToDevice = 1 << 4,
    DeviceToHost = 1 << 5,
    HostMemory = 1 << 6,
}

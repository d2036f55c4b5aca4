using System;

namespace Preserve;

/// <summary>How a <see cref="SimulatedBackend"/> runs.</summary>
public sealed record SimulationOptions
{
    /// <summary>Whether each instruction's run is recorded. Every iteration is then simulated, and each step allocates its timeline.</summary>
    public bool RecordTimeline { get; init; }

    /// <summary>Whether a step starts with an empty L2. Otherwise it starts from what steps like it leave.</summary>
    public bool ColdStart { get; init; }

    /// <summary>The cost laws of a device; by default the best that it has constants for.</summary>
    public Func<Device, ICostLaws> CostLaws { get; init; } = Preserve.CostLaws.For;
}

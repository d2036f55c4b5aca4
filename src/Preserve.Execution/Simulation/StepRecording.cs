using System.Collections.Generic;

namespace Preserve;

/// <summary>What a recorded step leaves: the run of each instruction, and what it drew of the device.</summary>
internal sealed class StepRecording
{
    public List<InstructionRun> Timeline { get; } = [];

    public List<ResourceUse> Usage { get; } = [];

    public void Clear()
    {
        Timeline.Clear();
        Usage.Clear();
    }

    /// <summary>Notes what is drawn from a time on; what is as before needs no note.</summary>
    public void Add(long picoseconds, ResourceSimulation resources)
    {
        var use = new ResourceUse(picoseconds, 1000 * resources.RateOf(Resources.Hbm), 1000 * resources.RateOf(Resources.L2), 1000 * resources.RateOf(Resources.ScaleUpLink),
            1000 * resources.RateOf(Resources.HostToDevice), 1000 * resources.RateOf(Resources.DeviceToHost));
        if (Usage.Count == 0 || Usage[Usage.Count - 1] with { StartPicoseconds = picoseconds } != use)
            Usage.Add(use);
    }
}

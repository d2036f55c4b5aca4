using System;
using System.ComponentModel;

namespace Preserve;

/// <summary>What the optimizer expects of one planned step, at the largest context it serves. The generator writes one for each declared step on its
/// part of a deployment; an analyzer shows them at the deployment's name, and holds them against what the project asks for. It is the generator's to write, and offered to nobody.</summary>
/// <remarks>The values are those of the <see cref="PlanReport"/>, and with it the model's: a time that is shown as a step's own is a run's.</remarks>
/// <param name="step">The step, as its plan names it, such as <c>decode batch 4 context 16384</c>.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class PlanSummaryAttribute(string step) : Attribute
{
    /// <summary>The step, as its plan names it.</summary>
    public string Step { get; } = step;

    /// <summary>Whether the step is a prefill.</summary>
    public bool IsPrefill { get; set; }

    /// <summary>The base plan's step in picoseconds: nothing prefetched, and of a KV-cache in host memory nothing recomputed.</summary>
    public long BasePicoseconds { get; set; }

    /// <summary>This plan's step in picoseconds.</summary>
    public long StepPicoseconds { get; set; }

    /// <summary>The fast end of what four of five such steps take, in picoseconds; 0 where less than half of it follows what was measured on the device.</summary>
    public long LowPicoseconds { get; set; }

    /// <summary>The slow end, in picoseconds; 0 where less than half of it follows what was measured on the device.</summary>
    public long HighPicoseconds { get; set; }

    /// <summary>What of the step was not measured on the device, such as <c>all-reduce over 16 ranks</c>, with commas between: the band says nothing
    /// of it. Empty where all was, and where nothing of the device was.</summary>
    public string NotMeasured { get; set; } = "";

    /// <summary>No plan of the same operators is faster, in picoseconds.</summary>
    public long BoundPicoseconds { get; set; }

    /// <summary>What makes the bound: the critical path, or a resource.</summary>
    public string BoundBy { get; set; } = "";

    /// <summary>Whether the plan prefetches, and is 1.0005 times as fast by it or more.</summary>
    public bool PrefetchPays { get; set; }

    /// <summary>Whether keys and values of a KV-cache in host memory are recomputed in part, and not all transferred. It is not given where the cache
    /// lives on the device, and of a prefill.</summary>
    public bool SplitPays { get; set; }

    /// <summary>The one reason that matters most, with its figures: where the gain comes from, or what keeps it from being larger.</summary>
    public string Reason { get; set; } = "";
}

using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>What reasons of a split say.</summary>
internal static class SplitReasons
{
    /// <summary>A time as reasons say it.</summary>
    public static string Time(long picoseconds) => (picoseconds / 1_000_000_000m).ToString("#,0.000", CultureInfo.InvariantCulture) + " ms";

    /// <summary>Bytes of the activations that a rank stores for a step.</summary>
    public static string StoredBytes(DecodeSpec step, StepDraft draft) =>
        (PlanFootprint.Of(draft.Plan, step.MaxContext).HostBytes - PlanFootprint.Of(draft.Split!.BasePlan, step.MaxContext).HostBytes).ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A draft whose reason says more.</summary>
    public static StepDraft With(StepDraft draft, string more) => draft with { Split = draft.Split! with { Reason = $"{draft.Split.Reason}; {more}" } };
}

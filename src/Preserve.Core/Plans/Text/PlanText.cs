using System;

namespace Preserve;

/// <summary>The text of plans: line by line, aligned, commented, and read back to equal values.</summary>
/// <remarks>The format is described in <c>docs/plan-format.md</c>. It starts with its version; each released version stays readable
/// by the library that wrote it, and an unknown one is refused.</remarks>
public static class PlanText
{
    /// <summary>The version of the format that this library writes and reads.</summary>
    public const int Version = 1;

    internal const string VersionLine = "preserve plans";

    /// <summary>Writes all plans of a deployment.</summary>
    /// <param name="plans">The plans.</param>
    public static string Write(PlanSet plans)
    {
        if (plans is null)
            throw new ArgumentNullException(nameof(plans));
        return new PlanTextWriter().Write(plans);
    }

    /// <summary>Writes one plan, without a report.</summary>
    /// <param name="plan">The plan.</param>
    public static string Write(ExecutionPlan plan)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        return new PlanTextWriter().Write(plan);
    }

    /// <summary>Reads what <see cref="Write(PlanSet)"/> wrote.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is of another version, or is damaged; the message names the line.</exception>
    public static PlanSet Read(string text)
    {
        if (text is null)
            throw new ArgumentNullException(nameof(text));
        return new PlanTextReader(text).ReadPlanSet();
    }

    /// <summary>Reads what <see cref="Write(ExecutionPlan)"/> wrote.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is of another version, or is damaged; the message names the line.</exception>
    public static ExecutionPlan ReadPlan(string text)
    {
        if (text is null)
            throw new ArgumentNullException(nameof(text));
        return new PlanTextReader(text).ReadSinglePlan();
    }
}

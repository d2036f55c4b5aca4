using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>A deployment and its plans.</summary>
/// <param name="Declaration">The deployment.</param>
/// <param name="Result">The plans, or why there are none.</param>
internal sealed record OptimizedDeployment(DeploymentDeclaration Declaration, PlanningResult Result);

/// <summary>What the optimizer made of a deployment. A closed family.</summary>
internal abstract record PlanningResult
{
    private PlanningResult()
    {
    }

    /// <summary>The plans.</summary>
    /// <param name="Plans">One for each declared step.</param>
    /// <param name="Summaries">What is said of each.</param>
    public sealed record Planned(PlanSet Plans, EquatableArray<StepSummary> Summaries) : PlanningResult;

    /// <summary>A fault of the optimizer.</summary>
    /// <param name="Message">What it is.</param>
    public sealed record Failed(string Message) : PlanningResult;
}

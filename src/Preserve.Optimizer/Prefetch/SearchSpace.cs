using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What can be chosen, and the plan that choices are timed in, on this machine or on another.</summary>
/// <param name="Problem">What can be chosen.</param>
/// <param name="Template">A plan with a stand-in of every part.</param>
/// <param name="Memory">Where the runs keep their states.</param>
internal sealed record SearchSpace(PrefetchProblem Problem, ExecutionPlan Template, StateMemory Memory)
{
    /// <summary>The context that is searched at.</summary>
    public int Context => Template.Step.MaxContext;

    /// <summary>Whether every layer has a tensor of the part's name, which are cut alike.</summary>
    public bool IsPerLayer(int part) => Template.Tensors.First(t => t.Name == Problem.Parts[part].Tensor).PerLayer;

    /// <summary>Trials of choices on a machine.</summary>
    public PrefetchTrials TrialsWith(ICostLaws laws) => new(Problem, Template, laws, Memory);
}

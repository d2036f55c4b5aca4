using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Proves from a plan alone that it computes on its streams what it says in program order, within its L2 room and
/// its arena. Shares nothing with the passes but the plan's records.</summary>
public static class PlanVerifier
{
    /// <summary>Checks the plan at every context at which a size changes its course, and at both neighbours: between those
    /// all sizes are affine, so what holds there holds everywhere.</summary>
    /// <param name="plan">The plan.</param>
    /// <returns>What is wrong, at the first context at which something is; empty when the plan is proved.</returns>
    public static IReadOnlyList<PlanFault> Verify(ExecutionPlan plan)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        var structure = new PlanStructure(plan);
        var faults = structure.Check();
        if (faults.Count > 0)
            return faults;
        var numbered = new NumberedPlan(plan);
        foreach (var context in plan.CheckedContexts())
        {
            faults = new PlanSizes(plan, structure, context).Check();
            if (faults.Count == 0)
                faults = new StepProof(numbered, context).Prove();
            if (faults.Count > 0)
                return faults;
        }
        return [];
    }

    /// <summary>Instructions that the proof of a plan at its largest context goes through: what its time grows with.</summary>
    internal static int CountSteps(ExecutionPlan plan)
    {
        var proof = new StepProof(new NumberedPlan(plan), plan.Step.MaxContext);
        proof.Prove();
        return proof.Steps;
    }
}

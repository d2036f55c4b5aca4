using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>Divides the contexts of a step between two plans: each has those at which it is the faster one. Where it changes between two contexts that are looked
/// at, the border is found to the context.</summary>
internal static class ContextDivision
{
    /// <summary>The contexts at which a plan is at least as fast as another, and those at which it is slower; each as ranges that lie apart, ascending.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="other">Another plan of the same step.</param>
    /// <param name="times">Times of plans.</param>
    public static (List<ContextRange> Faster, List<ContextRange> Slower) Of(ExecutionPlan plan, ExecutionPlan other, PlanTimes times)
    {
        var (faster, slower) = (new List<ContextRange>(), new List<ContextRange>());
        var (first, before) = (plan.Step.MinContext, plan.Step.MinContext);
        foreach (var (context, _) in new ContextCheck(other, times).GainsOf(plan))
        {
            if (IsSlower(context) != IsSlower(before))
                EndBefore(Turn(before, context));
            before = context;
        }
        EndBefore(plan.Step.MaxContext + 1);
        return (faster, slower);

        bool IsSlower(int context) => times.Of(plan, context) > times.Of(other, context);

        void EndBefore(int next)
        {
            (IsSlower(next - 1) ? slower : faster).Add(new ContextRange(first, next - 1));
            first = next;
        }

        // The first context that is like the second of two, by halves.
        int Turn(int unlike, int like)
        {
            while (like - unlike > 1)
            {
                var middle = unlike + ((like - unlike) / 2);
                if (IsSlower(middle) == IsSlower(like))
                    like = middle;
                else
                    unlike = middle;
            }
            return like;
        }
    }
}

using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Times of plans on the hardware model. Each plan is compiled once, and each of its times is worked out once, however often the same plan is
/// made.</summary>
internal sealed class PlanTimes(ICostLaws laws, CancellationToken cancellationToken)
{
    private readonly Dictionary<ExecutionPlan, PlanTiming> _timings = new(ReferenceComparer.Instance);
    private readonly Dictionary<(PlanTiming, int), long> _nominal = [];

    /// <summary>Where the runs keep their states: trials beside them may share it.</summary>
    public StateMemory Memory { get; } = new();

    /// <summary>The step's time.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <returns>Picoseconds.</returns>
    public long Of(ExecutionPlan plan, int context)
    {
        var timing = TimingOf(plan);
        if (!_nominal.TryGetValue((timing, context), out var time))
            _nominal.Add((timing, context), time = timing.Of(laws, context, cancellationToken));
        return time;
    }

    /// <summary>The step's time under other laws.</summary>
    public long Under(ICostLaws other, ExecutionPlan plan, int context) => TimingOf(plan).Of(other, context, cancellationToken);

    private PlanTiming TimingOf(ExecutionPlan plan)
    {
        if (!_timings.TryGetValue(plan, out var timing))
            _timings.Add(plan, timing = _timings.FirstOrDefault(t => IsSame(t.Key, plan)).Value ?? new PlanTiming(plan, Memory));
        return timing;
    }

    /// <summary>Whether two plans do the same: by which policy takes no time. Most differ early in the body.</summary>
    private static bool IsSame(ExecutionPlan one, ExecutionPlan other) => one.Body == other.Body && one with { Policy = other.Policy } == other;

    /// <summary>A plan is long to compare by value, and nobody changes it: that is done when it is first seen.</summary>
    private sealed class ReferenceComparer : IEqualityComparer<ExecutionPlan>
    {
        public static ReferenceComparer Instance { get; } = new();

        public bool Equals(ExecutionPlan? x, ExecutionPlan? y) => ReferenceEquals(x, y);

        public int GetHashCode(ExecutionPlan obj) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj);
    }
}

namespace Preserve.Optimizer.Tests;

/// <summary>The least step over every choice of cuts in equal shares, under collectives only: what a search is measured by.</summary>
internal sealed class ExhaustivePrefetch
{
    private readonly PrefetchProblem _problem;
    private readonly PrefetchTrials _trials;
    private readonly long _room;
    private readonly int _shares;
    private readonly int[] _parts;
    private readonly long[] _units;

    private ExhaustivePrefetch(PrefetchProblem problem, ExecutionPlan template, ICostLaws laws, int shares)
    {
        _problem = problem;
        _trials = new PrefetchTrials(problem, template, laws);
        _room = laws.Device.PrefetchRoomBytes;
        _shares = shares;
        // Tensors of less than a hundredth of the largest, such as the head's of these models, change nothing that could be seen.
        var largest = problem.Parts.Max(p => p.Bytes);
        _parts = [.. Enumerable.Range(0, problem.Parts.Count).Where(p => problem.Parts[p].Reach == PrefetchReach.Window && problem.Parts[p].Bytes * 100 >= largest)];
        _units = new long[problem.Parts.Count];
    }

    /// <summary>Tensors whose cuts are tried.</summary>
    public int Tensors => _parts.Length;

    /// <summary>Collectives that differ in what can be prefetched under them.</summary>
    public int Windows => _problem.Groups.Count(g => g.Host.IsCollective);

    /// <summary>The choices of a deployment's first step.</summary>
    public static ExhaustivePrefetch Of(DeploymentSpec deployment, ICostLaws laws, int shares)
    {
        var rule = new TemplateRule();
        var template = PlanEmission.Emit(StepPlanner.Plan(deployment, deployment.Steps[0], rule), deployment, laws.Device.PrefetchRoomBytes);
        return new ExhaustivePrefetch(rule.Problem!, template, laws, shares);
    }

    /// <summary>The least step over all of them, in picoseconds.</summary>
    public long Least() => Least(0, long.MaxValue);

    private long Least(int next, long least)
    {
        if (!Fits())
            return least;
        if (next == _parts.Length)
            return Math.Min(least, _trials.Time(_units, default));
        var part = _problem.Parts[_parts[next]];
        for (var share = 0; share <= _shares; share++)
        {
            _units[_parts[next]] = part.Units * share / _shares;
            least = Least(next + 1, least);
        }
        _units[_parts[next]] = 0;
        return least;
    }

    private bool Fits() => _problem.Rooms.TrueForAll(room => room.Sum(p => _units[p] * _problem.Parts[p].UnitBytes) <= _room);
}

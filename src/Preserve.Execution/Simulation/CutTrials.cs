using System;
using System.Threading;

namespace Preserve;

/// <summary>Times plans that differ only in where ranges of tensors end. Compiles once; a trial allocates nothing.</summary>
internal sealed class CutTrials
{
    private readonly StepSimulation _simulation;
    private readonly int[][] _touching;
    private readonly bool[] _moved;

    /// <summary>Trials of one plan.</summary>
    /// <param name="plan">The plan, with an amount of its own for each end that moves.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="context">The context of all trials.</param>
    /// <param name="memory">Where the runs keep their states.</param>
    public CutTrials(ExecutionPlan plan, ICostLaws laws, int context, StateMemory memory)
    {
        _simulation = new StepSimulation(new CompiledPlan(plan), laws, memory);
        _simulation.Begin(context);
        _touching = new int[plan.Tensors.Count][];
        _moved = new bool[plan.Tensors.Count];
    }

    /// <summary>The cut of a tensor that the plan writes as an amount, or null where it has none.</summary>
    public (int Tensor, int Cut)? Find(string tensor, Amount end)
    {
        var tensors = _simulation.Plan.Plan.Tensors;
        for (var t = 0; t < tensors.Count; t++)
        {
            // The first two are the tensor's own ends.
            if (tensors[t].Name == tensor && Array.IndexOf(_simulation.Plan.Cuts[t], end, 2) is >= 2 and var cut)
            {
                _touching[t] ??= _simulation.Plan.ThatTouch(t);
                return (t, cut);
            }
        }
        return null;
    }

    /// <summary>Moves a cut that <see cref="Find"/> found.</summary>
    public void Move((int Tensor, int Cut) cut, long units)
    {
        ref var at = ref _simulation.Plan.Cuts[cut.Tensor][cut.Cut];
        _moved[cut.Tensor] |= at != units;
        at = units;
    }

    /// <summary>When the last repeat of the plan ended in the last run, after an empty L2, in picoseconds; <see cref="long.MaxValue"/> where that is not
    /// known.</summary>
    public long LastRepeatEnds => _simulation.LastRepeatEnds == 0 ? long.MaxValue : _simulation.LastRepeatEnds;

    /// <summary>The step's time with the cuts as they are.</summary>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <param name="giveUpAfter">Gives up where <see cref="LastRepeatEnds"/> is later.</param>
    /// <returns>Picoseconds, or null where it gave up.</returns>
    public long? Run(CancellationToken cancellationToken, long giveUpAfter = long.MaxValue)
    {
        for (var t = 0; t < _moved.Length; t++)
        {
            if (_moved[t])
                _simulation.Recut(t, _touching[t]);
            _moved[t] = false;
        }
        _simulation.Restart();
        return _simulation.RunSteps(coldStart: false, cancellationToken, giveUpAfter) ? _simulation.Totals.Picoseconds : null;
    }
}

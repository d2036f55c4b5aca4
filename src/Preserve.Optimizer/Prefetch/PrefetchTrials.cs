using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>Times choices: lengths of all parts in, the simulated step out.</summary>
internal sealed class PrefetchTrials
{
    private readonly CutTrials _trials;
    private readonly ((int Tensor, int Cut) Cut, int[] Parts)[] _cuts;

    /// <summary>Trials of a problem.</summary>
    /// <param name="problem">What can be chosen.</param>
    /// <param name="template">A plan with a stand-in of every part.</param>
    /// <param name="laws">The cost laws.</param>
    /// <param name="memory">Where the runs keep their states; null for a place of their own.</param>
    public PrefetchTrials(PrefetchProblem problem, ExecutionPlan template, ICostLaws laws, StateMemory? memory = null)
    {
        _trials = new CutTrials(template, laws, template.Step.MaxContext, memory ?? new StateMemory());
        _cuts = Cuts(problem.Parts).ToArray();
    }

    /// <summary>The step's time, in picoseconds.</summary>
    /// <param name="units">Length of each part.</param>
    /// <param name="cancellationToken">Stops the simulation.</param>
    public long Time(long[] units, CancellationToken cancellationToken) => Time(units, long.MaxValue, cancellationToken)!.Value;

    /// <summary>When the repeats ended in the last trial, after an empty L2; <see cref="long.MaxValue"/> where that is not known.</summary>
    public long RepeatsEnd => _trials.LastRepeatEnds;

    /// <summary>The step's time, in picoseconds, or null where the repeats end later than they may.</summary>
    /// <param name="units">Length of each part.</param>
    /// <param name="repeatsEnd">When the repeats are to have ended.</param>
    /// <param name="cancellationToken">Stops the simulation.</param>
    public long? Time(long[] units, long repeatsEnd, CancellationToken cancellationToken)
    {
        foreach (var (cut, parts) in _cuts)
        {
            var end = 0L;
            foreach (var part in parts)
                end += units[part];
            _trials.Move(cut, end);
        }
        return _trials.Run(cancellationToken, repeatsEnd);
    }

    /// <summary>Every cut of the template, with the parts that lie before it.</summary>
    private IEnumerable<((int Tensor, int Cut) Cut, int[] Parts)> Cuts(List<PrefetchPart> all)
    {
        foreach (var tensor in all.Select(p => p.Tensor).Distinct())
        {
            for (var reach = PrefetchReach.OverNext; reach <= PrefetchReach.Beside; reach++)
            {
                if (_trials.Find(tensor, TemplateRule.EndOf(reach)) is { } cut)
                    yield return (cut, Enumerable.Range(0, all.Count).Where(p => all[p].Tensor == tensor && all[p].Reach <= reach).ToArray());
            }
        }
    }
}

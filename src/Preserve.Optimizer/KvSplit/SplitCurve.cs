using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>The best split of one kind of layer over the context, as the solver finds it, and in the steps that a plan has.</summary>
/// <remarks>A plan's amount grows by whole units with each token of context. A split grows by a part of a token, and in whole tiles: it is a staircase,
/// of as many steps as the range has tiles to grow by. Each step of a plan is proved, and timed on both its sides, so a plan has a few that are some
/// tiles high: its breakpoints lie where the split has grown by as much as before the last, close where it rises and none where it is capped.</remarks>
/// <param name="problem">Sizes and rates.</param>
/// <param name="transfer">How activations reach the ranks.</param>
internal sealed class SplitCurve(KvSplitProblem problem, ActivationTransfer transfer)
{
    /// <summary>Most steps of a plan's split.</summary>
    public const int MostSteps = 9;

    private readonly KvSplitSolver _solver = new(problem);
    private readonly Dictionary<(KvSplitForm Form, int Context), int> _solved = [];

    /// <summary>Tokens to recompute: the best of the sequential form, of the pipelined one, or some between them.</summary>
    /// <param name="context">Tokens cached.</param>
    /// <param name="quarters">Quarters of the way from the sequential form's to the pipelined one's, 0 to 4.</param>
    public int TokensAt(int context, int quarters) => Tokens(TilesAt(context, quarters));

    /// <summary>The same as a step function.</summary>
    /// <param name="quarters">Quarters of the way from the sequential form's to the pipelined one's, 0 to 4.</param>
    /// <param name="first">The smallest context.</param>
    /// <param name="last">The largest context, <paramref name="first"/> or more.</param>
    /// <param name="most">Most steps, 1 or more.</param>
    public Amount StepsOf(int quarters, int first, int last, int most)
    {
        var (least, end) = (TilesAt(first, quarters), TilesAt(last, quarters));
        var rise = Math.Abs(end - least);
        var steps = Math.Min(most, rise + 1);
        // Where the prompt caps it the last step is all of the prompt, and so has only the part of a step that lies below.
        var isCapped = steps > 1 && steps <= rise && Tokens(end) == problem.Prompt;
        var height = isCapped ? rise / (steps - 1 + TransferShare(least, end)) : new Rational(rise + 1, steps);
        var from = first;
        Amount split = Level(from, steps == 1 ? last : Reached(from, 1) - 1);
        for (var i = 1; i < steps; i++)
        {
            from = Reached(from, i);
            var next = i + 1 == steps ? last + 1 : Reached(from, i + 1);
            // It may leap over several steps at once, as from nothing to what bears the fixed costs.
            if (next > from)
                split = Amount.WhereNotNegative(Amount.Context - from, Level(from, next - 1), split);
        }
        return split.Within(first, last);

        // The first context from one on at which the split has grown, or shrunk, by a number of steps.
        int Reached(int after, int step)
        {
            var tiles = isCapped ? (int)(height * step).Ceiling() : (int)(height * step).Floor();
            var (before, at) = (after - 1, last);
            while (at - before > 1)
            {
                var middle = before + ((at - before) / 2);
                if (Math.Abs(TilesAt(middle, quarters) - least) >= tiles)
                    at = middle;
                else
                    before = middle;
            }
            return at;
        }

        int Level(int begin, int until) => Tokens(isCapped && TilesAt(until, quarters) == end ? end : Balanced(TilesAt(begin, quarters), TilesAt(until, quarters)));
    }

    /// <summary>What stands for the splits between two with the least loss at either.</summary>
    private int Balanced(int first, int last)
    {
        var (few, many) = (Math.Min(first, last), Math.Max(first, last));
        return few + (int)((TransferShare(few, many) * (many - few)) - new Rational(1, 2)).Ceiling();
    }

    /// <summary>What a token too few costs, of that and one too many: its keys and values take longer to cross than its activations, and the other is recomputed.</summary>
    private Rational TransferShare(int few, int many)
    {
        if (few == many)
            return 1;
        var sizes = problem.Sizes(transfer);
        var transferred = (sizes.KeyValueBytesOfRank - (sizes.ActivationBytes / sizes.Links)) / problem.RankBytesPerSecond * (Tokens(many) - Tokens(few));
        return transferred / (transferred + Rational.Max(problem.Recompute.Seconds(Tokens(many)) - problem.Recompute.Seconds(Tokens(few)), 0));
    }

    private int TilesAt(int context, int quarters)
    {
        var first = quarters == 4 ? 0 : Solved(KvSplitForm.Sequential, context);
        var last = quarters == 0 ? 0 : Solved(KvSplitForm.Pipelined, context);
        return (int)((((4L - quarters) * first) + ((long)quarters * last)) / 4);
    }

    private int Tokens(int tiles) => (int)Math.Min((long)tiles * problem.Tile, problem.Prompt);

    /// <summary>The tiles of a form's solution.</summary>
    private int Solved(KvSplitForm form, int context)
    {
        if (!_solved.TryGetValue((form, context), out var tiles))
            _solved.Add((form, context), tiles = SampledTime.Tiles(problem.Tile, _solver.Solve(form, transfer, context).Tokens));
        return tiles;
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Moves single parts, and bytes from one part to another that it competes with, by ever smaller steps.</summary>
/// <param name="parts">What is searched.</param>
/// <param name="incumbent">What others are tried against.</param>
/// <param name="fill">Fills windows.</param>
internal sealed class PartSearch(SearchedParts parts, Incumbent incumbent, WindowFill fill)
{
    /// <summary>What giving some of a part up lost when that was last tried, 0 before, in picoseconds per byte.</summary>
    private readonly double[] _loss = new double[parts.Problem.Parts.Count];

    /// <summary>Moves parts until no step makes the incumbent better.</summary>
    /// <param name="coarsest">What part of the largest step the first one is.</param>
    /// <param name="finest">What part of it the last one is.</param>
    /// <param name="shifts">Whether parts are moved whole from one window to another too.</param>
    public void Run(int coarsest, int finest, bool shifts)
    {
        Array.Clear(_loss, 0, _loss.Length);
        for (var divisor = coarsest; divisor <= finest && !incumbent.IsAtEnd; divisor *= 2)
        {
            for (var improved = true; improved && !incumbent.IsAtEnd;)
            {
                improved = false;
                foreach (var part in parts.Moved)
                {
                    var step = Math.Max(parts.MostStep(part) / divisor, 1);
                    improved |= TryMore(part, step) || TryLess(part, step);
                    foreach (var other in Rivals(part, step))
                        improved |= TryExchange(part, step, other);
                    if (shifts)
                        improved |= TryShift(part);
                }
            }
        }
    }

    /// <summary>Makes parts of windows that occur once in a deep stack longer, by half of their bytes and by an eighth.</summary>
    public void LengthenOnce()
    {
        foreach (var part in parts.Once)
        {
            foreach (var divisor in (int[])[2, 8])
                _ = TryMore(part, parts.Problem.Parts[part].Bytes / divisor);
        }
    }

    /// <summary>Parts that one has to take from to grow: those of its tensor, and those that it shares a room with that has not so many
    /// bytes left, where what they lost by giving some up is less than the readers of what they keep out can save.</summary>
    private IEnumerable<int> Rivals(int part, long bytes)
    {
        for (var other = 0; other < _loss.Length; other++)
        {
            if (other == part || incumbent.Units[other] == 0)
                continue;
            var isSibling = parts.Problem.Parts[part].Tensor == parts.Problem.Parts[other].Tensor;
            if (isSibling || (IsKeptOut(part, other, bytes) && _loss[other] < parts.MostSaved(part) + KeptOutBeside(part, other, bytes).Sum(parts.MostSaved)))
                yield return other;
        }
    }

    /// <summary>Whether a part cannot grow by so many bytes because of another.</summary>
    private bool IsKeptOut(int part, int by, long bytes) =>
        incumbent.Room.Left(part, incumbent.Units) < bytes && incumbent.Room.AreTogether(part, by);

    /// <summary>Parts that another keeps out as well as a part, and that are never in the L2 together with that one.</summary>
    private IEnumerable<int> KeptOutBeside(int part, int by, long bytes) =>
        parts.Moved.Where(p => p != part && p != by && !incumbent.Room.AreTogether(p, part) && IsKeptOut(p, by, bytes));

    private bool TryMore(int part, long bytes)
    {
        incumbent.Draw();
        incumbent.Lengthen(part, bytes);
        return incumbent.Try();
    }

    /// <summary>Takes bytes from a part, and notes what that loses: so it is timed to its end.</summary>
    private bool TryLess(int part, long bytes)
    {
        incumbent.Draw();
        incumbent.Shorten(part, bytes);
        var less = (incumbent.Units[part] - incumbent.Next[part]) * parts.Problem.Parts[part].UnitBytes;
        if (less == 0 || incumbent.TryToEnd() is not { } loss)
            return false;
        _loss[part] = (double)loss / less;
        return loss < 0;
    }

    /// <summary>Gives a part bytes that another gives up, and then as many to each of those that the other keeps out as well: of two that gain from one's
    /// bytes, neither need gain as much as that loses.</summary>
    private bool TryExchange(int part, long bytes, int from)
    {
        Exchange();
        if (incumbent.Try())
            return true;
        var beside = KeptOutBeside(part, from, bytes).ToList();
        if (beside.Count == 0)
            return false;
        Exchange();
        foreach (var other in beside)
            incumbent.Lengthen(other, bytes);
        return incumbent.Try();

        void Exchange()
        {
            incumbent.Draw();
            incumbent.Shorten(from, bytes);
            incumbent.Lengthen(part, bytes);
        }
    }

    /// <summary>Moves all of a part to another window of the same tensor; the windows that it leaves and those beside kernels keep their bytes
    /// and are filled anew. Single moves do not find this: each of them alone loses.</summary>
    private bool TryShift(int part)
    {
        var improved = false;
        foreach (var sibling in parts.Problem.SiblingsOf(part))
        {
            if (sibling == part || incumbent.Units[part] == 0)
                continue;
            var (from, units) = (incumbent.Units, incumbent.Draw());
            units[part] = 0;
            foreach (var window in parts.Windows)
            {
                foreach (var beside in window.Host.IsCollective ? [] : window.Parts)
                    units[beside] = 0;
            }
            units[sibling] = parts.Problem.Parts[sibling].Align(Math.Min(from[sibling] + from[part], incumbent.Room.Most(sibling, units)));
            foreach (var window in parts.Windows)
            {
                if (!window.Host.IsCollective || Array.IndexOf(window.Parts, part) >= 0)
                    fill.Add(units, window.Parts, incumbent.BytesOf(window));
            }
            improved |= incumbent.Try();
        }
        return improved;
    }
}

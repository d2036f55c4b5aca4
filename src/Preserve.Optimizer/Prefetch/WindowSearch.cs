using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Searches whole windows: what each is filled with, and then how many bytes of it.</summary>
/// <param name="parts">What is searched.</param>
/// <param name="incumbent">What others are tried against.</param>
/// <param name="fill">Fills windows.</param>
internal sealed class WindowSearch(SearchedParts parts, Incumbent incumbent, WindowFill fill)
{
    /// <summary>Most starts that single parts are moved from.</summary>
    public const int MostStarts = 2;

    /// <summary>Most starts that those are the best of.</summary>
    private const int MostFills = 4;

    /// <summary>The share of the best start's gain that another has to reach.</summary>
    private const double LeastOfBestStart = 0.75;

    /// <summary>A room is full where less than this part of it is left.</summary>
    private const int FullRoom = 16;

    private bool HasCollectives => parts.Windows.Any(w => w.Host.IsCollective);

    /// <summary>Where single parts are moved from: ways of filling windows between which no row of single moves leads. Whole windows come first: what
    /// collectives hide is most of the gain, and is settled by large steps.</summary>
    /// <param name="toCome">Searches that come after these.</param>
    public List<SearchPoint> Starts(int toCome)
    {
        var starts = new List<SearchPoint> { Start(fill, FillApart, MostFills + toCome) };
        // Where no collective hides anything and windows hide next to nothing beside kernels, as where a link bounds the step, one start is enough.
        if (HasCollectives || incumbent.IsWorthTheName(starts[0]))
            starts.Add(Start(fill, HasCollectives ? FillRound : FillByTurns, MostFills - 1 + toCome));
        // A room that is full may be worth more to weights alone, or to caches alone.
        if (parts.Moved.Any(parts.IsCache) && !parts.Moved.All(parts.IsCache) && IsFull(starts.OrderBy(s => s.Picoseconds).First().Units))
        {
            foreach (var caches in (bool[])[false, true])
                starts.Add(Start(new WindowFill(parts, incumbent.Room, part => parts.IsCache(part) == caches), FillApart, (caches ? 1 : 2) + toCome));
        }
        var least = LeastOfBestStart * (incumbent.BasePicoseconds - starts.Min(s => s.Picoseconds));
        var distinct = new List<SearchPoint>();
        foreach (var start in starts.Where(s => incumbent.BasePicoseconds - s.Picoseconds >= least).OrderBy(s => s.Picoseconds))
        {
            if (!distinct.Exists(d => d.Units.SequenceEqual(start.Units)))
                distinct.Add(start);
        }
        return distinct.Take(MostStarts).ToList();
    }

    /// <summary>Moves the bytes of each window up and down.</summary>
    /// <param name="underCollectives">Whether of those of collectives, or of those beside kernels.</param>
    public void SearchBytes(bool underCollectives) => SearchBytes(fill, underCollectives);

    private SearchPoint Start(WindowFill fill, Action<WindowFill> fillAll, int toCome)
    {
        incumbent.Begin(incumbent.Nothing, toCome);
        fillAll(fill);
        SearchBytes(fill, underCollectives: HasCollectives);
        return incumbent.Here;
    }

    private bool IsFull(long[] units) => parts.Moved.Any(p => incumbent.Room.Left(p, units) < incumbent.Room.Bytes / FullRoom);

    /// <summary>Fills each window by itself.</summary>
    private void FillApart(WindowFill fill)
    {
        foreach (var share in (double[])[1, 0.5, 1.5, 4])
            TryFill(share, beside: false);
        foreach (var share in (double[])[0.25, 0.5, 1, 2, 4])
            TryFill(share, beside: true);

        void TryFill(double share, bool beside)
        {
            fill.Apart(incumbent.Next, w => Share(share, w), beside);
            incumbent.Try();
        }
    }

    /// <summary>Fills the windows of collectives one after the other, where what one has no time for the one before brings.</summary>
    private void FillRound(WindowFill fill)
    {
        foreach (var share in (double[])[1, 1.5, 2, 3])
        {
            Array.Clear(incumbent.Next, 0, incumbent.Next.Length);
            fill.Round(incumbent.Next, w => Share(share, w));
            incumbent.Try();
        }
    }

    /// <summary>Fills the windows beside kernels by turns, so that those that share a room share it.</summary>
    private void FillByTurns(WindowFill fill)
    {
        foreach (var share in (double[])[0.5, 1, 2, 4])
        {
            fill.ByTurns(incumbent.Next, w => Share(share, w));
            incumbent.Try();
        }
    }

    /// <summary>A share of what memory can bring while a window's host runs alone.</summary>
    private long Share(double share, PrefetchGroup window) => (long)(share * parts.BytesWhileIdle(window));

    private void SearchBytes(WindowFill fill, bool underCollectives)
    {
        foreach (var window in parts.Windows)
        {
            if (window.Host.IsCollective == underCollectives)
                SearchBytes(fill, window);
        }
    }

    /// <summary>Moves the bytes of one window up and down: by ever larger steps while that helps, then by smaller ones.</summary>
    private void SearchBytes(WindowFill fill, PrefetchGroup window)
    {
        var most = window.Parts.Sum(p => parts.Problem.Parts[p].Bytes);
        var step = Math.Min(parts.BytesWhileIdle(window), most) / 2;
        for (var halvings = 0; halvings < 2 && !incumbent.IsAtEnd; halvings++, step /= 2)
        {
            foreach (var direction in (int[])[1, -1])
            {
                for (var stride = step; stride > 0 && stride <= most && TryBytes(fill, window, incumbent.BytesOf(window) + (direction * stride)); stride *= 2)
                {
                }
            }
        }
    }

    /// <summary>Gives a window so many bytes: the windows of other collectives keep theirs, of what it leaves them, or all others keep what they bring.</summary>
    private bool TryBytes(WindowFill fill, PrefetchGroup window, long bytes)
    {
        if (bytes < 0)
            return false;
        if (window.Host.IsCollective)
        {
            fill.Round(incumbent.Draw(), w => w == window ? bytes : incumbent.BytesOf(w));
            if (incumbent.Try())
                return true;
        }
        var units = incumbent.Draw();
        foreach (var part in window.Parts)
            units[part] = 0;
        fill.Add(units, window.Parts, bytes);
        return incumbent.Try();
    }
}

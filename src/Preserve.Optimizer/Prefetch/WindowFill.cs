using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Fills windows with what is read after them, in the order in which it is needed: what a search begins with, and moves a window's bytes by.</summary>
/// <param name="searched">What is searched.</param>
/// <param name="room">How much of the L2 a choice may hold.</param>
/// <param name="isFilled">Whether a part that gains from the L2 may have bytes.</param>
internal sealed class WindowFill(SearchedParts searched, PrefetchRoom room, Func<int, bool> isFilled)
{
    private const int Turns = 8;

    private readonly PrefetchProblem _problem = searched.Problem;
    private readonly List<PrefetchPart> _parts = searched.Problem.Parts;
    private readonly bool[] _isFilled = Enumerable.Range(0, searched.Problem.Parts.Count).Select(p => !searched.IsWorthless(p) && isFilled(p)).ToArray();

    /// <summary>The collectives' windows, each with those of its parts that none before it has: what occurs once in a deep stack comes last.</summary>
    private readonly (PrefetchGroup Window, int[] Own)[] _underCollectives = OwnParts(searched.Windows.Concat(searched.Problem.Groups).Distinct());

    /// <summary>Of each part those of its tensor that are brought later, in their order.</summary>
    private readonly int[][] _later = Enumerable.Range(0, searched.Problem.Parts.Count)
        .Select(p => searched.Problem.SiblingsOf(p).Where(s => searched.Problem.Parts[s].Reach > searched.Problem.Parts[p].Reach).OrderBy(s => searched.Problem.Parts[s].Reach).ToArray()).ToArray();

    /// <summary>What those had while a part before them is filled.</summary>
    private readonly long[] _held = new long[PrefetchCuts.Parts];

    /// <summary>Fills each window by itself: what an earlier one brought of a tensor, a later one goes on with.</summary>
    /// <param name="units">Length of each part, which is set.</param>
    /// <param name="bytes">Bytes of each window.</param>
    /// <param name="beside">Whether windows beside kernels are filled too.</param>
    public void Apart(long[] units, Func<PrefetchGroup, long> bytes, bool beside)
    {
        Array.Clear(units, 0, units.Length);
        foreach (var window in _problem.Groups)
        {
            if (window.Host.IsCollective || beside)
                Add(units, window.Parts, bytes(window));
        }
    }

    /// <summary>Fills all windows by turns, a little of each at a time: what one may hold of the room, another cannot.</summary>
    /// <param name="units">Length of each part, which is set.</param>
    /// <param name="bytes">Bytes of each window.</param>
    public void ByTurns(long[] units, Func<PrefetchGroup, long> bytes)
    {
        Array.Clear(units, 0, units.Length);
        for (var turn = 1; turn <= Turns; turn++)
        {
            foreach (var window in _problem.Groups)
                Add(units, window.Parts, bytes(window) * turn / Turns);
        }
    }

    /// <summary>Fills the collectives' windows one after the other, round the period of the stack: what is not needed before the next collective is brought one
    /// early, for as long as the bytes last, and the next window brings so much less of it.</summary>
    /// <remarks>Where a window's bytes are more than a collective has time for, its prefetches run on beside kernels that read from the L2, and memory need not
    /// idle until the next collective.</remarks>
    /// <param name="units">Length of each part, which is set; parts of the same tensor beside kernels give way.</param>
    /// <param name="bytes">Bytes of each window.</param>
    public void Round(long[] units, Func<PrefetchGroup, long> bytes)
    {
        foreach (var (_, own) in _underCollectives)
        {
            foreach (var part in own)
                units[part] = _isFilled[part] ? 0 : units[part];
        }
        // What the last window brings early is known when the first is filled for the second time.
        for (var round = 0; round < 2; round++)
        {
            foreach (var (window, own) in _underCollectives)
            {
                var left = bytes(window);
                foreach (var part in window.Parts)
                {
                    if (_isFilled[part] && Array.IndexOf(own, part) >= 0)
                        Give(units, part, left);
                    left -= units[part] * _parts[part].UnitBytes;
                }
            }
        }
    }

    /// <summary>Gives the parts of a window so many bytes together, those that are needed first before the others. Parts that are longer stay.</summary>
    /// <param name="units">Length of each part, which is set.</param>
    /// <param name="parts">The parts.</param>
    /// <param name="bytes">The bytes.</param>
    public void Add(long[] units, int[] parts, long bytes)
    {
        foreach (var part in parts)
        {
            if (_isFilled[part])
                units[part] = Math.Max(units[part], _parts[part].Align(Math.Min(Math.Max(bytes, 0) / _parts[part].UnitBytes, room.Most(part, units))));
            bytes -= units[part] * _parts[part].UnitBytes;
        }
    }

    /// <summary>Gives a part so many bytes; the later parts of its tensor keep what it and the room leave them.</summary>
    private void Give(long[] units, int part, long bytes)
    {
        var later = _later[part];
        for (var i = 0; i < later.Length; i++)
            (_held[i], units[later[i]]) = (units[later[i]], 0);
        units[part] = 0;
        units[part] = _parts[part].Align(Math.Min(Math.Max(bytes, 0) / _parts[part].UnitBytes, room.Most(part, units)));
        for (var i = 0; i < later.Length; i++)
            units[later[i]] = _parts[later[i]].Align(Math.Min(_held[i], room.Most(later[i], units)));
    }

    private static (PrefetchGroup Window, int[] Own)[] OwnParts(IEnumerable<PrefetchGroup> windows)
    {
        var taken = new HashSet<int>();
        return windows.Where(w => w.Host.IsCollective).Select(w => (w, w.Parts.Where(taken.Add).ToArray())).ToArray();
    }
}

using System;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>How much of the L2 the parts of a problem may hold together: prefetched, and not yet known to be read.</summary>
/// <param name="problem">The problem.</param>
/// <param name="bytes">Most bytes that may be so at any time.</param>
internal sealed class PrefetchRoom(PrefetchProblem problem, long bytes)
{
    private readonly int[][] _roomsOf = Enumerable.Range(0, problem.Parts.Count)
        .Select(p => Enumerable.Range(0, problem.Rooms.Count).Where(r => problem.Rooms[r].Contains(p)).ToArray()).ToArray();

    /// <summary>Most bytes that may be prefetched and not yet read.</summary>
    public long Bytes => bytes;

    /// <summary>Whether two parts are ever in the L2 together.</summary>
    public bool AreTogether(int part, int other) => _roomsOf[part].Intersect(_roomsOf[other]).Any();

    /// <summary>Whether everything fits at all times.</summary>
    /// <param name="units">Length of each part.</param>
    public bool Fits(long[] units)
    {
        foreach (var room in problem.Rooms)
        {
            if (Held(room, units) > bytes)
                return false;
        }
        return true;
    }

    /// <summary>Bytes that are left where a part is, when it is fullest.</summary>
    /// <param name="part">The part.</param>
    /// <param name="units">Length of each part.</param>
    public long Left(int part, long[] units)
    {
        var left = bytes;
        foreach (var room in _roomsOf[part])
            left = Math.Min(left, bytes - Held(problem.Rooms[room], units));
        return left;
    }

    /// <summary>Most units that a part may have beside the others: what its tensor and the room leave it.</summary>
    /// <param name="part">The part.</param>
    /// <param name="units">Length of each part.</param>
    public long Most(int part, long[] units)
    {
        var most = problem.UnitsLeft(part, units);
        foreach (var index in _roomsOf[part])
        {
            var room = problem.Rooms[index];
            // A part that stands in the room for two layers at once counts for each.
            var own = problem.Parts[part].UnitBytes * room.Count(p => p == part);
            most = Math.Min(most, (bytes - Held(room, units) + (units[part] * own)) / own);
        }
        return Math.Max(most, 0);
    }

    private long Held(int[] room, long[] units)
    {
        var held = 0L;
        foreach (var part in room)
            held += units[part] * problem.Parts[part].UnitBytes;
        return held;
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>How much of the L2 the parts of a problem may hold together: prefetched, and not yet known to be read.</summary>
internal sealed class PrefetchRoom
{
    private readonly PrefetchProblem _problem;

    /// <summary>Of every room the parts in it, each with the bytes of a unit: a part that stands there for two layers at once counts for each.</summary>
    private readonly (int Part, long UnitBytes)[][] _rooms;

    /// <summary>The rooms that each part is in, each with the bytes that a unit of it takes there.</summary>
    private readonly (int Room, long UnitBytes)[][] _roomsOf;

    /// <summary>Whether two parts are ever in the L2 together.</summary>
    private readonly bool[,] _together;

    /// <summary>The room of a problem.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="bytes">Most bytes that may be prefetched and not yet read, at any time.</param>
    public PrefetchRoom(PrefetchProblem problem, long bytes)
    {
        _problem = problem;
        Bytes = bytes;
        var parts = problem.Parts.Count;
        _rooms = problem.Rooms.Select(room => room.GroupBy(p => p).Select(g => (g.Key, g.Count() * problem.Parts[g.Key].UnitBytes)).ToArray()).ToArray();
        var roomsOf = new List<(int, long)>[parts];
        for (var part = 0; part < parts; part++)
            roomsOf[part] = [];
        _together = new bool[parts, parts];
        for (var room = 0; room < _rooms.Length; room++)
        {
            foreach (var (part, unitBytes) in _rooms[room])
            {
                roomsOf[part].Add((room, unitBytes));
                foreach (var (other, _) in _rooms[room])
                    _together[part, other] = true;
            }
        }
        _roomsOf = Array.ConvertAll(roomsOf, r => r.ToArray());
    }

    /// <summary>Most bytes that may be prefetched and not yet read.</summary>
    public long Bytes { get; }

    /// <summary>Whether two parts are ever in the L2 together.</summary>
    public bool AreTogether(int part, int other) => _together[part, other];

    /// <summary>Whether everything fits at all times.</summary>
    /// <param name="units">Length of each part.</param>
    public bool Fits(long[] units)
    {
        for (var room = 0; room < _rooms.Length; room++)
        {
            if (Held(room, units) > Bytes)
                return false;
        }
        return true;
    }

    /// <summary>Bytes that are left where a part is, when it is fullest.</summary>
    /// <param name="part">The part.</param>
    /// <param name="units">Length of each part.</param>
    public long Left(int part, long[] units)
    {
        var left = Bytes;
        foreach (var (room, _) in _roomsOf[part])
            left = Math.Min(left, Bytes - Held(room, units));
        return left;
    }

    /// <summary>Most units that a part may have beside the others: what its tensor and the room leave it.</summary>
    /// <param name="part">The part.</param>
    /// <param name="units">Length of each part.</param>
    public long Most(int part, long[] units)
    {
        var most = _problem.UnitsLeft(part, units);
        foreach (var (room, own) in _roomsOf[part])
            most = Math.Min(most, (Bytes - Held(room, units) + (units[part] * own)) / own);
        return Math.Max(most, 0);
    }

    private long Held(int room, long[] units)
    {
        var held = 0L;
        foreach (var (part, unitBytes) in _rooms[room])
            held += units[part] * unitBytes;
        return held;
    }
}

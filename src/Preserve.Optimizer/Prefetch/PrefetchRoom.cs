using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>How much of the L2 the parts of a problem may hold together: prefetched, and not yet known to be read.</summary>
internal sealed class PrefetchRoom
{
    private readonly PrefetchProblem _problem;

    /// <summary>Of every room that can be the fullest the parts in it, each with the bytes of a unit: a part that stands there for two layers at once counts
    /// for each.</summary>
    private readonly (int Part, long UnitBytes)[][] _rooms;

    /// <summary>Those rooms that each part is in, each with the bytes that a unit of it takes there.</summary>
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
        var unitBytes = problem.Rooms.ConvertAll(UnitBytesIn);
        // A room in which no part takes more than in another is never the fuller one.
        var fullest = unitBytes.FindAll(room => !unitBytes.Exists(other => other != room && IsWithin(room, other)));
        var parts = problem.Parts.Count;
        _rooms = new (int, long)[fullest.Count][];
        _roomsOf = new (int, long)[parts][];
        _together = new bool[parts, parts];
        for (var room = 0; room < _rooms.Length; room++)
            _rooms[room] = TakenIn(fullest[room]);
        for (var part = 0; part < parts; part++)
        {
            _roomsOf[part] = TakenIn(fullest.ConvertAll(room => room[part]));
            foreach (var (room, _) in _roomsOf[part])
            {
                foreach (var (other, _) in _rooms[room])
                    _together[part, other] = true;
            }
        }

        long[] UnitBytesIn(int[] room)
        {
            var taken = new long[problem.Parts.Count];
            foreach (var part in room)
                taken[part] += problem.Parts[part].UnitBytes;
            return taken;
        }
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

    private static bool IsWithin(long[] room, long[] other)
    {
        for (var part = 0; part < room.Length; part++)
        {
            if (room[part] > other[part])
                return false;
        }
        return true;
    }

    /// <summary>Where something is taken, and how much.</summary>
    private static (int At, long UnitBytes)[] TakenIn(IReadOnlyList<long> unitBytes)
    {
        var taken = new List<(int, long)>();
        for (var at = 0; at < unitBytes.Count; at++)
        {
            if (unitBytes[at] > 0)
                taken.Add((at, unitBytes[at]));
        }
        return taken.ToArray();
    }
}

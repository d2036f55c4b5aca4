using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>What each stream knows to be done: for every stream, the last operator that ended before. Vector clocks
/// (Fidge 1988, Mattern 1989) with a component per stream.</summary>
internal sealed class StreamClocks
{
    private const int Streams = (int)StreamKind.DeviceToHost + 1;

    private readonly int[][] _tails;
    private readonly List<(StreamKind Stream, int[] Clock)> _ended = [];

    public StreamClocks()
    {
        _tails = new int[Streams][];
        for (var s = 0; s < Streams; s++)
            _tails[s] = Nothing();
    }

    /// <summary>A clock that knows of no operator.</summary>
    public static int[] Nothing()
    {
        var clock = new int[Streams];
        for (var s = 0; s < Streams; s++)
            clock[s] = -1;
        return clock;
    }

    /// <summary>Of the operators to wait for, those that the stream does not know to be done, without those that another
    /// of them follows. Ascending.</summary>
    public List<int> Missing(StreamKind stream, List<int> operators)
    {
        var latest = Nothing();
        foreach (var op in operators)
        {
            var from = (int)_ended[op].Stream;
            if (from != (int)stream && _tails[(int)stream][from] < op)
                latest[from] = Math.Max(latest[from], op);
        }
        var missing = new List<int>();
        for (var s = 0; s < Streams; s++)
        {
            var op = latest[s];
            var follows = false;
            for (var t = 0; t < Streams && op >= 0; t++)
                follows |= t != s && latest[t] >= 0 && _ended[latest[t]].Clock[s] >= op;
            if (op >= 0 && !follows)
                missing.Add(op);
        }
        missing.Sort();
        return missing;
    }

    /// <summary>Puts the next operator of program order on its stream, after those that it waits for.</summary>
    public void Append(StreamKind stream, List<int> waits)
    {
        var tail = _tails[(int)stream];
        foreach (var op in waits)
        {
            var clock = _ended[op].Clock;
            for (var s = 0; s < Streams; s++)
                tail[s] = Math.Max(tail[s], clock[s]);
        }
        tail[(int)stream] = _ended.Count;
        _ended.Add((stream, (int[])tail.Clone()));
    }

    /// <summary>The stream of an operator.</summary>
    public StreamKind StreamOf(int op) => _ended[op].Stream;

    /// <summary>Whether operators, at most one per stream, end before another begins, in every run.</summary>
    /// <param name="first">The operator of each stream, or -1.</param>
    /// <param name="second">The other, none of them.</param>
    public bool AllHappenBefore(int[] first, int second)
    {
        var clock = _ended[second].Clock;
        for (var s = 0; s < Streams; s++)
        {
            if (first[s] == second || clock[s] < first[s])
                return false;
        }
        return true;
    }
}

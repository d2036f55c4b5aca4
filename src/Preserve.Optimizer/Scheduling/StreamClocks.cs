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
        {
            _tails[s] = new int[Streams];
            for (var t = 0; t < Streams; t++)
                _tails[s][t] = -1;
        }
    }

    /// <summary>Of the operators to wait for, those that the stream does not know to be done, without those that another
    /// of them follows. Ascending.</summary>
    public List<int> Missing(StreamKind stream, IEnumerable<int> operators)
    {
        var latest = new int[Streams];
        for (var s = 0; s < Streams; s++)
            latest[s] = -1;
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

    /// <summary>Whether one operator ends before another begins, in every run.</summary>
    public bool HappensBefore(int first, int second) => first != second && _ended[second].Clock[(int)_ended[first].Stream] >= first;
}

using System;
using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>What each stream knows to be done: for every stream, the last operator that ended before. Vector clocks
/// (Fidge 1988, Mattern 1989) with a component per stream.</summary>
internal sealed class StreamClocks
{
    private const int Streams = (int)StreamKind.DeviceToHost + 1;

    private readonly int[] _tails = new int[Streams * Streams];
    private readonly int[] _latest = new int[Streams];
    private readonly List<int> _missing = new(Streams);
    private StreamKind[] _streams;
    private int[] _clocks;
    private int _count;

    /// <summary>Clocks of no operator yet.</summary>
    /// <param name="capacity">How many there will be, or a guess.</param>
    public StreamClocks(int capacity)
    {
        _streams = new StreamKind[Math.Max(capacity, 1)];
        _clocks = new int[_streams.Length * Streams];
        for (var i = 0; i < _tails.Length; i++)
            _tails[i] = -1;
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
    /// of them follows. Ascending; the list holds until the next call.</summary>
    public List<int> Missing(StreamKind stream, List<int> operators)
    {
        for (var s = 0; s < Streams; s++)
            _latest[s] = -1;
        foreach (var op in operators)
        {
            var from = (int)_streams[op];
            if (from != (int)stream && _tails[((int)stream * Streams) + from] < op)
                _latest[from] = Math.Max(_latest[from], op);
        }
        _missing.Clear();
        for (var s = 0; s < Streams; s++)
        {
            var op = _latest[s];
            var follows = false;
            for (var t = 0; t < Streams && op >= 0; t++)
                follows |= t != s && _latest[t] >= 0 && _clocks[(_latest[t] * Streams) + s] >= op;
            if (op >= 0 && !follows)
                _missing.Add(op);
        }
        _missing.Sort();
        return _missing;
    }

    /// <summary>Puts the next operator of program order on its stream, after those that it waits for.</summary>
    public void Append(StreamKind stream, List<int> waits)
    {
        var tail = (int)stream * Streams;
        foreach (var op in waits)
        {
            for (var s = 0; s < Streams; s++)
                _tails[tail + s] = Math.Max(_tails[tail + s], _clocks[(op * Streams) + s]);
        }
        _tails[tail + (int)stream] = _count;
        if (_count == _streams.Length)
        {
            Array.Resize(ref _streams, 2 * _count);
            Array.Resize(ref _clocks, 2 * _clocks.Length);
        }
        _streams[_count] = stream;
        Array.Copy(_tails, tail, _clocks, _count * Streams, Streams);
        _count++;
    }

    /// <summary>The stream of an operator.</summary>
    public StreamKind StreamOf(int op) => _streams[op];

    /// <summary>Whether operators, at most one per stream, end before another begins, in every run.</summary>
    /// <param name="first">The operator of each stream, or -1.</param>
    /// <param name="second">The other, none of them.</param>
    public bool AllHappenBefore(int[] first, int second)
    {
        for (var s = 0; s < Streams; s++)
        {
            if (_clocks[(second * Streams) + s] < first[s] || first[s] == second)
                return false;
        }
        return true;
    }
}

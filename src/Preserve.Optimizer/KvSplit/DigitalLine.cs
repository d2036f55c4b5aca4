using System.Collections.Generic;

namespace Preserve.Optimizer;

/// <summary>The simplest line that, rounded down, gives a run of whole numbers that rise by 0 or 1 at each step; found point by point.</summary>
/// <remarks>A digital line of slope a/b is the set of points with m &lt;= a x - b y &lt; m + b. A further point is on it, or just outside,
/// and then tilts it about a leaning point, or is on no line with the points before (I. Debled-Rennesson, J.-P. Reveillès, A linear
/// algorithm for segmentation of digital curves, 1995). The numbers stay as small as the run is long.</remarks>
internal sealed class DigitalLine
{
    private readonly int _from;
    private long _rise;
    private long _run = 1;
    private long _bound;
    private (long X, long Y) _firstUpper;
    private (long X, long Y) _lastUpper;
    private (long X, long Y) _firstLower;
    private (long X, long Y) _lastLower;

    private DigitalLine(int from, long value)
    {
        _from = from;
        _bound = -value;
        _firstUpper = _lastUpper = _firstLower = _lastLower = (from, value);
    }

    /// <summary>As few pieces as there can be that give the values from an abscissa on: each as long as it can be.</summary>
    public static EquatableArray<KvSplitPiece> Cover(int first, int[] values)
    {
        var pieces = new List<KvSplitPiece>();
        var line = new DigitalLine(first, values[0]);
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] - values[i - 1] is 0 or 1 && line.TryAdd(first + i, values[i]))
                continue;
            pieces.Add(line.Piece);
            line = new DigitalLine(first + i, values[i]);
        }
        pieces.Add(line.Piece);
        return pieces.ToArray();
    }

    private KvSplitPiece Piece => new(_from, _rise, _run, -_bound);

    private bool TryAdd(long x, long y)
    {
        var remainder = (_rise * x) - (_run * y);
        if (remainder < _bound - 1 || remainder > _bound + _run)
            return false;
        if (remainder == _bound - 1)
        {
            // Above: the line tilts up, about the first upper leaning point.
            _firstLower = _lastLower;
            (_rise, _run) = (y - _firstUpper.Y, x - _firstUpper.X);
            _bound = (_rise * x) - (_run * y);
            _lastUpper = (x, y);
        }
        else if (remainder == _bound + _run)
        {
            // Below: it tilts down, about the first lower leaning point.
            _firstUpper = _lastUpper;
            (_rise, _run) = (y - _firstLower.Y, x - _firstLower.X);
            _bound = (_rise * x) - (_run * y) - _run + 1;
            _lastLower = (x, y);
        }
        else
        {
            if (remainder == _bound)
                _lastUpper = (x, y);
            if (remainder == _bound + _run - 1)
                _lastLower = (x, y);
        }
        return true;
    }
}

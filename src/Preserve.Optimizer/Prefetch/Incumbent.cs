using System;
using System.Collections.Generic;
using System.Threading;

namespace Preserve.Optimizer;

/// <summary>The best choice that a search has found so far, which others are tried against.</summary>
internal sealed class Incumbent
{
    private readonly PrefetchProblem _problem;
    private readonly PrefetchTrials _trials;
    private readonly bool _givesUp;
    private readonly CancellationToken _cancellationToken;
    private readonly SearchEnd _end;

    /// <summary>What was found at each choice that was tried, by its hash; null where its trial was given up.</summary>
    private readonly Dictionary<long, (long Picoseconds, long RepeatsEnd)?> _tried = [];
    private long _repeatsEnd = long.MaxValue;

    /// <summary>No prefetch at all, timed.</summary>
    /// <param name="parts">What is searched.</param>
    /// <param name="room">How much of the L2 a choice may hold.</param>
    /// <param name="trials">What times choices.</param>
    /// <param name="mostTrials">Most trials together.</param>
    /// <param name="cancellationToken">Stops a trial.</param>
    public Incumbent(SearchedParts parts, PrefetchRoom room, PrefetchTrials trials, int mostTrials, CancellationToken cancellationToken)
    {
        _problem = parts.Problem;
        Room = room;
        _trials = trials;
        _givesUp = parts.IsDeep;
        _cancellationToken = cancellationToken;
        _end = new SearchEnd(parts.Moved.Length, mostTrials);
        Units = new long[_problem.Parts.Count];
        Next = new long[_problem.Parts.Count];
        BasePicoseconds = Picoseconds = TimeToEnd();
        Nothing = new SearchPoint(new long[Units.Length], BasePicoseconds, long.MaxValue);
        _tried.Add(HashOf(Units), (BasePicoseconds, long.MaxValue));
    }

    /// <summary>How much of the L2 a choice may hold.</summary>
    public PrefetchRoom Room { get; }

    /// <summary>Length of each part.</summary>
    public long[] Units { get; private set; }

    /// <summary>The step with it.</summary>
    public long Picoseconds { get; private set; }

    /// <summary>The step without any prefetch.</summary>
    public long BasePicoseconds { get; }

    /// <summary>No prefetch at all.</summary>
    public SearchPoint Nothing { get; }

    /// <summary>The choice that is tried next, to be written before.</summary>
    public long[] Next { get; private set; }

    /// <summary>Trials so far.</summary>
    public int Trials => _end.Trials;

    /// <summary>Whether the search ends here.</summary>
    public bool IsAtEnd => _end.IsReached;

    /// <summary>Where the search stands.</summary>
    public SearchPoint Here => new((long[])Units.Clone(), Picoseconds, _repeatsEnd);

    /// <summary>Begins a search.</summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="toCome">Searches that are still to come, this one among them: they share the trials that are left.</param>
    public void Begin(SearchPoint from, int toCome)
    {
        (Units, Picoseconds, _repeatsEnd) = ((long[])from.Units.Clone(), from.Picoseconds, from.RepeatsEnd);
        _end.Begin(Picoseconds, toCome);
    }

    /// <summary>Whether a choice gains enough for the search to go on from it.</summary>
    public bool IsWorthTheName(SearchPoint point) => SearchEnd.IsWorthTheName(BasePicoseconds - point.Picoseconds, BasePicoseconds);

    /// <summary>Writes the incumbent as the choice that is tried next.</summary>
    public long[] Draw()
    {
        Array.Copy(Units, Next, Units.Length);
        return Next;
    }

    /// <summary>Bytes of a window.</summary>
    public long BytesOf(PrefetchGroup window)
    {
        var bytes = 0L;
        foreach (var part in window.Parts)
            bytes += Units[part] * _problem.Parts[part].UnitBytes;
        return bytes;
    }

    /// <summary>Makes a part of the next choice longer, as far as its tensor and the room let it.</summary>
    public void Lengthen(int part, long bytes)
    {
        var units = Next[part] + (bytes / _problem.Parts[part].UnitBytes);
        Next[part] = 0;
        Next[part] = _problem.Parts[part].Align(Math.Min(units, Room.Most(part, Next)));
    }

    /// <summary>Makes a part of the next choice shorter.</summary>
    public void Shorten(int part, long bytes) =>
        Next[part] = _problem.Parts[part].Align(Math.Max(0, Next[part] - (bytes / _problem.Parts[part].UnitBytes)));

    /// <summary>Tries the next choice, and takes it where it is better.</summary>
    public bool Try()
    {
        if (_end.IsReached)
            return false;
        var hash = HashOf(Next);
        if (_tried.TryGetValue(hash, out var before))
            return before is { } known && TakeIfBetter(known.Picoseconds, known.RepeatsEnd);
        if (!Room.Fits(Next))
            return false;
        if (Time() is not { } time)
        {
            _tried.Add(hash, null);
            return false;
        }
        _tried.Add(hash, (time, _trials.RepeatsEnd));
        return TakeIfBetter(time, _trials.RepeatsEnd);
    }

    /// <summary>Tries the next choice, times it to its end, and takes it where it is better.</summary>
    /// <returns>By how much the step is longer with it; null where the choice was tried before.</returns>
    public long? TryToEnd()
    {
        var hash = HashOf(Next);
        if (_end.IsReached || _tried.ContainsKey(hash))
            return null;
        var (time, best) = (TimeToEnd(), Picoseconds);
        _tried.Add(hash, (time, _trials.RepeatsEnd));
        TakeIfBetter(time, _trials.RepeatsEnd);
        return time - best;
    }

    /// <summary>Tries the next choice however long the search took, and takes it where the step is longer by less than so much.</summary>
    /// <param name="loss">How much longer, in picoseconds.</param>
    public void TryAtLast(long loss)
    {
        var time = TimeToEnd();
        if (time - Picoseconds < loss)
            Take(time, _trials.RepeatsEnd);
    }

    private bool TakeIfBetter(long time, long repeatsEnd)
    {
        if (time >= Picoseconds)
            return false;
        _end.Note(time, BasePicoseconds);
        Take(time, repeatsEnd);
        return true;
    }

    private void Take(long time, long repeatsEnd)
    {
        Picoseconds = time;
        (Units, Next) = (Next, Units);
        if (_givesUp)
            _repeatsEnd = repeatsEnd;
    }

    private long TimeToEnd()
    {
        _end.Count();
        return _trials.Time(Next, _cancellationToken);
    }

    /// <summary>Times the next choice. In a deep stack, one whose layers alone take longer than the best choice's is given up: what occurs once
    /// does not make that good.</summary>
    /// <returns>Picoseconds, or null where it was given up.</returns>
    private long? Time()
    {
        _end.Count();
        return _trials.Time(Next, _repeatsEnd, _cancellationToken);
    }

    private static long HashOf(long[] units)
    {
        // FNV-1a over whole words: a collision skips a trial and costs no more.
        var hash = unchecked((long)0xcbf29ce484222325);
        foreach (var word in units)
            hash = unchecked((hash ^ word) * 0x100000001b3);
        return hash;
    }
}

/// <summary>Where a search stands, or begins.</summary>
/// <param name="Units">Length of each part.</param>
/// <param name="Picoseconds">The step with it.</param>
/// <param name="RepeatsEnd">When its repeats end after an empty L2; <see cref="long.MaxValue"/> where trials are not given up.</param>
internal sealed record SearchPoint(long[] Units, long Picoseconds, long RepeatsEnd);

using System;

namespace Preserve;

/// <summary>States that a run passed at the beginnings of a repeat's body, to find the one that comes again.</summary>
internal sealed class RecurrentStates
{
    /// <summary>A state that has not come again after so many is looked for no longer: what it waits for is then far off.</summary>
    private const int Most = 128;

    /// <summary>Nor after so many words: an L2 that holds many small tensors makes long states, and no such state comes again before it is full.</summary>
    private const int MostWords = 1 << 17;

    private Entry[] _entries = new Entry[8];
    private int _count;
    private int _used;

    /// <summary>Where the next state is written.</summary>
    public long[] Words { get; private set; } = new long[256];

    /// <summary>The place in <see cref="Words"/> where the next state begins.</summary>
    public int Begin => _used;

    /// <summary>Whether no further state is kept.</summary>
    public bool IsFull => _count == Most || _used >= MostWords;

    public void Clear() => _count = _used = 0;

    /// <summary>Makes room for a state of so many words.</summary>
    public void Reserve(int length)
    {
        if (_used + length <= Words.Length)
            return;
        var words = Words;
        Array.Resize(ref words, Math.Max(2 * words.Length, _used + length));
        Words = words;
    }

    /// <summary>Looks for the state that was written from <see cref="Begin"/> to <paramref name="end"/>, and keeps it if it is new.</summary>
    /// <param name="end">The place after its last word.</param>
    /// <param name="iteration">The iteration that it was seen in.</param>
    /// <param name="totals">The totals when it was seen.</param>
    /// <returns>The equal state, or -1 where there is none.</returns>
    public int Find(int end, int iteration, in StepTotals totals)
    {
        var length = end - _used;
        for (var i = _count - 1; i >= 0; i--)
        {
            if (_entries[i].Length == length && Same(_entries[i].Begin, Words, _used, length))
                return i;
        }
        if (!IsFull)
        {
            if (_count == _entries.Length)
                Array.Resize(ref _entries, Math.Min(2 * _count, Most));
            _entries[_count++] = new Entry { Begin = _used, Length = length, Iteration = iteration, Totals = totals };
            _used = end;
        }
        return -1;
    }

    /// <summary>Looks for a state that another holds, seen in the same iteration. Keeps nothing.</summary>
    /// <param name="words">Where it is written.</param>
    /// <param name="begin">Its first word.</param>
    /// <param name="end">The place after its last word.</param>
    /// <param name="iteration">The iteration.</param>
    /// <returns>The equal state, or -1 where there is none.</returns>
    public int Find(long[] words, int begin, int end, int iteration)
    {
        for (var i = 0; i < _count; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Iteration == iteration && entry.Length == end - begin && Same(entry.Begin, words, begin, entry.Length))
                return i;
        }
        return -1;
    }

    /// <summary>The iteration that a state was seen in.</summary>
    public int IterationOf(int state) => _entries[state].Iteration;

    /// <summary>The totals when a state was seen.</summary>
    public ref readonly StepTotals TotalsOf(int state) => ref _entries[state].Totals;

    /// <summary>Whether words are the same. States of one place differ at their end, in what was used long ago; those of other places at their
    /// beginning.</summary>
    private bool Same(int left, long[] others, int right, int length)
    {
        if (Words[left] != others[right])
            return false;
        for (var i = length - 1; i > 0; i--)
        {
            if (Words[left + i] != others[right + i])
                return false;
        }
        return true;
    }

    private struct Entry
    {
        public int Begin;
        public int Length;
        public int Iteration;
        public StepTotals Totals;
    }
}

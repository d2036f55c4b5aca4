using System.Collections.Generic;

namespace Preserve;

/// <summary>What one stream runs: its instructions in program order, inside those repeats that have any.</summary>
/// <remarks>A word of 0 or more is an instruction; the others begin or end a repeat.</remarks>
internal sealed class StreamProgram
{
    private readonly List<int> _words = [];

    public int[] Words { get; private set; } = [];

    /// <summary>Where a repeat begins, by repeat; -1 where the stream has no part in it.</summary>
    public int[] LoopBegins { get; private set; } = [];

    /// <summary>Where a repeat ends, by repeat; -1 where the stream has no part in it.</summary>
    public int[] LoopEnds { get; private set; } = [];

    /// <summary>The last instruction of a repeat's body that waits otherwise in the first iteration than in the others, by repeat; -1 where none does.</summary>
    public int[] LastBoundToFirst { get; private set; } = [];

    public static bool IsLoopBegin(int word) => (~word & 1) == 0;

    public static int LoopOf(int word) => ~word >> 1;

    public void Add(int instruction) => _words.Add(instruction);

    public void BeginLoop(int loop) => _words.Add(~(2 * loop));

    /// <summary>Ends a repeat, or forgets it where the stream had no instruction in it.</summary>
    public void EndLoop(int loop)
    {
        if (_words[_words.Count - 1] == ~(2 * loop))
            _words.RemoveAt(_words.Count - 1);
        else
            _words.Add(~((2 * loop) + 1));
    }

    public void Seal(int loops)
    {
        Words = _words.ToArray();
        LoopBegins = new int[loops];
        LoopEnds = new int[loops];
        for (var i = 0; i < loops; i++)
            LoopBegins[i] = LoopEnds[i] = -1;
        for (var at = 0; at < Words.Length; at++)
        {
            if (Words[at] >= 0)
                continue;
            var places = IsLoopBegin(Words[at]) ? LoopBegins : LoopEnds;
            places[LoopOf(Words[at])] = at;
        }
    }

    /// <summary>Whether another stream waits for an instruction of a repeat's body, by repeat.</summary>
    public bool[] IsAwaited { get; private set; } = [];

    /// <summary>Notes the waits of its instructions, and those for them.</summary>
    /// <param name="stream">Which stream it is.</param>
    /// <param name="waits">The bindings of each instruction's waits.</param>
    /// <param name="loopOf">The repeat around each instruction, or -1.</param>
    public void Bind(StreamKind stream, EventBinding[][] waits, int[] loopOf)
    {
        IsAwaited = new bool[LoopBegins.Length];
        foreach (var bindings in waits)
        {
            foreach (var binding in bindings)
            {
                if (binding.Stream == stream && binding.OtherStream && loopOf[binding.Source] is >= 0 and var loop)
                    IsAwaited[loop] = true;
            }
        }
        LastBoundToFirst = new int[LoopBegins.Length];
        for (var i = 0; i < LastBoundToFirst.Length; i++)
            LastBoundToFirst[i] = -1;
        for (var at = 0; at < Words.Length; at++)
        {
            if (Words[at] < 0)
                continue;
            foreach (var binding in waits[Words[at]])
            {
                if (binding.UnlessFirstOf >= 0)
                    LastBoundToFirst[binding.UnlessFirstOf] = at;
            }
        }
    }
}

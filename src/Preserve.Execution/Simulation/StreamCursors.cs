using System;
using System.Runtime.CompilerServices;

namespace Preserve;

/// <summary>Where each stream stands in its program, repeats rolled.</summary>
internal sealed class StreamCursors
{
    private const int Streams = ResourceSimulation.StreamCount;
    private readonly CompiledPlan _plan;
    private readonly int[] _at = new int[Streams];
    private readonly int[] _instructions = new int[Streams];
    private readonly int[] _iterations;

    public StreamCursors(CompiledPlan plan)
    {
        _plan = plan;
        _iterations = new int[Streams * plan.Loops.Length];
    }

    /// <summary>Whether the compute stream has come to another instruction since the last <see cref="TakeMark"/>.</summary>
    private bool _moved;

    /// <summary>How often the compute stream has begun a repeat.</summary>
    public int RepeatsEntered { get; private set; }

    /// <summary>Puts every stream before its first instruction.</summary>
    public void Reset()
    {
        Array.Clear(_iterations, 0, _iterations.Length);
        RepeatsEntered = 0;
        for (var stream = 0; stream < Streams; stream++)
        {
            _at[stream] = 0;
            Settle(stream);
        }
    }

    /// <summary>The next or running instruction of a stream, or -1 at its end.</summary>
    public int Instruction(int stream) => _instructions[stream];

    /// <summary>Layer i of the repeat around the stream's instruction; 0 outside.</summary>
    public int Layer(int stream, int instruction)
    {
        var loop = _plan.LoopOf[instruction];
        if (loop < 0)
            return 0;
        var repeat = _plan.Loops[loop];
        return repeat.FirstLayer + (Iteration(stream, loop) * repeat.Stride);
    }

    /// <summary>The iteration of a repeat that a stream is in; 0 where it is in none.</summary>
    public int Iteration(int stream, int loop) => _iterations[(stream * _plan.Loops.Length) + loop];

    /// <summary>The next binding that counts for a stream that waits: of each wait the first whose condition holds.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="bindings">The bindings of its instruction's waits.</param>
    /// <param name="next">The first binding of the next wait.</param>
    /// <returns>Its place, or how many bindings there are where none is left.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int NextThatCounts(int stream, EventBinding[] bindings, int next)
    {
        while (next < bindings.Length && bindings[next].UnlessFirstOf is >= 0 and var loop && Iteration(stream, loop) == 0)
            next++;
        return next;
    }

    /// <summary>How often the source of a binding has to have ended for a stream that waits.</summary>
    public long Needed(int stream, in EventBinding binding)
    {
        var needed = binding.Base;
        foreach (var term in binding.Terms)
            needed += Iteration(stream, term.Loop) * term.PerIteration;
        return needed;
    }

    /// <summary>Goes to the stream's next instruction.</summary>
    public void Advance(int stream)
    {
        _at[stream]++;
        Settle(stream);
    }

    /// <summary>The repeat around the mark that the compute stream has come to since the last call, or -1.</summary>
    public int TakeMark()
    {
        if (!_moved)
            return -1;
        _moved = false;
        var instruction = _instructions[(int)StreamKind.Compute];
        return instruction >= 0 && _plan.IsMark[instruction] ? _plan.LoopOf[instruction] : -1;
    }

    /// <summary>Whether a stream stands at the first of its instructions in a repeat.</summary>
    public bool IsAtBodyStart(int stream, int loop) => _at[stream] == _plan.Streams[stream].LoopBegins[loop] + 1;

    /// <summary>Whether a stream is in a repeat, and in the same run of it as the compute stream.</summary>
    public bool IsBesideCompute(int stream, int loop)
    {
        var program = _plan.Streams[stream];
        if (_at[stream] <= program.LoopBegins[loop] || _at[stream] >= program.LoopEnds[loop])
            return false;
        for (var outer = _plan.Loops[loop].Parent; outer >= 0; outer = _plan.Loops[outer].Parent)
        {
            if (Iteration(stream, outer) != Iteration((int)StreamKind.Compute, outer))
                return false;
        }
        return true;
    }

    /// <summary>Whether what a stream in a repeat does next depends on it being in the first iteration: a wait that is bound to what stands
    /// before the repeat lies ahead.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="loop">The repeat.</param>
    /// <param name="isRunning">Whether the stream's instruction has begun, and so has waited.</param>
    public bool IsBoundToFirst(int stream, int loop, bool isRunning)
    {
        var last = _plan.Streams[stream].LastBoundToFirst[loop];
        return Iteration(stream, loop) == 0 && (isRunning ? _at[stream] < last : _at[stream] <= last);
    }

    /// <summary>Moves a stream on by whole iterations.</summary>
    public void Skip(int stream, int loop, int iterations) => _iterations[(stream * _plan.Loops.Length) + loop] += iterations;

    /// <summary>Most places that <see cref="WriteState"/> needs for a stream.</summary>
    public int StateLength => 2 + _plan.Loops.Length;

    /// <summary>Writes a stream's place, in the repeat relative to the compute stream's if it is beside it: how often each of its instructions has ended
    /// follows from it. Returns the next free place.</summary>
    public int WriteState(int stream, int loop, bool beside, long[] state, int at)
    {
        state[at++] = _at[stream];
        // What it is in none of is at its first iteration.
        for (var around = _instructions[stream] < 0 ? -1 : _plan.LoopOf[_instructions[stream]]; around >= 0; around = _plan.Loops[around].Parent)
            state[at++] = Iteration(stream, around) - (beside && around == loop ? Iteration((int)StreamKind.Compute, loop) : 0);
        // A stream that is elsewhere has not kept up with those that wait for it in the repeat: no two iterations are alike.
        if (!beside && _plan.Streams[stream].IsAwaited[loop])
            state[at++] = Iteration((int)StreamKind.Compute, loop);
        return at;
    }

    /// <summary>Passes the ends and beginnings of repeats up to the next instruction.</summary>
    private void Settle(int stream)
    {
        var program = _plan.Streams[stream];
        _moved |= stream == (int)StreamKind.Compute;
        while (_at[stream] < program.Words.Length)
        {
            var word = program.Words[_at[stream]];
            if (word >= 0)
            {
                _instructions[stream] = word;
                return;
            }
            var loop = StreamProgram.LoopOf(word);
            ref var iteration = ref _iterations[(stream * _plan.Loops.Length) + loop];
            if (StreamProgram.IsLoopBegin(word))
            {
                iteration = 0;
                _at[stream]++;
                if (stream == (int)StreamKind.Compute)
                    RepeatsEntered++;
            }
            else if (++iteration < _plan.Loops[loop].Count)
            {
                _at[stream] = program.LoopBegins[loop] + 1;
            }
            else
            {
                iteration = 0;
                _at[stream]++;
            }
        }
        _instructions[stream] = -1;
    }
}

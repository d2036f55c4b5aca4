using System.Diagnostics;

namespace Preserve.Cpu;

/// <summary>The thread of one stream of one rank. It runs the stream's instructions in order, each when the events that it waits for have happened.</summary>
internal sealed class StreamWorker : IDisposable
{
    private readonly Rank _rank;
    private readonly StreamKind _stream;
    private readonly object _gate = new();
    private readonly OperatorKernel _kernel;
    private Step? _step;
    private bool _ended;
    private long[] _times = [];

    public StreamWorker(Rank rank, StreamKind stream)
    {
        (_rank, _stream, _kernel) = (rank, stream, new OperatorKernel(rank));
        new Thread(Loop) { IsBackground = true, Name = $"rank {rank.Index} {stream}" }.Start();
    }

    /// <summary>Start and end of each instruction of the last step, as <see cref="Stopwatch"/> ticks; empty where they were not asked for.</summary>
    public ReadOnlySpan<long> Times => _times;

    /// <summary>Runs the stream's part of a step.</summary>
    public void Begin(Step step)
    {
        lock (_gate)
        {
            _step = step;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the thread, which has no step.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Loop()
    {
        while (Next() is { } step)
        {
            try
            {
                Run(step);
            }
            catch (Exception e)
            {
                step.Fail(e);
            }
            step.EndStream();
        }
    }

    /// <summary>Waits for the next step.</summary>
    /// <returns>Null at the end.</returns>
    private Step? Next()
    {
        lock (_gate)
        {
            while (_step is null && !_ended)
                Monitor.Wait(_gate);
            var step = _step;
            _step = null;
            return step;
        }
    }

    private void Run(Step step)
    {
        var indices = step.Program.Of(_stream);
        if (step.Records && _times.Length != 2 * indices.Count)
            _times = new long[2 * indices.Count];
        for (var i = 0; i < indices.Count; i++)
        {
            var bound = step.Program[indices[i]];
            for (var w = 0; w < bound.Instruction.Waits.Count; w++)
            {
                if (!_rank.Progress.Wait(step.Program.Wait(bound.FirstWait + w)))
                    return;
            }
            if (_rank.Progress.IsStopped)
                return;
            step.BeforeEach?.Invoke(_rank.Index, _stream, i);
            if (step.Records)
                _times[2 * i] = Stopwatch.GetTimestamp();
            if (!Compute(step, bound))
                return;
            if (step.Records)
                _times[(2 * i) + 1] = Stopwatch.GetTimestamp();
            _rank.Progress.End(_stream, i + 1, bound.Instruction.Signals);
        }
    }

    /// <summary>Runs a kernel. What goes wrong in it is the plan's fault, and names the instruction.</summary>
    /// <inheritdoc cref="OperatorKernel.Run"/>
    private bool Compute(Step step, BoundInstruction bound)
    {
        try
        {
            return _kernel.Run(step, bound);
        }
        catch (Exception e) when (e is not NotSupportedException)
        {
            throw new InvalidOperationException($"'{bound.Instruction.Label}' cannot be computed: {e.Message}", e);
        }
    }
}

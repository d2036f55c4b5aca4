using System.Runtime.ExceptionServices;

namespace Preserve.Cpu;

/// <summary>One step of all ranks, from its begin to the end of its last instruction.</summary>
internal sealed class Step(Rank[] ranks, Rendezvous rendezvous, StepProgram program)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExceptionDispatchInfo? _fault;
    private int _running;

    public required ExecutionPlan Plan { get; init; }

    public required int Context { get; init; }

    public required int[] Tokens { get; init; }

    public required int Threads { get; init; }

    public required ModelConstants Constants { get; init; }

    public required LayerSpec[] Layers { get; init; }

    public required ModelSpec Model { get; init; }

    /// <summary>Called before each instruction, with its rank, stream and place in the stream.</summary>
    public Action<int, StreamKind, int>? BeforeEach { get; init; }

    public bool Records { get; init; }

    public StepProgram Program => program;

    public Rank[] Ranks => ranks;

    public Rendezvous Rendezvous => rendezvous;

    /// <summary>Starts every stream that has instructions.</summary>
    /// <returns>Completes when all have ended, with what went wrong first.</returns>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var streams = Enum.GetValues<StreamKind>().Where(s => program.Of(s).Count > 0).ToArray();
        if (streams.Length == 0)
            _ended.SetResult();
        _running = streams.Length * ranks.Length;
        foreach (var rank in ranks)
        {
            foreach (var stream in streams)
                rank.Worker(stream).Begin(this);
        }
        using (cancellationToken.Register(static s => ((Step)s!).Stop(), this))
            await _ended.Task.ConfigureAwait(false);
        _fault?.Throw();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Ends the step with a fault.</summary>
    public void Fail(Exception fault)
    {
        Interlocked.CompareExchange(ref _fault, ExceptionDispatchInfo.Capture(fault), null);
        Stop();
    }

    /// <summary>Notes that a stream of a rank has ended.</summary>
    public void EndStream()
    {
        if (Interlocked.Decrement(ref _running) == 0)
            _ended.SetResult();
    }

    private void Stop()
    {
        foreach (var rank in ranks)
            rank.Progress.Stop();
        rendezvous.Stop();
    }
}

namespace Preserve.Cpu;

/// <summary>The steps of one generation on a backend that others may use as well: its tokens are its own, and each of its steps goes on from its last one. Where another
/// step was begun meanwhile, the caches are no longer the generation's, and it ends.</summary>
internal sealed class GenerationSteps(CpuBackend backend) : IBackend
{
    private bool _isWithin;

    /// <summary>The new tokens of the next step; they are of the vocabulary.</summary>
    public required int[] Tokens { get; set; }

    /// <summary>Steps that were begun so far.</summary>
    public int Begun { get; private set; }

    /// <summary>What is said where another step was begun.</summary>
    public string Interrupted =>
        $"another step ran on the backend {(_isWithin ? "within" : "behind")} step {Begun} of this generation, and the caches are no longer its own: a backend generates one text at a time";

    /// <inheritdoc/>
    public void Begin(ExecutionPlan plan, int context)
    {
        backend.Begin(plan, context, Tokens, this);
        (Begun, _isWithin) = (Begun + 1, true);
    }

    /// <inheritdoc/>
    public int BeginRepeat(int count) => backend.BeginRepeat(count);

    /// <inheritdoc/>
    public void EndRepeat() => backend.EndRepeat();

    /// <inheritdoc/>
    public void Submit(Instruction instruction, int layer) => backend.Submit(instruction, layer, this);

    /// <inheritdoc/>
    public ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken) => backend.CompleteAsync(this, cancellationToken);

    /// <summary>The logits of the last step, which ended.</summary>
    /// <inheritdoc cref="CpuBackend.Logits()"/>
    public float[] Logits()
    {
        var logits = backend.Logits(this);
        _isWithin = false;
        return logits;
    }
}

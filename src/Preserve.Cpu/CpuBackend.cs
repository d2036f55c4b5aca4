using System.Diagnostics;

namespace Preserve.Cpu;

/// <summary>Computes a model on the processor by whatever plan it is handed: a thread for each stream of each rank, events that are waited for, memory
/// laid out as the plan says.</summary>
/// <remarks>
/// <para>It stores weights, values and caches in bf16 and fp32 and computes in fp32. Sums have one order, whatever the number of rows, so that two sound plans of
/// one deployment's degree give the same bits; a plan that leaves out an event it needs computes what the race leaves.</para>
/// <para>KV-caches and stored activations stay between steps: a prefill begins them anew. One step runs at a time.</para>
/// </remarks>
public sealed class CpuBackend : IBackend, IDisposable
{
    private const string LogitsName = "logits";

    private readonly CpuOptions _options;
    private readonly IWeightSource _weights;
    private readonly LayerSpec[] _layers;
    private readonly StepProgram _program = new();
    private Rank[] _ranks = [];
    private Rendezvous _rendezvous = new(1);
    private int[] _tokens = [];
    private Step? _step;

    /// <summary>A backend for one model.</summary>
    /// <param name="model">The model, accepted by <see cref="ModelRules"/>.</param>
    /// <param name="weights">Its weights. They are read when a plan first names them.</param>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="weights"/> is null.</exception>
    public CpuBackend(ModelSpec model, IWeightSource weights, CpuOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        (Model, _weights, _options, _layers) = (model, weights, options ?? new CpuOptions(), model.LayerSpecs());
    }

    /// <summary>The model that is computed.</summary>
    public ModelSpec Model { get; }

    /// <summary>Sets the new tokens of the next step.</summary>
    /// <param name="tokens">Those of each batch, in it of each sequence, in it in order; each below the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is not of the vocabulary.</exception>
    public void SetTokens(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
        {
            if (token < 0 || token >= Model.Vocabulary)
                throw new ArgumentOutOfRangeException(nameof(tokens), token, $"{Model.Name} has {Model.Vocabulary} tokens");
        }
        _tokens = tokens.ToArray();
    }

    /// <summary>The logits that the last step gave: for each sequence of each batch, a row of the vocabulary.</summary>
    /// <exception cref="InvalidOperationException">No step has run.</exception>
    public float[] Logits()
    {
        var step = _step ?? throw new InvalidOperationException("no step has run");
        var rows = step.Plan.Step.Batch;
        var logits = new float[(long)rows * step.Plan.Batches * Model.Vocabulary];
        for (var batch = 0; batch < step.Plan.Batches; batch++)
        {
            var whole = _ranks[0].Memory.Resolve(new TensorReference(LogitsName + BatchNames.Suffix(batch, step.Plan.Batches), LayerIndex.None), 0);
            // The last rank's part of the vocabulary is padded.
            var padded = whole.Elements / rows;
            for (var row = 0; row < rows; row++)
                whole.Load(row * padded, logits.AsSpan(((batch * rows) + row) * Model.Vocabulary, Model.Vocabulary));
        }
        return logits;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The plan is of another model, of formats or mixed lengths that are not computed here, or the tokens that were set
    /// are not as many as its step has.</exception>
    public void Begin(ExecutionPlan plan, int context)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Refuse(plan, context);
        if (_ranks.Length != plan.Ranks)
        {
            DisposeRanks();
            _ranks = [.. Enumerable.Range(0, plan.Ranks).Select(r => new Rank(r, new RankShard(Model, _layers, _weights, r, plan.Ranks)))];
            _rendezvous = new Rendezvous(plan.Ranks);
        }
        _program.Clear();
        _rendezvous.Begin();
        _step = new Step(_ranks, _rendezvous, _program)
        {
            Plan = plan,
            Context = context,
            Tokens = _tokens,
            Threads = _options.Threads > 0 ? _options.Threads : Math.Max(1, Environment.ProcessorCount / plan.Ranks),
            Constants = _options.Constants,
            Layers = _layers,
            Model = Model,
            Delays = _options.DelaySeed is { } seed ? new RandomDelays(seed, _options.LongestDelayMicroseconds) : null,
            Records = _options.RecordTimeline,
        };
        foreach (var rank in _ranks)
            rank.Begin(_step, poison: _options.DelaySeed is not null);
    }

    /// <inheritdoc/>
    public int BeginRepeat(int count) => count;

    /// <inheritdoc/>
    public void EndRepeat()
    {
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It waits for what was not signalled, or names what the plan does not declare.</exception>
    public void Submit(Instruction instruction, int layer)
    {
        ArgumentNullException.ThrowIfNull(instruction);
        _ = Current;
        _program.Add(instruction, layer, _ranks[0].OperandCount);
        foreach (var rank in _ranks)
            rank.Add(instruction, layer);
    }

    /// <inheritdoc/>
    public async ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken)
    {
        var step = Current;
        var start = Stopwatch.GetTimestamp();
        await step.RunAsync(cancellationToken).ConfigureAwait(false);
        var end = Stopwatch.GetTimestamp();
        return new StepRun(Picoseconds(end - start)) { Timeline = step.Records ? Timeline(start) : default(EquatableArray<InstructionRun>) };
    }

    /// <summary>Ends the threads and frees the memory. No step may run.</summary>
    public void Dispose() => DisposeRanks();

    private Step Current => _step ?? throw new InvalidOperationException("no step was begun");

    private void Refuse(ExecutionPlan plan, int context)
    {
        if (plan.Model != Model.Name || plan.Layers != _layers.Length)
            throw new ArgumentException($"the plan is of {plan.Model} with {plan.Layers} layers, and this backend computes {Model.Name} with {_layers.Length}", nameof(plan));
        if (plan.Step.ContextIsTotal)
            throw new ArgumentException($"'{plan.Step}' counts the tokens of sequences of mixed lengths together, and this backend computes sequences of one length", nameof(plan));
        if (plan.Tensors.FirstOrDefault(t => t.Role != TensorRole.BlockTable && t.Format is not (Precision.Bf16 or Precision.Fp32)) is { } tensor)
            throw new ArgumentException($"'{tensor.Name}' is in {tensor.Format}, and this backend computes bf16 and fp32", nameof(plan));
        if (plan.Instructions().FirstOrDefault(i => ActivationsOf(i.Operation) is not (null or Precision.Bf16 or Precision.Fp32)) is { } matMul)
            throw new ArgumentException($"activations enter '{matMul.Label}' in {ActivationsOf(matMul.Operation)}, and this backend computes bf16 and fp32", nameof(plan));
        var tokens = (long)plan.Batches * plan.Step.Batch * plan.Step.NewTokens;
        if (_tokens.Length != tokens)
            throw new ArgumentException($"'{plan.Step}' of {plan.Batches} batches has {tokens} new tokens, and {_tokens.Length} were set", nameof(plan));
        if (Model.LearnedPositions > 0 && context + plan.Step.NewTokens > Model.LearnedPositions)
            throw new ArgumentException($"a context of {context} and {plan.Step.NewTokens} new tokens need more than the {Model.LearnedPositions} positions of {Model.Name}", nameof(context));
    }

    private static Precision? ActivationsOf(Operation operation) => operation switch
    {
        MatMulOperation o => o.Activations,
        RecomputeOperation o => o.Activations,
        CollectiveOperation { MatMul: { } o } => o.Activations,
        _ => null,
    };

    private InstructionRun[] Timeline(long start)
    {
        var runs = new List<InstructionRun>(_program.Instructions.Count);
        foreach (var stream in Enum.GetValues<StreamKind>())
        {
            var indices = _program.Of(stream);
            for (var i = 0; i < indices.Count; i++)
            {
                var bound = _program[indices[i]];
                var times = _ranks[0].Worker(stream).Times;
                runs.Add(new InstructionRun(
                    stream, bound.Instruction.Label, bound.Layer, Picoseconds(times[2 * i] - start), Picoseconds(times[(2 * i) + 1] - start), 0, 0));
            }
        }
        return [.. runs.OrderBy(r => r.EndPicoseconds)];
    }

    private static long Picoseconds(long ticks) => (long)(ticks * (1e12 / Stopwatch.Frequency));

    private void DisposeRanks()
    {
        foreach (var rank in _ranks)
            rank.Dispose();
        _ranks = [];
    }
}

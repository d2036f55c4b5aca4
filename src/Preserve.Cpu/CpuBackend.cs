using System.Diagnostics;

namespace Preserve.Cpu;

/// <summary>Computes a model on the processor by whatever plan it is handed: a thread for each stream of each rank, events that are waited for, memory
/// laid out as the plan says.</summary>
/// <remarks>
/// <para>It stores weights, values and caches in bf16 and fp32 and computes in fp32. Sums have one order, whatever the number of rows, so that two sound plans of
/// one deployment's degree give the same bits; a plan that leaves out an event it needs computes what the race leaves.</para>
/// <para>KV-caches and stored activations stay between steps: a prefill begins them anew, and a decode step is refused that reads tokens which no step has
/// stored, or in another format. One step runs at a time. Behind a step that was stopped or failed the caches hold the tokens from before it.</para>
/// <para>It may be disposed at any time, by any thread, also by one that reads weights for it: what is under way ends with an <see cref="ObjectDisposedException"/>, and who
/// is about it frees the memory when nothing uses it any more.</para>
/// </remarks>
public sealed class CpuBackend : IBackend, IDisposable
{
    private const string LogitsName = "logits";

    /// <summary>Held by whoever uses the memory of the ranks or frees it. What takes long or calls others' code holds it at its beginning and end alone, and has the memory to
    /// itself by the state.</summary>
    private readonly object _gate = new();
    private readonly CpuOptions _options;
    private readonly IWeightSource _weights;
    private readonly LayerSpec[] _layers;
    private readonly AcceptedPlans _accepted;
    private readonly StepProgram _program = new();
    private Rank[] _ranks = [];
    private Rendezvous _rendezvous = new(1);
    private int[] _tokens = [];
    private Step? _step;

    /// <summary>Whose the last step is; null where it is none of a generation.</summary>
    private GenerationSteps? _generation;
    private bool _hasBegun;
    private bool _hasEnded;

    /// <summary>What instructions of the step wrote of the logits.</summary>
    private readonly HashSet<string> _written = [];
    private State _state = State.Idle;

    /// <summary>A backend for one model.</summary>
    /// <param name="model">The model, accepted by <see cref="ModelRules"/>.</param>
    /// <param name="weights">Its weights. They are read when a plan first names them.</param>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="weights"/> is null.</exception>
    /// <exception cref="ArgumentException">The weights are those of a model with others, and the message says which.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option or a constant is not in its range.</exception>
    public CpuBackend(ModelSpec model, IWeightSource weights, CpuOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        options?.Check();
        if (weights.Model is { } of && of != model && ModelWeights.Difference(of, model) is { } difference)
            throw new ArgumentException($"the weights are those of another model: {difference}", nameof(weights));
        (Model, _weights, _options, _layers, _accepted) = (model, weights, options ?? new CpuOptions(), model.LayerSpecs(), new AcceptedPlans(model));
    }

    /// <summary>The model that is computed.</summary>
    public ModelSpec Model { get; }

    /// <summary>Sets the new tokens of the next step.</summary>
    /// <param name="tokens">Those of each batch, in it of each sequence, in it in order; each below the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is not of the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">The backend is about something else.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public void SetTokens(ReadOnlySpan<int> tokens)
    {
        CheckTokens(tokens, nameof(tokens));
        lock (_gate)
        {
            CheckIsIdle();
            _tokens = tokens.ToArray();
        }
    }

    /// <summary>Refuses tokens that are not of the vocabulary.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is not; the message says which.</exception>
    internal void CheckTokens(ReadOnlySpan<int> tokens, string parameter)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] < 0 || tokens[i] >= Model.Vocabulary)
                throw new ArgumentOutOfRangeException(parameter, $"token {i} is {tokens[i]}, and the vocabulary of {Model.Name} is from 0 to {Model.Vocabulary - 1}");
        }
    }

    /// <summary>The logits that the last step gave: for each sequence of each batch, a row of the vocabulary.</summary>
    /// <exception cref="InvalidOperationException">No step has run to its end, the last one was stopped or failed or did not write them, or the backend is about something else.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public float[] Logits()
    {
        lock (_gate)
        {
            CheckIsIdle();
            return LogitsOfLastStep();
        }
    }

    /// <summary>The logits that the last step gave, which is a generation's.</summary>
    /// <inheritdoc cref="Logits()"/>
    internal float[] Logits(GenerationSteps generation)
    {
        lock (_gate)
        {
            CheckIsIdle();
            CheckIsOf(generation);
            return LogitsOfLastStep();
        }
    }

    private float[] LogitsOfLastStep()
    {
        var step = _hasEnded ? _step! : throw new InvalidOperationException(_step is null ? "no step has run" : "the last step did not run to its end");
        var rows = step.Plan.Step.Batch;
        var logits = new float[(long)rows * step.Plan.Batches * Model.Vocabulary];
        for (var batch = 0; batch < step.Plan.Batches; batch++)
        {
            var name = LogitsName + BatchNames.Suffix(batch, step.Plan.Batches);
            if (!_written.Contains(name))
                throw new InvalidOperationException($"no instruction of the last step wrote '{name}'");
            var whole = _ranks[0].Memory.Resolve(new TensorReference(name, LayerIndex.None), 0);
            // The last rank's part of the vocabulary is padded.
            var padded = whole.Elements / rows;
            for (var row = 0; row < rows; row++)
                whole.Load(row * padded, logits.AsSpan(((batch * rows) + row) * Model.Vocabulary, Model.Vocabulary));
        }
        return logits;
    }

    /// <summary>What the caches of all ranks hold, by rank, tensor and layer.</summary>
    internal Dictionary<(int Rank, string Tensor, int Layer), float[]> Caches()
    {
        lock (_gate)
        {
            CheckIsIdle();
            return _ranks.SelectMany(r => r.Memory.Caches().Select(c => (Key: (r.Index, c.Tensor, c.Layer), c.Values))).ToDictionary(c => c.Key, c => c.Values);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The plan is of another model, also of one of the same name, and the message says what differs; or of formats or mixed lengths that are not computed here, or the tokens that were set
    /// are not as many as its step has.</exception>
    /// <exception cref="InvalidOperationException">There is no memory for its values, or the backend is about something else.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed.</exception>
    public void Begin(ExecutionPlan plan, int context)
    {
        ArgumentNullException.ThrowIfNull(plan);
        lock (_gate)
        {
            CheckIsIdle();
            BeginStep(plan, context, _tokens, null);
        }
    }

    /// <summary>Begins a step of a generation, which goes on where its last one ended.</summary>
    /// <inheritdoc cref="Begin(ExecutionPlan, int)"/>
    internal void Begin(ExecutionPlan plan, int context, int[] tokens, GenerationSteps generation)
    {
        lock (_gate)
        {
            CheckIsIdle();
            if (generation.Begun > 0)
                CheckIsOf(generation);
            BeginStep(plan, context, tokens, generation);
        }
    }

    private void BeginStep(ExecutionPlan plan, int context, int[] tokens, GenerationSteps? generation)
    {
        _accepted.Check(plan, context, tokens.Length);
        (_generation, _hasBegun) = (generation, false);
        if (_ranks.Length != plan.Ranks)
        {
            DisposeRanks();
            _ranks = [.. Enumerable.Range(0, plan.Ranks).Select(r => new Rank(r, new RankShard(Model, _layers, _weights, r, plan.Ranks)))];
            _rendezvous = new Rendezvous(plan.Ranks);
        }
        // What a step that did not end has stored counts for nothing.
        if (_step is { } last && !_hasEnded)
        {
            foreach (var rank in _ranks)
                rank.Memory.Cut(last.Context);
        }
        _hasEnded = false;
        _program.Clear();
        _written.Clear();
        _rendezvous.Begin();
        _step = new Step(_ranks, _rendezvous, _program)
        {
            Plan = plan,
            Context = context,
            Tokens = tokens,
            Threads = _options.Threads > 0 ? _options.Threads : Math.Max(1, Environment.ProcessorCount / plan.Ranks),
            Constants = _options.Constants,
            Layers = _layers,
            Model = Model,
            BeforeEach = _options.BeforeEach ?? (_options.DelaySeed is { } seed ? new RandomDelays(seed, _options.LongestDelayMicroseconds).Pass : null),
            Records = _options.RecordTimeline,
        };
        foreach (var rank in _ranks)
            rank.Begin(_step, poison: _options.DelaySeed is not null);
        _hasBegun = true;
    }

    /// <inheritdoc/>
    public int BeginRepeat(int count) => count;

    /// <inheritdoc/>
    public void EndRepeat()
    {
    }

    /// <inheritdoc/>
    /// <remarks>Weights that a plan names for the first time are read here: what goes wrong in their source comes through. A step of which an instruction was refused is
    /// over.</remarks>
    /// <exception cref="ArgumentException">The plan has a weight that the model has not, or one of another size.</exception>
    /// <exception cref="InvalidOperationException">It waits for what was not signalled, names what the plan does not declare, lies outside of the memory that
    /// the plan has, or reads of a cache what no step has stored; or no step was begun, or one is running.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed, before or meanwhile.</exception>
    public void Submit(Instruction instruction, int layer)
    {
        ArgumentNullException.ThrowIfNull(instruction);
        Submit(instruction, layer, null);
    }

    /// <summary>Takes the next instruction of a step; of a generation's, where it is one.</summary>
    /// <inheritdoc cref="Submit(Instruction, int)"/>
    internal void Submit(Instruction instruction, int layer, GenerationSteps? generation)
    {
        Use(State.Submitting, generation);
        try
        {
            _program.Add(instruction, layer, _ranks[0].OperandCount);
            foreach (var rank in _ranks)
                rank.Add(instruction, layer);
            foreach (var write in instruction.Writes)
            {
                if (write.Tensor.StartsWith(LogitsName, StringComparison.Ordinal))
                    _written.Add(write.Tensor);
            }
            _hasBegun = true;
        }
        finally
        {
            Release();
        }
        lock (_gate)
            CheckIsNotDisposed();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No step was begun since the last one ran, or one is running.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed, before or meanwhile.</exception>
    public ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken) => CompleteAsync(null, cancellationToken);

    /// <summary>Runs the step that was begun; a generation's, where it is one.</summary>
    /// <inheritdoc cref="CompleteAsync(CancellationToken)"/>
    internal async ValueTask<StepRun> CompleteAsync(GenerationSteps? generation, CancellationToken cancellationToken)
    {
        // Its events have happened when it has run, so that it runs once.
        Use(State.Running, generation);
        var (step, first) = (_step!, _ranks[0]);
        try
        {
            var start = Stopwatch.GetTimestamp();
            await step.RunAsync(cancellationToken).ConfigureAwait(false);
            var end = Stopwatch.GetTimestamp();
            _hasEnded = true;
            return new StepRun(Picoseconds(end - start)) { Timeline = step.Records ? Timeline(first, start) : default(EquatableArray<InstructionRun>) };
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Ends the threads and frees the memory. A step that runs is stopped, and whoever waits for it, or hands an instruction over, frees the memory
    /// when it has ended: nobody is waited for here, so that what reads weights may call this too.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_state == State.Running)
                _step!.Fail(new ObjectDisposedException(GetType().FullName));
            if (_state == State.Idle)
                DisposeRanks();
            _state = State.Disposed;
        }
    }

    /// <summary>Takes the step that was begun, and the memory, until they are released.</summary>
    private void Use(State use, GenerationSteps? generation)
    {
        lock (_gate)
        {
            CheckIsIdle();
            CheckHasBegun(generation);
            (_hasBegun, _state) = (false, use);
        }
    }

    /// <summary>Gives back what was taken, and frees it if the backend was disposed meanwhile.</summary>
    private void Release()
    {
        lock (_gate)
        {
            if (_state == State.Disposed)
                DisposeRanks();
            else
                _state = State.Idle;
        }
    }

    private void CheckIsIdle()
    {
        CheckIsNotDisposed();
        if (_state == State.Running)
            throw new InvalidOperationException("a step is running, and this backend runs one at a time");
        if (_state == State.Submitting)
            throw new InvalidOperationException("an instruction is being handed over, and weights may be read for it: this backend does one thing at a time, and who reads weights may not ask for another");
    }

    private void CheckIsNotDisposed() => ObjectDisposedException.ThrowIf(_state == State.Disposed, this);

    private void CheckHasBegun(GenerationSteps? generation)
    {
        if (generation is not null)
            CheckIsOf(generation);
        if (!_hasBegun || _generation != generation)
            throw new InvalidOperationException("no step was begun");
    }

    /// <summary>Holds that the last step that was begun is a generation's.</summary>
    private void CheckIsOf(GenerationSteps generation)
    {
        if (_generation != generation)
            throw new InvalidOperationException(generation.Interrupted);
    }

    private InstructionRun[] Timeline(Rank rank, long start)
    {
        var runs = new List<InstructionRun>(_program.Instructions.Count);
        foreach (var stream in Enum.GetValues<StreamKind>())
        {
            var indices = _program.Of(stream);
            for (var i = 0; i < indices.Count; i++)
            {
                var bound = _program[indices[i]];
                var times = rank.Worker(stream).Times;
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

    /// <summary>What a backend is about, between the calls that hold the gate.</summary>
    private enum State
    {
        /// <summary>Nothing.</summary>
        Idle,

        /// <summary>An instruction is handed over, and weights are read.</summary>
        Submitting,

        /// <summary>The streams of the last step that was begun.</summary>
        Running,

        /// <summary>Nothing any more, but for what was under way.</summary>
        Disposed,
    }
}

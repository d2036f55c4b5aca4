namespace Preserve.Cpu.Tests;

/// <summary>A rank in a step of a plan, and one stream of it, which runs instructions here and now.</summary>
internal sealed class OneStream : IDisposable
{
    private readonly Rank _rank;
    private readonly Step _step;
    private readonly OperatorKernel _kernel;

    public OneStream(ModelSpec model, ExecutionPlan plan, int context)
    {
        _rank = new Rank(0, new RankShard(model, model.LayerSpecs(), new SeededWeights(model, 1), 0, 1));
        _step = new Step([_rank], new Rendezvous(1), new StepProgram())
        {
            Plan = plan,
            Context = context,
            Tokens = [],
            Threads = 1,
            Constants = ModelConstants.Default,
            Layers = model.LayerSpecs(),
            Model = model,
        };
        _rank.Begin(_step, poison: false);
        _kernel = new OperatorKernel(_rank);
    }

    public RankMemory Memory => _rank.Memory;

    public RankProgress Progress => _rank.Progress;

    /// <inheritdoc cref="OperatorKernel.PrefetchedSum"/>
    public long PrefetchedSum => _kernel.PrefetchedSum;

    /// <inheritdoc cref="OperatorKernel.Run"/>
    public bool Run(Instruction instruction)
    {
        var first = _rank.OperandCount;
        _rank.Add(instruction, 0);
        return _kernel.Run(_step, new BoundInstruction(0, instruction, 0, first, 0));
    }

    public void Dispose() => _rank.Dispose();
}

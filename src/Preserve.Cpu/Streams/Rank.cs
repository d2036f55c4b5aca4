using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>One rank of the group: its memory, its streams, and the operands of the step's instructions.</summary>
internal sealed class Rank : IDisposable
{
    private readonly StreamWorker?[] _workers = new StreamWorker?[Enum.GetValues<StreamKind>().Length];
    private readonly List<Operand> _operands = [];

    public Rank(int index, RankShard shard)
    {
        Index = index;
        Memory = new RankMemory(shard);
    }

    public int Index { get; }

    public RankMemory Memory { get; }

    public RankProgress Progress { get; } = new();

    /// <summary>The partial result of a matmul that shares a kernel with a collective, for the other ranks to read.</summary>
    public NativeBuffer Partial { get; private set; } = new(0);

    public int OperandCount => _operands.Count;

    public void Begin(Step step, bool poison)
    {
        _operands.Clear();
        Progress.Begin();
        Memory.Begin(step.Plan, step.Context, poison);
    }

    /// <summary>Finds the operands of the next instruction, and the thread of its stream: what cannot be had is missed before anything runs.</summary>
    /// <inheritdoc cref="RankMemory.Resolve"/>
    public void Add(Instruction instruction, int layer)
    {
        Worker(instruction.Stream);
        foreach (var read in instruction.Reads)
            _operands.Add(Memory.ResolveRead(instruction, read, layer));
        foreach (var write in instruction.Writes)
            _operands.Add(Memory.ResolveWrite(write, layer));
        if (instruction.Operation is CollectiveOperation { MatMul: not null } fused && Partial.Bytes < fused.Bytes)
        {
            var larger = NativeBuffer.Of(fused.Bytes, $"the {fused.Bytes} bytes that a rank gives in '{instruction.Label}'");
            Partial.Dispose();
            Partial = larger;
        }
    }

    public ReadOnlySpan<Operand> Operands(int first, int count) => CollectionsMarshal.AsSpan(_operands).Slice(first, count);

    public StreamWorker Worker(StreamKind stream) => _workers[(int)stream] ??= new StreamWorker(this, stream);

    public void Dispose()
    {
        foreach (var worker in _workers)
            worker?.Dispose();
        Partial.Dispose();
        Memory.Dispose();
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>A plan with numbers in place of the names of its tensors and events: what the proofs at all its contexts walk.</summary>
internal sealed class NumberedPlan
{
    private const int StreamCount = (int)StreamKind.DeviceToHost + 1;

    /// <summary>Most events that have a bit of their own beside those of the streams.</summary>
    public const int MostEvents = 64 - StreamCount;

    private readonly Dictionary<string, int> _tensors;
    private readonly Dictionary<string, int> _events = new(StringComparer.Ordinal);

    /// <param name="plan">A plan whose structure is sound.</param>
    public NumberedPlan(ExecutionPlan plan)
    {
        Plan = plan;
        Tensors = [.. plan.Tensors];
        _tensors = new Dictionary<string, int>(Tensors.Length, StringComparer.Ordinal);
        foreach (var tensor in Tensors)
            _tensors.Add(tensor.Name, _tensors.Count);
        foreach (var instruction in plan.Instructions())
        {
            if (instruction.Signals && !_events.ContainsKey(instruction.Label))
                _events.Add(instruction.Label, _events.Count);
        }
        var isRead = new bool[Tensors.Length];
        Body = Number(plan.Body, isRead);
        Results = [.. Enumerable.Range(0, Tensors.Length).Where(t => Tensors[t] is { PerLayer: false } && IsInArena(t) && !isRead[t])];
    }

    /// <summary>The plan.</summary>
    public ExecutionPlan Plan { get; }

    /// <summary>Its tensors, by number.</summary>
    public TensorDeclaration[] Tensors { get; }

    /// <summary>Its nodes.</summary>
    public NumberedNode[] Body { get; }

    /// <summary>Its events.</summary>
    public int EventCount => _events.Count;

    /// <summary>The streams of what is no prefetch, one bit each.</summary>
    public ulong AccessingStreams { get; private set; }

    /// <summary>Whether anything is prefetched.</summary>
    public bool Prefetches { get; private set; }

    /// <summary>Values of no layer that nobody reads: what the step is for.</summary>
    public int[] Results { get; }

    /// <summary>Whether a tensor lies in the arena.</summary>
    public bool IsInArena(int tensor) => Tensors[tensor] is { Role: TensorRole.Value, OnHost: false };

    /// <summary>The number of a tensor, or null where no such tensor is declared.</summary>
    public int? Find(string tensor) => _tensors.TryGetValue(tensor, out var number) ? number : null;

    private NumberedNode[] Number(EquatableArray<PlanNode> body, bool[] isRead)
    {
        var nodes = new NumberedNode[body.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            if (body[i] is Instruction instruction)
            {
                nodes[i] = Number(instruction);
                foreach (var read in ((NumberedInstruction)nodes[i]).Reads)
                    isRead[read.Tensor] = true;
                continue;
            }
            var repeat = (Repeat)body[i];
            var moving = new bool[Tensors.Length];
            var inner = Number(repeat.Body, isRead);
            NoteMoving(inner, moving);
            nodes[i] = new NumberedRepeat(repeat, inner, moving);
        }
        return nodes;
    }

    private NumberedInstruction Number(Instruction instruction)
    {
        if (instruction.Operation is PrefetchOperation)
            Prefetches = true;
        else
            AccessingStreams |= 1UL << (int)instruction.Stream;
        var waits = new ulong[instruction.Waits.Count];
        for (var i = 0; i < waits.Length; i++)
            waits[i] = BitOf(instruction.Waits[i]);
        return new NumberedInstruction(
            instruction, Number(instruction.Reads), Number(instruction.Writes), 1UL << (int)instruction.Stream, waits, instruction.Signals ? BitOf(instruction.Label) : 0);
    }

    private NumberedReference[] Number(EquatableArray<TensorReference> references)
    {
        var numbered = new NumberedReference[references.Count];
        for (var i = 0; i < numbered.Length; i++)
            numbered[i] = new NumberedReference(_tensors[references[i].Tensor], references[i].Layer, references[i].Range);
        return numbered;
    }

    private ulong BitOf(string @event) => _events.TryGetValue(@event, out var number) ? 1UL << (StreamCount + number) : 0;

    private static void NoteMoving(NumberedNode[] body, bool[] moving)
    {
        foreach (var node in body)
        {
            if (node is NumberedRepeat repeat)
            {
                NoteMoving(repeat.Body, moving);
                continue;
            }
            var instruction = (NumberedInstruction)node;
            foreach (var read in instruction.Reads)
                moving[read.Tensor] |= read.Layer.Kind == LayerIndexKind.Relative;
            foreach (var write in instruction.Writes)
                moving[write.Tensor] |= write.Layer.Kind == LayerIndexKind.Relative;
        }
    }
}

/// <summary>A part of a numbered plan.</summary>
internal abstract record NumberedNode;

/// <summary>An instruction.</summary>
/// <param name="Text">The instruction itself.</param>
/// <param name="Reads">What it reads.</param>
/// <param name="Writes">What it writes.</param>
/// <param name="Stream">Its stream, as a bit.</param>
/// <param name="Waits">The events that it waits for, as bits; 0 for one that nothing signals.</param>
/// <param name="Signal">The event that it signals, as a bit; 0 for none.</param>
internal sealed record NumberedInstruction(Instruction Text, NumberedReference[] Reads, NumberedReference[] Writes, ulong Stream, ulong[] Waits, ulong Signal) : NumberedNode
{
    /// <summary>What it does.</summary>
    public Operation Operation => Text.Operation;
}

/// <summary>A repeat.</summary>
/// <param name="Text">The repeat itself.</param>
/// <param name="Body">What is repeated.</param>
/// <param name="Moving">Whether its body touches a tensor of a layer that is counted from the repeat's, by tensor.</param>
internal sealed record NumberedRepeat(Repeat Text, NumberedNode[] Body, bool[] Moving) : NumberedNode;

/// <summary>A tensor, or a range of it, of a layer.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Layer">Which layer's.</param>
/// <param name="Range">The range; null for all of it.</param>
internal readonly record struct NumberedReference(int Tensor, LayerIndex Layer, UnitRange? Range)
{
    /// <summary>The tensor of the layer that is meant where layer i of the repeat around is <paramref name="repeatLayer"/>.</summary>
    public TensorOfLayer At(int repeatLayer) => new(Tensor, Layer.Resolve(repeatLayer));
}

/// <summary>A tensor of a layer.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Layer">The layer; -1 for none.</param>
internal readonly record struct TensorOfLayer(int Tensor, int Layer)
{
    /// <summary>The same some layers on, if its tensor is one that moves.</summary>
    public TensorOfLayer Moved(bool[] moving, int layers) => moving[Tensor] ? new(Tensor, Layer + layers) : this;
}

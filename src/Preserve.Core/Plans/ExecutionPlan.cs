using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>A queue of the device. Within a stream instructions run in order; between streams only events order them.</summary>
public enum StreamKind
{
    /// <summary>Kernels.</summary>
    Compute,

    /// <summary>Collectives.</summary>
    Collective,

    /// <summary>Prefetches into the L2.</summary>
    Prefetch,

    /// <summary>Copies from host memory to the device.</summary>
    HostToDevice,

    /// <summary>Copies from the device to host memory.</summary>
    DeviceToHost,
}

/// <summary>A part of a plan: an <see cref="Instruction"/> or a <see cref="Repeat"/>.</summary>
public abstract record PlanNode
{
    private protected PlanNode()
    {
    }
}

/// <summary>One operation on one stream.</summary>
/// <param name="Stream">The stream it runs on.</param>
/// <param name="Label">Its name; also that of the event it signals.</param>
/// <param name="Operation">What it does.</param>
/// <param name="Reads">What it reads, or prefetches.</param>
/// <param name="Writes">What it writes.</param>
/// <param name="Waits">Labels of the events it waits for: each the last one of that label signalled above, in program order.</param>
/// <param name="Signals">Whether its end is an event.</param>
public sealed record Instruction(
    StreamKind Stream,
    string Label,
    Operation Operation,
    EquatableArray<TensorReference> Reads,
    EquatableArray<TensorReference> Writes,
    EquatableArray<string> Waits,
    bool Signals) : PlanNode;

/// <summary>A body that runs several times. In its references, layer i is <c>FirstLayer + Stride x iteration</c>.</summary>
/// <param name="Count">How many times, 1 or more.</param>
/// <param name="FirstLayer">Layer i of the first iteration.</param>
/// <param name="Stride">Layers per iteration.</param>
/// <param name="Body">What is repeated.</param>
public sealed record Repeat(int Count, int FirstLayer, int Stride, EquatableArray<PlanNode> Body) : PlanNode;

/// <summary>What each rank does in one step, and when: instructions in program order, repeats rolled.</summary>
/// <remarks>The plan means what its instructions compute one after the other, in program order. Run on their streams they
/// compute the same, because the events order every pair that touches the same bytes.</remarks>
/// <param name="Model">The model's name.</param>
/// <param name="Device">The device's id.</param>
/// <param name="Ranks">Ranks of the tensor-parallel group.</param>
/// <param name="Layers">Layers of the stack.</param>
/// <param name="Step">The step, with the largest context served.</param>
/// <param name="Policy">How prefetches were chosen.</param>
/// <param name="PrefetchRoomBytes">Most bytes that may be prefetched and not yet read.</param>
/// <param name="ArenaBytes">Bytes of the arena that holds the values.</param>
/// <param name="Tensors">The tensors of one rank.</param>
/// <param name="Body">The instructions.</param>
public sealed record ExecutionPlan(
    string Model,
    string Device,
    int Ranks,
    int Layers,
    StepSpec Step,
    PrefetchPolicy Policy,
    long PrefetchRoomBytes,
    long ArenaBytes,
    EquatableArray<TensorDeclaration> Tensors,
    EquatableArray<PlanNode> Body)
{
    /// <summary>Batches that each layer serves before the next layer, 1 or more; the step says the sequences of one. What each has of its own
    /// carries its number behind an <c>@</c>.</summary>
    public int Batches { get; init; } = 1;

    /// <summary>Contexts at which what is promised of a plan is checked: the ends of the range, every breakpoint of an
    /// amount, and both its neighbours. In rising order.</summary>
    public IReadOnlyList<int> CheckedContexts()
    {
        var contexts = new SortedSet<int> { Step.MinContext, Step.MaxContext };
        foreach (var amount in Amounts())
        {
            foreach (var piece in amount.Pieces)
            {
                for (var c = Math.Max(piece.From - 1, 0); c <= piece.From + 1; c++)
                {
                    if (c >= Step.MinContext && c <= Step.MaxContext)
                        contexts.Add(c);
                }
            }
        }
        return contexts.ToArray();
    }

    /// <summary>Every instruction of the text, bodies of repeats once, in program order.</summary>
    public IEnumerable<Instruction> Instructions() => InstructionsOf(Body);

    /// <summary>Tokens of each sequence whose keys and values are recomputed, in the kind of layer that recomputes most; 0 where none does.</summary>
    /// <param name="context">The context; the plan serves it.</param>
    public int RecomputedTokens(int context) =>
        Instructions().Select(i => i.Operation).OfType<RecomputeOperation>().Select(o => (int)o.Tokens.At(context)).DefaultIfEmpty(0).Max();

    /// <summary>The same plan without repeats. Grows with the depth of the stack.</summary>
    public ExecutionPlan Unroll()
    {
        var nodes = new List<PlanNode>();
        Append(Body, 0);
        return this with { Body = nodes.ToArray() };

        void Append(EquatableArray<PlanNode> body, int layer)
        {
            foreach (var node in body)
            {
                if (node is Repeat repeat)
                {
                    for (var i = 0; i < repeat.Count; i++)
                        Append(repeat.Body, repeat.FirstLayer + (i * repeat.Stride));
                }
                else
                {
                    var instruction = (Instruction)node;
                    nodes.Add(instruction with
                    {
                        Reads = Absolute(instruction.Reads, layer),
                        Writes = Absolute(instruction.Writes, layer),
                    });
                }
            }
        }

        static EquatableArray<TensorReference> Absolute(EquatableArray<TensorReference> references, int layer) =>
            references.Select(r => r.Layer.Kind == LayerIndexKind.Relative ? r with { Layer = LayerIndex.Of(r.Layer.Resolve(layer)) } : r).ToArray();
    }

    /// <summary>The base plan: the same without its prefetches and the events that only they needed.</summary>
    public ExecutionPlan WithoutPrefetch() => WithoutPrefetch(static _ => true) with { Policy = PrefetchPolicy.None };

    /// <summary>The same plan without the prefetches of some windows, and without the events that only those needed.</summary>
    /// <param name="drop">Whether the prefetch is dropped.</param>
    public ExecutionPlan WithoutPrefetch(Func<Instruction, bool> drop)
    {
        if (drop is null)
            throw new ArgumentNullException(nameof(drop));
        var kept = Filter(Body, n => n is not Instruction { Operation: PrefetchOperation } prefetch || !drop(prefetch));
        var awaited = new HashSet<string>(InstructionsOf(kept).SelectMany(i => i.Waits));
        return this with { Body = Map(kept, i => i.Signals && !awaited.Contains(i.Label) ? i with { Signals = false } : i) };
    }

    private static IEnumerable<Instruction> InstructionsOf(EquatableArray<PlanNode> body)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                yield return instruction;
            }
            else
            {
                foreach (var inner in InstructionsOf(((Repeat)node).Body))
                    yield return inner;
            }
        }
    }

    private static EquatableArray<PlanNode> Filter(EquatableArray<PlanNode> body, Func<PlanNode, bool> keep) =>
        body.Where(keep).Select(n => n is Repeat r ? r with { Body = Filter(r.Body, keep) } : n).ToArray();

    private static EquatableArray<PlanNode> Map(EquatableArray<PlanNode> body, Func<Instruction, Instruction> map) =>
        body.Select(n => n is Repeat r ? r with { Body = Map(r.Body, map) } : (PlanNode)map((Instruction)n)).ToArray();

    private IEnumerable<Amount> Amounts()
    {
        foreach (var tensor in Tensors)
            yield return tensor.Units;
        foreach (var instruction in Instructions())
        {
            if (instruction.Operation is AttentionOperation attention)
                yield return attention.Pairs;
            foreach (var reference in instruction.Reads.Concat(instruction.Writes))
            {
                if (reference.Range is { } range)
                {
                    yield return range.Begin;
                    yield return range.End;
                }
            }
        }
    }
}

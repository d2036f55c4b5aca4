using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>A plan with names replaced by indices and waits by the runs they wait for. Holds at every context.</summary>
internal sealed class CompiledPlan
{
    private readonly List<Instruction> _instructions = [];
    private readonly List<int> _loopsOf = [];
    private readonly List<CompiledLoop> _loops = [];
    private readonly Dictionary<string, int> _tensorIndices = new(StringComparer.Ordinal);
    private readonly List<Amount>[] _cuts;

    public CompiledPlan(ExecutionPlan plan)
    {
        Plan = plan;
        Layers = Math.Max(plan.Layers, 1);
        _cuts = new List<Amount>[plan.Tensors.Count];
        for (var i = 0; i < plan.Tensors.Count; i++)
        {
            if (_tensorIndices.ContainsKey(plan.Tensors[i].Name))
                throw new ArgumentException($"the tensor '{plan.Tensors[i].Name}' is declared twice", nameof(plan));
            _tensorIndices.Add(plan.Tensors[i].Name, i);
            _cuts[i] = [0, plan.Tensors[i].Units];
        }
        for (var s = 0; s < Streams.Length; s++)
            Streams[s] = new StreamProgram();
        Number(plan.Body, -1);
        Instructions = _instructions.ToArray();
        Kinds = Array.ConvertAll(Instructions, KindOf);
        LoopOf = _loopsOf.ToArray();
        Reads = new CompiledReference[Instructions.Length][];
        Writes = new CompiledReference[Instructions.Length][];
        for (var i = 0; i < Instructions.Length; i++)
        {
            Reads[i] = Compile(i, Instructions[i].Reads, read: true);
            Writes[i] = Compile(i, Instructions[i].Writes, read: false);
        }
        for (var i = 0; i < _loops.Count; i++)
            _loops[i] = _loops[i] with { Uniform = IsUniform(i) };
        Loops = _loops.ToArray();
        foreach (var stream in Streams)
            stream.Seal(Loops.Length);
        IsMark = MarksOf(Streams[(int)StreamKind.Compute]);
        Cuts = Array.ConvertAll(_cuts, c => c.ToArray());
        TensorPerLayer = new bool[plan.Tensors.Count];
        for (var i = 0; i < TensorPerLayer.Length; i++)
            TensorPerLayer[i] = IsPerLayer(plan.Tensors[i]);
        TensorVaries = Array.ConvertAll(Cuts, cuts => Array.Exists(cuts, c => !c.IsConstant));
        InstructionVaries = new bool[Instructions.Length];
        for (var i = 0; i < Instructions.Length; i++)
            InstructionVaries[i] = !Instructions[i].Operation.Flops.IsConstant || Varies(Reads[i]) || Varies(Writes[i]);
        Waits = new EventBinder(Instructions, LoopOf, Loops).Bind(plan.Body);
        for (var s = 0; s < Streams.Length; s++)
            Streams[s].Bind((StreamKind)s, Waits, LoopOf);
    }

    public ExecutionPlan Plan { get; }

    /// <summary>Layers of the stack, 1 or more.</summary>
    public int Layers { get; }

    /// <summary>Each instruction of the text once, in program order.</summary>
    public Instruction[] Instructions { get; }

    /// <summary>What each instruction is.</summary>
    public InstructionKind[] Kinds { get; }

    /// <summary>The repeat around each instruction, or -1.</summary>
    public int[] LoopOf { get; }

    /// <summary>Where a run looks whether its state has come before: the kernels with a weight or a cache, and the first of a body, of
    /// uniform repeats.</summary>
    public bool[] IsMark { get; }

    public CompiledLoop[] Loops { get; }

    public StreamProgram[] Streams { get; } = new StreamProgram[ResourceSimulation.StreamCount];

    /// <summary>The bindings of each instruction's waits.</summary>
    public EventBinding[][] Waits { get; }

    public CompiledReference[][] Reads { get; }

    public CompiledReference[][] Writes { get; }

    /// <summary>Where each tensor's references begin and end, in units; between them lie its segments.</summary>
    public Amount[][] Cuts { get; }

    /// <summary>Whether a tensor lies elsewhere in every layer.</summary>
    public bool[] TensorPerLayer { get; }

    /// <summary>Whether a tensor's size or cuts depend on the context.</summary>
    public bool[] TensorVaries { get; }

    /// <summary>Whether what an instruction touches or computes depends on the context.</summary>
    public bool[] InstructionVaries { get; }

    /// <summary>Whether a tensor lies elsewhere in every layer: the values of all layers share one place in the arena.</summary>
    public static bool IsPerLayer(TensorDeclaration tensor) => tensor.PerLayer && tensor.Role != TensorRole.Value;

    private static InstructionKind KindOf(Instruction instruction) => instruction.Operation switch
    {
        PrefetchOperation => InstructionKind.Prefetch,
        TransferOperation => InstructionKind.Transfer,
        CollectiveOperation => InstructionKind.Collective,
        _ => InstructionKind.Kernel,
    };

    private void Number(EquatableArray<PlanNode> body, int loop)
    {
        foreach (var node in body)
        {
            if (node is Instruction instruction)
            {
                Streams[(int)instruction.Stream].Add(_instructions.Count);
                _instructions.Add(instruction);
                _loopsOf.Add(loop);
                continue;
            }
            var repeat = (Repeat)node;
            var inner = _loops.Count;
            _loops.Add(new CompiledLoop(repeat.Count, repeat.FirstLayer, repeat.Stride, loop) { First = _instructions.Count });
            foreach (var stream in Streams)
                stream.BeginLoop(inner);
            Number(repeat.Body, inner);
            foreach (var stream in Streams)
                stream.EndLoop(inner);
            _loops[inner] = _loops[inner] with { End = _instructions.Count };
        }
    }

    private CompiledReference[] Compile(int instruction, EquatableArray<TensorReference> references, bool read)
    {
        var compiled = new CompiledReference[references.Count];
        var count = 0;
        foreach (var reference in references)
        {
            if (!_tensorIndices.TryGetValue(reference.Tensor, out var tensor))
                throw Bad(instruction, $"names the tensor '{reference.Tensor}', which is not declared");
            var declaration = Plan.Tensors[tensor];
            var perLayer = IsPerLayer(declaration);
            if (perLayer)
                CheckLayers(instruction, reference);
            // What lies in host memory passes no memory of the device.
            if (declaration.OnHost)
                continue;
            compiled[count++] = new CompiledReference(
                tensor,
                reference.Range is { } begin ? Cut(tensor, begin.Begin) : 0,
                reference.Range is { } end ? Cut(tensor, end.End) : 1,
                perLayer ? reference.Layer : LayerIndex.None,
                read ? Instructions[instruction].Operation.LookupBytes(declaration) : -1);
        }
        Array.Resize(ref compiled, count);
        return compiled;
    }

    private int Cut(int tensor, Amount at)
    {
        var known = _cuts[tensor].IndexOf(at);
        if (known >= 0)
            return known;
        _cuts[tensor].Add(at);
        return _cuts[tensor].Count - 1;
    }

    private void CheckLayers(int instruction, TensorReference reference)
    {
        var (first, last) = (0, 0);
        if (LoopOf[instruction] >= 0)
        {
            var loop = _loops[LoopOf[instruction]];
            first = loop.FirstLayer;
            last = loop.FirstLayer + ((loop.Count - 1) * loop.Stride);
        }
        var (from, to) = (reference.Layer.Resolve(Math.Min(first, last)), reference.Layer.Resolve(Math.Max(first, last)));
        if (reference.Layer.Kind == LayerIndexKind.None || from < 0 || to >= Layers)
            throw Bad(instruction, $"names '{reference.Tensor}' of a layer that is not one of the {Layers} of the stack");
    }

    private bool IsUniform(int loop)
    {
        for (var i = _loops[loop].First; i < _loops[loop].End; i++)
        {
            if (LoopOf[i] != loop || HasFixedLayer(Reads[i]) || HasFixedLayer(Writes[i]))
                return false;
        }
        return true;

        static bool HasFixedLayer(CompiledReference[] references)
        {
            foreach (var reference in references)
            {
                if (reference.Layer.Kind == LayerIndexKind.Absolute)
                    return true;
            }
            return false;
        }
    }

    private bool[] MarksOf(StreamProgram compute)
    {
        var marks = new bool[Instructions.Length];
        for (var at = 0; at < compute.Words.Length; at++)
        {
            var instruction = compute.Words[at];
            if (instruction < 0 || LoopOf[instruction] is not (>= 0 and var loop) || !Loops[loop].Uniform)
                continue;
            marks[instruction] = at == compute.LoopBegins[loop] + 1 || Instructions[instruction].Operation is MatMulOperation or AttentionOperation;
        }
        return marks;
    }

    /// <summary>The instructions that touch a tensor on the device.</summary>
    public int[] ThatTouch(int tensor)
    {
        var touching = new List<int>();
        for (var i = 0; i < Instructions.Length; i++)
        {
            if (Touches(Reads[i]) || Touches(Writes[i]))
                touching.Add(i);
        }
        return touching.ToArray();

        bool Touches(CompiledReference[] references)
        {
            foreach (var reference in references)
            {
                if (reference.Tensor == tensor)
                    return true;
            }
            return false;
        }
    }

    private bool Varies(CompiledReference[] references)
    {
        foreach (var reference in references)
        {
            if (TensorVaries[reference.Tensor])
                return true;
        }
        return false;
    }

    private ArgumentException Bad(int instruction, string what) =>
        new($"the instruction '{Instructions[instruction].Label}' {what}");
}

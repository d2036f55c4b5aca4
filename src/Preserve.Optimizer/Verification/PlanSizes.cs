using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>What can be checked without an order at one context: the arena, ranges, the bytes of copies, shapes, and what is made again.</summary>
internal sealed class PlanSizes
{
    private readonly ExecutionPlan _plan;
    private readonly IReadOnlyDictionary<string, TensorDeclaration> _tensors;
    private readonly BroughtWeights _brought;
    private readonly OperationShapes _shapes;
    private readonly int _context;
    private readonly List<PlanFault> _faults = [];

    /// <param name="plan">The plan.</param>
    /// <param name="structure">Its structure, which is sound.</param>
    /// <param name="context">The context.</param>
    public PlanSizes(ExecutionPlan plan, PlanStructure structure, int context)
    {
        (_plan, _tensors, _brought, _context) = (plan, structure.Tensors, structure.Brought, context);
        _shapes = new OperationShapes(plan, _tensors, context);
    }

    public IReadOnlyList<PlanFault> Check()
    {
        foreach (var tensor in _plan.Tensors)
            CheckDeclaration(tensor);
        CheckNodes(_plan.Body, 0);
        return _faults;
    }

    private void CheckDeclaration(TensorDeclaration tensor)
    {
        var bytes = tensor.Bytes.At(_context);
        if (bytes < 0)
            Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' has {bytes} bytes");
        if (tensor is { Role: TensorRole.Value, OnHost: false } && (tensor.Offset < 0 || bytes > _plan.ArenaBytes - tensor.Offset))
            Fault(PlanFaultKind.Reference, "", 0, $"'{tensor.Name}' at {tensor.Offset} with {bytes} bytes is not within the arena's {_plan.ArenaBytes}");
    }

    /// <param name="body">Nodes.</param>
    /// <param name="layer">The first layer that they stand for.</param>
    private void CheckNodes(EquatableArray<PlanNode> body, int layer)
    {
        var makesAgain = false;
        foreach (var node in body)
        {
            if (node is Repeat repeat)
            {
                CheckNodes(repeat.Body, repeat.FirstLayer);
                continue;
            }
            var instruction = (Instruction)node;
            CheckInstruction(instruction, layer);
            makesAgain |= instruction.Operation is RecomputeOperation;
        }
        if (makesAgain)
            CheckRecomputations(body, layer);
    }

    private void CheckInstruction(Instruction instruction, int layer)
    {
        foreach (var read in instruction.Reads)
            CheckRange(instruction, read, layer);
        foreach (var write in instruction.Writes)
            CheckRange(instruction, write, layer);
        if (instruction.Operation is TransferOperation && (instruction.Reads.Sum(BytesOf), instruction.Writes.Sum(BytesOf)) is var (from, to) && from != to)
            Fault(PlanFaultKind.Reference, instruction.Label, layer, $"copies {from} bytes to a place of {to}");
        if (_faults.Count > 0 || instruction.Operation is PrefetchOperation)
            return;
        var resolved = _brought.Resolve(instruction, _context);
        if (_brought.ReadFault(resolved, _context) is { } fault)
            Fault(PlanFaultKind.Read, instruction.Label, layer, fault);
        else if (_shapes.Fault(resolved) is { } shape)
            Fault(PlanFaultKind.Shape, instruction.Label, layer, shape);
    }

    private void CheckRange(Instruction instruction, TensorReference reference, int layer)
    {
        if (reference.Range is not { } range)
            return;
        var tensor = _tensors[reference.Tensor];
        var (from, to, units) = (range.Begin.At(_context), range.End.At(_context), tensor.Units.At(_context));
        if (from < 0 || to < from || to > units)
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layer, $"[{from}, {to}) is not a range of the {units} units of '{reference.Tensor}'");
        }
        // Only what is kept by token is written in parts; a prefetch or a copy may want a part of anything, and who recomputes that of keys
        // and values.
        else if (to - from < units && tensor.Role is not (TensorRole.KeyValues or TensorRole.Activations)
            && instruction.Operation is not (PrefetchOperation or TransferOperation or RecomputeOperation))
        {
            Fault(PlanFaultKind.Reference, instruction.Label, layer, $"touches only [{from}, {to}) of the {units} bytes of '{reference.Tensor}'");
        }
    }

    private long BytesOf(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        return (reference.Range?.Length ?? tensor.Units).At(_context) * tensor.UnitBytes;
    }

    /// <summary>What is made again is compared with the instructions around it, which are sound by now.</summary>
    private void CheckRecomputations(EquatableArray<PlanNode> body, int layer)
    {
        if (_faults.Count > 0)
            return;
        var instructions = body.OfType<Instruction>().ToList();
        var ofBatches = instructions.Where(RecomputedProjection.Asks).Select(i => _brought.Resolve(i, _context)).ToLookup(i => BatchNames.SuffixOf(i.Writes[0].Tensor));
        foreach (var again in instructions.Where(i => i.Operation is RecomputeOperation))
        {
            if (RecomputedProjection.Fault(_brought.Resolve(again, _context), ofBatches, _tensors, _context) is { } fault)
                Fault(PlanFaultKind.Read, again.Label, layer, fault);
        }
    }

    private void Fault(PlanFaultKind kind, string label, int layer, string message) => _faults.Add(new PlanFault(kind, label, layer, _context, message));
}

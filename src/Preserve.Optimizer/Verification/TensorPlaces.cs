using System;

namespace Preserve.Optimizer;

/// <summary>Where the tensors of a plan lie at one context.</summary>
internal sealed class TensorPlaces
{
    private readonly NumberedPlan _plan;
    private readonly int _context;
    private readonly long[] _units;

    /// <param name="plan">The plan.</param>
    /// <param name="context">The context.</param>
    public TensorPlaces(NumberedPlan plan, int context)
    {
        (_plan, _context) = (plan, context);
        _units = Array.ConvertAll(plan.Tensors, t => t.Units.At(context));
    }

    /// <summary>A tensor's declaration.</summary>
    public TensorDeclaration this[int tensor] => _plan.Tensors[tensor];

    /// <summary>Bytes of the whole tensor.</summary>
    public long BytesOf(int tensor) => _units[tensor] * _plan.Tensors[tensor].UnitBytes;

    /// <summary>Units of the whole tensor.</summary>
    public long UnitsOf(int tensor) => _units[tensor];

    /// <summary>The units that a reference means.</summary>
    public (long Begin, long End) Units(NumberedReference reference) =>
        reference.Range is { } range ? (range.Begin.At(_context), range.End.At(_context)) : (0, _units[reference.Tensor]);

    /// <summary>The bytes that a reference means, counted from the tensor's first.</summary>
    public (long Begin, long End) Bytes(NumberedReference reference)
    {
        var (begin, end) = Units(reference);
        var unit = _plan.Tensors[reference.Tensor].UnitBytes;
        return (begin * unit, end * unit);
    }

    /// <summary>Where a reference lies: bytes in the arena, bytes of a value in host memory, tokens of a KV-cache; null for a weight.</summary>
    public (long Begin, long End)? Of(NumberedReference reference)
    {
        var tensor = _plan.Tensors[reference.Tensor];
        if (tensor.Role is not (TensorRole.Value or TensorRole.KeyValues))
            return null;
        var (begin, end) = Units(reference);
        return _plan.IsInArena(reference.Tensor) ? (tensor.Offset + begin, tensor.Offset + end) : (begin, end);
    }

    /// <summary>Whether a tensor of the arena, all of it, has bytes in common with a place.</summary>
    public bool LiesOver(int tensor, (long Begin, long End) place) =>
        _plan.Tensors[tensor].Offset is var offset && offset < place.End && place.Begin < offset + BytesOf(tensor);

    /// <summary>The first of a cache's entries that this step computes.</summary>
    public long FreshFrom(int cache) => _units[cache] - (_plan.Plan.Step.ContextIsTotal ? _plan.Plan.Step.Batch : _plan.Plan.Step.NewTokens);
}

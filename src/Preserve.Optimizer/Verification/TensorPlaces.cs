using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>Where the tensors of a plan lie at one context.</summary>
/// <param name="plan">The plan.</param>
/// <param name="context">The context.</param>
internal sealed class TensorPlaces(ExecutionPlan plan, int context)
{
    private readonly Dictionary<string, TensorDeclaration> _tensors = plan.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>The declaration of a name.</summary>
    public TensorDeclaration this[string tensor] => _tensors[tensor];

    /// <summary>The declaration of a name, or null.</summary>
    public TensorDeclaration? Find(string tensor) => _tensors.TryGetValue(tensor, out var declaration) ? declaration : null;

    /// <summary>Whether a tensor lies in the arena.</summary>
    public bool IsInArena(string tensor) => _tensors[tensor] is { Role: TensorRole.Value, OnHost: false };

    /// <summary>Bytes of the whole tensor.</summary>
    public long BytesOf(string tensor) => _tensors[tensor].Bytes.At(context);

    /// <summary>Units of the whole tensor.</summary>
    public long UnitsOf(string tensor) => _tensors[tensor].Units.At(context);

    /// <summary>The units that a reference means.</summary>
    public (long Begin, long End) Units(TensorReference reference) =>
        (reference.Range?.Begin.At(context) ?? 0, (reference.Range?.End ?? _tensors[reference.Tensor].Units).At(context));

    /// <summary>The bytes that a reference means, counted from the tensor's first.</summary>
    public (long Begin, long End) Bytes(TensorReference reference)
    {
        var (begin, end) = Units(reference);
        var unit = _tensors[reference.Tensor].UnitBytes;
        return (begin * unit, end * unit);
    }

    /// <summary>Where a reference lies: bytes in the arena, bytes of a value in host memory, tokens of a KV-cache; null for a weight.</summary>
    public (long Begin, long End)? Of(TensorReference reference)
    {
        var tensor = _tensors[reference.Tensor];
        var (begin, end) = Units(reference);
        return tensor.Role switch
        {
            TensorRole.Value when !tensor.OnHost => (tensor.Offset + begin, tensor.Offset + end),
            TensorRole.Value or TensorRole.KeyValues => (begin, end),
            _ => null,
        };
    }

    /// <summary>The first of a cache's entries that this step computes.</summary>
    public long FreshFrom(string cache) => UnitsOf(cache) - (plan.Step.ContextIsTotal ? plan.Step.Batch : plan.Step.NewTokens);
}

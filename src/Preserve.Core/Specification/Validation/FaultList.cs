using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Collects the faults of a specification. A rule on several values asks first whether each of them is sound, so that no fault is told that
/// only follows from another, and each that does not is.</summary>
/// <param name="unsound">Values that are known to be at fault, or not known.</param>
internal sealed class FaultList(IEnumerable<SpecificationPlace> unsound)
{
    private readonly List<SpecificationFault> _faults = [];
    private readonly HashSet<SpecificationPlace> _unsound = [.. unsound];

    public EquatableArray<SpecificationFault> ToArray() => _faults.ToArray();

    public void Add(SpecificationFault fault)
    {
        _faults.Add(fault);
        _unsound.Add(fault.Place);
    }

    /// <summary>Whether nothing is at fault at any of the places.</summary>
    public bool AreSound(params SpecificationPlace[] places) => !Array.Exists(places, _unsound.Contains);

    /// <summary>Whether nothing of the model is at fault that its parameters and operations are counted by.</summary>
    public bool AreSizesSound => !_unsound.Any(IsFactorOfSizes);

    private static bool IsFactorOfSizes(SpecificationPlace place) => place switch
    {
        StepPlace => false,
        DeploymentPlace => place.Property == nameof(DeploymentSpec.Model),
        _ => place.Property is not (nameof(ModelSpec.Name) or nameof(ModelSpec.MaxPositions) or nameof(ModelSpec.EmbeddingScale) or nameof(ModelSpec.LogitSoftCap)
            or nameof(LayerSpec.Position) or nameof(MultiHeadAttentionSpec.Window) or nameof(MultiHeadAttentionSpec.SoftCap)),
    };

    public void Range(SpecificationPlace place, string of, long value, ValueRange range)
    {
        if (!range.Contains(value))
            Add(new OutOfRangeFault(place, of, value, range));
    }

    public void Choice<T>(SpecificationPlace place, string of, T value)
        where T : struct, Enum
    {
#pragma warning disable CA2263 // The generic overloads are not in netstandard2.0.
        if (!Enum.IsDefined(typeof(T), value))
        {
            var choices = string.Join(", ", Enum.GetNames(typeof(T)).Select(n => $"{typeof(T).Name}.{n}"));
            Add(new UndefinedChoiceFault(place, of, Convert.ToInt64(value, null), choices));
        }
#pragma warning restore CA2263
    }
}

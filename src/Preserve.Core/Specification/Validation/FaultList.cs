using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>Collects the faults of a specification.</summary>
internal sealed class FaultList
{
    private readonly List<SpecificationFault> _faults = [];

    public bool Any => _faults.Count > 0;

    public EquatableArray<SpecificationFault> ToArray() => _faults.ToArray();

    public void Add(SpecificationFault fault) => _faults.Add(fault);

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

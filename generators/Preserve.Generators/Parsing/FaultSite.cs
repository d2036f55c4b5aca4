using System;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Where a fault is to be marked: an argument of an attribute, an attribute, or a type.</summary>
/// <param name="Type">The type that carries the attribute.</param>
/// <param name="Attribute">The attribute, or null for the type itself.</param>
/// <param name="Argument">A property or constructor parameter of the attribute, or null for the attribute itself.</param>
/// <param name="Element">The index in a parameter that is a list.</param>
/// <param name="Outer">Where to mark it when the type stands in another assembly.</param>
internal sealed record FaultSite(ISymbol Type, AttributeData? Attribute, string? Argument, int Element, FaultSite? Outer)
{
    /// <summary>What would mend the fault, worked out only where it is reported; null, or null in it, where that is not mechanical.</summary>
    public Func<Mend?>? Mend { get; init; }
}

using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Preserve.Generators;

/// <summary>An attribute of the declaration, its values read. An absent argument is unset; 0 is a value.</summary>
internal sealed class DeclaredAttribute(AttributeData data, INamedTypeSymbol type, FaultSite? outer, string of, IFaultSink sink)
{
    private readonly HashSet<string> _unknown = [];

    /// <summary>Whether every argument that stands there is one of the attribute's. What seems to be missing of another may be misspelled, which the compiler reports.</summary>
    private readonly bool _complete = data.AttributeConstructor is not null
        && (data.ApplicationSyntaxReference?.GetSyntax() is not AttributeSyntax { ArgumentList: { } list } || list.Arguments.Count(a => a.NameEquals is not null) == data.NamedArguments.Length);

    /// <summary>Properties whose values are not known, because they are missing, or not such as they must be; what is wrong with them is reported.</summary>
    public IEnumerable<string> Unknown => _unknown;

    /// <summary>Whether the compiler could bind it; it reports what it could not.</summary>
    public bool Bound => data.AttributeConstructor is not null;

    public bool Is<T>()
        where T : Attribute => data.AttributeClass!.Is<T>();

    public TypedConstant Positional(int index) => data.ConstructorArguments[index];

    public FaultSite Site(string? argument = null, int element = 0) => new(type, data, argument, element, outer);

    public bool Has(string property) => data.NamedArguments.Any(a => a.Key == property);

    /// <summary>Whether an argument is known not to be given.</summary>
    public bool Lacks(string property) => _complete && !Has(property);

    /// <summary>Whether a value that was read is given, and nothing is wrong with it as far as it was looked at.</summary>
    public bool Knows(string property) => Has(property) && !_unknown.Contains(property);

    public int Int(string property, int unset) => Value<int>(property) ?? unset;

    public bool Bool(string property) => Value<bool>(property) ?? false;

    public T Choice<T>(string property, T unset = default)
        where T : struct, Enum => Value<int>(property) is { } value ? (T)Enum.ToObject(typeof(T), value) : unset;

    /// <summary>A text. Null, which is not a text, reads as the empty one, which no rule accepts.</summary>
    public string Text(string property, string unset) =>
        Find(property) switch
        {
            null => unset,
            { Kind: TypedConstantKind.Error } => Broken(property, unset),
            { } value => value.Value as string ?? "",
        };

    /// <summary>A value that must be given. The stand-in for a missing one keeps the other rules quiet.</summary>
    public int Required(string property, int standIn)
    {
        if (Lacks(property))
        {
            sink.Report(Descriptors.MissingValue, Site(), property, of);
            Doubt(property);
        }
        return Int(property, standIn);
    }

    /// <summary>Says of properties that their values are not known: what is wrong with them is reported.</summary>
    public void Doubt(params string[] properties) => _unknown.UnionWith(properties);

    /// <summary>A value that must be given, in its range. The least one stands in for another.</summary>
    public int Required(string property, ValueRange range)
    {
        var value = Required(property, (int)range.Least);
        if (range.Contains(value))
            return value;
        sink.Report(Descriptors.OutOfRange, Site(property), new OutOfRangeFault(new ModelPlace(property), of, value, range).Message);
        Doubt(property);
        return (int)range.Least;
    }

    /// <summary>A value whose absence is written 0 in the specification: an explicit 0 is outside its range.</summary>
    public int Optional(string property, ValueRange range)
    {
        var value = Int(property, 0);
        if (value != 0 || !Knows(property))
            return value;
        sink.Report(Descriptors.OutOfRange, Site(property), new OutOfRangeFault(new ModelPlace(property), of, value, range).Message);
        Doubt(property);
        return 0;
    }

    private T? Value<T>(string property)
        where T : struct
    {
        if (Find(property) is not { } value)
            return null;
        return value is { Kind: not TypedConstantKind.Error, Value: T of } ? of : Broken<T?>(property, null);
    }

    private TypedConstant? Find(string property)
    {
        foreach (var argument in data.NamedArguments)
        {
            if (argument.Key == property)
                return argument.Value;
        }
        if (!_complete)
            Break(property);
        return null;
    }

    private T Broken<T>(string property, T standIn)
    {
        Break(property);
        return standIn;
    }

    private void Break(string property)
    {
        sink.ReportedElsewhere();
        Doubt(property);
    }
}

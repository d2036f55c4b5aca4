using System.Collections.Generic;
using System.Collections.Immutable;

namespace Preserve.Generators;

/// <summary>What would mend a fault mechanically. It travels in the properties of the diagnostic, so that a code fix only writes it down.</summary>
internal sealed record Mend
{
    /// <summary>Stands for the argument that the diagnostic marks: one of a parameter may have no name.</summary>
    public const string Marked = "preserve.marked";

    private const string Arguments = "preserve.arguments", Partial = "preserve.partial", Base = "preserve.base";

    private Mend(ImmutableDictionary<string, string?> properties) => Properties = properties;

    /// <summary>The properties of the diagnostic.</summary>
    public ImmutableDictionary<string, string?> Properties { get; }

    /// <summary>The type, and those that it is nested in, become partial.</summary>
    public static Mend ByPartial { get; } = new(ImmutableDictionary<string, string?>.Empty.Add(Partial, ""));

    /// <summary>The type derives from <see cref="Deployment"/>.</summary>
    public static Mend ByBase { get; } = new(ImmutableDictionary<string, string?>.Empty.Add(Base, ""));

    /// <summary>Arguments of the attribute get other values, as C# expressions that hold in any file; those with none are removed.</summary>
    public static Mend By(params (string Argument, string? Value)[] arguments)
    {
        var properties = ImmutableDictionary.CreateBuilder<string, string?>();
        properties.Add(Arguments, string.Join(" ", System.Array.ConvertAll(arguments, a => a.Argument)));
        foreach (var (argument, value) in arguments)
            properties.Add(argument, value);
        return new Mend(properties.ToImmutable());
    }

    /// <summary>Whether a diagnostic is mended by the modifier <c>partial</c>.</summary>
    public static bool IsByPartial(ImmutableDictionary<string, string?> properties) => properties.ContainsKey(Partial);

    /// <summary>Whether a diagnostic is mended by the base type.</summary>
    public static bool IsByBase(ImmutableDictionary<string, string?> properties) => properties.ContainsKey(Base);

    /// <summary>The arguments that mend a diagnostic, with their values; none where it is not mended so.</summary>
    public static IReadOnlyList<(string Argument, string? Value)> ArgumentsOf(ImmutableDictionary<string, string?> properties) =>
        properties.TryGetValue(Arguments, out var names) && names is not null ? System.Array.ConvertAll(names.Split(' '), n => (n, properties[n])) : [];
}

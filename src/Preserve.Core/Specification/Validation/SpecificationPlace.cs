namespace Preserve;

/// <summary>Where in a specification a value stands. A closed family, so that whoever declares specifications in a form of
/// their own (attributes, JSON, calls) can point at the place in that form.</summary>
public abstract record SpecificationPlace
{
    private protected SpecificationPlace(string property) => Property = property;

    /// <summary>The value's name, as the attributes spell it.</summary>
    public string Property { get; init; }
}

/// <summary>A value of the model.</summary>
/// <param name="Property">The value's name.</param>
public sealed record ModelPlace(string Property) : SpecificationPlace(Property);

/// <summary>A value of a run of layers.</summary>
/// <param name="Group">Its index in the stack.</param>
/// <param name="Property">The value's name.</param>
public sealed record GroupPlace(int Group, string Property) : SpecificationPlace(Property);

/// <summary>A value of a kind of layer.</summary>
/// <param name="Group">The index of the run in the stack.</param>
/// <param name="Index">The layer's index in the run's pattern.</param>
/// <param name="Property">The value's name.</param>
public sealed record LayerPlace(int Group, int Index, string Property) : SpecificationPlace(Property);

/// <summary>A value of the deployment.</summary>
/// <param name="Property">The value's name.</param>
public sealed record DeploymentPlace(string Property) : SpecificationPlace(Property);

/// <summary>A value of a step.</summary>
/// <param name="Step">The step's index in the deployment.</param>
/// <param name="Property">The value's name.</param>
public sealed record StepPlace(int Step, string Property) : SpecificationPlace(Property)
{
    /// <summary>The value that says how long the sequences of a step are.</summary>
    internal static StepPlace OfLength(int index, StepSpec step) => new(index, step switch
    {
        PrefillSpec => nameof(PrefillSpec.Tokens),
        DecodeSpec { Total: true } => nameof(DecodeAttribute.CachedTokens),
        _ => nameof(DecodeSpec.Context),
    });
}

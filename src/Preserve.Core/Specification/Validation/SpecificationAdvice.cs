namespace Preserve;

/// <summary>Something that can be planned and is probably not meant, or costs what may not be known. A closed family; each says it in one
/// sentence, with the numbers.</summary>
public abstract record SpecificationAdvice
{
    private protected SpecificationAdvice(SpecificationPlace place) => Place = place;

    /// <summary>Where the value stands that could be changed.</summary>
    public SpecificationPlace Place { get; init; }

    /// <summary>What is to be known.</summary>
    public abstract string Message { get; }

    /// <inheritdoc/>
    public sealed override string ToString() => Message;
}

/// <summary>There are more ranks than key and value heads: several ranks hold the same one.</summary>
/// <param name="Degree">Ranks.</param>
/// <param name="Layer">The kind of layer with the fewest such heads.</param>
/// <param name="KeyValueHeads">How many it has.</param>
public sealed record ReplicatedHeadsAdvice(int Degree, string Layer, int KeyValueHeads) : SpecificationAdvice(new DeploymentPlace(nameof(DeploymentSpec.TensorParallel)))
{
    /// <inheritdoc/>
    public override string Message =>
        $"TensorParallel is {ValueRange.Grouped(Degree)}, and layer '{Layer}' has {ValueRange.Grouped(KeyValueHeads)} key and value {(KeyValueHeads == 1 ? "head" : "heads")}: {ValueRange.Grouped(Degree / KeyValueHeads)} ranks hold {(KeyValueHeads == 1 ? "it" : "each")}, so that the group's cache of such a layer is {ValueRange.Grouped(Degree / KeyValueHeads)} times as large";
}

/// <summary>A step reaches beyond the positions that the model was made for.</summary>
/// <param name="Place">The step.</param>
/// <param name="Tokens">Where it ends.</param>
/// <param name="Positions">The model's positions.</param>
public sealed record BeyondPositionsAdvice(SpecificationPlace Place, long Tokens, int Positions) : SpecificationAdvice(Place)
{
    /// <inheritdoc/>
    public override string Message =>
        $"the step reaches {ValueRange.Grouped(Tokens)} tokens, and the model was made for sequences of {ValueRange.Grouped(Positions)}: its time is that of the arithmetic, what it would answer is another matter";
}

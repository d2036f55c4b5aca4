namespace Preserve;

/// <summary>Something that keeps a specification from being planned. A closed family; each says it in one sentence, with
/// the numbers.</summary>
public abstract record SpecificationFault
{
    private protected SpecificationFault(SpecificationPlace place) => Place = place;

    /// <summary>Where the value stands that is to be changed.</summary>
    public SpecificationPlace Place { get; init; }

    /// <summary>What is wrong.</summary>
    public abstract string Message { get; }

    /// <inheritdoc/>
    public sealed override string ToString() => Message;
}

/// <summary>A value is not in its range.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Of">What the value belongs to, such as <c>layer 'DecoderLayer'</c>.</param>
/// <param name="Value">The value.</param>
/// <param name="Range">Its range.</param>
public sealed record OutOfRangeFault(SpecificationPlace Place, string Of, long Value, ValueRange Range) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => $"{Place.Property} of {Of} is {ValueRange.Grouped(Value)}, but must be {Range}";
}

/// <summary>A value of an enumeration is not one of those it defines.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Of">What the value belongs to.</param>
/// <param name="Value">The value.</param>
/// <param name="Choices">The defined values.</param>
public sealed record UndefinedChoiceFault(SpecificationPlace Place, string Of, long Value, string Choices) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => $"{Place.Property} of {Of} is {ValueRange.Grouped(Value)}, but must be one of {Choices}";
}

/// <summary>A name cannot stand in the line-based text of plans.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Name">The name.</param>
/// <param name="Rule">What names must be.</param>
public sealed record NameFault(SpecificationPlace Place, string Name, string Rule) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => $"{Place.Property} '{NameRules.Printable(Name)}' {Rule}";
}

/// <summary>A product of values, each in its own range, is too large.</summary>
/// <param name="Place">The factor to change.</param>
/// <param name="What">The product.</param>
/// <param name="Value">Its value, in words where it does not fit 64 bits.</param>
/// <param name="Most">The largest that is accepted.</param>
public sealed record TooLargeFault(SpecificationPlace Place, string What, string Value, long Most) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => $"{What} is {Value}, but must be at most {ValueRange.Grouped(Most)}";
}

/// <summary>Values contradict each other, or one is missing that another asks for.</summary>
/// <param name="Place">The value to change.</param>
/// <param name="Sentence">What is wrong.</param>
public sealed record ContradictionFault(SpecificationPlace Place, string Sentence) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => Sentence;
}

/// <summary>Options of the deployment contradict each other: one would do nothing.</summary>
/// <param name="Place">The option to change.</param>
/// <param name="Sentence">What is wrong.</param>
public sealed record OptionFault(SpecificationPlace Place, string Sentence) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => Sentence;
}

/// <summary>The tensor-parallel degree does not divide what it distributes.</summary>
/// <param name="Place">The degree's place.</param>
/// <param name="Degree">The degree.</param>
/// <param name="Count">What it should divide.</param>
/// <param name="What">What is counted, such as <c>query heads</c>.</param>
/// <param name="Layer">The layer's name.</param>
public sealed record DegreeFault(SpecificationPlace Place, int Degree, int Count, string What, string Layer) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => What == KeyValueHeads
        ? $"{Place.Property} is {ValueRange.Grouped(Degree)}, neither a divisor nor a multiple of the {ValueRange.Grouped(Count)} {What} of layer '{NameRules.Printable(Layer)}'"
        : $"{Place.Property} is {ValueRange.Grouped(Degree)}, which does not divide the {ValueRange.Grouped(Count)} {What} of layer '{NameRules.Printable(Layer)}'";

    internal const string KeyValueHeads = "key and value heads";
}

/// <summary>A step needs more rows of a learned position table than there are: its plan would read beyond the table's end.</summary>
/// <param name="Place">The step.</param>
/// <param name="Tokens">Where it ends.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Rows">Rows of the model's table.</param>
/// <param name="Positions">Those of them that tokens have: the last ones.</param>
public sealed record BeyondTableFault(SpecificationPlace Place, long Tokens, string Model, int Rows, int Positions) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message =>
        $"the step reaches {ValueRange.Grouped(Tokens)} tokens, and the learned position table of model '{NameRules.Printable(Model)}' has {ValueRange.Grouped(Rows)} rows, {Each}: there is nothing to read beyond its end";

    private string Each => Positions == Rows
        ? "one for each"
        : $"of which those beyond its {ValueRange.Grouped(Positions)} positions stand before the first token's";
}

/// <summary>The steps of a deployment do not say what to plan.</summary>
/// <param name="Place">The step, or the deployment where none stands.</param>
/// <param name="Sentence">What is wrong.</param>
public sealed record StepFault(SpecificationPlace Place, string Sentence) : SpecificationFault(Place)
{
    /// <inheritdoc/>
    public override string Message => Sentence;
}

namespace Preserve.Generators;

/// <summary>What the generator hands to the compiler for one deployment. A closed family.</summary>
internal abstract record EmittedPlans
{
    private EmittedPlans()
    {
    }

    /// <summary>A file.</summary>
    /// <param name="HintName">Its name.</param>
    /// <param name="Text">Its text.</param>
    public sealed record Source(string HintName, string Text) : EmittedPlans;

    /// <summary>A report that no plans could be made.</summary>
    /// <param name="Type">The deployment's name.</param>
    /// <param name="Message">What failed.</param>
    /// <param name="Specification">The deployment as text.</param>
    public sealed record Failure(string Type, string Message, string Specification) : EmittedPlans;
}

using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Every diagnostic that there is.</summary>
internal static class Descriptors
{
    public static readonly DiagnosticDescriptor NotPartial = new(
        "PRSV001", "Deployment is not partial",
        "'{0}' must be partial, so that its plans can be generated",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV001.md");

    public static readonly DiagnosticDescriptor CannotBeExtended = new(
        "PRSV002", "Deployment cannot be extended",
        "No plans can be generated for '{0}': {1}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV002.md");

    public static readonly DiagnosticDescriptor NotAModel = new(
        "PRSV003", "Type is not a model",
        "'{0}' is not a model: it does not carry [Model]",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV003.md");

    public static readonly DiagnosticDescriptor UnknownDevice = new(
        "PRSV004", "Device is unknown",
        "No device has the id '{0}'{1}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV004.md");

    public static readonly DiagnosticDescriptor Degree = new(
        "PRSV005", "Tensor-parallel degree does not divide the model",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV005.md");

    public static readonly DiagnosticDescriptor DoesNotFit = new(
        "PRSV006", "Deployment does not fit the memory",
        "'{0}' needs {1} GB on {2}, which has {3} GB{4}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV006.md");

    public static readonly DiagnosticDescriptor LayerDeclaration = new(
        "PRSV007", "Layer declarations are missing or contradict each other",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV007.md");

    public static readonly DiagnosticDescriptor OutOfRange = new(
        "PRSV008", "Value is out of range",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV008.md");

    public static readonly DiagnosticDescriptor BadDeviceFile = new(
        "PRSV009", "Device file has an error",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV009.md");

    public static readonly DiagnosticDescriptor Steps = new(
        "PRSV010", "Steps are missing or contradict each other",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV010.md");

    public static readonly DiagnosticDescriptor MissingValue = new(
        "PRSV011", "Value is missing",
        "{0} of {1} must be given",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV011.md");

    public static readonly DiagnosticDescriptor Options = new(
        "PRSV012", "Options contradict each other",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV012.md");

    public static readonly DiagnosticDescriptor NotPlanned = new(
        "PRSV013", "Deployment is not planned for yet",
        "'{0}' cannot be planned yet: {1}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV013.md");

    public static readonly DiagnosticDescriptor BeyondTable = new(
        "PRSV014", "Step reads beyond the learned positions",
        "{0}",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV014.md");

    public static readonly DiagnosticDescriptor NotDeclared = new(
        "PRSV015", "Steps stand without a deployment",
        "'{0}' declares steps, but does not carry [Deployment], which says of which model they are and on which device they run: nothing is planned for it",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV015.md");

    public static readonly DiagnosticDescriptor ReplicatedHeads = new(
        "PRSV101", "Key and value heads are replicated",
        "{0}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV101.md");

    public static readonly DiagnosticDescriptor BeyondPositions = new(
        "PRSV102", "Step is beyond the positions of the model",
        "{0}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV102.md");

    public static readonly DiagnosticDescriptor CannotPay = new(
        "PRSV103", "Recomputation cannot pay",
        "'{0}' asks for a recomputation of keys and values, but {1}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV103.md");

    public static readonly DiagnosticDescriptor NoPrefetch = new(
        "PRSV104", "Nothing can be prefetched",
        "Nothing is prefetched: {0}; {1}Prefetch = PrefetchPolicy.None says that nothing is meant to be",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV104.md");

    public static readonly DiagnosticDescriptor NearlyFull = new(
        "PRSV105", "Memory is nearly full",
        "'{0}' needs {1} of {2} GB of {3}, {4} %, {5} GB of it for the KV-cache: {6}, may not fit",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV105.md");

    public static readonly DiagnosticDescriptor NotMeasured = new(
        "PRSV106", "Device was not measured",
        "{0}",
        Category, DiagnosticSeverity.Info, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV106.md");

    public static readonly DiagnosticDescriptor EighthOfItsKind = new(
        "PRSV107", "Rate is an eighth of what its kind carries",
        "{0}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV107.md");

    public static readonly DiagnosticDescriptor BeyondLinks = new(
        "PRSV108", "Group is beyond the known links",
        "{0}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV108.md");

    public static readonly DiagnosticDescriptor PlanSummary = new(
        "PRSV201", "Plan of a step",
        "{0}",
        Category, DiagnosticSeverity.Info, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV201.md");

    public static readonly DiagnosticDescriptor GainsTooLittle = new(
        "PRSV202", "Step gains less than asked for",
        "'{0}', {1}: {2} times as fast as the base plan, and {3} asks for {4}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV202.md");

    public static readonly DiagnosticDescriptor TakesTooLong = new(
        "PRSV203", "Step takes longer than allowed",
        "'{0}', {1}: takes {2} us, and {3} allows {4}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV203.md");

    public static readonly DiagnosticDescriptor BadContract = new(
        "PRSV204", "Option of .editorconfig cannot be read",
        "{0}",
        Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV204.md");

    public static readonly DiagnosticDescriptor PlanningFailed = new(
        "PRSV900", "Planning failed",
        "No sound plan could be made for '{0}', a fault of Preserve: {1}. Please report it with this specification: {2}.",
        Category, DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: Pages + "PRSV900.md");

    private const string Category = "Preserve";

    /// <summary>Where the page of each diagnostic stands, by its id.</summary>
    private const string Pages = "https://github.com/preserve-compiler/preserve/blob/main/docs/diagnostics/";

    /// <summary>The diagnostic that advice is reported as.</summary>
    public static DiagnosticDescriptor Of(SpecificationAdvice advice) => advice switch
    {
        ReplicatedHeadsAdvice => ReplicatedHeads,
        BeyondPositionsAdvice => BeyondPositions,
        _ => throw new System.ArgumentException(advice.GetType().Name, nameof(advice)),
    };

    /// <summary>The diagnostic that a rule's fault is reported as.</summary>
    public static DiagnosticDescriptor Of(SpecificationFault fault) => fault switch
    {
        DegreeFault => Degree,
        ContradictionFault => LayerDeclaration,
        StepFault => Steps,
        OptionFault => Options,
        BeyondTableFault => BeyondTable,
        _ => OutOfRange,
    };
}

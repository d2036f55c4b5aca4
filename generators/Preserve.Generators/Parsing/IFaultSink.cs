using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Takes the faults that the parser finds. The generator only counts them, the analyzers place and report them: both
/// parse alike, so that what the analyzers accept is what the generator emits.</summary>
internal interface IFaultSink
{
    /// <summary>Takes a fault.</summary>
    void Report(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments);

    /// <summary>Takes advice: what it is about can be planned.</summary>
    void Advise(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments);

    /// <summary>Takes a fault that is reported elsewhere: by the compiler, or where another type is analysed.</summary>
    void ReportedElsewhere();

    /// <summary>The sink for the faults of a model that a deployment runs.</summary>
    IFaultSink ForModel(INamedTypeSymbol model);
}

using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Counts faults: all that the generator needs to know of them.</summary>
internal sealed class FaultCounter : IFaultSink
{
    public int Count { get; private set; }

    public void Report(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments) => Count++;

    public void Advise(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments)
    {
    }

    public void ReportedElsewhere() => Count++;

    public IFaultSink ForModel(INamedTypeSymbol model) => this;
}

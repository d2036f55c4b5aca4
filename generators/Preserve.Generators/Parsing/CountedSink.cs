using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Hands faults on and remembers whether there were any.</summary>
internal sealed class CountedSink(IFaultSink inner) : IFaultSink
{
    public bool Any { get; private set; }

    public void Report(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments)
    {
        Any = true;
        inner.Report(descriptor, site, arguments);
    }

    public void Advise(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments) => inner.Advise(descriptor, site, arguments);

    public void ReportedElsewhere()
    {
        Any = true;
        inner.ReportedElsewhere();
    }

    public IFaultSink ForModel(INamedTypeSymbol model) => inner.ForModel(model);
}

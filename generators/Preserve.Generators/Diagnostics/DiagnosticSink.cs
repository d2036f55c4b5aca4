using System;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Reports the faults of one kind at their places.</summary>
internal sealed class DiagnosticSink(DiagnosticDescriptor reported, Compilation compilation, Action<Diagnostic> report) : IFaultSink
{
    public void Report(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments)
    {
        if (descriptor.Id == reported.Id)
            report(Diagnostic.Create(descriptor, FaultLocation.Of(site, compilation), site.Mend?.Invoke()?.Properties, [.. arguments]));
    }

    public void Advise(DiagnosticDescriptor descriptor, FaultSite site, params string[] arguments) => Report(descriptor, site, arguments);

    public void ReportedElsewhere()
    {
    }

    /// <summary>The faults of a model of the same project are reported once, where the model itself is analysed.</summary>
    public IFaultSink ForModel(INamedTypeSymbol model) =>
        SymbolEqualityComparer.Default.Equals(model.ContainingAssembly, compilation.Assembly) ? new FaultCounter() : this;
}

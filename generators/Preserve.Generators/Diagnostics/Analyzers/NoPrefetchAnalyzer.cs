using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>PRSV104: says that nothing can be prefetched in any step: because of an option that asks for what cannot be, or because the device's L2 is not known.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NoPrefetchAnalyzer() : ResolutionAnalyzer(Descriptors.NoPrefetch)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Accepted { Device: var device } || spec.Prefetch == PrefetchPolicy.None)
            return;
        // What keeps prefetches from each step does so whatever the L2; what keeps them from some only leaves the L2 to the others.
        var hindrances = spec.Steps.Select(s => PrefetchHindrance.Of(s, spec)).ToList();
        if (hindrances.TrueForAll(h => h is not null))
        {
            // Asked for is what stands there: where it is only the default, the report of the plan says why nothing is prefetched.
            var (option, reason) = hindrances[0]!;
            if (attribute.Attribute!.NamedArguments.Any(a => a.Key == option))
                ReportAt(option, reason, "");
        }
        else if (device.UnknownL2 is { } unknown)
        {
            ReportAt("device", unknown, "a device file of your own can give it, and ");
        }

        void ReportAt(string argument, string reason, string mends)
        {
            var location = FaultLocation.Of(attribute with { Argument = argument }, symbol.Compilation);
            var mend = Mend.By((nameof(DeploymentAttribute.Prefetch), $"global::{nameof(Preserve)}.{nameof(PrefetchPolicy)}.{nameof(PrefetchPolicy.None)}"));
            symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.NoPrefetch, location, mend.Properties, reason, mends));
        }
    }
}

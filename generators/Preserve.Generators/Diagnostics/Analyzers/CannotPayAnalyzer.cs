using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Preserve.Optimizer;

namespace Preserve.Generators;

/// <summary>PRSV103: says that a recomputation of keys and values that is asked for cannot pay, with both sizes, because windows have left what it could begin with, or because no step decodes.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CannotPayAnalyzer() : ResolutionAnalyzer(Descriptors.CannotPay)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        // Asked for is what stands there: where it is only the default, the report of the plan says why nothing is recomputed.
        if (resolution is not Resolution.Accepted { Device: var device } || spec.Offload is not { KeyValues: Home.Host, Recompute: RecomputePolicy.Best }
            || attribute.Attribute!.NamedArguments.All(a => a.Key != nameof(DeploymentAttribute.Recompute)))
        {
            return;
        }
        if (WhyNot(spec, device) is not { } why)
            return;
        var location = FaultLocation.Of(attribute with { Argument = nameof(DeploymentAttribute.Recompute) }, symbol.Compilation);
        // Without a recomputation there are no stored activations to give a format.
        var mend = Mend.By(
            (nameof(DeploymentAttribute.Recompute), $"global::{nameof(Preserve)}.{nameof(RecomputePolicy)}.{nameof(RecomputePolicy.None)}"),
            (nameof(DeploymentAttribute.StoredActivations), null));
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.CannotPay, location, mend.Properties, symbol.Symbol.Name, why));
    }

    /// <summary>Why no step of a deployment can gain by a recomputation: the sizes of the layer that comes nearest to it, of those that keep their prompt in
    /// some step. Null where one can.</summary>
    private static string? WhyNot(DeploymentSpec spec, Device device)
    {
        // The rules give each a length of its own where something is to be recomputed.
        var decodes = spec.Steps.OfType<DecodeSpec>().ToList();
        if (decodes.Count == 0)
            return "no decode step is declared, and a prefill brings none that could be recomputed";
        // A window that drops the prompt of the shortest context drops that of each longer one.
        var shortest = decodes.Min(s => s.MaxContext);
        var rates = new ModelledRates(CostLaws.For(device), spec.Weights, spec.Activations);
        var sizes = spec.Model.Stack.SelectMany(g => g.Pattern).Where(layer => KvSplitProblem.KeepsPrompt(layer, shortest))
            .Select(layer => KvSplitProblem.Of(rates, spec, layer, batch: 1, prompt: 1, tile: 1))
            .SelectMany(p => p.Transfers.Select(p.Sizes))
            .OrderBy(s => s.Ratio).FirstOrDefault();
        return sizes is null ? KvSplitProblem.NoneKeepsPrompt : sizes.CanPay ? null : sizes.ToString();
    }
}

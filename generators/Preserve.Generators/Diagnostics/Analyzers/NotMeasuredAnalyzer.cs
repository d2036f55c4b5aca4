using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>PRSV106: says that times of a device, all of them or those of some kinds of kernels that a deployment runs, are made of data sheets and assumptions.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NotMeasuredAnalyzer() : ResolutionAnalyzer(Descriptors.NotMeasured)
{
    private protected override void Report(SymbolAnalysisContext symbol, DeploymentSpec spec, Resolution resolution, FaultSite attribute)
    {
        if (resolution is not Resolution.Accepted { Device: var device } || TextOf(device, spec, symbol.Symbol.Name) is not { } text)
            return;
        var location = FaultLocation.Of(attribute with { Argument = "device" }, symbol.Compilation);
        symbol.ReportDiagnostic(Diagnostic.Create(Descriptors.NotMeasured, location, text));
    }

    private static string? TextOf(Device device, DeploymentSpec spec, string name)
    {
        if (device.Calibration is null)
        {
            return device.AssumedFields is { Count: > 0 } all
                ? FormattableString.Invariant($"Nothing of '{spec.Device}' was measured: times are made of data sheets and {all.Count} assumed values, such as {all[0].Field}")
                : null;
        }
        // What is read whatever runs, and of prefetches and events what no table has, is assumed of each device alike.
        var fields = FieldUse.Marked(device, [KernelsOf(spec)]).AssumedFields.Except(FieldUse.Marked(device, []).AssumedFields).Select(n => n.Field).ToList();
        return fields.Count == 0 ? null : $"Not all that '{name}' runs was measured on '{spec.Device}': times rest on assumed values of {string.Join(", ", fields)}";
    }

    /// <summary>A kernel of each kind that a calibration has constants of and a deployment runs; shapes do not count.</summary>
    private static ExecutionPlan KernelsOf(DeploymentSpec spec)
    {
        List<Operation> operations =
        [
            new MatMulOperation(1, 1, 1, spec.Weights, spec.Activations),
            new NormOperation(Norm.Rms, 1, 1),
            .. new[] { ElementwiseFunction.Add, ElementwiseFunction.Store, ElementwiseFunction.Relu }.Select(f => new ElementwiseOperation(f, 1, 1)),
            .. spec.Steps.Select(s => new AttentionOperation(1, s.NewTokens, 1, 1, 1, 1, false, spec.KeyValues)),
        ];
        if (spec.TensorParallel > 1)
        {
            operations.Add(new CollectiveOperation(spec.SequenceParallel ? CollectiveKind.ReduceScatter : CollectiveKind.AllReduce, 1, spec.TensorParallel));
            operations.Add(new CollectiveOperation(CollectiveKind.AllGather, 1, spec.TensorParallel));
        }
        if (spec.Offload.Any)
            operations.Add(new TransferOperation(TransferDirection.HostToDevice, Pinned: true));
        return new ExecutionPlan(
            spec.Model.Name, spec.Device, spec.TensorParallel, 1, spec.Steps[0], PrefetchPolicy.None, 0, 0, default,
            operations.Select(o => (PlanNode)new Instruction(StreamKind.Compute, "", o, default, default, default, false)).ToArray());
    }
}

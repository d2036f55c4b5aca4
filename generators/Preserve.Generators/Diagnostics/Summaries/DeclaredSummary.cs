using System.Collections.Generic;
using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>What the generator wrote on its part of a deployment of one step, read back.</summary>
internal sealed class DeclaredSummary
{
    /// <summary>Decimals of a time in microseconds.</summary>
    public const int MicrosecondPlaces = 1;

    /// <summary>Decimals of a speed-up.</summary>
    public const int SpeedupPlaces = 3;

    private readonly IReadOnlyDictionary<string, object?> _values;

    private DeclaredSummary(string step, IReadOnlyDictionary<string, object?> values) => (Step, _values) = (step, values);

    /// <summary>The step, as its plan names it.</summary>
    public string Step { get; }

    /// <summary>Whether the step is a prefill.</summary>
    public bool IsPrefill => Holds(nameof(PlanSummaryAttribute.IsPrefill));

    /// <summary>The base plan's step in microseconds.</summary>
    public decimal BaseMicroseconds => Microseconds(nameof(PlanSummaryAttribute.BasePicoseconds));

    /// <summary>This plan's step in microseconds.</summary>
    public decimal StepMicroseconds => Microseconds(nameof(PlanSummaryAttribute.StepPicoseconds));

    /// <summary>How many times as fast as the base plan.</summary>
    public decimal Speedup => StepMicroseconds > 0 ? BaseMicroseconds / StepMicroseconds : 0;

    /// <summary>The summaries of a type, in the order of its steps; none where it was not planned.</summary>
    public static IReadOnlyList<DeclaredSummary> AllOf(INamedTypeSymbol type)
    {
        var summaries = new List<DeclaredSummary>();
        foreach (var attribute in type.AttributesOf<PlanSummaryAttribute>())
        {
            if (attribute.ConstructorArguments.Length != 1 || attribute.ConstructorArguments[0].Value is not string step)
                continue;
            var values = new Dictionary<string, object?>();
            foreach (var argument in attribute.NamedArguments)
                values[argument.Key] = argument.Value.Value;
            summaries.Add(new DeclaredSummary(step, values));
        }
        return summaries;
    }

    /// <summary>All of it in one line.</summary>
    public override string ToString() =>
        $"{Step}: {Grouped(StepMicroseconds)} us ({Band}), {Ratio(BaseMicroseconds, StepMicroseconds)} times as fast as the base plan, "
        + $"{Ratio(StepMicroseconds, Microseconds(nameof(PlanSummaryAttribute.BoundPicoseconds)))} times the lower bound ({Text(nameof(PlanSummaryAttribute.BoundBy))}). "
        + $"{Verdict}; {Text(nameof(PlanSummaryAttribute.Reason))}";

    private string Band
    {
        get
        {
            var unmeasured = Text(nameof(PlanSummaryAttribute.NotMeasured));
            return _values.ContainsKey(nameof(PlanSummaryAttribute.LowPicoseconds))
                ? $"80 %: {Grouped(Microseconds(nameof(PlanSummaryAttribute.LowPicoseconds)))} to {Grouped(Microseconds(nameof(PlanSummaryAttribute.HighPicoseconds)))}"
                    + (unmeasured.Length > 0 ? $", of the measured part alone; not measured: {unmeasured}" : "")
                : unmeasured.Length > 0 ? $"not measured: {unmeasured}" : "not measured";
        }
    }

    private string Verdict
    {
        get
        {
            var prefetch = Holds(nameof(PlanSummaryAttribute.PrefetchPays)) ? "Prefetch pays" : "Prefetch does not pay";
            return !_values.TryGetValue(nameof(PlanSummaryAttribute.SplitPays), out var split) ? prefetch
                : prefetch + (split is true ? ", the KV split pays" : ", the KV split does not pay");
        }
    }

    private bool Holds(string property) => _values.TryGetValue(property, out var value) && value is true;

    private string Text(string property) => _values.TryGetValue(property, out var value) && value is string text ? text : "";

    private decimal Microseconds(string property) => _values.TryGetValue(property, out var value) && value is long picoseconds ? picoseconds / 1_000_000m : 0;

    private static string Grouped(decimal microseconds) => microseconds.ToString("N" + MicrosecondPlaces, CultureInfo.InvariantCulture);

    private static string Ratio(decimal of, decimal to) => to > 0 ? (of / to).ToString("N" + SpeedupPlaces, CultureInfo.InvariantCulture) : "-";
}

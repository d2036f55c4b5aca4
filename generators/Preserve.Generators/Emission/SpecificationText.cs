using System.Linq;

namespace Preserve.Generators;

/// <summary>A deployment as text on one line, for a report of a fault.</summary>
internal static class SpecificationText
{
    public static string Of(DeploymentSpec spec)
    {
        var groups = spec.Model.Stack.Select(g => $"{g.Repeat} x [{string.Join(", ", g.Pattern.Select(Of))}]");
        // Records print their own values; only their lists print as types.
        var model = (spec.Model with { Stack = default }).ToString();
        var deployment = (spec with { Model = null!, Steps = default }).ToString();
        return $"{deployment} | {model} | layers: {string.Join(", ", groups)} | steps: {string.Join("; ", spec.Steps)}";
    }

    private static string Of(LayerSpec layer) => $"{layer with { FeedForward = default }} {string.Join(" ", layer.FeedForward)}";
}

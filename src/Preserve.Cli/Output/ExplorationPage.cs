using System.Net;

namespace Preserve.Cli.Output;

/// <summary>The plot of an exploration: one HTML page that needs no network, drawn by uPlot.</summary>
internal static class ExplorationPage
{
    public static string Write(ExplorationDocument document) => Resource("explore.html")
        .Replace("{{style}}", Resource("uPlot/uPlot.min.css"), StringComparison.Ordinal)
        .Replace("{{licence}}", WebUtility.HtmlEncode(Resource("uPlot/LICENSE")), StringComparison.Ordinal)
        .Replace("{{library}}", Resource("uPlot/uPlot.iife.min.js"), StringComparison.Ordinal)
        // Last, for it holds what a user named. The serializer escapes '<', so nothing in it ends the element.
        .Replace("{{data}}", document.ToJson(), StringComparison.Ordinal);

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(ExplorationPage).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

namespace Preserve.Generators.Tests;

/// <summary>The sources of <c>Models/</c>.</summary>
internal static class PublishedModels
{
    public static string[] Sources { get; } =
    [
        .. typeof(PublishedModels).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".cs", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(SourceOf),
    ];

    /// <summary>A deployment of one of them.</summary>
    public static string[] Deployed(string model, string arguments, string steps) =>
    [
        $$"""
        using Preserve;
        using Preserve.Generators.Tests.Models;

        namespace App;

        [Deployment(typeof({{model}}), {{arguments}})]
        [{{steps}}]
        public sealed partial class {{model}}Deployed : Deployment;

        """,
        .. Sources.Select(s => "using Preserve;\n" + s),
    ];

    private static string SourceOf(string resource)
    {
        using var reader = new StreamReader(typeof(PublishedModels).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}

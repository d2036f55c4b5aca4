namespace Preserve.Models.Tests;

/// <summary>The <c>config.json</c> files of published models: their keys that matter here, and some that do not.</summary>
internal static class PublishedConfigs
{
    /// <summary>The ids of the models on Hugging Face.</summary>
    public static IReadOnlyList<string> Ids { get; } =
        [.. typeof(PublishedConfigs).Assembly.GetManifestResourceNames().Select(n => n.Replace("--", "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public static string Text(string id)
    {
        using var reader = new StreamReader(typeof(PublishedConfigs).Assembly.GetManifestResourceStream(id.Replace("/", "--", StringComparison.Ordinal)).ShouldNotBeNull(id));
        return reader.ReadToEnd();
    }

    public static ModelImportResult Import(string id) => HuggingFaceConfig.Parse(Text(id), id);
}

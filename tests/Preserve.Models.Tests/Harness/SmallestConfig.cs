namespace Preserve.Models.Tests;

/// <summary>Files with no more than what every file must have: the architecture, the width and the number of layers.</summary>
internal static class SmallestConfig
{
    /// <summary>Width and layers of the library's configuration classes.</summary>
    private static readonly Dictionary<string, (int Hidden, int Layers)> s_sizes = new()
    {
        ["codegen"] = (4096, 28),
        ["falcon"] = (4544, 32),
        ["gemma"] = (3072, 28),
        ["gemma2"] = (2304, 26),
        ["gemma3_text"] = (2304, 26),
        ["glm"] = (4096, 40),
        ["glm4"] = (4096, 40),
        ["gpt2"] = (768, 12),
        ["gpt_bigcode"] = (768, 12),
        ["gpt_neox"] = (6144, 44),
        ["gptj"] = (4096, 28),
        ["opt"] = (768, 12),
        ["phi"] = (2048, 24),
        ["phi3"] = (3072, 32),
        ["smollm3"] = (2048, 36),
        ["stablelm"] = (2560, 32),
        ["starcoder2"] = (3072, 30),
    };

    public static string Of(string architecture) => With($"'{architecture}'");

    /// <summary>The file of an architecture and some keys, in apostrophes for quotes; those that must stand are added.</summary>
    public static string With(string keys)
    {
        var (hidden, layers) = s_sizes.GetValueOrDefault(keys.Split('\'').ElementAtOrDefault(1) ?? "", (4096, 32));
        if (!keys.Contains("'hidden_size'", StringComparison.Ordinal) && !keys.Contains("'n_embd'", StringComparison.Ordinal))
            keys += $", 'hidden_size': {hidden}";
        if (!keys.Contains("'num_hidden_layers'", StringComparison.Ordinal))
            keys += $", 'num_hidden_layers': {layers}";
        return "{ 'model_type': ".Replace('\'', '"') + keys.Replace('\'', '"') + " }";
    }
}

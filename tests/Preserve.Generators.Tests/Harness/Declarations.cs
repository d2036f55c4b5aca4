namespace Preserve.Generators.Tests;

/// <summary>Small declarations that the tests vary.</summary>
internal static class Declarations
{
    /// <summary>A model and its deployment. Every attribute stands once, with few arguments.</summary>
    public const string Small = """
        using Preserve;

        namespace App;

        [Model(Hidden = 512, Vocabulary = 1000)]
        [Layers(typeof(DecoderLayer), Repeat = 4)]
        public static class Small
        {
            [Layer]
            [Attention(Heads = 8)]
            [FeedForward(Intermediate = 2048)]
            public sealed class DecoderLayer;
        }

        [Deployment(typeof(Small), Devices.A100Sxm80, TensorParallel = 2)]
        [Decode(Batch = 4, Context = 128)]
        public sealed partial class Deployed : Deployment;

        """;

    /// <summary>The model alone.</summary>
    public static string Model { get; } = Small[..Small.IndexOf("[Deployment", StringComparison.Ordinal)];

    /// <summary>A deployment of <see cref="Small"/>, without its model.</summary>
    public static string Deployment { get; } = "using Preserve;\n\nnamespace App;\n\n" + Small[Small.IndexOf("[Deployment", StringComparison.Ordinal)..];

    /// <summary>The same text with one part replaced.</summary>
    public static string With(this string source, string part, string by)
    {
        source.Split(part).Length.ShouldBe(2, $"'{part}' must stand once");
        return source.Replace(part, by, StringComparison.Ordinal);
    }
}

using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Preserve.Generators;

namespace Preserve.Benchmarks;

/// <summary>A project as the generator meets it: some deployments among many other files.</summary>
internal static class Sources
{
    private static readonly MetadataReference[] _references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(p) is "netstandard.dll" or "mscorlib.dll" or "Preserve.Core.dll")
            .Select(p => MetadataReference.CreateFromFile(p)),
    ];

    public static CSharpCompilation Compilation(int deployments, int files)
    {
        var trees = new List<SyntaxTree>();
        for (var i = 0; i < deployments; i++)
            trees.Add(Parse(Deployment(i), $"Deployment{i}.cs"));
        for (var i = trees.Count; i < files; i++)
            trees.Add(Parse(Other(i, 0), $"File{i}.cs"));
        return CSharpCompilation.Create("Project", trees, _references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }

    public static GeneratorDriver Driver(bool track = false) => CSharpGeneratorDriver.Create(
        [new DeploymentGenerator().AsSourceGenerator()],
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: track));

    public static SyntaxTree Parse(string source, string path) => CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest), path);

    /// <summary>A file of about a hundred lines; each edit changes one statement in it.</summary>
    public static string Other(int file, int edit)
    {
        var methods = string.Join("\n", Enumerable.Range(0, 20).Select(m => $$"""
                /// <summary>Adds up.</summary>
                public static int Sum{{m}}(int a, int b)
                {
                    return a + b + {{(m == 0 ? edit : m).ToString(CultureInfo.InvariantCulture)}};
                }
            """));
        return $"namespace Project;\n\ninternal static class File{file}\n{{\n{methods}\n}}\n";
    }

    /// <summary>Llama-3-70B on eight ranks; the width tells the deployments apart.</summary>
    public static string Deployment(int index) => $$"""
        using Preserve;

        namespace Project;

        [Model(Hidden = 8192, Vocabulary = 128_256)]
        [Layers(typeof(DecoderLayer), Repeat = {{80 + index}})]
        public static class Model{{index}}
        {
            [Layer]
            [Attention(Heads = 64, KeyValueHeads = 8, HeadSize = 128)]
            [FeedForward(Intermediate = 28_672)]
            public sealed class DecoderLayer;
        }

        [Deployment(typeof(Model{{index}}), Devices.Ascend910B2, TensorParallel = 8,
            Weights = Precision.Int8, Activations = Precision.Int8, KeyValues = Precision.Int8)]
        [Decode(Batch = 4, Context = 16_384)]
        public sealed partial class Deployment{{index}} : Deployment;
        """;
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Preserve.Generators.Tests;

/// <summary>Compilations of test sources against the library.</summary>
internal static class TestCompilation
{
    public static readonly CSharpParseOptions Language = new(LanguageVersion.Latest, DocumentationMode.Parse);

    private static readonly ImmutableArray<MetadataReference> Framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(p) is "netstandard.dll" or "mscorlib.dll")
            .Select(p => MetadataReference.CreateFromFile(p)),
    ];

    public static readonly ImmutableArray<MetadataReference> References =
        [.. Framework, MetadataReference.CreateFromFile(typeof(DeploymentAttribute).Assembly.Location)];

    /// <summary>A compilation of files <c>File0.cs</c>, <c>File1.cs</c> and so on.</summary>
    public static CSharpCompilation Of(params string[] sources) => Of("Tests", References, sources);

    public static CSharpCompilation Of(string assembly, IEnumerable<MetadataReference> references, params string[] sources) => CSharpCompilation.Create(
        assembly,
        sources.Select((s, i) => Parse(s, i)),
        references,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>The same compilation with another text of one file.</summary>
    public static CSharpCompilation With(this CSharpCompilation compilation, int file, string source) =>
        compilation.ReplaceSyntaxTree(compilation.SyntaxTrees[file], Parse(source, file));

    /// <summary>The compiled assembly, as a reference of another compilation.</summary>
    public static MetadataReference Compiled(this CSharpCompilation compilation)
    {
        var stream = new MemoryStream();
        var result = compilation.Emit(stream);
        result.Success.ShouldBeTrue(string.Join("\n", result.Diagnostics));
        return MetadataReference.CreateFromImage(stream.ToArray());
    }

    private static SyntaxTree Parse(string source, int file) => CSharpSyntaxTree.ParseText(source, Language, path: $"File{file}.cs");
}

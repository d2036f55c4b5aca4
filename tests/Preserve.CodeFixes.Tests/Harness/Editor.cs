using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.CodeFixes.Tests;

/// <summary>A project of one file in an editor, and what its light bulb offers.</summary>
internal static class Editor
{
    public static ImmutableArray<CodeFixProvider> Fixes { get; } =
    [
        .. typeof(MakePartialFix).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(CodeFixProvider)) && !t.IsAbstract)
            .Select(t => (CodeFixProvider)Activator.CreateInstance(t)!),
    ];

    /// <summary>The titles of what is offered for the diagnostics of an id; an editor shows what is offered for several at one place once.</summary>
    public static async Task<string[]> TitlesAsync(string source, string id, params AdditionalText[] files)
    {
        using var workspace = new AdhocWorkspace();
        var document = Open(workspace, source);
        return [.. (await OfferedAsync(document, await DiagnosticsAsync(document, id, files))).Select(o => o.Action.Title).Distinct()];
    }

    /// <summary>The source after the only fix that is offered for the diagnostics of an id at their place.</summary>
    public static async Task<string> FixedAsync(string source, string id, params AdditionalText[] files)
    {
        using var workspace = new AdhocWorkspace();
        var document = Open(workspace, source);
        var diagnostics = await DiagnosticsAsync(document, id, files);
        diagnostics.Select(d => d.Location.SourceSpan).Distinct().Count().ShouldBe(1);
        var (action, _) = (await OfferedAsync(document, diagnostics)).DistinctBy(o => (o.Action.Title, o.Action.EquivalenceKey)).ShouldHaveSingleItem();
        return await AppliedAsync(document, action);
    }

    /// <summary>The source after the fix for all diagnostics of an id in the file.</summary>
    public static async Task<string> AllFixedAsync(string source, string id, params AdditionalText[] files)
    {
        using var workspace = new AdhocWorkspace();
        var document = Open(workspace, source);
        var diagnostics = await DiagnosticsAsync(document, id, files);
        diagnostics.Length.ShouldBeGreaterThan(1);
        var (action, provider) = (await OfferedAsync(document, diagnostics[..1])).ShouldHaveSingleItem();
        var context = new FixAllContext(document, provider, FixAllScope.Document, action.EquivalenceKey!, [id], new Found(diagnostics), default);
        return await AppliedAsync(document, (await provider.GetFixAllProvider()!.GetFixAsync(context)).ShouldNotBeNull());
    }

    private static Document Open(AdhocWorkspace workspace, string source)
    {
        var project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(), VersionStamp.Default, "Tests", "Tests", LanguageNames.CSharp, parseOptions: TestCompilation.Language, metadataReferences: TestCompilation.References,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)));
        return workspace.AddDocument(DocumentInfo.Create(
            DocumentId.CreateNewId(project.Id), "File0.cs", filePath: "File0.cs", loader: TextLoader.From(TextAndVersion.Create(SourceText.From(source), VersionStamp.Default))));
    }

    private static async Task<Diagnostic[]> DiagnosticsAsync(Document document, string id, AdditionalText[] files)
    {
        var compilation = (CSharpCompilation)(await document.Project.GetCompilationAsync()).ShouldNotBeNull();
        return [.. (await Analysis.DiagnosticsOf(compilation, files)).Where(d => d.Id == id)];
    }

    private static async Task<List<(CodeAction Action, CodeFixProvider Provider)>> OfferedAsync(Document document, IEnumerable<Diagnostic> diagnostics)
    {
        var offered = new List<(CodeAction, CodeFixProvider)>();
        foreach (var diagnostic in diagnostics)
        {
            foreach (var provider in Fixes.Where(f => f.FixableDiagnosticIds.Contains(diagnostic.Id)))
                await provider.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => offered.Add((action, provider)), default));
        }
        return offered;
    }

    private static async Task<string> AppliedAsync(Document document, CodeAction action)
    {
        var operation = (await action.GetOperationsAsync(default)).OfType<ApplyChangesOperation>().ShouldHaveSingleItem();
        return (await operation.ChangedSolution.GetDocument(document.Id)!.GetTextAsync()).ToString();
    }

    private sealed class Found(Diagnostic[] diagnostics) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(diagnostics);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(diagnostics);

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>([]);
    }
}

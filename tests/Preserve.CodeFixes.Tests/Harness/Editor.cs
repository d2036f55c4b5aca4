using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.CodeFixes.Tests;

/// <summary>A project in an editor, and what its light bulb offers.</summary>
internal static class Editor
{
    public static ImmutableArray<CodeFixProvider> Fixes { get; } =
    [
        .. typeof(SetArgumentsFix).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(CodeFixProvider)) && !t.IsAbstract)
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
    public static async Task<string> FixedAsync(string source, string id, params AdditionalText[] files) => (await FixedAsync([source], id, files))[0];

    /// <summary>The sources of a project after the only fix that is offered for the diagnostics of an id at their place.</summary>
    public static async Task<string[]> FixedAsync(string[] sources, string id, params AdditionalText[] files)
    {
        using var workspace = new AdhocWorkspace();
        var documents = Open(workspace, sources);
        var diagnostics = await DiagnosticsAsync(documents[0], id, files);
        var path = diagnostics.Select(d => d.Location.SourceTree!.FilePath).Distinct().ShouldHaveSingleItem();
        diagnostics.Select(d => d.Location.SourceSpan).Distinct().Count().ShouldBe(1);
        var (action, _) = (await OfferedAsync(documents.Single(d => d.FilePath == path), diagnostics)).DistinctBy(o => (o.Action.Title, o.Action.EquivalenceKey)).ShouldHaveSingleItem();
        return await AppliedAsync(documents, action);
    }

    /// <summary>The sources after the fix for all diagnostics of an id: in the file, or in the project where there are several.</summary>
    public static async Task<string[]> AllFixedAsync(string[] sources, string id)
    {
        using var workspace = new AdhocWorkspace();
        var documents = Open(workspace, sources);
        var diagnostics = await DiagnosticsAsync(documents[0], id, []);
        diagnostics.Length.ShouldBeGreaterThan(1);
        diagnostics.Select(d => d.Location.SourceTree!.FilePath).Distinct().ShouldBe(documents.Select(d => d.FilePath!), ignoreOrder: true);
        // As dotnet format does it: what is offered for the first, if anything is, says what is meant.
        var provider = Fixes.Single(f => f.FixableDiagnosticIds.Contains(id));
        var offered = await OfferedAsync(documents[0], diagnostics.Where(d => d.Location.SourceTree!.FilePath == documents[0].FilePath).Take(1));
        var scope = sources.Length == 1 ? FixAllScope.Document : FixAllScope.Project;
        var context = new FixAllContext(documents[0], provider, scope, offered.SingleOrDefault().Action?.EquivalenceKey, [id], new Found(diagnostics), default);
        return await AppliedAsync(documents, (await provider.GetFixAllProvider()!.GetFixAsync(context)).ShouldNotBeNull());
    }

    private static Document Open(AdhocWorkspace workspace, string source) => Open(workspace, [source])[0];

    private static Document[] Open(AdhocWorkspace workspace, string[] sources)
    {
        var project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(), VersionStamp.Default, "Tests", "Tests", LanguageNames.CSharp, parseOptions: TestCompilation.Language, metadataReferences: TestCompilation.References,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)));
        var ids = sources.Select((source, i) => workspace.AddDocument(DocumentInfo.Create(
            DocumentId.CreateNewId(project.Id), $"File{i}.cs", filePath: $"File{i}.cs", loader: TextLoader.From(TextAndVersion.Create(SourceText.From(source), VersionStamp.Default)))).Id).ToList();
        return [.. ids.Select(id => workspace.CurrentSolution.GetDocument(id)!)];
    }

    private static async Task<Diagnostic[]> DiagnosticsAsync(Document document, string id, AdditionalText[] files)
    {
        var compilation = (CSharpCompilation)(await document.Project.GetCompilationAsync()).ShouldNotBeNull();
        return [.. (await Analysis.DiagnosticsOf(compilation, files)).Where(d => d.Id == id).OrderBy(d => d.Location.SourceSpan.Start)];
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

    private static async Task<string[]> AppliedAsync(Document[] documents, CodeAction action)
    {
        var operation = (await action.GetOperationsAsync(default)).OfType<ApplyChangesOperation>().ShouldHaveSingleItem();
        return await Task.WhenAll(documents.Select(async d => (await operation.ChangedSolution.GetDocument(d.Id)!.GetTextAsync()).ToString()));
    }

    private sealed class Found(Diagnostic[] diagnostics) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(diagnostics);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(diagnostics);

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>([]);
    }
}

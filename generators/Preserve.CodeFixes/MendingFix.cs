using System.Collections.Immutable;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;

namespace Preserve.CodeFixes;

/// <summary>Mends the diagnostics that carry a mend: one of them, or all of a file at once.</summary>
public abstract class MendingFix : CodeFixProvider
{
    /// <summary>Mends of each file what can be mended, whatever was asked first: of the diagnostics of an id some may carry no mend, and <c>dotnet format</c>
    /// asks for that of the first of them, and gives up where a provider wants to know which mend it is to repeat.</summary>
    public sealed override FixAllProvider GetFixAllProvider() => FixAllProvider.Create(static async (context, document, diagnostics) =>
        await document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false) is { } root
            ? document.WithSyntaxRoot(((MendingFix)context.CodeFixProvider).Mended(root, diagnostics))
            : document);

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        if (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false) is not { } root)
            return;
        foreach (var diagnostic in context.Diagnostics)
        {
            if (TitleOf(root, diagnostic) is not { } title)
                continue;
            var action = CodeAction.Create(
                title,
                _ => Task.FromResult(context.Document.WithSyntaxRoot(Mended(root, ImmutableArray.Create(diagnostic)))),
                GetType().Name + diagnostic.Id);
            context.RegisterCodeFix(action, diagnostic);
        }
    }

    /// <summary>What an editor calls the mend of a diagnostic, or null where it carries none.</summary>
    private protected abstract string? TitleOf(SyntaxNode root, Diagnostic diagnostic);

    /// <summary>A file with what can be mended of some of its diagnostics.</summary>
    private protected abstract SyntaxNode Mended(SyntaxNode root, ImmutableArray<Diagnostic> diagnostics);
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Simplification;
using Preserve.Generators;

namespace Preserve.CodeFixes;

/// <summary>PRSV004, PRSV005, PRSV012, PRSV014, PRSV102, PRSV103, PRSV104: gives arguments of an attribute the values that the analyzer worked out: the nearest device,
/// the nearest degree, a context within the positions, a policy that asks for nothing that cannot be; and removes an option that does nothing.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SetArgumentsFix)), Shared]
public sealed class SetArgumentsFix : MendingFix
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.CreateRange(
    [
        Descriptors.UnknownDevice.Id, Descriptors.Degree.Id, Descriptors.Options.Id, Descriptors.BeyondTable.Id, Descriptors.BeyondPositions.Id, Descriptors.CannotPay.Id, Descriptors.NoPrefetch.Id,
    ]);

    private protected override string? TitleOf(SyntaxNode root, Diagnostic diagnostic) =>
        AttributeOf(root, diagnostic) is not null ? TitleOf(Mend.ArgumentsOf(diagnostic.Properties)) : null;

    private protected override SyntaxNode Mended(SyntaxNode root, ImmutableArray<Diagnostic> diagnostics)
    {
        // Several diagnostics of an attribute ask for the same, or for what does not meet: each layer for a degree, each option for its removal.
        var byAttribute = diagnostics.Select(d => (Attribute: AttributeOf(root, d), Diagnostic: d)).Where(d => d.Attribute is not null).ToLookup(d => d.Attribute!, d => d.Diagnostic);
        return root.ReplaceNodes(byAttribute.Select(d => d.Key), (attribute, _) => Mended(attribute, byAttribute[attribute]));
    }

    /// <summary>The attribute whose arguments change, or null where that mends nothing.</summary>
    private static AttributeSyntax? AttributeOf(SyntaxNode root, Diagnostic diagnostic) =>
        Mend.ArgumentsOf(diagnostic.Properties).Count > 0 ? root.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<AttributeSyntax>() : null;

    /// <summary>What the first of the values does, which the others follow from; where none is given, all that is removed.</summary>
    private static string TitleOf(IReadOnlyList<(string Argument, string? Value)> mends) => mends[0] switch
    {
        (_, null) => $"Remove {string.Join(" and ", mends.Select(m => m.Argument))}",
        (Mend.Marked, var value) => $"Change to {Short(value)}",
        var (argument, value) => $"Set {argument} = {Short(value)}",
    };

    private static string Short(string value) => value.StartsWith("global::Preserve.", System.StringComparison.Ordinal) ? value.Substring("global::Preserve.".Length) : value;

    private static AttributeSyntax Mended(AttributeSyntax attribute, IEnumerable<Diagnostic> diagnostics)
    {
        var list = attribute.ArgumentList ?? SyntaxFactory.AttributeArgumentList();
        var marked = list.Arguments.FirstOrDefault(a => diagnostics.Any(d => a.Span.Contains(d.Location.SourceSpan)));
        foreach (var (argument, value) in diagnostics.SelectMany(d => Mend.ArgumentsOf(d.Properties)).Distinct())
        {
            var at = argument == Mend.Marked ? marked : list.Arguments.FirstOrDefault(a => a.NameEquals?.Name.Identifier.ValueText == argument);
            list = (at, value) switch
            {
                (null, null) => list,
                ({ } found, null) => Without(list, found),
                ({ } found, _) => list.ReplaceNode(found.Expression, ExpressionOf(value, found.Expression).WithTriviaFrom(WithCommentsBefore(found.Expression))),
                _ => With(list, argument, value, IndentationOf(attribute, list)),
            };
        }
        return attribute.WithArgumentList(list);
    }

    /// <summary>The list with one more argument. Where the parenthesis stands on a line of its own, the argument does too, and what stood behind the last one stays there.</summary>
    private static AttributeArgumentListSyntax With(AttributeArgumentListSyntax list, string argument, string value, SyntaxTrivia indentation)
    {
        var equals = SyntaxFactory.Token(SyntaxFactory.TriviaList(SyntaxFactory.Space), SyntaxKind.EqualsToken, SyntaxFactory.TriviaList(SyntaxFactory.Space));
        var added = SyntaxFactory.AttributeArgument(SyntaxFactory.NameEquals(SyntaxFactory.IdentifierName(argument), equals), null, ExpressionOf(value, null));
        if (list.Arguments.LastOrDefault() is not { } last)
            return list.AddArguments(added);
        var behind = SyntaxFactory.TriviaList(SyntaxFactory.Space);
        if (last.GetTrailingTrivia() is [.., var end] rest && end.IsKind(SyntaxKind.EndOfLineTrivia))
        {
            added = added.WithLeadingTrivia(indentation).WithTrailingTrivia(end);
            list = list.ReplaceNode(last, last.WithoutTrailingTrivia());
            behind = rest;
        }
        var comma = SyntaxFactory.Token(SyntaxFactory.TriviaList(), SyntaxKind.CommaToken, behind);
        return list.WithArguments(SyntaxFactory.SeparatedList<AttributeArgumentSyntax>(list.Arguments.GetWithSeparators().Add(comma).Add(added)));
    }

    /// <summary>What stands before an argument on a line of its own: that of the last such one, else a step more than before the attribute.</summary>
    private static SyntaxTrivia IndentationOf(AttributeSyntax attribute, AttributeArgumentListSyntax list)
    {
        var own = list.Arguments.Select(a => a.GetLeadingTrivia() is [.., var edge] ? edge : default).LastOrDefault(t => t.IsKind(SyntaxKind.WhitespaceTrivia));
        return own.IsKind(SyntaxKind.WhitespaceTrivia) ? own : SyntaxFactory.Whitespace(attribute.Parent!.GetLeadingTrivia().LastOrDefault(t => t.IsKind(SyntaxKind.WhitespaceTrivia)) + "    ");
    }

    /// <summary>The list without an argument. A comment stays, whichever argument it is of: those before the next one stand behind a comma that goes too.</summary>
    private static AttributeArgumentListSyntax Without(AttributeArgumentListSyntax list, AttributeArgumentSyntax argument)
    {
        var without = list.WithArguments(list.Arguments.Remove(argument));
        if (Comments(without) == Comments(list))
            return without;
        var commented = list.ReplaceNode(argument, WithCommentsBefore(argument));
        return commented.RemoveNode(commented.Arguments[list.Arguments.IndexOf(argument)], SyntaxRemoveOptions.KeepExteriorTrivia)!;
    }

    /// <summary>A node with the comments inside of it before it as well, with the space or the line end behind each: there they outlast it.</summary>
    private static T WithCommentsBefore<T>(T node)
        where T : SyntaxNode
    {
        var before = node.GetLeadingTrivia();
        var isBehind = false;
        foreach (var trivia in node.DescendantTrivia().Where(t => node.Span.Contains(t.Span)))
        {
            var isEnd = trivia.IsKind(SyntaxKind.EndOfLineTrivia);
            var isBlank = isEnd || trivia.IsKind(SyntaxKind.WhitespaceTrivia);
            if (!isBlank || isBehind)
                before = before.Add(trivia);
            isBehind = !isBlank || (isBehind && isEnd);
        }
        return node.WithLeadingTrivia(before);
    }

    private static int Comments(AttributeArgumentListSyntax list) =>
        list.DescendantTrivia().Count(t => !t.IsKind(SyntaxKind.WhitespaceTrivia) && !t.IsKind(SyntaxKind.EndOfLineTrivia));

    /// <summary>The value, its name as short as the file allows, its digits grouped where those before were.</summary>
    private static ExpressionSyntax ExpressionOf(string value, ExpressionSyntax? before)
    {
        var text = before is not null && before.ToString().Contains("_") && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_')
            : value;
        return SyntaxFactory.ParseExpression(text).WithAdditionalAnnotations(Simplifier.Annotation);
    }
}

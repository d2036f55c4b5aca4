using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Preserve.Generators;

/// <summary>Finds the place of a fault in the source of a compilation.</summary>
internal static class FaultLocation
{
    public static Location Of(FaultSite site, Compilation compilation)
    {
        for (var at = site; at is not null; at = at.Outer)
        {
            // A referenced project's syntax is there in an editor, but is not this compilation's to mark.
            if (at.Attribute?.ApplicationSyntaxReference is { } reference && compilation.ContainsSyntaxTree(reference.SyntaxTree))
            {
                var attribute = (AttributeSyntax)reference.GetSyntax();
                return (ArgumentOf(at, attribute) ?? (SyntaxNode)attribute).GetLocation();
            }
            var locations = (at.Type as INamedTypeSymbol)?.DeclaredName() is { } name ? [name] : at.Type.Locations;
            if (locations.FirstOrDefault(l => l.IsInSource && compilation.ContainsSyntaxTree(l.SourceTree!)) is { } declared)
                return declared;
        }
        return Location.None;
    }

    private static AttributeArgumentSyntax? ArgumentOf(FaultSite site, AttributeSyntax attribute)
    {
        if (site.Argument is null || attribute.ArgumentList is not { } list)
            return null;
        foreach (var argument in list.Arguments)
        {
            if ((argument.NameEquals?.Name ?? argument.NameColon?.Name)?.Identifier.ValueText == site.Argument)
                return argument;
        }
        var parameters = site.Attribute!.AttributeConstructor?.Parameters ?? [];
        var position = parameters.Select(p => p.Name).TakeWhile(n => n != site.Argument).Count();
        if (position == parameters.Length)
            return null;
        var positional = list.Arguments.Where(a => a.NameEquals is null && a.NameColon is null).ToList();
        var index = position + site.Element;
        return index < positional.Count ? positional[index] : positional.LastOrDefault();
    }
}

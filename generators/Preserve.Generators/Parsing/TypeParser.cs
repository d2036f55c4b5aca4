using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Preserve.Generators;

/// <summary>Reads where a generated part of a type must stand, and whether one can.</summary>
internal static class TypeParser
{
    private const string Load = "Load";

    /// <returns>The place, or null where the type cannot have another part.</returns>
    public static TypePlace? Parse(INamedTypeSymbol type, IFaultSink sink)
    {
        var site = new FaultSite(type, null, null, 0, null);
        var counted = new CountedSink(sink);
        if (!IsPartial(type))
            counted.Report(Descriptors.NotPartial, site with { Mend = static () => Mend.ByPartial }, type.Name);
        if (ReasonAgainstAnyPart(type) is { } lasting)
            Refuse(lasting);
        // What no modifier mends is said alone: the type has to stand elsewhere.
        else if (ContainingTypes(type).FirstOrDefault(c => !IsPartial(c)) is { } whole)
            Refuse($"its containing type '{whole.Name}' is not partial", Mend.ByPartial);
        ParseBase();
        if (ReasonAgainstLoad(type) is { } loading)
            Refuse(loading);
        if (ReasonAgainstLanguage(type) is { } old)
            Refuse(old);
        if (counted.Any)
            return null;
        var containing = ContainingTypes(type).Select(c => new ContainingType(KeywordOf(c), c.Name));
        var space = type.ContainingNamespace.IsGlobalNamespace ? null : type.ContainingNamespace.ToDisplayString(WithoutEscapes);
        return new TypePlace(space, containing.Reverse().ToArray(), type.Name);

        void ParseBase()
        {
            var bases = BasesOf(type).ToList();
            // What the base type is, or derives from, is not known of one that does not exist.
            if (bases.Exists(b => b.TypeKind == TypeKind.Error))
                counted.ReportedElsewhere();
            else if (type.IsRecord || type.IsStatic)
                Refuse($"a {(type.IsRecord ? "record" : "static class")} cannot derive from {nameof(Preserve)}.{nameof(Deployment)}");
            else if (!bases.Exists(b => b.Is<Deployment>()))
                Refuse($"it does not derive from {nameof(Preserve)}.{nameof(Deployment)}", bases.Count == 1 ? Mend.ByBase : null);
        }

        void Refuse(string reason, Mend? mend = null) => counted.Report(Descriptors.CannotBeExtended, site with { Mend = () => mend }, type.Name, reason);
    }

    private static SymbolDisplayFormat WithoutEscapes =>
        SymbolDisplayFormat.FullyQualifiedFormat.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted)
            .WithMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.None);

    /// <summary>Why no modifier lets a part be added, or null where one does.</summary>
    private static string? ReasonAgainstAnyPart(INamedTypeSymbol type)
    {
        foreach (var container in ContainingTypes(type))
        {
            if (container.IsFileLocal)
                return $"its containing type '{container.Name}' is file-local, so that no other file can add to it";
            if (container.Arity > 0)
                return $"its containing type '{container.Name}' is generic, and a plan belongs to one type";
        }
        if (type.IsFileLocal)
            return "it is file-local, so that no other file can add to it";
        return type.Arity > 0 ? "it is generic, and a plan belongs to one type" : null;
    }

    /// <summary>The generated part overrides <c>Load</c>, so nothing else may.</summary>
    private static string? ReasonAgainstLoad(INamedTypeSymbol type)
    {
        if (type.Name == Load)
            return $"it has the name of the member that is generated, '{Load}'";
        // Analyzers also see the part that was generated.
        if (type.GetMembers(Load).Any(m => !IsGenerated(m) && (m is not IMethodSymbol method || (method.Parameters.IsEmpty && method.Arity == 0))))
            return $"it declares '{Load}' itself";
        foreach (var @base in BasesOf(type).TakeWhile(b => !b.Is<Deployment>()))
        {
            var member = @base.GetMembers(Load).FirstOrDefault(m => m is not IMethodSymbol method || method.Parameters.IsEmpty);
            if (member is { IsOverride: false } or { IsSealed: true })
                return $"its base type '{@base.Name}' seals or hides '{Load}'";
        }
        return null;
    }

    private static bool IsGenerated(ISymbol member) => member.GetAttributes().Any(
        a => a.AttributeClass?.Name == "GeneratedCodeAttribute" && a.ConstructorArguments.Length > 0 && a.ConstructorArguments[0].Value is PlanSource.Tool);

    /// <summary>A plan is one raw string literal.</summary>
    private static string? ReasonAgainstLanguage(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences[0].SyntaxTree.Options is CSharpParseOptions { LanguageVersion: < LanguageVersion.CSharp11 } options
            ? $"a plan needs C# 11 or later, and the project's is {options.LanguageVersion.ToDisplayString()}"
            : null;

    private static bool IsPartial(INamedTypeSymbol type) => type.DeclaringSyntaxReferences.Any(
        r => r.GetSyntax() is TypeDeclarationSyntax syntax && syntax.Modifiers.Any(SyntaxKind.PartialKeyword));

    private static string KeywordOf(INamedTypeSymbol type) => type switch
    {
        { TypeKind: TypeKind.Interface } => "interface",
        { TypeKind: TypeKind.Struct, IsRecord: true } => "record struct",
        { TypeKind: TypeKind.Struct } => "struct",
        { IsRecord: true } => "record",
        _ => "class",
    };

    /// <summary>From the inside out.</summary>
    private static IEnumerable<INamedTypeSymbol> ContainingTypes(INamedTypeSymbol type)
    {
        for (var container = type.ContainingType; container is not null; container = container.ContainingType)
            yield return container;
    }

    private static IEnumerable<INamedTypeSymbol> BasesOf(INamedTypeSymbol type)
    {
        for (var b = type.BaseType; b is not null; b = b.BaseType)
            yield return b;
    }
}

using System.Collections;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators.Tests;

/// <summary>Walks everything that a value holds, looking for what would keep a compilation alive.</summary>
internal static class RoslynState
{
    public static void ShouldBeFreeOfRoslyn(this object? value)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<(object Value, string Path)>();
        Push(value, "");
        while (open.TryPop(out var at))
        {
            (at.Value is Compilation or ISymbol or SyntaxNode or SyntaxTree or Location or AttributeData or SourceText or SemanticModel or AdditionalText)
                .ShouldBeFalse($"{at.Value.GetType()} is kept at {at.Path}");
            // An element can be computed and not stand in a field, a field can stand behind a collection: both are walked.
            if (at.Value is IEnumerable items)
            {
                foreach (var item in items)
                    Push(item, at.Path + "[]");
            }
            for (var type = at.Value.GetType(); type is not null && type != typeof(object); type = type.BaseType)
            {
                foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    Push(field.GetValue(at.Value), $"{at.Path}.{field.Name}");
            }
        }

        void Push(object? found, string path)
        {
            if (found is null or string or Pointer or Type or MemberInfo || found.GetType().IsPrimitive || found.GetType().IsEnum)
                return;
            // Boxed values are new objects each time; they cannot form a cycle.
            if (found.GetType().IsValueType || seen.Add(found))
                open.Push((found, path));
        }
    }
}

using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>The walk over cached values finds what it looks for, wherever it hides.</summary>
public class RoslynStateTests
{
    private abstract record Hidden(object? Inside);

    private sealed record Derived(object? Inside, int Number) : Hidden(Inside);

    private sealed class List(object inside) : List<int>
    {
        public object Beside { get; } = inside;
    }

    private static readonly ISymbol Symbol = TestCompilation.Of("class C;").GetTypeByMetadataName("C")!;

    public static TheoryData<string, Func<object, object>> Places => new()
    {
        { "itself", s => s },
        { "an array", s => new[] { 1, s } },
        { "a field of a base type", s => new Derived(s, 1) },
        { "a field of a collection", s => new List(s) },
        { "a boxed struct in a list", s => new List<object> { (1, (2, s)) } },
        { "a key of a dictionary", s => new Dictionary<object, int> { [s] = 1 } },
        { "a captured variable", s => (Func<string>)s.ToString! },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public void A_symbol_is_found(string place, Func<object, object> hide) =>
        Should.Throw<ShouldAssertException>(() => hide(Symbol).ShouldBeFreeOfRoslyn(), place);

    [Fact]
    public void Plain_values_are_free_of_it()
    {
        new Derived(new Dictionary<string, int> { ["a"] = 1 }, 1).ShouldBeFreeOfRoslyn();
        new Derived(new List<object?> { null, "text", DateTime.UnixEpoch, typeof(ISymbol) }, 1).ShouldBeFreeOfRoslyn();
    }
}

using Microsoft.CodeAnalysis;

namespace Preserve.Generators;

/// <summary>Queries over the values of a pipeline.</summary>
internal static class ProviderQueries
{
    /// <summary>The values that are there.</summary>
    public static IncrementalValuesProvider<T> NotNull<T>(this IncrementalValuesProvider<T?> values)
        where T : class => values.Where(static value => value is not null).Select(static (value, _) => value!);
}

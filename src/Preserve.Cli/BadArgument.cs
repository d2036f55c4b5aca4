using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Preserve.Cli;

/// <summary>Says what is wrong with an argument that the parser refuses: which option, what it was given, and what it takes.</summary>
internal static class BadArgument
{
    public static string MessageOf(ParseError error) =>
        error.SymbolResult is OptionResult result
            && result.Tokens.Select(t => (t.Value, Wanted: Wanted(result.Option, t.Value))).FirstOrDefault(t => t.Wanted is not null) is { Wanted: { } wanted, Value: var value }
            ? $"{result.Option.Name} is '{value}', but must be {wanted}"
            : error.Message;

    /// <summary>What an option takes, or null where the value is such.</summary>
    private static string? Wanted(Option option, string value)
    {
        var type = option.ValueType.GetElementType() ?? Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        if (type == typeof(int))
            return int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : "a whole number of at most 2,147,483,647, without unit or separators";
        if (type == typeof(double))
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? null : "a number without unit or separators";
        var names = option.GetCompletions(CompletionContext.Empty).Select(c => c.Label).ToList();
        return names.Count == 0 || names.Contains(value) ? null : string.Join(", ", names.Take(names.Count - 1)) + " or " + names[^1];
    }
}

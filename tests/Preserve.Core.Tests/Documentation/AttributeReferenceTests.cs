using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Preserve.Tests;

namespace Preserve.Core.Tests.Documentation;

/// <summary>docs/attributes.md is made of the attributes and their documentation, and what that says of ranges and defaults is so.</summary>
public partial class AttributeReferenceTests
{
    /// <summary>What whole numbers of a declaration count, the words that their documentation has for it.</summary>
    private static readonly string[] s_units = ["elements", "tokens", "heads", "ranks", "rows", "sequences", "batches", "times"];

    /// <summary>In the order in which a declaration has them; others come after.</summary>
    private static readonly Type[] s_order =
    [
        typeof(ModelAttribute), typeof(LayersAttribute), typeof(LayerAttribute), typeof(AttentionAttribute), typeof(FeedForwardAttribute),
        typeof(DeploymentAttribute), typeof(DecodeAttribute), typeof(PrefillAttribute), typeof(GenerationAttribute),
    ];

    private static readonly XmlDocumentation s_documentation = new(typeof(ModelAttribute).Assembly);

    /// <summary>What a user writes: an attribute that only the generator does is hidden from editors.</summary>
    private static readonly Type[] s_attributes =
    [
        .. typeof(ModelAttribute).Assembly.GetExportedTypes()
            .Where(t => t.IsSubclassOf(typeof(Attribute)) && t.GetCustomAttribute<EditorBrowsableAttribute>()?.State != EditorBrowsableState.Never)
            .OrderBy(t => Array.IndexOf(s_order, t) is >= 0 and var at ? at : int.MaxValue).ThenBy(t => t.Name, StringComparer.Ordinal),
    ];

    public static TheoryData<Type, string> Values => [.. s_attributes.SelectMany(a => Settable(a).Select(p => (a, p.Name)))];

    [Fact]
    public void The_page_is_what_the_code_says()
    {
        var page = new StringBuilder("""
            # Attributes

            What a declaration may say. The page is made of the attributes' own documentation, which editors show too; after a change of it

                PRESERVE_ACCEPT=1 dotnet test --project tests/Preserve.Core.Tests -c Release --filter-class "*AttributeReferenceTests"

            writes it anew. An explicit 0 is a value, and never a way to leave one out. A value out of its range is [PRSV008](diagnostics/PRSV008.md), a required one that
            is missing [PRSV011](diagnostics/PRSV011.md).

            """.ReplaceLineEndings("\n"));
        foreach (var attribute in s_attributes)
            WriteAttribute(page, attribute);

        page.Append("\n## Values\n");
        foreach (var choice in s_attributes.SelectMany(Settable).Select(p => p.PropertyType).Where(t => t.IsEnum).Distinct().OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            page.Append($"\n### {choice.Name}\n\n{s_documentation.SummaryOf(choice)}\n\n| value | |\n| --- | --- |\n");
            foreach (var value in choice.GetFields(BindingFlags.Public | BindingFlags.Static))
                page.Append($"| `{value.Name}` | {s_documentation.SummaryOf(value)} |\n");
        }

        page.Append($"\n### Devices\n\n{s_documentation.SummaryOf(typeof(Devices))} [own-hardware.md](own-hardware.md) says how to bring another.\n\n| constant | id | |\n| --- | --- | --- |\n");
        foreach (var device in typeof(Devices).GetFields(BindingFlags.Public | BindingFlags.Static))
            page.Append($"| `{device.Name}` | `{device.GetRawConstantValue()}` | {s_documentation.SummaryOf(device)} |\n");
        GeneratedPage.Match("attributes.md", page.ToString());
    }

    /// <summary>The default that a property's documentation gives is the one that it has.</summary>
    [Theory]
    [MemberData(nameof(Values))]
    public void A_default_is_as_documented(Type attribute, string name)
    {
        var property = attribute.GetProperty(name)!;
        var value = property.GetValue(NewOf(attribute));
        var (_, _, documented) = PartsOf(property);
        switch (value)
        {
            case int number when int.TryParse(documented, NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var stated):
                number.ShouldBe(stated);
                break;
            case int number:
                // It is not the number that stands for its absence.
                number.ShouldBe(0);
                break;
            case bool flag:
                documented.ShouldBe(flag ? "true" : "false");
                break;
            case Enum choice when documented.StartsWith('`'):
                documented.ShouldBe($"`{choice.GetType().Name}.{choice}`");
                break;
            default:
                value.ShouldBe(value is Enum ? Enum.ToObject(property.PropertyType, 0) : null);
                break;
        }
    }

    /// <summary>The range that a number's documentation gives ends where the rules say.</summary>
    [Theory]
    [MemberData(nameof(Values))]
    public void A_range_is_as_the_rules_have_it(Type attribute, string name)
    {
        var property = attribute.GetProperty(name)!;
        if (property.PropertyType != typeof(int))
            return;
        var range = PartsOf(property).Range;
        var limit = (attribute.Name, name) switch
        {
            (nameof(GenerationAttribute), nameof(GenerationAttribute.Tokens)) => SpecificationLimits.Generated,
            (_, nameof(GenerationAttribute.Prompt)) => SpecificationLimits.Tokens,
            _ => (ValueRange)typeof(SpecificationLimits).GetProperty(name)!.GetValue(null)!,
        };
        if (limit.Most == int.MaxValue)
            range.ShouldBe($"{limit.Least} or more");
        else if (!range.Contains('`', StringComparison.Ordinal))
            range.ShouldStartWith(limit.ToString());
        else
            range.ShouldMatch($@"^(a divisor of `\w+`|{limit.Least} to `\w+`|from `\w+` to {limit.ToString().Split(' ')[^1]})$");
    }

    private static void WriteAttribute(StringBuilder page, Type attribute)
    {
        var usage = attribute.GetCustomAttribute<AttributeUsageAttribute>()!;
        var places = usage.ValidOn.ToString().ToLowerInvariant().Replace("class", "a class", StringComparison.Ordinal)
            .Replace("struct", "a struct", StringComparison.Ordinal).Replace("interface", "an interface", StringComparison.Ordinal);
        page.Append($"\n## [{attribute.Name[..^nameof(Attribute).Length]}]\n\n{s_documentation.SummaryOf(attribute)}\n\n")
            .Append($"Stands on {LastComma().Replace(places, " or ")}, {(usage.AllowMultiple ? "once or several times" : "once")}.\n");
        var arguments = attribute.GetConstructors().Single().GetParameters();
        if (arguments.Length > 0)
        {
            page.Append("\n| argument | type | |\n| --- | --- | --- |\n");
            foreach (var argument in arguments)
                page.Append($"| `{argument.Name}` | {TypeOf(argument.ParameterType)} | {s_documentation.ParameterOf(attribute, argument.Name!)} |\n");
        }
        if (!Settable(attribute).Any())
            return;
        page.Append("\n| property | type | unit | range | default | |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (var property in Settable(attribute))
        {
            var (meaning, range, standard) = PartsOf(property);
            page.Append($"| `{property.Name}` | {TypeOf(property.PropertyType)} | {UnitOf(property, meaning)} | {range} | {standard} | {meaning} |\n");
        }
    }

    /// <summary>What a property's documentation says: what it is, the range behind a colon of its first sentence, and the default in its last one.</summary>
    private static (string Meaning, string Range, string Default) PartsOf(PropertyInfo property)
    {
        var text = s_documentation.SummaryOf(property);
        var standard = "";
        if (DefaultSentence().Match(text) is { Success: true } match)
        {
            standard = match.Groups[1].Success ? match.Groups[1].Value : "*required*";
            text = text[..match.Index];
        }
        if (property.PropertyType != typeof(int))
            return (text, "", standard);
        var range = RangeClause().Match(text);
        range.Success.ShouldBeTrue($"the documentation of {property.DeclaringType!.Name}.{property.Name} gives no range: {text}");
        return (text.Remove(range.Index, range.Length - 1), range.Groups[1].Value, standard);
    }

    /// <summary>What a number counts: the first such word of its documentation.</summary>
    private static string UnitOf(PropertyInfo property, string meaning)
    {
        if (property.PropertyType != typeof(int))
            return "";
        var words = Words().Matches(meaning).Select(m => m.Value.ToLowerInvariant());
        return words.FirstOrDefault(s_units.Contains) ?? throw new InvalidOperationException($"the documentation of {property.DeclaringType!.Name}.{property.Name} names no unit: {meaning}");
    }

    private static IEnumerable<PropertyInfo> Settable(Type attribute) =>
        attribute.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(p => p.SetMethod is not null);

    private static object NewOf(Type attribute)
    {
        var constructor = attribute.GetConstructors().Single();
        return constructor.Invoke([.. constructor.GetParameters().Select(p => p.ParameterType == typeof(string) ? "" : (object?)null)]);
    }

    private static string TypeOf(Type type) => type switch
    {
        _ when type.IsEnum => $"[{type.Name}](#{type.Name.ToLowerInvariant()})",
        _ when type == typeof(int) => "whole number",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(string) => "text",
        _ when type == typeof(Type) => "`typeof`",
        _ when type == typeof(Type[]) => "`typeof`, one or more",
        _ => throw new InvalidOperationException($"no word for {type}"),
    };

    [GeneratedRegex(@" ?(?:Default: (.+)|Required)\.$")]
    private static partial Regex DefaultSentence();

    /// <summary>From a colon to the end of the sentence.</summary>
    [GeneratedRegex(@"(?<!\([^)]*): ([^.]+)\.")]
    private static partial Regex RangeClause();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();

    [GeneratedRegex(@", (?=[^,]*$)")]
    private static partial Regex LastComma();
}

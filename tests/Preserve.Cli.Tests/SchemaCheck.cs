using System.Text.Json;

namespace Preserve.Cli.Tests;

/// <summary>Holds a document against the part of JSON Schema that the schemas of docs use: type, properties, required,
/// additionalProperties false, items.</summary>
internal static class SchemaCheck
{
    public static IEnumerable<string> Faults(JsonElement value, JsonElement schema, string path = "$")
    {
        var types = schema.GetProperty("type") is { ValueKind: JsonValueKind.Array } several ? several.EnumerateArray().Select(t => t.GetString()).ToList() : [schema.GetProperty("type").GetString()];
        if (!types.Any(t => Is(value, t!)))
        {
            yield return $"{path} is a {value.ValueKind}, and not {string.Join(" or ", types)}";
            yield break;
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            var properties = schema.GetProperty("properties");
            foreach (var name in schema.GetProperty("required").EnumerateArray().Where(n => !value.TryGetProperty(n.GetString()!, out _)))
                yield return $"{path}.{name} is missing";
            foreach (var member in value.EnumerateObject())
            {
                if (!properties.TryGetProperty(member.Name, out var property))
                {
                    yield return $"{path}.{member.Name} is not documented";
                }
                else
                {
                    foreach (var fault in Faults(member.Value, property, $"{path}.{member.Name}"))
                        yield return fault;
                }
            }
        }
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var fault in value.EnumerateArray().SelectMany((item, i) => Faults(item, schema.GetProperty("items"), $"{path}[{i}]")))
                yield return fault;
        }
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => false,
    };
}

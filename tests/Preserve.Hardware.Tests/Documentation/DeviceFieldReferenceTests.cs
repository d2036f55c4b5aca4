using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Preserve.Hardware.Tests.Devices;
using Preserve.Tests;

namespace Preserve.Hardware.Tests.Documentation;

/// <summary>docs/device-fields.md is made of what the reader of device files asks for, what it says to wrong values, and the documentation of what it
/// reads them into.</summary>
public partial class DeviceFieldReferenceTests
{
    private static readonly XmlDocumentation s_documentation = new(typeof(Device).Assembly);

    /// <summary>Fields that are not called as the property that they are read into.</summary>
    private static readonly Dictionary<string, string> s_properties = new()
    {
        ["assumed"] = nameof(Device.AssumedFields),
        ["doubtful"] = nameof(Device.DoubtfulFields),
        ["host_memory_capacity_gigabytes"] = nameof(HostLink.HostMemoryGigabytes),
    };

    private static readonly Device s_least = DeviceFile.Parse(DeviceFileTests.Least).Device!;

    /// <summary>The same with other rates: what is assumed of both alike follows from nothing.</summary>
    private static readonly Device s_other = DeviceFile.Parse(DeviceFileTests.Least.Replace("400", "500", StringComparison.Ordinal).Replace("2000", "2100", StringComparison.Ordinal)
        .Replace("100,", "120,", StringComparison.Ordinal).Replace("\"id\"", "\"host_link\": { \"nominal_gigabytes_per_second\": 40 }, \"id\"", StringComparison.Ordinal)).Device!;

    [Fact]
    public void The_page_is_what_the_reader_says()
    {
        var reader = new DeviceFileReader(JsonReader.Parse(WithSections().ToJsonString()));
        reader.Read();
        var fields = reader.Fields.Where(f => f.Split('.')[0] != "calibration").ToList();
        fields.Count.ShouldBeGreaterThan(40);
        var page = new StringBuilder("""
            # Fields of a device file

            What a `*.device.json` may say; [own-hardware.md](own-hardware.md) shows how to write one. The page is made of what the reader of these files accepts;
            after a change of it

                PRESERVE_ACCEPT=1 dotnet test --project tests/Preserve.Hardware.Tests -c Release --filter-class "*DeviceFieldReferenceTests"

            writes it anew. The unit of a value is part of its name: 1 GB is 10^9 bytes, 1 MiB 2^20. Beyond its range a value is an error, and so is one that another
            value forbids. The section `calibration`, which is not here, holds constants that were fitted to measured times: `preserve calibrate` writes it.

            """.ReplaceLineEndings("\n"));
        page.Append("\n## The file itself\n");
        Write(page, fields.Where(f => !f.Contains('.', StringComparison.Ordinal) && !IsSection(f)), typeof(Device));
        foreach (var section in typeof(Device).GetProperties().Where(p => fields.Any(f => IsSection(f) && Matches(p, f))))
        {
            var name = fields.Single(f => Matches(section, f));
            page.Append($"\n## {name}\n\n{s_documentation.ParameterOf(typeof(Device), section.Name)}\n");
            Write(page, fields.Where(f => f.StartsWith(name + ".", StringComparison.Ordinal) && !IsSection(f)), section.PropertyType);
        }
        GeneratedPage.Match("device-fields.md", page.ToString());

        bool IsSection(string field) => fields.Any(f => f.StartsWith(field + ".", StringComparison.Ordinal));
    }

    private static void Write(StringBuilder page, IEnumerable<string> fields, Type type)
    {
        page.Append("\n| field | range | unit | left out | |\n| --- | --- | --- | --- | --- |\n");
        foreach (var field in fields.OrderBy(f => OrderOf(type, f)))
        {
            var (range, unit) = RangeOf(field);
            var name = field[(field.IndexOf('.', StringComparison.Ordinal) + 1)..];
            page.Append($"| `{name}` | {range} | {unit} | {LeftOut(type, field)} | {MeaningOf(type, field)} |\n");
        }
    }

    /// <summary>What the reader says of a value that is beyond every range.</summary>
    private static (string Range, string Unit) RangeOf(string field)
    {
        var error = With(field, JsonNode.Parse("1e30")).Select(e => e.Message).FirstOrDefault(m => m.StartsWith(field + " ", StringComparison.Ordinal)) ?? "";
        if (error.Contains("must be a text", StringComparison.Ordinal))
            return ("text", "");
        if (error.Contains("must be a list", StringComparison.Ordinal))
            return ("list of `field` and `note`", "");
        var range = Range().Match(error);
        range.Success.ShouldBeTrue($"{field}: '{error}'");
        return ($"{range.Groups[1].Value} to {range.Groups[2].Value}", range.Groups[3].Value);
    }

    /// <summary>What stands for a field that a file does not have.</summary>
    private static string LeftOut(Type type, string field)
    {
        var errors = With(field, null);
        if (errors.Any(e => e.Message == field + " is missing"))
            return field.Split('.').Length == 3 ? "*required* where the algorithm stands" : "*required*";
        errors.ShouldBeEmpty(field);
        if (s_least.AssumedFields.SingleOrDefault(a => a.Field == field) is not { } assumed)
            return "";
        // A value that no other follows is a constant, which its note need not say.
        var value = ValueOf(s_least);
        var follows = s_other.AssumedFields.Any(a => a.Field == field) && !Equals(value, ValueOf(s_other));
        return value is not null && !follows && !assumed.Note.StartsWith($"{value}: ", StringComparison.Ordinal) ? $"assumed {value}: {assumed.Note}" : $"assumed: {assumed.Note}";

        object? ValueOf(Device device) => PropertyOf(type, field).Property.GetValue(typeof(Device).GetProperties().Single(p => p.PropertyType == type).GetValue(device));
    }

    private static EquatableArray<DeviceFileError> With(string field, JsonNode? value)
    {
        var file = WithSections();
        var path = field.Split('.');
        var section = file;
        foreach (var name in path[..^1])
            section = (JsonObject)(section[name] ??= new JsonObject());
        section.Remove(path[^1]);
        if (value is not null)
            section[path[^1]] = value;
        // An algorithm is there only if it is whole.
        if (path.Length == 3)
        {
            foreach (var other in file["collectives"]!.AsObject().Where(a => a.Key != path[1]).Select(a => a.Key).ToArray())
                file["collectives"]!.AsObject().Remove(other);
        }
        return DeviceFile.Parse(file.ToJsonString()).Errors;
    }

    /// <summary>The least file, with both algorithms of collectives.</summary>
    private static JsonObject WithSections()
    {
        var file = JsonNode.Parse(DeviceFileTests.Least)!.AsObject();
        file["collectives"] = JsonNode.Parse("""
            { "one_shot": { "latency_microseconds": 3, "gigabytes_per_second": 200 }, "two_shot": { "latency_microseconds": 9, "gigabytes_per_second": 300 } }
            """);
        return file;
    }

    private static string MeaningOf(Type type, string field)
    {
        if (field == "preserve_device")
            return s_documentation.SummaryOf(typeof(DeviceFile).GetField(nameof(DeviceFile.Version))!);
        var (owner, property) = PropertyOf(type, field);
        var own = s_documentation.ParameterOf(owner, property.Name);
        return owner == type ? own : $"{s_documentation.ParameterOf(type, PropertyOf(type, field[..field.LastIndexOf('.')]).Property.Name)} {own}";
    }

    private static int OrderOf(Type type, string field)
    {
        if (field == "preserve_device")
            return -1;
        var parent = field.Count(c => c == '.') > 1 ? OrderOf(type, field[..field.LastIndexOf('.')]) : 0;
        var (owner, property) = PropertyOf(type, field);
        return (parent * 100) + Array.FindIndex(owner.GetProperties(), p => p.Name == property.Name);
    }

    /// <summary>The record's property that a field is read into, and its record: that of the section, or of a part of it.</summary>
    private static (Type Owner, PropertyInfo Property) PropertyOf(Type type, string field)
    {
        var path = field.Split('.');
        var owner = path.Length == 3 ? type.GetProperties().Single(p => Matches(p, path[1])).PropertyType : type;
        return (owner, owner.GetProperties().SingleOrDefault(p => Matches(p, path[^1])) ?? throw new InvalidOperationException($"no property of {owner.Name} is read from {field}"));
    }

    private static bool Matches(PropertyInfo property, string field) =>
        property.Name.Equals(s_properties.GetValueOrDefault(field) ?? field.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"must be from (\S+) to ([^\s(,]+)(?: \(in ([^);]*))?")]
    private static partial Regex Range();
}

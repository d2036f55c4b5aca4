using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>The template of <c>dotnet new preserve</c> offers every built-in device, and plans for each.</summary>
public class TemplateTests
{
    private static readonly string s_content = Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../src/Preserve.Templates/content");

    private static readonly JsonElement s_symbols =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(s_content, ".template.config", "template.json"))).RootElement.GetProperty("symbols");

    public static TheoryData<string, string> Choices => [.. ConstantOfChoice().Select(c => (c.Key, c.Value))];

    [Fact]
    public void It_offers_the_devices_of_the_catalogue_by_their_names()
    {
        var choices = s_symbols.GetProperty("device").GetProperty("choices").EnumerateArray().ToDictionary(Text("choice"), Text("description"));
        choices.ShouldBe(DeviceCatalogue.Ids.ToDictionary(id => id, id => DeviceCatalogue.TryGet(id, out var device) ? device.Name : ""), ignoreOrder: true);
        var constants = typeof(Devices).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(f => (string)f.GetRawConstantValue()!, f => $"Devices.{f.Name}");
        ConstantOfChoice().ShouldBe(constants, ignoreOrder: true);

        static Func<JsonElement, string> Text(string name) => e => e.GetProperty(name).GetString()!;
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public async Task It_is_planned_for_every_device(string id, string constant)
    {
        var source = File.ReadAllText(Path.Combine(s_content, "Deployment.cs"));
        // What the parameters replace stands in the source, with the values that they have by default.
        var standard = s_symbols.GetProperty("deviceConstant").GetProperty("replaces").GetString()!;
        ConstantOfChoice()[s_symbols.GetProperty("device").GetProperty("defaultValue").GetString()!].ShouldBe(standard);
        source.ShouldContain(standard);
        foreach (var number in new[] { "tensor-parallel", "batch", "context" }.Select(n => s_symbols.GetProperty(n)))
        {
            number.GetProperty("replaces").GetString().ShouldBe(number.GetProperty("defaultValue").GetString());
            source.ShouldContain(number.GetProperty("onlyIf")[0].GetProperty("after").GetString() + number.GetProperty("replaces").GetString());
        }

        var run = GeneratorRun.Of(TestCompilation.Of(source.Replace(standard, constant, StringComparison.Ordinal)));
        run.ShouldCompile();
        run.Sources.Length.ShouldBe(1);
        (await Analysis.DiagnosticsOf(run.Output)).ShouldNotContain(d => d.Severity == DiagnosticSeverity.Error, id);
    }

    private static Dictionary<string, string> ConstantOfChoice() =>
        s_symbols.GetProperty("deviceConstant").GetProperty("parameters").GetProperty("cases").EnumerateArray()
            .ToDictionary(c => c.GetProperty("condition").GetString()!.Split('\'')[1], c => c.GetProperty("value").GetString()!);

    private static string ThisFile([CallerFilePath] string file = "") => file;
}

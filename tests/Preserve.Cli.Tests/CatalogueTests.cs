using System.Text.Json;

namespace Preserve.Cli.Tests;

public sealed class CatalogueTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Devices_and_models_are_listed_with_what_is_doubtful()
    {
        foreach (var verb in new[] { "devices", "models" })
        {
            var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, verb + ".schema.json"))).RootElement;
            SchemaCheck.Faults(JsonDocument.Parse(await _tool.SucceedAsync(verb, "--json")).RootElement, schema).ShouldBeEmpty();
        }
        var devices = JsonDocument.Parse(await _tool.SucceedAsync("devices", "--json")).RootElement.EnumerateArray().ToList();
        devices.Count.ShouldBe(13);
        devices.Where(d => d.GetProperty("calibrated").GetBoolean()).Select(d => d.GetProperty("id").GetString()).ShouldBe(["a100-80-sxm", "b200-sxm", "h100-sxm", "h200-sxm"], ignoreOrder: true);
        devices.ShouldContain(d => d.GetProperty("doubtful").GetArrayLength() > 0);
        var models = JsonDocument.Parse(await _tool.SucceedAsync("models", "--json")).RootElement.EnumerateArray().ToList();
        models.Count.ShouldBe(25);
        models.ShouldContain(m => !m.GetProperty("supported").GetBoolean());
        (await _tool.SucceedAsync("devices")).ShouldContain("ascend-910b2: assumed");
        (await _tool.SucceedAsync("models")).ShouldContain("meta-llama/Meta-Llama-3-70B");
    }

    public void Dispose() => _tool.Dispose();
}

using System.Text.Json;
using Preserve.Tests;

namespace Preserve.Cli.Tests;

public sealed class CatalogueTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Devices_and_models_are_listed_with_what_is_doubtful()
    {
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

    [Fact]
    public async Task A_folder_without_tables_is_bad_input()
    {
        foreach (var verb in new[] { new[] { "validate" }, ["calibrate", "--system", "h100_sxm", "--base", "h100-sxm"] })
        {
            var (exitCode, output, errors) = await _tool.RunAsync([.. verb, "--measurements", "nowhere"]);
            exitCode.ShouldBe(2);
            output.ShouldBeEmpty();
            errors.ShouldContain("nowhere");
        }
    }

    [MeasuredFact]
    public async Task Validation_prints_the_documented_names_and_fails_where_asked_for_more()
    {
        var results = JsonDocument.Parse(await _tool.SucceedAsync("validate", "--measurements", MeasuredFolder.Path!, "--part", "held-out", "--json")).RootElement.GetProperty("results").EnumerateArray().ToList();
        results.Select(r => r.GetProperty("table").GetString()).Distinct().ShouldBe(["attention", "collectives", "gemm", "layer-ops", "gemm-h100-l2-hot"], ignoreOrder: true);
        foreach (var name in new[] { "system", "kind", "rows", "dropped", "mape", "p50", "p90", "bias", "insideBand" })
            results.Where(r => !r.TryGetProperty(name, out _)).ShouldBeEmpty(name);
        results.Where(r => r.GetProperty("insideBand").ValueKind == JsonValueKind.Number).ShouldAllBe(r => r.GetProperty("insideBand").GetDouble() >= 0 && r.GetProperty("insideBand").GetDouble() <= 1);
        var (exitCode, _, errors) = await _tool.RunAsync("validate", "--measurements", MeasuredFolder.Path!, "--max-mape", "1");
        exitCode.ShouldBe(1);
        errors.ShouldContain("more than 1.0 %");
    }

    public void Dispose() => _tool.Dispose();
}

using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Playwright;
using Preserve.Exploration;

namespace Preserve.Cli.Tests;

public sealed class ExploreTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Json_is_as_the_schema_says_and_its_best_sizes_follow_from_its_points()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("explore", "--l2", "8", "96", "192", "--json")).RootElement;
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "explore.schema.json"))).RootElement;
        SchemaCheck.Faults(json, schema).ShouldBeEmpty();
        var points = json.GetProperty("points").EnumerateArray().ToList();
        points.Select(p => p.GetProperty("l2Mebibytes").GetDouble()).ShouldBe([8.0, 96, 192]);
        for (var policy = 0; policy < 3; policy++)
        {
            var best = json.GetProperty("best")[policy];
            var top = points.MaxBy(p => p.GetProperty("runs")[policy].GetProperty("tokensPerSecondPerDollar").GetDouble());
            best.GetProperty("l2Mebibytes").GetDouble().ShouldBe(top.GetProperty("l2Mebibytes").GetDouble());
        }
        // At the device's own size: the step that simulate gives.
        var simulated = JsonDocument.Parse(await _tool.SucceedAsync(
            "simulate", "-m", "llama-3-70b", "-d", "ascend-910b2", "-t", "8", "-b", "4", "-c", "16384", "--weights", "int8", "--activations", "int8", "--key-values", "int8", "--prefetch", "paper", "--json"));
        points[2].GetProperty("runs")[1].GetProperty("stepMicroseconds")[0].GetDecimal().ShouldBe(simulated.RootElement.GetProperty("stepMicroseconds").GetDecimal());
        json.GetProperty("sensitivity").GetArrayLength().ShouldBe((2 * CostModelFile.Default.Constants.Count(c => c.Assumed)) + 1);
    }

    [Fact]
    public async Task A_best_size_beyond_which_no_die_can_be_made_is_no_optimum_and_is_said()
    {
        // 790 mm2 of logic, 40 of the memory's interface and 0.64 a MiB are a reticle's 858 at 43.7 MiB.
        var json = JsonDocument.Parse(await _tool.SucceedAsync("explore", "--l2", "8", "40", "48", "128", "--json")).RootElement;
        json.GetProperty("best").EnumerateArray().ShouldAllBe(b => !b.GetProperty("atReticle").GetBoolean());
        var bests = json.GetProperty("sensitivity").EnumerateArray()
            .Single(s => s.GetProperty("constant").GetString() == CostModelFile.LogicSquareMillimetres && s.GetProperty("factor").GetDouble() == 2).GetProperty("best");
        bests[2].GetProperty("l2Mebibytes").GetDouble().ShouldBe(40);
        bests[2].GetProperty("atEdge").GetBoolean().ShouldBeFalse();
        bests[2].GetProperty("atReticle").GetBoolean().ShouldBeTrue();
        bests[0].GetProperty("atReticle").GetBoolean().ShouldBeFalse();
        var text = await _tool.SucceedAsync("explore", "--l2", "8", "40", "48", "128");
        text.ShouldContain("40 (reticle)");
        text.ShouldContain("(reticle): the next larger size cannot be made");
    }

    [Fact]
    public async Task On_a_measured_device_each_size_has_the_band_of_its_step()
    {
        string[] setting = ["-m", "llama-3-8b", "-d", "h100-sxm", "-t", "2", "-b", "8", "-c", "1024", "--weights", "bf16", "--activations", "bf16", "--key-values", "bf16"];
        var run = JsonDocument.Parse(await _tool.SucceedAsync(["explore", .. setting, "--l2", "50", "--json"])).RootElement.GetProperty("points")[0].GetProperty("runs")[1];
        var step = JsonDocument.Parse(await _tool.SucceedAsync(["simulate", .. setting, "--prefetch", "paper", "--json"])).RootElement;
        // Eight tokens in a step of two devices.
        run.GetProperty("tokensPerSecondLow").GetDouble().ShouldBe(4e6 / step.GetProperty("stepHighMicroseconds").GetDouble(), 1e-6);
        run.GetProperty("tokensPerSecondHigh").GetDouble().ShouldBe(4e6 / step.GetProperty("stepLowMicroseconds").GetDouble(), 1e-6);
    }

    [Fact]
    public async Task Several_models_stand_behind_one_option_and_what_no_time_depends_on_is_not_assumed()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("explore", "-m", "llama-3-8b", "qwen2-7b", "-t", "4", "-b", "1", "-c", "1024", "--l2", "96", "--json")).RootElement;
        json.GetProperty("models").GetArrayLength().ShouldBe(2);
        var fields = json.GetProperty("assumed").EnumerateArray().Select(n => n.GetProperty("field").GetString()!).ToList();
        fields.ShouldContain("kernels.prefetch_fixed_microseconds");
        fields.ShouldAllBe(f => !f.StartsWith("host_link", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_belongs_to_another_device_or_setting_is_said()
    {
        (await NotesAsync("--l2", "192")).ShouldBeEmpty();
        (await NotesAsync("--l2", "192", "-b", "8")).Single().ShouldContain("the published sizes and gain are those of the main setting");
        var notes = await NotesAsync("-m", "llama-3-8b", "-d", "h100-sxm", "-t", "2", "-b", "1", "-c", "1024", "--l2", "50");
        notes.Count.ShouldBe(2);
        notes[0].ShouldContain("the area of logic, 395 mm2");
        var own = _tool.PathOf("own.cost.json");
        await File.WriteAllTextAsync(own, CostModelFile.DefaultText.Replace("\"value\": 395", "\"value\": 600", StringComparison.Ordinal));
        (await NotesAsync("-m", "llama-3-8b", "-d", "h100-sxm", "-t", "2", "-b", "1", "-c", "1024", "--l2", "50", "--cost-model", own)).Count.ShouldBe(1);

        async Task<List<string>> NotesAsync(params string[] arguments) =>
            [.. JsonDocument.Parse(await _tool.SucceedAsync(["explore", .. arguments, "--json"])).RootElement.GetProperty("notes").EnumerateArray().Select(n => n.GetString()!)];
    }

    [Theory]
    [InlineData("--l2 has 0.2, but a size must be 0.25 to 4096 MiB", "--l2", "16", "0.2")]
    [InlineData("--l2 is '8MiB', but must be a number without unit", "--l2", "16", "--l2", "8MiB")]
    [InlineData("--l2 has 0, but a size must be 0.25 to 4096 MiB", "--l2", "0")]
    [InlineData("there is no cost model 'none.json'", "--cost-model", "none.json")]
    [InlineData("no model is called 'nothing'", "--model", "nothing")]
    public async Task Bad_input_is_named(string message, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(["explore", .. arguments]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
    }

    [Theory]
    [InlineData("\"value\": 9346", "\"value\": -1", "wafer_dollars.value is -1, but must be a number from 100 to 1000000")]
    [InlineData("\"wafer_dollars\"", "\"wafer_price\"", "constants has 'wafer_price'")]
    public void A_cost_model_that_is_not_sound_is_refused_with_the_value_and_the_bound(string from, string to, string message) =>
        Should.Throw<FormatException>(() => CostModelFile.Parse(CostModelFile.DefaultText.Replace(from, to, StringComparison.Ordinal))).Message.ShouldContain(message);

    [Fact]
    public void Dies_yield_and_cost_are_those_worked_out_by_hand()
    {
        // pi 300^2 / 400 - pi 300 / sqrt(200) = 706.86 - 66.64
        Wafer.Dies(300, 100).ShouldBe(640.22, 0.01);
        // (1 + 1 x 0.1 / 2)^-2
        Wafer.Yield(100, 0.1, 2).ShouldBe(0.90703, 1e-5);
        var cost = CostModelFile.Default.Of(100, 64)!;
        cost.DieSquareMillimetres.ShouldBe(395 + (4 * 10) + 64, 1e-9);
        cost.Dollars.ShouldBe(cost.DieDollars + (64 * 15) + 300, 1e-9);
        CostModelFile.Default.Of(1000, 64).ShouldBeNull();
    }

    [Theory]
    [InlineData("uPlot.iife.min.js", "19C8D4C6AD88929A79F4AE49D6F7161566DFD0BA3D15CC495E974F787EB78F1F")]
    [InlineData("uPlot.min.css", "DF630C6A8D6F8EEAFF264B50F73CE5B114F646FFD9A0BB74F049B0A00135FA04")]
    public async Task The_chart_library_is_that_of_the_registry(string file, string sha256)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent!;
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder.FullName, "src", "Preserve.Cli", "Assets", "uPlot", file));
        Convert.ToHexString(SHA256.HashData(bytes)).ShouldBe(sha256); // of the package uplot 1.6.32
    }

    [BrowserFact]
    public async Task The_page_draws_its_curves_in_a_browser_without_an_error_or_the_network()
    {
        var path = _tool.PathOf("plot.html");
        await _tool.SucceedAsync("explore", "--l2", "8", "64", "96", "128", "192", "--plot", path);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFactAttribute.Find().ShouldNotBeNull("PRESERVE_BROWSER names a browser that is not in PATH"), Args = ["--no-sandbox"] });
        var page = await browser.NewPageAsync();
        var (faults, requests) = (new List<string>(), new List<string>());
        page.Console += (_, message) => faults.Add(message.Text);
        page.PageError += (_, error) => faults.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);
        await page.GotoAsync(new Uri(path).AbsoluteUri);

        faults.ShouldBeEmpty();
        requests.ShouldBe([new Uri(path).AbsoluteUri]);
        (await page.Locator(".u-legend .u-label").AllInnerTextsAsync()).ShouldBe(["L2 (MiB)", "no prefetch", "prefetch, published rule", "prefetch, this optimizer"]);
        (await page.Locator("#best tr").CountAsync()).ShouldBe(3);
        // Each curve's own colour stands in the canvas.
        foreach (var (red, green, blue) in new[] { (0xb3, 0x46, 0x1f), (0x1f, 0x6f, 0xb3), (0x2f, 0x8f, 0x4e) })
        {
            var pixels = await page.EvaluateAsync<int>(
                """
                ([r, g, b]) => {
                  const c = document.querySelector("#plot canvas"), p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
                  let n = 0;
                  for (let i = 0; i < p.length; i += 4) n += p[i] == r && p[i + 1] == g && p[i + 2] == b && p[i + 3] == 255;
                  return n;
                }
                """, new[] { red, green, blue });
            pixels.ShouldBeGreaterThan(200);
        }
    }

    public void Dispose() => _tool.Dispose();
}

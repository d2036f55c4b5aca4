using System.Text.Json;

namespace Preserve.Cli.Tests;

public sealed class GenerateTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Json_is_as_the_schema_says_and_its_figures_agree()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync(
            "generate", "-m", "opt-13b", "-d", "a100-40-sxm", "-b", "64", "--prompt", "128", "--tokens", "16", "--kv-home", "host", "--prefetch", "none", "--json")).RootElement;
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "generate.schema.json"))).RootElement;
        SchemaCheck.Faults(json, schema).ShouldBeEmpty();

        var steps = json.GetProperty("steps").EnumerateArray().ToList();
        steps.Select(s => s.GetProperty("context").GetInt32()).ShouldBe(Enumerable.Range(128, 15));
        steps.ShouldAllBe(s => s.GetProperty("stepMicroseconds").GetDecimal() < s.GetProperty("baseMicroseconds").GetDecimal() && s.GetProperty("recomputedTokens").GetInt32() > 0);
        steps[^1].GetProperty("recomputedTokens").GetInt32().ShouldBe(json.GetProperty("split").GetProperty("recomputedTokens").GetInt32());
        var run = json.GetProperty("this");
        run.GetProperty("decodeMicroseconds").GetDecimal().ShouldBe(steps.Sum(s => s.GetProperty("stepMicroseconds").GetDecimal()));
        run.GetProperty("totalMicroseconds").GetDecimal().ShouldBe(run.GetProperty("prefillMicroseconds").GetDecimal() + run.GetProperty("decodeMicroseconds").GetDecimal());
        run.GetProperty("tokensPerSecond").GetDouble().ShouldBe(64 * 16 / ((double)run.GetProperty("totalMicroseconds").GetDecimal() / 1e6), 1e-6);
        run.GetProperty("copyExposedShare").GetDouble().ShouldBeLessThan(json.GetProperty("base").GetProperty("copyExposedShare").GetDouble());
        json.GetProperty("hostBytes").GetInt64().ShouldBeGreaterThan(0);
        foreach (var shares in new[] { run, run.GetProperty("whole") })
        {
            // At any moment a copy is exposed or hidden, and the link to the device is busy with most of them. Each share is a quotient, whose
            // last digit is rounded.
            Shares("copyExposedShare", "copyHiddenShare").ShouldBeInRange(Shares("copyToDeviceShare"), Shares("copyToDeviceShare", "copyToHostShare"));
            shares.GetProperty("collectiveShare").GetDouble().ShouldBe(0);
            shares.GetProperty("hbmBusyShare").GetDouble().ShouldBeInRange(0.01, 1);

            double Shares(params string[] names) => Math.Round(names.Sum(n => shares.GetProperty(n).GetDouble()), 12);
        }
        // A prefill computes more than it copies.
        run.GetProperty("whole").GetProperty("kernelShare").GetDouble().ShouldBeGreaterThan(run.GetProperty("kernelShare").GetDouble());
    }

    [Fact]
    public async Task The_terminal_says_the_split_at_several_lengths_and_why()
    {
        var text = await _tool.SucceedAsync("generate", "-m", "opt-6.7b", "-d", "a100-40-sxm", "-b", "64", "-p", "128", "-n", "12", "--kv-home", "host");
        text.ShouldContain("tokens per second");
        text.ShouldContain("a token's activations are 8,192 bytes, the keys and values that they make 16,384: recomputing can pay");
        text.ShouldContain("copies exposed");
        text.ShouldContain("copies hidden");
        text.ShouldNotContain("scale-up link busy");
        // On the device there is nothing to split.
        (await _tool.SucceedAsync("generate", "-m", "opt-6.7b", "-d", "a100-40-sxm", "-b", "4", "-p", "128", "-n", "12")).ShouldNotContain("recomputed");
    }

    [Fact]
    public async Task Eight_batches_share_the_weights_that_cross()
    {
        string[] arguments = ["generate", "-m", "opt-30b", "-d", "a100-40-sxm", "-b", "32", "-p", "256", "-n", "4", "--kv-home", "host", "--weight-home", "host"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. arguments, "--batches", "8", "--json"])).RootElement;
        SchemaCheck.Faults(json, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "generate.schema.json"))).RootElement).ShouldBeEmpty();
        (json.GetProperty("batch").GetInt32(), json.GetProperty("batches").GetInt32(), json.GetProperty("weightHome").GetString()).ShouldBe((256, 8, "host"));
        var run = json.GetProperty("this");
        run.GetProperty("tokensPerSecond").GetDouble().ShouldBe(256 * 4 / ((double)run.GetProperty("totalMicroseconds").GetDecimal() / 1e6), 1e-6);
        json.GetProperty("hostBytes").GetInt64().ShouldBeGreaterThan(48L * 12 * 7168 * 7168 * 2);
        json.GetProperty("deviceBytes").GetInt64().ShouldBeLessThan(40_000_000_000);
        (await _tool.SucceedAsync([.. arguments, "--batches", "2"])).ShouldContain("column by column: each layer serves 2 batches of 32 before the next layer");
    }

    [Theory]
    [InlineData("--batches: layers that serve 33 batches are not planned for, only up to 32", "--batches", "33")]
    [InlineData("--batches of the deployment is 0", "--batches", "0")]
    [InlineData("where layers need not be shared between batches: it needs --kv-home or --weight-home to be host", "--kv-home", "device", "--batches", "8")]
    [InlineData("--tokens is 1, but must be 2 to 1,000,000", "--tokens", "1")]
    [InlineData("--prompt is 0, but must be 1 to 1,000,000", "--prompt", "0")]
    [InlineData("does not fit the memory of a100-40-sxm", "--batch", "4096")]
    [InlineData("--batch times --prompt of the prefill step is 65,536,000,000, but must be", "--batch", "65536", "--prompt", "1000000")]
    public async Task Bad_input_is_named_on_the_error_output(string message, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(["generate", "-m", "opt-13b", "-d", "a100-40-sxm", .. arguments.Contains("--kv-home") ? arguments : ["--kv-home", "host", .. arguments]]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
    }

    [Fact]
    public async Task Ranks_have_a_scale_up_link_between_them()
    {
        string[] arguments = ["generate", "-m", "opt-6.7b", "-d", "a100-40-sxm", "-t", "2", "-b", "16", "-p", "128", "-n", "4", "--kv-home", "host", "--prefetch", "none"];
        (await _tool.SucceedAsync(arguments)).ShouldContain("scale-up link busy");
        JsonDocument.Parse(await _tool.SucceedAsync([.. arguments, "--json"])).RootElement.GetProperty("this").GetProperty("whole").GetProperty("collectiveShare").GetDouble().ShouldBeInRange(1e-4, 0.9);
    }

    [Fact]
    public async Task Memory_of_the_host_that_is_not_known_is_said_and_memory_that_is_known_bounds()
    {
        string[] arguments = ["generate", "-m", "opt-6.7b", "-b", "64", "-p", "128", "-n", "4", "--kv-home", "host", "--prefetch", "none"];
        // 64 sequences of 131 tokens, 32 layers of 2 x 4096 elements in 2 bytes: 4.4 GB; and of 128 tokens the activations that they are made of again: 2.1 GB.
        const string unknown = "how much memory the host of a100-40-sxm has is not known: whether it holds the 6.5 GB that are kept there is not checked";
        var text = await _tool.SucceedAsync([.. arguments, "-d", "a100-40-sxm"]);
        text.ShouldContain(unknown);
        text.ShouldContain("6.5 GB in the host's\n");
        JsonDocument.Parse(await _tool.SucceedAsync([.. arguments, "-d", "a100-40-sxm", "--json"])).RootElement.GetProperty("notes").EnumerateArray()
            .ShouldContain(n => n.GetString()!.StartsWith(unknown, StringComparison.Ordinal));
        (await _tool.SucceedAsync("generate", "-m", "opt-6.7b", "-b", "4", "-p", "128", "-n", "4", "-d", "a100-40-sxm")).ShouldNotContain("memory the host of");

        (await _tool.SucceedAsync([.. arguments, "-d", await HostAsync("large", 512)])).ShouldNotContain("is not known: whether");
        var (exitCode, output, errors) = await _tool.RunAsync([.. arguments, "-d", await HostAsync("small", 4)]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain("does not fit the host's memory: one rank needs 4.4 GB there, and it has 4.0 GB");

        async Task<string> HostAsync(string id, int gigabytes)
        {
            var path = _tool.PathOf(id + ".json");
            await File.WriteAllTextAsync(path, DeviceCatalogue.TextOf(Devices.A100Sxm40)!.Replace("\"a100-40-sxm\"", $"\"{id}\"", StringComparison.Ordinal)
                .Replace("\"host_link\": {", $"\"host_link\": {{ \"host_memory_capacity_gigabytes\": {gigabytes},", StringComparison.Ordinal));
            return path;
        }
    }

    [Fact]
    public async Task The_published_latencies_of_opt_13b_are_repeated_within_7_percent()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("reproduce", "kv-split", "--schedule", "row", "--json")).RootElement;
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "reproduce-kv-split.schema.json"))).RootElement;
        SchemaCheck.Faults(json, schema).ShouldBeEmpty();
        var rows = json.GetProperty("latencies").EnumerateArray().ToList();
        rows.Count.ShouldBe(12);
        json.GetProperty("throughputs").EnumerateArray().ShouldBeEmpty();
        foreach (var row in rows)
        {
            row.GetProperty("optimisedSplit").GetDouble().ShouldBeLessThan(row.GetProperty("optimisedBaseline").GetDouble());
            var utilisation = row.GetProperty("utilisationPercent");
            utilisation.GetProperty("optimisedSplit").GetDouble().ShouldBeInRange(utilisation.GetProperty("optimisedBaseline").GetDouble(), 100);
            if (row.GetProperty("model").GetString() != "opt-13b")
                continue;
            row.GetProperty("baselineErrorPercent").GetDouble().ShouldBeInRange(-7, 7);
            row.GetProperty("splitErrorPercent").GetDouble().ShouldBeInRange(-7, 7);
            // 39 layers, (tokens - 1) steps of 1.58 ms and 4 x 64 x 5120 bytes a token of prompt and answer at 25.9 GB/s.
            var (prompt, tokens) = (row.GetProperty("prompt").GetInt32(), row.GetProperty("tokens").GetInt32());
            var formula = 39 * (tokens - 1) * (0.00158 + (4.0 * 64 * 5120 * (prompt + tokens) / 25.9e9));
            row.GetProperty("modelledBaseline").GetDouble().ShouldBe(formula, formula * 0.005);
            // The published formula with h = 5120, p = 2, 25.9 GB/s and the A100's 312 TFLOP/s.
            var optimum = row.GetProperty("publishedOptimum");
            optimum.GetProperty("firstTokens").GetInt32().ShouldBe(Fastest(prompt));
            optimum.GetProperty("lastTokens").GetInt32().ShouldBe(Fastest(prompt + tokens - 2));
            // Of the published system a kernel runs where no copy is waited for: its own 1.58 ms.
            row.GetProperty("utilisationPercent").GetProperty("modelledBaseline").GetDouble().ShouldBe(100 * 39 * (tokens - 1) * 0.00158 / formula, 1);

            // Of all l up to the prompt, in the time that a token's X takes to cross.
            int Fastest(int cached) => Enumerable.Range(0, prompt + 1).MinBy(l => l + Math.Max(2 * l * 5120 * 25.9m / 312_000, 2 * (cached - l)));
        }
        (Optimum(128, 32), Optimum(256, 32), Optimum(512, 128)).ShouldBe(((90, 111), (179, 201), (359, 448)));

        (int First, int Last) Optimum(int prompt, int tokens)
        {
            var optimum = rows.Single(r => r.GetProperty("model").GetString() == "opt-13b" && r.GetProperty("prompt").GetInt32() == prompt && r.GetProperty("tokens").GetInt32() == tokens)
                .GetProperty("publishedOptimum");
            return (optimum.GetProperty("firstTokens").GetInt32(), optimum.GetProperty("lastTokens").GetInt32());
        }
    }

    [Fact]
    public async Task On_another_device_than_the_published_one_it_is_said_whose_constants_the_figures_have()
    {
        const string note = "KVPR ran on a100-40-sxm: ";
        (await _tool.SucceedAsync("reproduce", "kv-split", "--schedule", "row", "--device", "h100-sxm")).ShouldContain("reading   " + note);
        (await _tool.SucceedAsync("reproduce", "kv-split", "--schedule", "row")).ShouldNotContain(note);
    }

    [Fact]
    public async Task The_published_throughputs_stand_beside_what_the_model_makes_of_them()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("reproduce", "kv-split", "--schedule", "column", "--json")).RootElement;
        SchemaCheck.Faults(json, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "reproduce-kv-split.schema.json"))).RootElement).ShouldBeEmpty();
        json.GetProperty("latencies").EnumerateArray().ShouldBeEmpty();
        var rows = json.GetProperty("throughputs").EnumerateArray().ToList();
        rows.Count.ShouldBe(6 + 18);
        foreach (var row in rows)
        {
            row.GetProperty("optimisedSplit").GetDouble().ShouldBeGreaterThanOrEqualTo(row.GetProperty("optimisedBaseline").GetDouble());
            row.GetProperty("modelledSplit").GetDouble().ShouldBeGreaterThan(row.GetProperty("modelledBaseline").GetDouble());
            (row.GetProperty("publishedBaseline").ValueKind == JsonValueKind.Null).ShouldBe(row.GetProperty("device").GetString() == "a100-40-sxm");
            // No more than what crosses the link in the decode steps alone lets through: a layer's 12 h^2 weights once, and 4 h bytes of each token's
            // keys and values for all 256 sequences.
            var (hidden, layers) = row.GetProperty("model").GetString() switch { "opt-6.7b" => (4096.0, 32), "opt-13b" => (5120.0, 40), _ => (7168.0, 48) };
            var rate = row.GetProperty("device").GetString() == "a100-40-sxm" ? 25.9e9 : 0.8 * 16e9;
            var (prompt, tokens) = (row.GetProperty("prompt").GetInt32(), row.GetProperty("tokens").GetInt32());
            var seconds = (tokens - 1) * layers * ((24 * hidden * hidden) + (256 * 4 * hidden * prompt)) / rate;
            row.GetProperty("optimisedBaseline").GetDouble().ShouldBeInRange(256 * tokens / (seconds * 2), 256 * tokens / seconds);
        }
        json.GetProperty("doubtful").EnumerateArray().ShouldContain(n => n.GetProperty("field").GetString() == "quadro-rtx-5000: compute.bf16_teraflops");
    }

    [Fact]
    public async Task The_device_of_the_latencies_is_refused_where_none_are_repeated() =>
        (await _tool.RunAsync("reproduce", "kv-split", "--schedule", "column", "--device", "l40s")).Errors.ShouldContain("--device is given, but --schedule column has the devices that were published");

    public void Dispose() => _tool.Dispose();
}

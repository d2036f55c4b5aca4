using System.Text.Json;

namespace Preserve.Cli.Tests;

/// <summary>What is said beside the times of a simulation: what they do not hold for, and how far they were measured.</summary>
public sealed class SimulationNotesTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Copies_over_the_host_link_are_drawn_and_said_to_be_unmeasured()
    {
        string[] step = ["simulate", "--model", "opt-13b", "--device", "a100-80-sxm", "--batch", "8", "--context", "512", "--kv-home", "host", "--prefetch", "none"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. step, "--json", "--trace", _tool.PathOf("trace.json")])).RootElement;
        json.GetProperty("unmeasured").EnumerateArray().Select(k => k.GetString()).ShouldBe(["copies between host and device"]);
        var text = await _tool.SucceedAsync(step);
        text.ShouldMatch("band      none: [0-9] % of the step's time follows what was measured on a100-80-sxm, and how far the rest is off is not known; not measured: copies between host and device\n");
        text.ShouldNotContain("four of five lie");
        json.GetProperty("measuredShare").GetDouble().ShouldBeInRange(0, 0.1);
        json.GetProperty("stepHighMicroseconds").ValueKind.ShouldBe(JsonValueKind.Null);
        using var trace = JsonDocument.Parse(await File.ReadAllTextAsync(_tool.PathOf("trace.json")));
        var counters = trace.RootElement.GetProperty("traceEvents").EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "C")
            .GroupBy(e => e.GetProperty("name").GetString()!, e => e.GetProperty("args").GetProperty("GB/s").GetDouble()).ToDictionary(g => g.Key, g => g.Max());
        // A copy draws what the link sustains, and no more than it carries.
        counters["host link to device GB/s"].ShouldBe(24.8, 0.01);
        counters["host link to host GB/s"].ShouldBeInRange(1, 24.8);
        counters["link GB/s"].ShouldBe(0);
        // Keys and values of 8 sequences of 512 tokens, 20,480 bytes each, come over the link: into memory, and through no L2.
        var copied = trace.RootElement.GetProperty("traceEvents").EnumerateArray().First(e => e.GetProperty("name").GetString()!.StartsWith("load_kv", StringComparison.Ordinal)).GetProperty("args");
        copied.GetProperty("bytesToMemory").GetInt64().ShouldBe(8 * 512 * 20_480);
        (copied.GetProperty("bytesFromL2").GetInt64(), copied.GetProperty("bytesFromMemory").GetInt64()).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Of_a_time_whose_kernels_were_all_measured_nothing_is_said_to_be_unmeasured()
    {
        // Its events are assumed, as they are where the weights were measured too.
        var text = await _tool.SucceedAsync(["simulate", "--model", "llama-3-70b", "--device", "h100-sxm", "--tensor-parallel", "8", "--batch", "64", "--weights", "int4"]);
        text.ShouldMatch("base plan .*; as far as measured \\([0-9]+ %\\), four of five lie from");
        text.ShouldMatch("collectives .*: nothing else runs meanwhile; four of five lie from");
    }

    [Fact]
    public async Task Heads_of_a_size_that_was_not_measured_are_noted()
    {
        string[] step = ["simulate", "--device", "h100-sxm", "--prefetch", "none", "--model"];
        (await _tool.SucceedAsync([.. step, "phi-3-mini"])).ShouldContain("attention was measured with heads of 128 elements, and this one has 96");
        (await _tool.SucceedAsync([.. step, "llama-3-8b"])).ShouldNotContain("attention was measured");
    }

    [Fact]
    public async Task A_cold_step_says_what_is_not_cold()
    {
        var cold = JsonDocument.Parse(await _tool.SucceedAsync(["simulate", .. SimulateTests.Llama, "--prefetch", "paper", "--cold", "--json"])).RootElement;
        cold.GetProperty("notes").EnumerateArray().Single().GetString()!.ShouldContain("after an empty L2");
        (await _tool.SucceedAsync(["explain", .. SimulateTests.Llama, "--prefetch", "paper", "--cold"])).ShouldContain("after an empty L2");
    }

    [Fact]
    public async Task What_was_not_measured_is_said_beside_the_band_and_in_json()
    {
        string[] step = ["simulate", "--model", "llama-3-8b", "--prefetch", "none", "--tensor-parallel", "2", "--key-values", "bf16", "--device"];
        var fitted = JsonDocument.Parse(await _tool.SucceedAsync("devices", "h100-sxm")).RootElement.EnumerateObject().ToDictionary(m => m.Name, m => m.Value);
        var calibration = fitted["calibration"].EnumerateObject().Where(m => m.Name != "collectives").ToDictionary(m => m.Name, m => m.Value);
        fitted["calibration"] = JsonSerializer.SerializeToElement(calibration);
        fitted["id"] = JsonSerializer.SerializeToElement("own");
        await File.WriteAllTextAsync(_tool.PathOf("own.json"), JsonSerializer.Serialize(fitted));
        var text = await _tool.SucceedAsync([.. step, "own.json"]);
        text.ShouldMatch("as far as measured \\([89][0-9] %\\), four of five lie from");
        text.ShouldMatch("of the measured part alone, [89][0-9] % of the step's time; not measured on own, and perhaps off by more: all-reduce over 2 ranks, all-gather over 2 ranks");
        var json = JsonDocument.Parse(await _tool.SucceedAsync([.. step, "own.json", "--json"])).RootElement;
        json.GetProperty("unmeasured").EnumerateArray().Select(k => k.GetString()).ShouldBe(["all-reduce over 2 ranks", "all-gather over 2 ranks"]);
        var bare = JsonDocument.Parse(await _tool.SucceedAsync([.. step, "mi300x", "--json"])).RootElement;
        bare.GetProperty("unmeasured").EnumerateArray().ShouldContain(k => k.GetString() == "matmuls of bf16 by bf16");
        bare.GetProperty("stepLowMicroseconds").ValueKind.ShouldBe(JsonValueKind.Null);
        // Of the device's doubts those that no time depends on are left out: the price, and what is not moved over the host's link.
        var doubts = JsonDocument.Parse(await _tool.SucceedAsync("devices", "--json")).RootElement.EnumerateArray().Single(d => d.GetProperty("id").GetString() == "mi300x").GetProperty("doubtful");
        Fields(bare.GetProperty("doubtful")).ShouldBe(Fields(doubts).Where(f => !f.StartsWith("chip.", StringComparison.Ordinal) && !f.StartsWith("host_link.", StringComparison.Ordinal)));

        static string[] Fields(JsonElement notes) => [.. notes.EnumerateArray().Select(n => n.GetProperty("field").GetString()!)];
    }

    /// <summary>A device of which something was measured is not said to have nothing, and only what lacks is named.</summary>
    [Theory]
    [InlineData("none: 0 % of the step's time follows what was measured on b200-sxm, and how far the rest is off is not known; not measured: norms, matmuls of bf16 by fp8, ", "b200-sxm", "--weights", "fp8")]
    [InlineData("not measured on a100-80-sxm, and perhaps off by more: decode attention over an fp8 cache\n", "a100-80-sxm", "--key-values", "fp8")]
    [InlineData("not measured on h100-sxm, and perhaps off by more: all-reduce over 16 ranks, all-gather over 16 ranks\n", "h100-sxm", "--tensor-parallel", "16")]
    [InlineData("nothing of rtx4090 was measured: the times are those of its data sheet, and how far they are off is not known\n", "rtx4090")]
    public async Task What_lacks_a_measurement_is_named_by_its_format_or_ranks(string message, string device, params string[] arguments) =>
        (await _tool.SucceedAsync(["simulate", "--model", "llama-3-8b", "--prefetch", "none", "--device", device, .. arguments])).ReplaceLineEndings("\n").ShouldContain(message);

    /// <summary>By the field that lacks, in each verb that plans.</summary>
    [Theory]
    [InlineData("simulate", "b200-sxm", "l2.read_terabytes_per_second of b200-sxm is not known")]
    [InlineData("simulate", "tpu-v4", "l2.read_terabytes_per_second of tpu-v4 is not known")]
    [InlineData("explain", "rtx4090", "l2.read_terabytes_per_second of rtx4090 is not known")]
    [InlineData("generate", "b200-sxm", "l2.read_terabytes_per_second of b200-sxm is not known")]
    public async Task An_L2_that_is_not_known_is_why_nothing_is_prefetched(string verb, string device, string lacks)
    {
        string[] step = [verb, "--model", "llama-3-8b", "--device", device, "--tensor-parallel", "2", .. verb == "generate" ? ["--tokens", "4"] : (string[])[]];
        var text = await _tool.SucceedAsync(step);
        text.ShouldContain($"note      nothing is prefetched: {lacks}; give what is missing in a device file");
        text.ShouldNotContain("reachable");
        text.ShouldNotContain("gain at half");
        JsonDocument.Parse(await _tool.SucceedAsync([.. step, "--json"])).RootElement.GetProperty("notes").EnumerateArray().Select(n => n.GetString()).ShouldContain($"nothing is prefetched: {lacks}; give what is missing in a device file");
        if (verb != "generate")
            (await _tool.SucceedAsync([.. step, "--prefetch", "none"])).ShouldNotContain("nothing is prefetched: ");
    }

    [Fact]
    public async Task A_context_that_the_model_was_not_made_for_is_noted()
    {
        string[] step = ["simulate", "--model", "llama-3-8b", "--device", "h100-sxm", "--prefetch", "none"];
        (await _tool.SucceedAsync([.. step, "--context", "8192"])).ShouldContain("the step reaches 8,193 tokens, and the model was made for sequences of 8,192");
        (await _tool.SucceedAsync([.. step, "--context", "8191"])).ShouldNotContain("the step reaches");
        JsonDocument.Parse(await _tool.SucceedAsync([.. step, "--phase", "prefill", "--context", "8193", "--json"])).RootElement.GetProperty("notes").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task What_a_device_file_declares_of_how_the_device_runs_is_planned_for_and_noted()
    {
        string[] step = ["simulate", "--model", "llama-3-70b", "--tensor-parallel", "8", "--json", "--device"];
        var own = (await _tool.SucceedAsync("devices", "a100-80-sxm"))
            .Replace("\"id\": \"a100-80-sxm\"", "\"id\": \"own\"", StringComparison.Ordinal)
            .Replace("\"collectives\": {", "\"collectives\": { \"launch\": \"eager\", \"library\": \"vLLM_custom\",", StringComparison.Ordinal)
            .Replace("\"kind\": \"NVLink3\",", "\"kind\": \"NVLink3\", \"skew_microseconds\": 2.5,", StringComparison.Ordinal)
            .Replace("\"persisting_share\": 0.75", "\"persisting_share\": 0.75, \"set_aside_mebibytes\": 20", StringComparison.Ordinal);
        await File.WriteAllTextAsync(_tool.PathOf("own.json"), own);
        var plain = JsonDocument.Parse(await _tool.SucceedAsync([.. step, "a100-80-sxm"])).RootElement;
        var declared = JsonDocument.Parse(await _tool.SucceedAsync([.. step, "own.json"])).RootElement;
        plain.GetProperty("notes").GetArrayLength().ShouldBe(0);
        declared.GetProperty("notes").EnumerateArray().Select(n => n.GetString()).ShouldBe(
            [
                "every collective waits 2.5 us for the last rank, as scale_up.skew_microseconds of own declares",
                "collectives are called one by one and not as nodes of a captured graph, as collectives.launch of own declares",
                "collectives are those of vLLM_custom, as collectives.library of own declares; another library has those that it was not measured with",
                "20 MiB of the L2 are set aside for prefetches, as l2.set_aside_mebibytes of own declares",
                "constants that were fitted stand in the place of collectives.latency_microseconds, collectives.one_shot, collectives.two_shot, kernels.matmul_fixed_microseconds, kernels.matmul_hbm_terabytes_per_second, kernels.matmul_bf16_teraflops of own, which change no time of this plan",
            ]);
        // 160 all-reduces wait for the last rank, beside what their calls take.
        (declared.GetProperty("collectiveMicroseconds").GetDouble() - plain.GetProperty("collectiveMicroseconds").GetDouble()).ShouldBeGreaterThan(160 * 2.5);
        declared.GetProperty("stepMicroseconds").GetDouble().ShouldBeLessThan(declared.GetProperty("baseMicroseconds").GetDouble());
    }

    [Fact]
    public async Task A_group_beyond_what_is_known_of_the_links_and_a_built_in_s_id_are_noted()
    {
        string[] step = ["simulate", "--model", "llama-3-70b", "--prefetch", "none", "--tensor-parallel", "32", "--json", "--device"];
        Notes(await _tool.SucceedAsync([.. step, "h100-sxm"])).ShouldHaveSingleItem().ShouldStartWith("collectives were measured over 8 ranks at most: those of 32 take the device file's rates of collectives, as if");
        var own = (await _tool.SucceedAsync("devices", "h100-sxm")).Replace("\"kind\": \"NVLink4\",", "\"kind\": \"NVLink4\", \"ranks\": 16,", StringComparison.Ordinal);
        await File.WriteAllTextAsync(_tool.PathOf("own.json"), own);
        Notes(await _tool.SucceedAsync([.. step, "own.json"])).ShouldBe(
            [
                "32 ranks are more than the 16 that one domain of NVLink4 joins: the slower links between domains are not in these times",
                "the device file has the id of the built-in device h100-sxm, and other contents: the plan carries that id and is of the file",
                "constants that were fitted stand in the place of kernels.matmul_fixed_microseconds, kernels.matmul_hbm_terabytes_per_second, kernels.matmul_bf16_teraflops, l2.read_terabytes_per_second of h100-sxm, which change no time of this plan",
            ]);
        await File.WriteAllTextAsync(_tool.PathOf("own.json"), own.Replace("\"ranks\": 16,", "\"ranks\": 32,", StringComparison.Ordinal).Replace("\"id\": \"h100-sxm\"", "\"id\": \"own\"", StringComparison.Ordinal));
        Notes(await _tool.SucceedAsync([.. step, "own.json"])).ShouldBe(["constants that were fitted stand in the place of kernels.matmul_fixed_microseconds, kernels.matmul_hbm_terabytes_per_second, kernels.matmul_bf16_teraflops, l2.read_terabytes_per_second of own, which change no time of this plan"]);
        Notes(await _tool.SucceedAsync([.. step, "l40s"])).ShouldHaveSingleItem().ShouldStartWith("32 ranks are more than the 8 of one server, and how many PCIe 4.0 x16 joins is neither measured nor said");

        // Of 32 ranks, four hold each of the eight key and value heads: that is said first, and of collectives that were not measured no band.
        static string[] Notes(string json)
        {
            var root = JsonDocument.Parse(json).RootElement;
            root.GetProperty("collectiveLowMicroseconds").ValueKind.ShouldBe(JsonValueKind.Null);
            var notes = root.GetProperty("notes").EnumerateArray().Select(n => n.GetString()!).ToArray();
            notes[0].ShouldStartWith("--tensor-parallel is 32, and layer 'DecoderLayer' has 8 key and value heads: 4 ranks hold each");
            return notes[1..];
        }
    }

    public void Dispose() => _tool.Dispose();
}

using System.Text.Json;

namespace Preserve.Cli.Tests;

public sealed class SimulateTests : IDisposable
{
    internal static readonly string[] Llama =
        ["--model", "meta-llama/Meta-Llama-3-70B", "--device", "h100-sxm", "--tensor-parallel", "8", "--phase", "decode", "--batch", "64", "--context", "4096"];

    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Json_is_as_the_schema_says_and_its_figures_agree()
    {
        var text = await _tool.SucceedAsync(["simulate", .. Llama, "--prefetch", "paper", "--json"]);
        var json = JsonDocument.Parse(text).RootElement;
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "simulate.schema.json"))).RootElement;
        SchemaCheck.Faults(json, schema).ShouldBeEmpty();

        json.GetProperty("model").GetString().ShouldBe("meta-llama/Meta-Llama-3-70B");
        json.GetProperty("notes").GetArrayLength().ShouldBe(0);
        json.GetProperty("unmeasured").GetArrayLength().ShouldBe(0);
        json.GetProperty("measuredShare").GetDouble().ShouldBe(1);
        json.GetProperty("prefetchTargets").GetString().ShouldBe("both");
        json.GetProperty("kvBlockTokens").ValueKind.ShouldBe(JsonValueKind.Null);
        json.GetProperty("tensorParallel").GetInt32().ShouldBe(8);
        var (basic, step) = (json.GetProperty("baseMicroseconds").GetDecimal(), json.GetProperty("stepMicroseconds").GetDecimal());
        json.GetProperty("speedup").GetDouble().ShouldBe((double)(basic / step), 1e-9);
        json.GetProperty("lowerBoundMicroseconds").GetDecimal().ShouldBeLessThanOrEqualTo(step);
        json.GetProperty("collectiveShare").GetDouble().ShouldBe((double)(json.GetProperty("collectiveMicroseconds").GetDecimal() / basic), 1e-9);
        json.GetProperty("collectiveShare").GetDouble().ShouldBeInRange(0.01, 0.5);
        foreach (var time in (string[])["base", "step", "collective"])
            ShouldHaveItsBand(json, time);
        foreach (var window in json.GetProperty("windows").EnumerateArray())
        {
            window.GetProperty("candidates").EnumerateArray().Sum(c => c.GetProperty("prefetchedBytes").GetInt64()).ShouldBe(window.GetProperty("prefetchedBytes").GetInt64());
            window.GetProperty("hiddenMicroseconds").GetDecimal().ShouldBeLessThanOrEqualTo(window.GetProperty("windowMicroseconds").GetDecimal());
            ShouldHaveItsBand(window, "window");
        }

        static void ShouldHaveItsBand(JsonElement json, string time)
        {
            var middle = json.GetProperty(time + "Microseconds").GetDecimal();
            json.GetProperty(time + "LowMicroseconds").GetDecimal().ShouldBeInRange(0.5m * middle, 0.999m * middle);
            json.GetProperty(time + "HighMicroseconds").GetDecimal().ShouldBeInRange(1.001m * middle, 2 * middle);
        }
    }

    [Fact]
    public async Task A_trace_has_a_track_for_each_stream_and_counters_and_covers_the_step()
    {
        var text = await _tool.SucceedAsync(["simulate", .. Llama, "--prefetch", "paper", "--json", "--trace", _tool.PathOf("trace.json")]);
        var step = JsonDocument.Parse(text).RootElement.GetProperty("stepMicroseconds").GetDecimal();
        using var trace = JsonDocument.Parse(await File.ReadAllTextAsync(_tool.PathOf("trace.json")));
        var events = trace.RootElement.GetProperty("traceEvents").EnumerateArray().ToList();
        events.Where(e => Phase(e) == "M" && e.GetProperty("name").GetString() == "thread_name").Select(e => e.GetProperty("args").GetProperty("name").GetString())
            .ShouldBe(["Compute", "Collective", "Prefetch"]);
        events.Where(e => Phase(e) == "C").Select(e => e.GetProperty("name").GetString()).Distinct().ShouldBe(["HBM GB/s", "L2 GB/s", "link GB/s"]);
        var slices = events.Where(e => Phase(e) == "X").ToList();
        slices.Max(s => s.GetProperty("ts").GetDecimal() + s.GetProperty("dur").GetDecimal()).ShouldBe(step);
        slices.Count(s => s.GetProperty("name").GetString() == "out_reduce").ShouldBe(80);
        // Nothing draws more of the memory than the device's nominal 3,350 GB/s.
        events.Where(e => Phase(e) == "C" && e.GetProperty("name").GetString() == "HBM GB/s").Max(e => e.GetProperty("args").GetProperty("GB/s").GetDouble()).ShouldBeInRange(1000, 3350);

        static string? Phase(JsonElement e) => e.GetProperty("ph").GetString();
    }

    /// <summary>All of the model's windows hold 4,096 tokens.</summary>
    [Fact]
    public async Task Where_windows_drop_the_prompt_a_recomputation_that_is_asked_for_is_not_possible()
    {
        string[] step = ["simulate", "-m", "mistral-7b", "-d", "h100-sxm", "-b", "4", "-c", "8000", "--kv-home", "host", "--prompt", "512", "--prefetch", "none"];
        (await _tool.SucceedAsync(step)).ShouldContain("recomputed, as none can be: no layer keeps the first tokens of its prompt");
        JsonDocument.Parse(await _tool.SucceedAsync([.. step, "--json"])).RootElement.GetProperty("split").GetProperty("outcome").GetString().ShouldBe("not-possible");
    }

    [Fact]
    public async Task Stored_activations_count_in_what_the_host_holds()
    {
        // 64 sequences of 601 tokens, 48 layers of 2 x 7168 elements in 2 bytes, and the activations of 512 tokens, 7168 elements each.
        var text = await _tool.SucceedAsync("simulate", "-m", "opt-30b", "-d", "h200-sxm", "-b", "64", "-c", "600", "--kv-home", "host", "--prompt", "512", "--prefetch", "none");
        text.ShouldContain("52.9 GB of KV-cache in the host's memory");
        text.ShouldContain("with the stored activations 75.5 GB in the host's memory");
        text.ShouldContain("whether it holds the 75.5 GB that are kept there is not checked");
    }

    [Fact]
    public async Task A_step_with_its_weights_on_the_host_serves_several_batches()
    {
        string[] step = ["--model", "opt-13b", "--device", "a100-40-sxm", "--batch", "16", "--context", "300", "--prompt", "256", "--kv-home", "host", "--weight-home", "host", "--batches", "3", "--prefetch", "none"];
        var json = JsonDocument.Parse(await _tool.SucceedAsync(["simulate", .. step, "--json"])).RootElement;
        SchemaCheck.Faults(json, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "simulate.schema.json"))).RootElement).ShouldBeEmpty();
        (json.GetProperty("batch").GetInt32(), json.GetProperty("batches").GetInt32(), json.GetProperty("weightHome").GetString(), json.GetProperty("kvHome").GetString()).ShouldBe((16, 3, "host", "host"));
        json.GetProperty("split").GetProperty("recomputedTokens").GetInt32().ShouldBeGreaterThan(0);
        json.GetProperty("stepMicroseconds").GetDecimal().ShouldBeLessThan(json.GetProperty("baseMicroseconds").GetDecimal());
        // 40 layers of 12 x 5120 x 5120 weights, and of 48 sequences' 301 tokens, in 2 bytes; the activations of some tokens beside them.
        json.GetProperty("hostBytes").GetInt64().ShouldBeGreaterThan(40L * ((12 * 5120L * 5120 * 2) + (48 * 301 * 2 * 5120 * 2)));
        json.GetProperty("memoryBytes").GetInt64().ShouldBeLessThan(10_000_000_000);
        json.GetProperty("notes").EnumerateArray().ShouldContain(n => n.GetString()!.StartsWith("how much memory the host of a100-40-sxm has is not known", StringComparison.Ordinal));
        foreach (var verb in new[] { "simulate", "explain" })
        {
            var text = await _tool.SucceedAsync([verb, .. step]);
            text.ShouldContain("column by column: each layer serves 3 batches of 16 before the next layer");
            text.ShouldContain("25.2 GB of them in the host's memory");
        }
    }

    [Theory]
    [InlineData("--recompute is none; a token's activations are 10,240 bytes, the keys and values that they make 20,480: recomputing can pay", "opt-13b", "--prompt", "512", "--recompute", "none")]
    [InlineData("without --prompt no activations are stored to recompute from; a token's activations are 10,240 bytes, the keys and values that they make 20,480: recomputing can pay", "opt-13b")]
    [InlineData("without --prompt no activations are stored to recompute from; a token's activations are 8,192 bytes, the keys and values that they make 4,096: recomputing cannot pay", "llama-3-8b")]
    [InlineData("a token's activations are 2,880 bytes, the keys and values that they make 20,480: recomputing can pay", "opt-13b", "--prompt", "512", "--stored-activations", "int4")]
    public async Task Why_nothing_is_recomputed_is_said_in_options_with_both_sizes(string reason, string model, params string[] options)
    {
        var text = await _tool.SucceedAsync(["simulate", "--model", model, "--device", "a100-40-sxm", "--batch", "16", "--context", "600", "--kv-home", "host", "--prefetch", "none", .. options]);
        // The table breaks long lines.
        Words(text).ShouldContain(Words(reason));

        static string Words(string text) => string.Join(' ', text.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task The_plan_reads_back_and_the_prefetch_table_has_its_bytes()
    {
        var text = await _tool.SucceedAsync(["simulate", .. Llama, "--prefetch", "paper", "--json", "--plan", _tool.PathOf("plan.txt"), "--prefetch-table", _tool.PathOf("table.json")]);
        (await File.ReadAllTextAsync(_tool.PathOf("plan.txt"))).ShouldStartWith("preserve plans 1\n");
        using var table = JsonDocument.Parse(await File.ReadAllTextAsync(_tool.PathOf("table.json")));
        var rows = table.RootElement.GetProperty("prefetches").EnumerateArray().ToList();
        var windows = JsonDocument.Parse(text).RootElement.GetProperty("windows").EnumerateArray();
        var planned = windows.Sum(w => w.GetProperty("prefetchedBytes").GetInt64() * Times(w.GetProperty("layers")));
        rows.Sum(r => r.GetProperty("bytes").GetInt64()).ShouldBe(planned);
        rows.ShouldAllBe(r => r.GetProperty("bytes").GetInt64() > 0 && r.GetProperty("trigger").GetString()!.Length > 0);
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "prefetch-table.schema.json"))).RootElement;
        SchemaCheck.Faults(table.RootElement, schema).ShouldBeEmpty();
        // Under the last collective, behind all layers, the first layer of the next step is read.
        var next = rows.Where(r => r.GetProperty("nextStep").GetBoolean()).ToList();
        next.Count.ShouldBe(rows.Count(r => r.GetProperty("trigger").GetString() == "head_gather"));
        next.ShouldNotBeEmpty();
        next.ShouldAllBe(r => r.GetProperty("trigger").GetString() == "head_gather" && r.GetProperty("triggerLayer").ValueKind == JsonValueKind.Null && r.GetProperty("layer").GetInt32() == 0);

        static long Times(JsonElement layers) => layers.ValueKind == JsonValueKind.Null || layers[2].GetInt32() == 0 ? 1 : ((layers[1].GetInt32() - layers[0].GetInt32()) / layers[2].GetInt32()) + 1;
    }

    [Theory]
    [InlineData("none")]
    [InlineData("norm")]
    [InlineData("matmul")]
    public async Task A_trigger_stands_in_the_layer_that_its_collective_reduces(string fusion)
    {
        await _tool.SucceedAsync(["simulate", "--model", "llama-3-70b", "--device", "h100-sxm", "--tensor-parallel", "8", "--batch", "64", "--context", "4096", "--fuse", fusion, "--prefetch-table", _tool.PathOf("table.json")]);
        using var table = JsonDocument.Parse(await File.ReadAllTextAsync(_tool.PathOf("table.json")));
        var rows = table.RootElement.GetProperty("prefetches").EnumerateArray().ToList();
        rows.ShouldNotBeEmpty();
        foreach (var row in rows.Where(r => r.GetProperty("trigger").GetString() == (fusion == "matmul" ? "down" : "down_reduce")))
        {
            var last = row.GetProperty("layer").ValueKind == JsonValueKind.Null;
            row.GetProperty("triggerLayer").GetInt32().ShouldBe(last ? 79 : row.GetProperty("layer").GetInt32() - 1, row.ToString());
        }
    }

    [Fact]
    public async Task A_prefetch_beside_a_kernel_is_triggered_by_that_kernel()
    {
        string[] published = ["--model", "llama-3-8b", "--device", "ascend-910b2", "--tensor-parallel", "8", "--batch", "16", "--context", "8192", "--weights", "int8", "--activations", "int8", "--key-values", "int8"];
        await _tool.SucceedAsync(["simulate", .. published, "--kv-block-tokens", "16", "--prefetch-table", _tool.PathOf("table.json")]);
        using var table = JsonDocument.Parse(await File.ReadAllTextAsync(_tool.PathOf("table.json")));
        var rows = table.RootElement.GetProperty("prefetches").EnumerateArray().Where(r => r.GetProperty("tensor").GetString() == "kv").ToList();
        // The first blocks come under the collective before, the rest beside the projection.
        foreach (var row in rows)
            (row.GetProperty("firstToken").GetInt64() > 0).ShouldBe(row.GetProperty("trigger").GetString() == "qkv");
        rows.Select(r => r.GetProperty("trigger").GetString()).Distinct().Count().ShouldBeGreaterThan(1);
        rows.ShouldAllBe(r => r.GetProperty("blockTokens").GetInt64() == 16);
    }

    [Fact]
    public async Task Text_and_explanation_name_what_counts()
    {
        var text = await _tool.SucceedAsync(["simulate", .. Llama]);
        foreach (var word in new[] { "meta-llama/Meta-Llama-3-70B on 8 x NVIDIA H100", "base plan", "lower bound", "down_reduce", "assumed" })
            text.ShouldContain(word);
        var explained = await _tool.SucceedAsync(["explain", .. Llama]);
        foreach (var word in new[] { "on the critical path", "gate_up_weight", "are left", "all-reduce", "two-shot, " })
            explained.ShouldContain(word);
    }

    [Fact]
    public async Task Json_has_verdicts_the_guard_and_the_gains_with_other_collectives()
    {
        var best = JsonDocument.Parse(await _tool.SucceedAsync(["explain", .. Llama, "--json"])).RootElement;
        var verdicts = best.GetProperty("windows").EnumerateArray().SelectMany(w => w.GetProperty("candidates").EnumerateArray()).Select(c => c.GetProperty("verdict").GetString()).ToList();
        verdicts.ShouldContain("part");
        verdicts.ShouldContain("not-asked");
        var guard = best.GetProperty("guard");
        guard.GetProperty("outcome").GetString().ShouldBe("kept");
        var gain = best.GetProperty("baseMicroseconds").GetDecimal() - best.GetProperty("stepMicroseconds").GetDecimal();
        gain.ShouldBeInRange(guard.GetProperty("lowMicroseconds").GetDecimal(), guard.GetProperty("highMicroseconds").GetDecimal());
        best.GetProperty("gainAtHalfMicroseconds").GetDecimal().ShouldBeGreaterThan(0);

        // One rank has no collectives to take another time, and the published rule no guard.
        var one = JsonDocument.Parse(await _tool.SucceedAsync("simulate", "--model", "meta-llama/Meta-Llama-3-8B", "--device", "h100-sxm", "--prefetch", "paper", "--json")).RootElement;
        one.GetProperty("guard").ValueKind.ShouldBe(JsonValueKind.Null);
        one.GetProperty("gainAtHalfMicroseconds").ValueKind.ShouldBe(JsonValueKind.Null);
        one.GetProperty("gainAtTwiceMicroseconds").ValueKind.ShouldBe(JsonValueKind.Null);
        (await _tool.SucceedAsync("simulate", "--model", "meta-llama/Meta-Llama-3-8B", "--device", "h100-sxm")).ShouldNotContain("collective takes");
    }

    [Fact]
    public async Task A_plan_that_loses_with_shorter_collectives_says_so_and_one_without_prefetches_has_no_rows_of_nothing()
    {
        const string loss = "half its time: a loss";
        string[] prefetchTooMuch = ["explain", "-m", "llama-3-70b", "-d", "ascend-910b2", "-t", "8", "-b", "16", "-c", "16383", "--prefetch"];
        var paper = await _tool.SucceedAsync([.. prefetchTooMuch, "paper"]);
        paper.ShouldContain(loss);
        paper.ShouldNotContain("twice its time: a loss");
        (await _tool.SucceedAsync([.. prefetchTooMuch, "best"])).ShouldNotContain(loss);
        var none = await _tool.SucceedAsync([.. prefetchTooMuch, "none"]);
        foreach (var row in new[] { "gain at half", "gain at twice", "elsewhere" })
            none.ShouldNotContain(row);
        none.ShouldContain("reachable");
    }

    [Theory]
    [InlineData("the policy prefetches under collectives, and one rank has none", "--prefetch", "paper")]
    [InlineData("the deployment lets the KV-cache alone be prefetched, and a prefill reads none from before it", "--prefetch-targets", "kv", "--phase", "prefill")]
    [InlineData("the policy prefetches nothing", "--prefetch", "none")]
    [InlineData("where layers serve several batches, here 4, the planner prefetches nothing", "--weight-home", "host", "--batches", "4", "-t", "2")]
    [InlineData("the deployment lets the KV-cache alone be prefetched, and that is in host memory", "--kv-home", "host", "--prefetch-targets", "kv")]
    public async Task Explain_says_why_nothing_could_be_prefetched_and_shows_no_empty_table(string reason, params string[] options)
    {
        var explained = await _tool.SucceedAsync(["explain", "-m", "llama-3-8b", "-d", "h100-sxm", "-b", "1", "-c", "16", .. options]);
        explained.ShouldContain(reason);
        explained.Split("│ tensor").Skip(1).ShouldAllBe(table => table.Contains("_weight", StringComparison.Ordinal) || table.Contains("kv", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Collectives_may_be_split_and_share_kernels()
    {
        var explained = await _tool.SucceedAsync(["explain", .. Llama, "--sequence-parallel", "--fuse", "matmul"]);
        foreach (var word in new[] { "reduce-scatter", "ring, NCCL", "the matmul before it", "mlp_in_gather" })
            explained.ShouldContain(word);
    }

    [Fact]
    public async Task A_config_file_and_a_device_file_give_what_their_names_give()
    {
        await File.WriteAllTextAsync(_tool.PathOf("config.json"), """
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
              "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 8192, "tie_word_embeddings": false, "rms_norm_eps": 1e-05
            }
            """);
        await File.WriteAllTextAsync(_tool.PathOf("own.device.json"), await _tool.SucceedAsync("devices", "h100-sxm"));
        var byFile = await _tool.SucceedAsync("simulate", "--model", "config.json", "--device", "own.device.json", "--tensor-parallel", "2", "--json");
        var byName = await _tool.SucceedAsync("simulate", "--model", "llama-3-8b", "--device", "h100-sxm", "--tensor-parallel", "2", "--json");
        Step(byFile).ShouldBe(Step(byName));

        static decimal Step(string json) => JsonDocument.Parse(json).RootElement.GetProperty("stepMicroseconds").GetDecimal();
    }

    /// <summary>What the rules name, a user of the tool knows as options; a model's own name is left as it is.</summary>
    [Fact]
    public async Task A_name_in_quotes_is_no_option()
    {
        Directory.CreateDirectory(_tool.PathOf("TensorParallel"));
        await File.WriteAllTextAsync(Path.Combine(_tool.PathOf("TensorParallel"), "config.json"), """
            {
              "architectures": ["OPTForCausalLM"], "model_type": "opt", "hidden_size": 2560, "word_embed_proj_dim": 2560, "ffn_dim": 10240, "num_hidden_layers": 32,
              "num_attention_heads": 32, "vocab_size": 50272, "max_position_embeddings": 2048, "activation_function": "relu", "do_layer_norm_before": true
            }
            """);
        var (exitCode, _, errors) = await _tool.RunAsync("simulate", "--model", "TensorParallel", "--device", "h100-sxm", "--context", "3000", "--tensor-parallel", "3");
        exitCode.ShouldBe(2);
        errors.ShouldContain("--tensor-parallel is 3, which does not divide");
        errors.ShouldContain("the learned position table of model 'TensorParallel' has 2,050 rows");
    }

    /// <summary>A folder stands for the <c>config.json</c> in it, which is where the fault lies.</summary>
    [Theory]
    [InlineData("models/config.json")]
    [InlineData("models")]
    [InlineData("models/")]
    public async Task A_fault_of_a_config_file_names_the_file(string model)
    {
        Directory.CreateDirectory(_tool.PathOf("models"));
        await File.WriteAllTextAsync(Path.Combine(_tool.PathOf("models"), "config.json"), "{\n  \"model_type\": 3,\n}\n");
        var (exitCode, _, errors) = await _tool.RunAsync("simulate", "--model", model, "--device", "h100-sxm");
        exitCode.ShouldBe(2);
        errors.ShouldStartWith($"preserve: {Path.Combine("models", "config.json")}:3:1: ");
    }

    [Theory]
    [InlineData("no model is called 'llama-3-70'", "--model", "llama-3-70", "--device", "h100-sxm")]
    [InlineData("; did you mean 'h100-sxm'? 'preserve devices' lists", "--model", "llama-3-8b", "--device", "h100-sxn")]
    [InlineData("does not fit the memory of h100-sxm: one rank needs", "--model", "llama-3-70b", "--device", "h100-sxm")]
    [InlineData("does not fit the memory of rtx4090: one rank needs 24.0001 GB and has 24.0000 GB;", "--model", "llama-3-8b", "--device", "rtx4090", "--batch", "1", "--context", "60567")]
    [InlineData("; the nearest ids are 'a100-40-sxm' and 'a100-80-sxm'; 'preserve devices' lists", "--model", "llama-3-8b", "--device", "a100")]
    [InlineData("--tensor-parallel is 3, which does not divide the 32 query heads", "--model", "llama-3-8b", "--device", "h100-sxm", "--tensor-parallel", "3")]
    [InlineData("--batch of the decode step is 0, but must be", "--model", "llama-3-8b", "--device", "h100-sxm", "--batch", "0")]
    [InlineData("--batch times --context of the prefill step is 65,536,000,000, but must be", "--model", "llama-3-8b", "--device", "h100-sxm", "--phase", "prefill", "--batch", "65536", "--context", "1000000")]
    [InlineData("Option '--device' is required", "--model", "llama-3-8b")]
    [InlineData("--context is '4K', but must be a whole number", "--model", "llama-3-8b", "--device", "h100-sxm", "--context", "4K")]
    [InlineData("--phase is 'both', but must be decode or prefill", "--model", "llama-3-8b", "--device", "h100-sxm", "--phase", "both")]
    [InlineData("--weights is 'fp32', but must be bf16, fp8, int4 or int8", "--model", "llama-3-8b", "--device", "h100-sxm", "--weights", "fp32")]
    [InlineData("--fuse is norm, but one rank alone has no collectives", "--model", "llama-3-8b", "--device", "h100-sxm", "--fuse", "norm")]
    [InlineData("(--fuse) under --sequence-parallel, where", "--model", "llama-3-8b", "--device", "h100-sxm", "--tensor-parallel", "2", "--fuse", "norm", "--sequence-parallel")]
    [InlineData("--kv-block-tokens: a paged KV-cache in the host's memory is not planned for", "--model", "llama-3-8b", "--device", "h100-sxm", "--kv-home", "host", "--kv-block-tokens", "16")]
    [InlineData("--prompt of a decode step with a context of 4,096 is 5,000, but must be", "--model", "llama-3-8b", "--device", "h100-sxm", "--kv-home", "host", "--prompt", "5000")]
    [InlineData("the step reaches 3,001 tokens, and the learned position table of model 'facebook/opt-30b' has 2,050 rows", "--model", "opt-30b", "--device", "a100-80-sxm", "--tensor-parallel", "8", "--context", "3000")]
    [InlineData("--stored-activations is given, but no --prompt", "--model", "llama-3-8b", "--device", "h100-sxm", "--kv-home", "host", "--stored-activations", "int8")]
    [InlineData(". More ranks, --weight-home host, or a narrower format would need less", "--model", "opt-30b", "--device", "a100-40-sxm", "--kv-home", "host")]
    [InlineData("More ranks, a smaller batch or context, --weight-home host, or a narrower format would need less", "--model", "opt-13b", "--device", "a100-40-sxm", "--batch", "256", "--context", "2000")]
    [InlineData("--stored-activations is int8, but no activations are stored: it needs --kv-home to be host and --recompute to be best", "--model", "llama-3-8b", "--device", "h100-sxm", "--stored-activations", "int8")]
    [InlineData("it needs --kv-home host and --phase decode", "--model", "llama-3-8b", "--device", "h100-sxm", "--prompt", "1000")]
    public async Task Bad_input_is_named_on_the_error_output_and_leaves_nothing(string message, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(["simulate", .. arguments, "--trace", "t.json"]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
        _tool.Files.ShouldBeEmpty();
    }

    public void Dispose() => _tool.Dispose();
}

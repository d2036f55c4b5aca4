using System.Text.Json;
using Preserve.Exploration;

namespace Preserve.Cli.Tests;

public sealed class ReproduceTests : IDisposable
{
    /// <summary>A small model of the form of the published ones.</summary>
    private static readonly ModelSpec _model = new(
        "small", 4096, 32_064, 8192, TiedEmbeddings: false, LearnedPositions: 0, EmbeddingScale: false, Norm.Rms, LogitSoftCap: false, HeadBias: false,
        new[]
        {
            new LayerGroup(
                new[]
                {
                    new LayerSpec(
                        "layer", Norm.Rms, PostNorm: false, Position.Rotary, Parallel: false,
                        new MultiHeadAttentionSpec(32, 8, 128, ProjectionBias.None, QueryKeyNorm: false, Window: 2047, SoftCap: false),
                        new FeedForwardSpec[] { new DenseFeedForwardSpec(14_336, Activation.SwiGlu, Bias: false) }),
                },
                Repeat: 8),
        });

    private readonly PreserveTool _tool = new();

    private static Device Ascend => Get("ascend-910b2");

    [Fact]
    public async Task Json_is_as_the_schema_says_and_its_figures_agree()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("reproduce", "prefetch", "-m", "llama-3-8b", "qwen2-7b", "-t", "8", "-b", "4", "-l", "2048", "16384", "--json")).RootElement;
        var schema = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "reproduce.schema.json"))).RootElement;
        SchemaCheck.Faults(json, schema).ShouldBeEmpty();

        // The 28 heads of Qwen2-7B are not divided by 8.
        json.GetProperty("rows").GetArrayLength().ShouldBe(2);
        json.GetProperty("notRun").EnumerateArray().ShouldAllBe(r => r.GetProperty("reason").GetString()!.Contains("28 query heads"));
        var row = json.GetProperty("rows")[1];
        row.GetProperty("length").GetInt32().ShouldBe(16_384);
        Technique(row, "best").ShouldBeGreaterThanOrEqualTo(Technique(row, "paper"));
        Technique(row, "paper").ShouldBeGreaterThan(1);
        var declared = json.GetProperty("overLatency").EnumerateArray().Single(p => p.GetProperty("microseconds").GetDouble() == 25);
        Technique(declared.GetProperty("result"), "best").ShouldBe(Technique(row, "best"));
        // Its matmuls are of int8.
        json.GetProperty("sensitivity").EnumerateArray().Select(p => p.GetProperty("constant").GetString()).Distinct()
            .ShouldBe(AssumedConstant.All.Select(c => c.Name).Where(n => n != "rate of bf16 matmuls"));
        json.GetProperty("notes").GetArrayLength().ShouldBe(0);

        static double Technique(JsonElement row, string name) =>
            row.GetProperty("techniques").EnumerateArray().Single(t => t.GetProperty("name").GetString() == name).GetProperty("endToEnd").GetDouble();
    }

    [Fact]
    public async Task Text_says_what_was_published()
    {
        var text = await _tool.SucceedAsync("reproduce", "prefetch", "-m", "llama-3-8b", "-t", "8", "-b", "1", "-l", "2048");
        foreach (var word in new[] { "published", "1.610", "fused matmul", "assumed", "collectives.latency_microseconds" })
            text.ShouldContain(word);
    }

    [Fact]
    public async Task What_is_left_out_is_said_with_the_reason()
    {
        (await NoteAsync("-b", "8")).ShouldContain("no configuration of batch 4 and length 16384 is among those that ran");
        (await NoteAsync("-b", "4", "-l", "16384", "-d", "h100-sxm")).ShouldContain("on h100-sxm they were measured");

        async Task<string> NoteAsync(params string[] arguments)
        {
            var json = JsonDocument.Parse(await _tool.SucceedAsync(["reproduce", "prefetch", "-m", "llama-3-8b", "-t", "8", "-l", "2048", .. arguments, "--json"])).RootElement;
            json.GetProperty("overLatency").GetArrayLength().ShouldBe(0);
            json.GetProperty("assumed").EnumerateArray().Concat(json.GetProperty("doubtful").EnumerateArray())
                .ShouldAllBe(n => !n.GetProperty("field").GetString()!.StartsWith("host_link", StringComparison.Ordinal));
            return json.GetProperty("notes").EnumerateArray().ShouldHaveSingleItem().GetString()!;
        }
    }

    [Theory]
    [InlineData("--length has 2, but must have 3 to", "--length", "2")]
    [InlineData("--tensor-parallel has 1, but must have 2 to", "--tensor-parallel", "1")]
    [InlineData("no model is called 'nothing'", "--model", "nothing")]
    [InlineData("nothing can run on ascend-910b2: Qwen/Qwen2-7B on 8: TensorParallel is 8", "--model", "qwen2-7b", "--tensor-parallel", "8")]
    [InlineData("l2.read_terabytes_per_second of b200-sxm is not known, so nothing can be prefetched into it", "--model", "llama-3-8b", "--device", "b200-sxm")]
    public async Task Bad_input_is_named(string message, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(["reproduce", "prefetch", .. arguments]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
    }

    [Fact]
    public void Two_thirds_are_prefilled_and_one_third_is_decoded()
    {
        var requests = new RequestBatch(_model, 8, 4, 16_384);
        (requests.PromptTokens, requests.DecodeSteps, requests.Decode.Context).ShouldBe((10_922, 5462, 16_383));
    }

    [Theory]
    [InlineData(4, 1024)]
    [InlineData(64, 3000)]
    public void Sections_sum_the_decode_steps_as_all_of_them_do(int batch, int length)
    {
        var requests = new RequestBatch(Reproduction.WithoutWindow(_model), 8, batch, length);
        foreach (var technique in new[] { Technique.Plain, Technique.Paper, Technique.Best })
        {
            var all = new RequestTiming(requests, Ascend, default) { Sections = requests.DecodeSteps }.Of(technique, batch);
            var few = new RequestTiming(requests, Ascend, default).Of(technique, batch);
            few.DecodePicoseconds.ShouldBe(all.DecodePicoseconds, all.DecodePicoseconds * 1e-3);
            few.PrefillPicoseconds.ShouldBe(all.PrefillPicoseconds);
        }
    }

    [Fact]
    public void Prompts_that_do_not_fit_together_are_prefilled_in_parts()
    {
        new RequestBatch(_model, 8, 4, 2048).SequencesPerPrefill(Ascend, out _).ShouldBe(4);
        var many = new RequestBatch(_model, 8, 250, 32_768).SequencesPerPrefill(Ascend, out var why);
        why.ShouldBeNull();
        new[] { 1, 2, 4, 8, 16, 32, 64, 128 }.ShouldContain(many);
        new RequestBatch(Reproduction.WithoutWindow(_model), 2, 4096, 32_768).SequencesPerPrefill(Ascend, out why).ShouldBe(0);
        why!.ShouldContain("GB are needed on each rank");
    }

    [Fact]
    public void Weights_and_KV_alone_are_all_that_is_prefetched()
    {
        var requests = new RequestBatch(Reproduction.WithoutWindow(_model), 8, 4, 8192);
        foreach (var policy in new[] { PrefetchPolicy.Paper, PrefetchPolicy.Best })
        {
            Roles(PrefetchTargets.Weights).ShouldBe([TensorRole.Weight]);
            Roles(PrefetchTargets.KeyValues).ShouldBe([TensorRole.KeyValues]);
            Roles(PrefetchTargets.Both).ShouldBe([TensorRole.Weight, TensorRole.KeyValues], ignoreOrder: true);

            List<TensorRole> Roles(PrefetchTargets targets)
            {
                var plan = Optimizer.Planner.PlanStep(requests.Deploy(Ascend, requests.Decode, new Technique("", policy, targets)), requests.Decode, Ascend);
                var roles = plan.Tensors.ToDictionary(t => t.Name, t => t.Role);
                return [.. plan.Instructions().Where(i => i.Stream == StreamKind.Prefetch).SelectMany(i => i.Reads).Select(r => roles[r.Tensor]).Distinct()];
            }
        }
    }

    [Fact]
    public void Collectives_take_as_long_as_prefetches_where_the_ratio_is_one()
    {
        var requests = new RequestBatch(Reproduction.WithoutWindow(_model), 8, 4, 16_384);
        var balance = CollectiveBalance.Of(requests, Ascend, default);
        balance.CollectiveShare.ShouldBeInRange(0.2, 0.6);
        // 22.0 MB with the KV-cache and 22.0 MB of each layer, and the 16.4 MB of the head, at 1.38 TB/s.
        (balance.PrefetchPicoseconds * 1.38).ShouldBe((8 * 44.0e6) + 16.4e6, 8 * 0.1e6);
        // The latency at which both are equal: the bytes that cross the link change little.
        var equal = 25 / balance.Ratio;
        CollectiveBalance.Of(requests, AssumedConstant.WithLatency(Ascend, equal), default).Ratio.ShouldBe(1, 0.05);
    }

    [Fact]
    public void Every_constant_changes_its_own_value_and_comes_back()
    {
        foreach (var constant in AssumedConstant.All)
        {
            var half = constant.Times(Ascend, 0.5);
            half.ShouldNotBe(Ascend, constant.Name);
            constant.Value(half).ShouldNotBe(constant.Value(Ascend));
            constant.Value(constant.Times(half, 2)).ShouldBe(constant.Value(Ascend), constant.Name);
            AssumedConstant.All.Where(c => c.Value(half) != c.Value(Ascend)).Select(c => c.Name).ShouldBe(Moves(constant.Name), constant.Name);
        }

        // What is assumed in proportion to another follows it.
        static string[] Moves(string name) => name switch
        {
            "sustained HBM rate" => [name, "HBM rate of a matmul", "HBM rate of a prefetch"],
            "usable L2" => [name, "L2 beyond the usable"],
            _ => [name],
        };
    }

    public static TheoryData<string> WithKnownL2 { get; } = [.. DeviceCatalogue.Ids.Where(id => Get(id).L2Known)];

    /// <summary>Marks that the times do not depend on are none here: those of copies from the host, and those that fitted constants stand for.</summary>
    [Theory]
    [MemberData(nameof(WithKnownL2))]
    public void Every_field_that_is_assumed_or_doubted_and_read_has_a_row(string id)
    {
        var marked = Reproduction.Marked([new RequestBatch(Reproduction.WithoutWindow(_model), 8, 4, 2048)], Get(id), default);
        marked.AssumedFields.ShouldNotBeEmpty();
        marked.AssumedFields.Concat(marked.DoubtfulFields).Select(n => n.Field).Where(f => !AssumedConstant.All.Any(c => c.Covers(f))).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("ascend-910b2", 17, 9)]
    [InlineData("h100-sxm", 4, 0)]
    [InlineData("a100-80-sxm", 5, 0)]
    [InlineData("l40s", 13, 9)]
    public async Task Every_constant_that_has_a_row_moves_what_prefetch_gives(string device, int constants, int latencies)
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync("reproduce", "prefetch", "-d", device, "-m", "llama-3-70b", "-t", "8", "-b", "4", "-l", "16384", "--json")).RootElement;
        var declared = Gains(json.GetProperty("rows")[0]);
        var rows = json.GetProperty("sensitivity").EnumerateArray().ToList();
        // What is hidden already may take half as long for nothing; then twice as long is no longer hidden.
        var moved = rows.Where(r => Gains(r.GetProperty("result")) != declared).Select(r => r.GetProperty("constant").GetString()).Distinct();
        rows.Select(r => r.GetProperty("constant").GetString()).Distinct().ShouldBe(moved);
        moved.Count().ShouldBe(constants);
        var ratios = json.GetProperty("overLatency").EnumerateArray().Select(p => p.GetProperty("result").GetProperty("collectiveToPrefetch").GetDouble()).ToList();
        ratios.Distinct().Count().ShouldBe(latencies);
        ratios.Count.ShouldBe(latencies);

        static (double, double) Gains(JsonElement row) => (Gain(row, "paper"), Gain(row, "best"));
        static double Gain(JsonElement row, string technique) =>
            row.GetProperty("techniques").EnumerateArray().Single(t => t.GetProperty("name").GetString() == technique).GetProperty("endToEnd").GetDouble();
    }

    [Fact]
    public void A_slow_prefetch_takes_from_Best_what_no_faster_one_gives_back()
    {
        var requests = new RequestBatch(Reproduction.WithoutWindow(_model), 8, 4, 16_384);
        var rate = AssumedConstant.All.Single(c => c.Fields.Contains("kernels.prefetch_hbm_terabytes_per_second"));
        rate.Times(Ascend, 2).ShouldBe(Ascend); // memory sustains no more
        var slow = Reproduction.Compare([requests], rate.Times(Ascend, 0.5), [Technique.Best], null, default)[0].Speedup(Technique.Best);
        slow.ShouldBeLessThan(Reproduction.Compare([requests], Ascend, [Technique.Best], null, default)[0].Speedup(Technique.Best));
    }

    public void Dispose() => _tool.Dispose();

    private static Device Get(string id) => DeviceCatalogue.TryGet(id, out var device) ? device : throw new InvalidOperationException("no such device");
}

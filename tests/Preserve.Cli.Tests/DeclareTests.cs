using System.Text.Json;

namespace Preserve.Cli.Tests;

public sealed class DeclareTests : IDisposable
{
    private static readonly string[] _deployment = ["--config", "opt-30b", "-d", "a100-40-sxm", "-t", "4", "-b", "8", "-c", "256", "--kv-home", "host", "--prompt", "128"];

    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task Writes_the_model_and_the_deployment()
    {
        (await _tool.SucceedAsync(["declare", .. _deployment])).ReplaceLineEndings("\n").ShouldBe("""
            using Preserve;

            namespace Serving;

            [Model(Name = "facebook/opt-30b", Hidden = 7168, Vocabulary = 50_272, MaxPositions = 2048, TiedEmbeddings = true,
                LearnedPositions = 2050)]
            [Layers(typeof(DecoderLayer), Repeat = 48)]
            public static class Opt30b
            {
                [Layer(Norm = Norm.Layer, Position = Position.Learned)]
                [Attention(Heads = 56, Bias = ProjectionBias.All)]
                [FeedForward(Intermediate = 28_672, Activation = Activation.Relu, Bias = true)]
                public sealed class DecoderLayer;
            }

            [Deployment(typeof(Opt30b), Devices.A100Sxm40, TensorParallel = 4, KeyValueHome = Home.Host)]
            [Decode(Batch = 8, Context = 256, Prompt = 128)]
            public sealed partial class Opt30b_OnA100Sxm40 : Deployment;

            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Weights_on_the_host_and_several_batches_are_declared() =>
        (await _tool.SucceedAsync(["declare", .. _deployment, "--weight-home", "host", "--batches", "4"]))
            .ShouldContain("KeyValueHome = Home.Host, WeightHome = Home.Host,");

    [Fact]
    public async Task A_file_gets_what_would_be_printed_and_own_devices_are_named()
    {
        var device = _tool.PathOf("own.json");
        await File.WriteAllTextAsync(device, DeviceCatalogue.TextOf(Devices.H100)!.Replace("\"h100-sxm\"", "\"own-1\"", StringComparison.Ordinal));
        var file = _tool.PathOf("Declaration.cs");
        var (exitCode, output, errors) = await _tool.RunAsync(["declare", "-m", "llama-3-8b", "-d", device, "--namespace", "My.Own", "--out", file]);
        exitCode.ShouldBe(0, errors);
        output.ShouldBeEmpty();
        errors.ShouldContain("own-1 is no built-in device");
        var text = await File.ReadAllTextAsync(file);
        text.ShouldContain("namespace My.Own;");
        text.ShouldContain("[Deployment(typeof(MetaLlama3_8B), \"own-1\")]");
        text.ShouldContain("class MetaLlama3_8B_OnOwn1 : Deployment;");
    }

    /// <summary>A declaration names a device by its id alone: that of a built-in device is the built-in device, whatever the file says.</summary>
    [Fact]
    public async Task A_device_file_with_the_id_of_a_built_in_device_is_refused()
    {
        var device = _tool.PathOf("clash.device.json");
        var text = DeviceCatalogue.TextOf(Devices.H100)!;
        await File.WriteAllTextAsync(device, text.Replace("NVIDIA H100 80 GB SXM", "Mine", StringComparison.Ordinal));
        var file = _tool.PathOf("none.cs");
        var (exitCode, output, errors) = await _tool.RunAsync("declare", "-m", "llama-3-8b", "-d", device, "--out", file);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.Trim().ShouldBe("preserve: the device file has the id of the built-in device h100-sxm, and other contents: a declaration by that id means the built-in device; the file needs an id of its own");
        File.Exists(file).ShouldBeFalse();
        // With the same contents both are one device.
        await File.WriteAllTextAsync(device, text);
        (await _tool.SucceedAsync("declare", "-m", "llama-3-8b", "-d", device)).ShouldContain("Devices.H100)");
    }

    /// <summary>A declaration is source that somebody goes on writing; an empty file and what is no file have nothing to lose.</summary>
    [Fact]
    public async Task A_file_that_is_there_is_replaced_where_that_is_asked_for()
    {
        var file = _tool.PathOf("Declaration.cs");
        await File.WriteAllTextAsync(file, "// mine");
        var (exitCode, output, errors) = await _tool.RunAsync(["declare", .. _deployment, "--out", file]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain($"--out '{file}' is there already: --force replaces it");
        (await File.ReadAllTextAsync(file)).ShouldBe("// mine");
        await _tool.SucceedAsync(["declare", .. _deployment, "--out", file, "--force"]);
        (await File.ReadAllTextAsync(file)).ShouldStartWith("using Preserve;");
        var empty = _tool.PathOf("Empty.cs");
        await File.WriteAllTextAsync(empty, "");
        await _tool.SucceedAsync(["declare", .. _deployment, "--out", empty]);
        (await File.ReadAllTextAsync(empty)).ShouldBe(await File.ReadAllTextAsync(file));
    }

    /// <summary>Nobody asked for more than the model was made for; a decode step adds a token to its context.</summary>
    [Theory]
    [InlineData("llama-2-13b", "decode", "Decode(Batch = 1, Context = 4095)")]
    [InlineData("llama-2-13b", "prefill", "Prefill(Batch = 1, Tokens = 4096)")]
    [InlineData("opt-13b", "decode", "Decode(Batch = 1, Context = 2047)")]
    [InlineData("opt-13b", "prefill", "Prefill(Batch = 1, Tokens = 2048)")]
    [InlineData("llama-3-8b", "decode", "Decode(Batch = 1, Context = 4096)")]
    public async Task A_context_by_default_is_within_the_positions(string model, string phase, string step)
    {
        var (exitCode, output, errors) = await _tool.RunAsync("declare", "-m", model, "-d", "h100-sxm", "--phase", phase);
        exitCode.ShouldBe(0, errors);
        output.ShouldContain(step);
        errors.ShouldNotContain("sequences of");
    }

    /// <summary>No context was asked for, so it is the positions that are named.</summary>
    [Fact]
    public async Task A_model_of_one_position_has_no_decode_step_by_default()
    {
        await File.WriteAllTextAsync(_tool.PathOf("config.json"), """
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
              "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 1, "tie_word_embeddings": false, "rms_norm_eps": 1e-05
            }
            """);
        var (exitCode, _, errors) = await _tool.RunAsync("declare", "--config", "config.json", "-d", "h100-sxm");
        exitCode.ShouldBe(2);
        errors.ShouldContain("the model has 1 position, but a decode step needs one for its context and one for the token that it adds; --context gives a context beyond the positions");
        (await _tool.RunAsync("declare", "--config", "config.json", "-d", "h100-sxm", "-c", "1")).Output.ShouldContain("Context = 1)");
        (await _tool.SucceedAsync("declare", "--config", "config.json", "-d", "h100-sxm", "--phase", "prefill")).ShouldContain("Tokens = 1)");
    }

    [Fact]
    public async Task A_context_beyond_the_positions_is_declared_where_it_is_asked_for()
    {
        var (exitCode, output, errors) = await _tool.RunAsync("declare", "-m", "llama-2-13b", "-d", "h100-sxm", "-c", "4096");
        exitCode.ShouldBe(0, errors);
        output.ShouldContain("Context = 4096)");
        errors.ShouldContain("the step reaches 4,097 tokens");
    }

    [Fact]
    public async Task Json_has_the_same_source()
    {
        var json = JsonDocument.Parse(await _tool.SucceedAsync(["declare", .. _deployment, "--json"])).RootElement;
        SchemaCheck.Faults(json, JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "declare.schema.json"))).RootElement).ShouldBeEmpty();
        json.GetProperty("source").GetString().ShouldBe(await _tool.SucceedAsync(["declare", .. _deployment]));
        json.GetProperty("model").GetString().ShouldBe("facebook/opt-30b");
        json.GetProperty("device").GetString().ShouldBe("a100-40-sxm");
    }

    [Theory]
    [InlineData("--namespace is '1a', but must be names", "--namespace", "1a")]
    [InlineData("--namespace is 'My.class', but must not have the word 'class' for a name, which C# reserves", "--namespace", "My.class")]
    [InlineData("--namespace is 'Preserve.App', but must not begin with Preserve, the library's own namespace", "--namespace", "Preserve.App")]
    [InlineData("--tensor-parallel is 3, which does not divide the 56 query heads", "-t", "3")]
    public async Task Bad_input_is_named_and_nothing_written(string message, params string[] arguments)
    {
        var file = _tool.PathOf("none.cs");
        var (exitCode, output, errors) = await _tool.RunAsync(["declare", "-m", "opt-30b", "-d", "a100-80-sxm", .. arguments, "--out", file]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
        File.Exists(file).ShouldBeFalse();
    }

    public void Dispose() => _tool.Dispose();
}

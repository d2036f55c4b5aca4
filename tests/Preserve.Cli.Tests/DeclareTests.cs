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

    [Theory]
    [InlineData("--namespace is '1a', but must be names", "--namespace", "1a")]
    [InlineData("--namespace is 'My.class', but must not have the word 'class' for a name, which C# reserves", "--namespace", "My.class")]
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

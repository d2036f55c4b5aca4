using System.Text.Json;
using System.Text.Json.Nodes;

namespace Preserve.Cli.Tests;

public sealed class ProfileTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Fact]
    public async Task A_device_with_the_link_of_a_profile_is_planned_for()
    {
        await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "a100-40-sxm", "--batch", "8", "--tokens", "64", "256", "--out", _tool.PathOf("profile.json"));
        string[] from = ["profile", "--model", "opt-13b", "--batch", "8", "--from", _tool.PathOf("profile.json"), "--device-file", _tool.PathOf("own.json")];
        (await _tool.SucceedAsync([.. from, "--base", "h100-sxm", "--id", "slow-link"])).ShouldContain("wrote " + _tool.PathOf("own.json"));

        var (fast, slow) = (await SecondsOn("h100-sxm"), await SecondsOn(_tool.PathOf("own.json")));
        // The link of the A100 has 24.8 GB/s, that of the H100 55.6, and the step is bound by it.
        slow.ShouldBeGreaterThan(1.5m * fast);

        (await _tool.RunAsync(from)).Errors.ShouldContain("--device-file is given, but no --base");
        (await _tool.RunAsync([.. from, "--base", "h100-sxm"])).Errors.ShouldContain("the file would say that it is h100-sxm, which is built in: give --id");
        (await _tool.RunAsync([.. from, "--base", "h100-sxm", "--id", "A b"])).Errors.ShouldContain("--id is 'A b'");

        async Task<decimal> SecondsOn(string device) => JsonDocument.Parse(await _tool.SucceedAsync(
            "simulate", "--model", "opt-13b", "--device", device, "--batch", "8", "--context", "1024", "--kv-home", "host", "--json")).RootElement.GetProperty("baseMicroseconds").GetDecimal();
    }

    [Fact]
    public async Task A_device_with_the_matmuls_of_a_profile_recomputes_as_many_tokens_as_they_are_fast_enough_for()
    {
        await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "rtx4090", "--batch", "64", "--tokens", "64", "256", "--out", _tool.PathOf("profile.json"));
        string[] from = ["profile", "--model", "opt-13b", "--batch", "64", "--from", _tool.PathOf("profile.json"), "--device-file", _tool.PathOf("own.json"), "--id", "own", "--base"];
        var text = await _tool.SucceedAsync([.. from, "a100-40-sxm"]);
        text.ShouldContain("matmuls: large ones at the 132");
        // The RTX 4090 computes 132 TFLOP/s, the A100 261, and their links are alike.
        var (slow, fast) = (await Recomputed(_tool.PathOf("own.json")), await Recomputed("a100-40-sxm"));
        slow.ShouldBeInRange(1, fast * 9 / 10);

        (await _tool.SucceedAsync([.. from, "h100-sxm"])).ShouldContain("matmuls: those of h100-sxm stay, which was measured");
        await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "rtx4090", "--out", _tool.PathOf("small.json"));
        (await _tool.SucceedAsync("profile", "--model", "opt-13b", "--from", _tool.PathOf("small.json"), "--device-file", _tool.PathOf("own-2.json"), "--id", "own", "--base", "a100-40-sxm"))
            .ShouldContain("matmuls: those of a100-40-sxm stay; fewer than two that were timed are large enough there");

        async Task<int> Recomputed(string device) => JsonDocument.Parse(await _tool.SucceedAsync(
            "generate", "--model", "opt-13b", "--device", device, "--batch", "64", "--prompt", "1024", "--tokens", "2", "--kv-home", "host", "--prefetch", "none", "--json"))
            .RootElement.GetProperty("steps")[0].GetProperty("recomputedTokens").GetInt32();
    }

    [Fact]
    public async Task The_splits_of_both_forms_are_said_or_why_nothing_is_recomputed()
    {
        string[] profile = ["profile", "--device", "a100-40-sxm", "--batch", "64", "--tokens", "64", "256", "--prompt", "128", "--model"];
        var text = await _tool.SucceedAsync([.. profile, "opt-13b", "--out", _tool.PathOf("profile.json")]);
        text.ShouldContain("a token's activations are 10,240 bytes, the keys and values that they make 20,480: recomputing can pay");
        text.ShouldContain("  the activations first: {(");
        text.ShouldContain("  all transfers beside all work: ");
        text.ShouldContain("  as published: ");
        text.ShouldContain("The split is of one rank, with activations and KV-cache in bf16");
        // Llama-3-8B: 4096 elements of a token's activations, 2 x 8 x 128 of its keys and values, each in 64 sequences and 2 bytes.
        (await _tool.SucceedAsync([.. profile, "llama-3-8b"])).ShouldContain(
            "recomputed: nothing; a token's activations are 8,192 bytes, the keys and values that they make 4,096: recomputing cannot pay");
        (await _tool.RunAsync("profile", "--model", "opt-13b", "--from", _tool.PathOf("profile.json"), "--batch", "32")).Errors.ShouldContain(
            "the profile has no matmul (b l x 5120)(5120 x 10240) at batch 32: give --batch 64");
    }

    [Theory]
    [InlineData("/dev/zero has more than 16,777,216 bytes, a profile has at most 16,777,216", "profile", "--model", "opt-13b", "--from", "/dev/zero")]
    [InlineData("/dev/zero has more than 1,048,576 bytes, a device file has at most 1,048,576", "profile", "--model", "opt-13b", "--device", "/dev/zero")]
    [InlineData("/dev/zero has more than 1,048,576 bytes, a cost model has at most 1,048,576", "explore", "--cost-model", "/dev/zero")]
    [InlineData("--from is '/dev', which is not a file", "profile", "--model", "opt-13b", "--from", "/dev")]
    public async Task A_device_without_an_end_is_no_file(string error, params string[] args)
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "there is no /dev/zero here");
        var (exitCode, output, errors) = await _tool.RunAsync(args);
        exitCode.ShouldBe(2, errors);
        output.ShouldBeEmpty();
        errors.ShouldContain(error);
    }

    [Fact]
    public async Task Of_a_mixed_stack_the_split_is_that_of_a_layer_that_keeps_the_prompt() =>
        (await _tool.SucceedAsync("profile", "--model", "gemma2-27b", "--device", "a100-80-sxm", "--prompt", "5000")).ShouldContain(
            "recomputed: nothing; a token's activations are 9,216 bytes, the keys and values that they make 8,192: recomputing cannot pay");

    [Fact]
    public async Task A_matmul_of_more_rows_than_can_be_counted_is_refused()
    {
        var run = await _tool.RunAsync("profile", "--model", "opt-13b", "--device", "a100-40-sxm", "--batch", "65536", "--tokens", "65536", "70000");
        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldContain("65,536 sequences of 70,000 tokens are 4,587,520,000 rows of a matmul, but must be at most 2,147,483,647");
    }

    [Fact]
    public async Task Copies_that_are_off_their_line_by_more_than_they_spread_are_said()
    {
        (await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "a100-40-sxm", "--tokens", "16", "32", "64", "128", "256", "--out", _tool.PathOf("profile.json")))
            .ShouldNotContain("off the line");
        var profile = JsonNode.Parse(await File.ReadAllTextAsync(_tool.PathOf("profile.json")))!;
        var pageable = profile["copies"]!.AsArray().First(c => !c!["kind"]!["pinned"]!.GetValue<bool>())!;
        pageable["time"] = JsonNode.Parse("""{ "medianMicroseconds": 5, "lowMicroseconds": 4.75, "highMicroseconds": 5.5, "repetitions": 3 }""");
        await File.WriteAllTextAsync(_tool.PathOf("bent.json"), profile.ToJsonString());
        var text = await _tool.SucceedAsync("profile", "--model", "opt-13b", "--from", _tool.PathOf("bent.json"));
        // One of six points bends no line: 10 us and 12.4 GB/s.
        text.ShouldContain("copies to the device from pageable memory: 1 of 6 sizes are off the line by more than they spread, 163,840 bytes most: 23.2 us on it, 5.0 us as timed");
        text.ShouldContain("│ within 15 % │ up to 364 % │");
    }

    [Theory]
    [InlineData("--tokens", "1", "2")]
    [InlineData("--repetitions", "3")]
    public async Task What_times_a_profile_is_refused_beside_one_that_is_read(params string[] option)
    {
        await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "a100-40-sxm", "--out", _tool.PathOf("profile.json"));
        (await _tool.RunAsync(["profile", "--model", "opt-13b", "--from", _tool.PathOf("profile.json"), .. option])).Errors.ShouldContain(
            $"--from and {option[0]} are given, but a profile that is read has been timed");
    }

    /// <summary>What a profile does not tell is said of it, and nothing is printed first: of copies that a split needs, and of those that only the table has.</summary>
    [Theory]
    [InlineData("HostToDevice", true, false)]
    [InlineData("DeviceToHost", false, true)]
    public async Task A_profile_whose_copies_take_no_longer_when_they_are_larger_is_refused(string direction, bool pinned, bool bothDirections)
    {
        await _tool.SucceedAsync("profile", "--model", "opt-13b", "--device", "a100-40-sxm", "--out", _tool.PathOf("profile.json"));
        var profile = JsonNode.Parse(await File.ReadAllTextAsync(_tool.PathOf("profile.json")))!;
        foreach (var copy in profile["copies"]!.AsArray().Where(c => IsOfTheKind(c!["kind"]!)))
            copy!["time"] = JsonNode.Parse("""{ "medianMicroseconds": 5, "lowMicroseconds": 4, "highMicroseconds": 6, "repetitions": 3 }""");
        await File.WriteAllTextAsync(_tool.PathOf("alike.json"), profile.ToJsonString());
        var run = await _tool.RunAsync("profile", "--model", "opt-13b", "--from", _tool.PathOf("alike.json"));
        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldContain("take no longer when they are larger: measure larger ones");
        run.Output.ShouldBeEmpty();

        bool IsOfTheKind(JsonNode kind) =>
            (kind["direction"]!.GetValue<string>(), kind["pinned"]!.GetValue<bool>(), kind["bothDirections"]!.GetValue<bool>()) == (direction, pinned, bothDirections);
    }

    public void Dispose() => _tool.Dispose();
}

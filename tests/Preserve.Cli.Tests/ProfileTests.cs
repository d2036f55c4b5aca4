using System.Text.Json;

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

    public void Dispose() => _tool.Dispose();
}

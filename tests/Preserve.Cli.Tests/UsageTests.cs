namespace Preserve.Cli.Tests;

/// <summary>The tool calls itself what a user calls it, whatever file runs it.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly PreserveTool _tool = new();

    [Theory]
    [InlineData("  preserve [command] [options]")]
    [InlineData("  preserve simulate [options]", "simulate")]
    [InlineData("  preserve devices [<id>] [options]", "devices")]
    [InlineData("  preserve reproduce kv-split [options]", "reproduce", "kv-split")]
    public async Task Help_names_the_command(string usage, params string[] verbs) =>
        (await _tool.SucceedAsync([.. verbs, "--help"])).ReplaceLineEndings("\n").ShouldContain($"Usage:\n{usage}\n");

    /// <summary>And no command that there is not.</summary>
    [Theory]
    [InlineData("preserve --help")]
    [InlineData("preserve --help", "bogus")]
    [InlineData("preserve --help", "--bogus")]
    [InlineData("preserve simulate --help", "simulate", "bogus")]
    [InlineData("preserve reproduce --help", "reproduce", "bogus")]
    [InlineData("preserve reproduce kv-split --help", "reproduce", "kv-split", "--bogus", "1")]
    public async Task A_fault_points_to_a_help_that_there_is(string help, params string[] arguments)
    {
        var (exitCode, output, errors) = await _tool.RunAsync(arguments);
        (exitCode, output).ShouldBe((2, ""));
        errors.ShouldEndWith($"preserve: see '{help}'{Environment.NewLine}");
        (await _tool.SucceedAsync(help.Split(' ')[1..])).ShouldContain("Usage:");
    }

    [Fact]
    public async Task The_version_is_printed() => (await _tool.SucceedAsync("--version")).ShouldMatch("^[0-9]+\\.[0-9]+\\.[0-9]+");

    public void Dispose() => _tool.Dispose();
}

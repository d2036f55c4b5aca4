using System.Diagnostics;

namespace Preserve.Cli.Tests;

public sealed class OutputFileTests : IDisposable
{
    private static readonly string[] _step = ["simulate", "--model", "llama-3-8b", "--device", "h100-sxm", "--prefetch", "none", "--json"];

    private readonly PreserveTool _tool = new();

    [Theory]
    [InlineData("--plan '' cannot be written: the path is empty", "--plan", "")]
    [InlineData("--trace '--cold' cannot be written: it is written like an option; a file of that name is ./--cold", "--trace", "--cold")]
    [InlineData("--trace 'folder' cannot be written: it is a folder", "--trace", "folder")]
    [InlineData("--plan 'none/p.txt' cannot be written: there is no folder", "--plan", "none/p.txt", "--trace", "t.json")]
    [InlineData("--trace and --plan name the same file, './a.json'", "--trace", "a.json", "--plan", "./a.json")]
    [InlineData("--trace and --prefetch-table name the same file", "--trace", "a.json", "--prefetch-table", "folder/../a.json")]
    public async Task A_file_that_cannot_be_written_is_named_before_any_is(string message, params string[] arguments)
    {
        Directory.CreateDirectory(_tool.PathOf("folder"));
        var (exitCode, output, errors) = await _tool.RunAsync([.. _step, .. arguments]);
        exitCode.ShouldBe(2);
        output.ShouldBeEmpty();
        errors.ShouldContain(message);
        errors.ShouldNotContain("   at ");
        _tool.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_verb_that_writes_looks_at_its_file_first()
    {
        foreach (var verb in new[] { new[] { "explore", "--plot", "none/a" }, ["calibrate", "--measurements", "nowhere", "--system", "x", "--base", "h100-sxm", "--out", "none/a"], ["profile", "--model", "llama-3-8b", "--out", "none/a"] })
        {
            var (exitCode, _, errors) = await _tool.RunAsync(verb);
            exitCode.ShouldBe(2);
            errors.ShouldContain("'none/a' cannot be written: there is no folder");
        }
    }

    [Fact]
    public async Task A_file_is_replaced_and_a_link_to_it_stays_a_link()
    {
        await File.WriteAllTextAsync(_tool.PathOf("old.txt"), "old");
        File.CreateSymbolicLink(_tool.PathOf("link.txt"), "old.txt");
        File.CreateSymbolicLink(_tool.PathOf("to-none.json"), "new.json");
        await _tool.SucceedAsync([.. _step, "--plan", "link.txt", "--trace", "to-none.json"]);
        new FileInfo(_tool.PathOf("link.txt")).LinkTarget.ShouldBe("old.txt");
        new FileInfo(_tool.PathOf("to-none.json")).LinkTarget.ShouldBe("new.json");
        (await File.ReadAllTextAsync(_tool.PathOf("old.txt"))).ShouldStartWith("preserve plans 1\n");
        (await File.ReadAllTextAsync(_tool.PathOf("new.json"))).ShouldStartWith("{");
        _tool.Files.ShouldBe(["link.txt", "new.json", "old.txt", "to-none.json"]);

        var (exitCode, _, errors) = await _tool.RunAsync([.. _step, "--plan", "link.txt", "--trace", "old.txt"]);
        exitCode.ShouldBe(2);
        errors.ShouldContain("name the same file");
    }

    [UnixFact]
    public async Task A_pipe_is_written_into_and_stays_one()
    {
        using (var made = Process.Start("mkfifo", _tool.PathOf("pipe")))
            await made.WaitForExitAsync();
        var read = Task.Run(() => File.ReadAllText(_tool.PathOf("pipe")));
        await _tool.SucceedAsync([.. _step, "--plan", "pipe"]);
        (await read).ShouldStartWith("preserve plans 1\n");
        new FileInfo(_tool.PathOf("pipe")).Length.ShouldBe(0);
        _tool.Files.ShouldBe(["pipe"]);
    }

    [UnixFact]
    public async Task A_device_stays_one_and_its_error_names_the_option()
    {
        const string full = "/dev/full";
        if (!File.Exists(full))
            return;
        // Through a link, which would be replaced in its place: a tool that harms devices does not get to harm this one.
        File.CreateSymbolicLink(_tool.PathOf("full"), full);
        var (exitCode, _, errors) = await _tool.RunAsync([.. _step, "--trace", "full"]);
        exitCode.ShouldBe(2);
        errors.ShouldContain("--trace 'full' cannot be written");
        new FileInfo(_tool.PathOf("full")).LinkTarget.ShouldBe(full);
        _tool.Files.ShouldBe(["full"]);
    }

    public void Dispose() => _tool.Dispose();
}

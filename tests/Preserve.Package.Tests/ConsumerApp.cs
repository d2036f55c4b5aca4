using System.Runtime.InteropServices;

namespace Preserve.Package.Tests;

/// <summary>An app in a folder of its own that uses the package.</summary>
internal sealed class ConsumerApp(string folder, string version)
{
    private readonly string _version = "-p:PreserveVersion=" + version;

    /// <summary>Where the package lies once it is restored.</summary>
    public string PackageFolder => Path.Combine(folder, "obj", "packages", "preserve", version);

    private string OutputFolder => Path.Combine(folder, "bin", "Release", "net10.0");

    public void Write(string file, string text) => File.WriteAllText(Path.Combine(folder, file), text);

    public string Read(string file) => File.ReadAllText(Path.Combine(folder, file));

    public void Replace(string file, string old, string @new)
    {
        var text = File.ReadAllText(Path.Combine(folder, file));
        text.ShouldContain(old);
        Write(file, text.Replace(old, @new, StringComparison.Ordinal));
    }

    public Task<ToolRun> RestoreAsync() => Tool.DotnetAsync(folder, "restore", _version);

    public Task<ToolRun> BuildAsync(params string[] options) => Tool.DotnetAsync(folder, "build", ["-c", "Release", _version, .. options]);

    /// <summary>Builds anew and says which methods the JIT compiled in the processes of the build, a line each, and what was generated.</summary>
    public async Task<(string Jitted, string Generated)> BuildWatchedAsync(params string[] options)
    {
        var (log, generated) = (Path.Combine(folder, "jit.txt"), Path.Combine(folder, "obj", "generated"));
        // The compiler in a process of this build: a server would have been started by another, without the log.
        var environment = new Dictionary<string, string> { ["DOTNET_JitStdOutFile"] = log, ["DOTNET_JitDisasmSummary"] = "1", ["UseSharedCompilation"] = "false" };
        string[] arguments = ["-c", "Release", _version, "--no-incremental", "-p:EmitCompilerGeneratedFiles=true", $"-p:CompilerGeneratedFilesOutputPath={generated}", .. options];
        (await Tool.DotnetAsync(folder, "build", arguments, environment)).TextOfSuccess();
        var texts = Directory.GetFiles(generated, "*.g.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{Path.GetFileName(f)}\n{File.ReadAllText(f)}").ToList();
        var result = (File.ReadAllText(log), string.Join("\n", texts));
        File.Delete(log);
        Directory.Delete(generated, recursive: true);
        return result;
    }

    /// <summary>Runs the SDK's formatter, which knows no options of a build: the version must stand in the project.</summary>
    public Task<ToolRun> FormatAsync(params string[] arguments) => Tool.FormatAsync(folder, arguments);

    public Task<ToolRun> RunAsync() => Tool.ProgramAsync(Path.Combine(OutputFolder, "App.dll"));

    /// <summary>File names of the assemblies that were built or copied, sorted.</summary>
    public IEnumerable<string> Assemblies() => AssembliesIn(OutputFolder);

    /// <summary>Publishes the app trimmed, with the runtime, and runs what was published.</summary>
    public async Task<(IReadOnlyList<string> Assemblies, ToolRun Run)> PublishTrimmedAndRunAsync()
    {
        var published = Path.Combine(folder, "published");
        var run = await Tool.DotnetAsync(folder, "publish", "-c", "Release", _version, "-o", published, "--self-contained",
            "-r", RuntimeInformation.RuntimeIdentifier, "-p:PublishTrimmed=true", "-p:TreatWarningsAsErrors=true",
            "-p:DisableTransitiveFrameworkReferenceDownloads=true");
        run.TextOfSuccess();
        var program = Path.Combine(published, OperatingSystem.IsWindows() ? "App.exe" : "App");
        return (AssembliesIn(published).ToArray(), await Tool.RunAsync(published, program, []));
    }

    private static IEnumerable<string> AssembliesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*.dll").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);
}

using System.Diagnostics;
using System.Text;

namespace Preserve.Package.Tests;

/// <summary>Runs programs as a person at a terminal would, but without one.</summary>
internal static class Tool
{
    /// <summary>Far above what any of them takes; a program that hangs is ended with all that it started.</summary>
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(3);

    /// <summary>The dotnet that runs the tests.</summary>
    public static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>Runs a verb of the SDK.</summary>
    public static Task<ToolRun> DotnetAsync(string folder, string verb, params string[] arguments) => DotnetAsync(folder, verb, arguments, null);

    /// <summary>The same, with variables of the environment set for all that it starts.</summary>
    public static Task<ToolRun> DotnetAsync(string folder, string verb, string[] arguments, IReadOnlyDictionary<string, string>? environment) =>
        RunAsync(folder, Dotnet, [verb, .. arguments, "-nologo"], environment);

    /// <summary>Runs the SDK's formatter.</summary>
    public static Task<ToolRun> FormatAsync(string folder, params string[] arguments) => RunAsync(folder, Dotnet, ["format", .. arguments]);

    /// <summary>Runs a managed program.</summary>
    public static Task<ToolRun> ProgramAsync(string path, params string[] arguments) => RunAsync(Path.GetDirectoryName(path)!, Dotnet, [path, .. arguments]);

    /// <summary>Runs a program. No build that it starts leaves a process behind but the compiler's server of these tests.</summary>
    public static async Task<ToolRun> RunAsync(string folder, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the SDK that runs the tests told its own processes is not meant for others.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["MSBUILDTERMINALLOGGER"] = "off";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        foreach (var (name, value) in CompileServer.Environment.Concat(environment ?? new Dictionary<string, string>()))
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var text = new StringBuilder();
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(_limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {_limit}:\n{Text()}");
        }
        return new ToolRun(process.ExitCode, Text());

        void Add(string? line)
        {
            lock (text)
            {
                if (line is not null)
                    text.AppendLine(line);
            }
        }

        string Text()
        {
            lock (text)
                return text.ToString();
        }
    }
}

/// <summary>What became of a program.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Text">What it wrote to both its outputs.</param>
internal sealed record ToolRun(int ExitCode, string Text)
{
    /// <summary>Its text, once it is sure that all went well.</summary>
    public string TextOfSuccess()
    {
        ExitCode.ShouldBe(0, Text);
        return Text;
    }

    /// <summary>The value behind a word at the beginning of a line.</summary>
    public string Value(string word) =>
        TextOfSuccess().Split('\n').Single(l => l.StartsWith(word + " ", StringComparison.Ordinal))[(word.Length + 1)..].Trim();
}

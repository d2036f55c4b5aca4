namespace Preserve.Package.Tests;

/// <summary>The compiler's server, which a user's builds share too: one that only these tests know, and that ends with them.</summary>
internal static class CompileServer
{
    private static readonly string _name = $"preserve-{Guid.NewGuid():N}";

    /// <summary>What makes a build ask this server, and start it where it does not run yet.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["UseSharedCompilation"] = "true",
        ["SharedCompilationId"] = _name,
    };

    /// <summary>Ends it; nothing happens where no build has started it.</summary>
    public static async Task ShutDownAsync()
    {
        var compiler = await Tool.RunAsync(PackageFixture.Repository, Tool.Dotnet, ["msbuild", Path.Combine("src", "Preserve.Templates"), "-getProperty:RoslynTargetsPath"]);
        var server = Path.Combine(compiler.TextOfSuccess().Trim(), "bincore", "VBCSCompiler.dll");
        (await Tool.RunAsync(PackageFixture.Repository, Tool.Dotnet, [server, $"-pipename:{_name}", "-shutdown"])).TextOfSuccess();
    }
}

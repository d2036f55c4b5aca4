using System.Globalization;

[assembly: AssemblyFixture(typeof(Preserve.Package.Tests.PackageFixture))]

namespace Preserve.Package.Tests;

/// <summary>A folder with a feed that holds the package and that of the templates, made anew for every run.</summary>
public sealed class PackageFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("preserve-package-").FullName;
    private int _apps;

    /// <summary>The version of the package: never one that a cache has seen before.</summary>
    public string Version { get; } = "0.1.0-test." + DateTime.UtcNow.ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture);

    /// <summary>The package.</summary>
    public string Package => Path.Combine(Feed, $"Preserve.{Version}.nupkg");

    /// <summary>The package of the templates for <c>dotnet new</c>.</summary>
    public string Templates => Path.Combine(Feed, $"Preserve.Templates.{Version}.nupkg");

    internal static string Repository { get; } = FindRepository();

    private string Feed => Path.Combine(_folder, "feed");

    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(PackAsync("Preserve.Runtime", Package), PackAsync("Preserve.Templates", Templates));

        // Nothing above an app has a say in how it is built.
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Build.props"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Build.targets"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Packages.props"), "<Project />");
        File.Copy(Path.Combine(Repository, "global.json"), Path.Combine(_folder, "global.json"));
        // Adds the feed to the sources that the machine has.
        await File.WriteAllTextAsync(Path.Combine(_folder, "NuGet.config"),
            """<configuration><packageSources><add key="preserve-under-test" value="feed" /></packageSources></configuration>""");
    }

    public async ValueTask DisposeAsync()
    {
        await CompileServer.ShutDownAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A fresh app that uses the package.</summary>
    internal ConsumerApp CreateApp()
    {
        var folder = CreateFolder();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "App")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return new ConsumerApp(folder, Version);
    }

    /// <summary>A fresh folder in which the feed is known.</summary>
    internal string CreateFolder() => Directory.CreateDirectory(Path.Combine(_folder, $"app{Interlocked.Increment(ref _apps)}")).FullName;

    /// <summary>What keeps the SDK, run in a folder of this fixture, from all that is the user's and not the folder's: templates and packages.</summary>
    internal static IReadOnlyDictionary<string, string> ApartIn(string folder) => new Dictionary<string, string>
    {
        ["DOTNET_CLI_HOME"] = Path.Combine(folder, "home"),
        ["NUGET_PACKAGES"] = Path.Combine(folder, "packages"),
    };

    private async Task PackAsync(string project, string package)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var run = await Tool.DotnetAsync(Repository, "pack", Path.Combine("src", project), "-c", configuration, "--no-build", "-o", Feed, "-p:Version=" + Version);
        run.TextOfSuccess();
        File.Exists(package).ShouldBeTrue(run.Text);
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException($"no solution above {AppContext.BaseDirectory}");
        return folder.FullName;
    }
}

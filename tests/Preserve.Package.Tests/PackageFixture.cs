using System.Globalization;

[assembly: AssemblyFixture(typeof(Preserve.Package.Tests.PackageFixture))]

namespace Preserve.Package.Tests;

/// <summary>A folder with a feed that holds the package, made anew for every run.</summary>
public sealed class PackageFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("preserve-package-").FullName;
    private int _apps;

    /// <summary>The version of the package: never one that a cache has seen before.</summary>
    public string Version { get; } = "0.1.0-test." + DateTime.UtcNow.ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture);

    /// <summary>The package.</summary>
    public string Package => Path.Combine(Feed, $"Preserve.{Version}.nupkg");

    internal static string Repository { get; } = FindRepository();

    private string Feed => Path.Combine(_folder, "feed");

    public async ValueTask InitializeAsync()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var run = await Tool.DotnetAsync(Repository, "pack", Path.Combine("src", "Preserve.Runtime"),
            "-c", configuration, "--no-build", "-o", Feed, "-p:Version=" + Version);
        run.TextOfSuccess();
        File.Exists(Package).ShouldBeTrue(run.Text);

        // Nothing above an app has a say in how it is built.
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Build.props"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Build.targets"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Directory.Packages.props"), "<Project />");
        File.Copy(Path.Combine(Repository, "global.json"), Path.Combine(_folder, "global.json"));
        // Adds the feed to the sources that the machine has.
        await File.WriteAllTextAsync(Path.Combine(_folder, "NuGet.config"),
            """<configuration><packageSources><add key="preserve-under-test" value="feed" /></packageSources></configuration>""");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>A fresh app that uses the package.</summary>
    internal ConsumerApp CreateApp()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, $"app{Interlocked.Increment(ref _apps)}")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "App")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return new ConsumerApp(folder, Version);
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException($"no solution above {AppContext.BaseDirectory}");
        return folder.FullName;
    }
}

using System.Runtime.CompilerServices;

namespace Preserve.Tests;

/// <summary>Where the measured tables lie, if they are present: they are no part of the project.</summary>
internal static class MeasuredFolder
{
    /// <summary>Why a test did nothing.</summary>
    public const string Absent = "no measurements beside the repository, at ../shared/data/measurements";

    /// <summary>The folder, or null.</summary>
    public static string? Path { get; } = Find();

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var tables = System.IO.Path.Combine(folder.FullName, "shared", "data", "measurements");
            if (Directory.Exists(tables))
                return tables;
        }
        return null;
    }
}

/// <summary>A test that needs the measured tables; it is skipped, saying so, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MeasuredFactAttribute : FactAttribute
{
    public MeasuredFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (MeasuredFolder.Path is null)
            Skip = MeasuredFolder.Absent;
    }
}

using System.Runtime.CompilerServices;

namespace Preserve.Tests;

/// <summary>A page of the documentation that is made from the code. Run the tests with PRESERVE_ACCEPT=1 to write what the code says now.</summary>
internal static class GeneratedPage
{
    /// <summary>Holds a page against its text.</summary>
    /// <param name="name">The page's file in <c>docs</c>.</param>
    /// <param name="text">What the code says, lines ended by <c>\n</c>.</param>
    /// <param name="file">Any file of a test project.</param>
    public static void Match(string name, string text, [CallerFilePath] string file = "")
    {
        var folder = new FileInfo(file).Directory!;
        while (!File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException($"no solution above {file}");
        var page = Path.Combine(folder.FullName, "docs", name);
        if (Environment.GetEnvironmentVariable("PRESERVE_ACCEPT") == "1")
            File.WriteAllText(page, text);
        File.ReadAllLines(page).ShouldBe(text.TrimEnd('\n').Split('\n'), $"docs/{name} is not what the code says: PRESERVE_ACCEPT=1 writes it anew");
    }
}

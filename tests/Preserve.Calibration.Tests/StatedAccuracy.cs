namespace Preserve.Calibration.Tests;

/// <summary>What README states of errors, by kind and system.</summary>
internal static class StatedAccuracy
{
    /// <summary>The kinds under which README counts a row: the groups of one collective together, resident weights of few and of many rows together as well
    /// as apart.</summary>
    public static string[] KindsOf(string kind) => kind is "L2-hot decode matmul" or "L2-hot large matmul"
        ? [kind, "L2-hot matmul"]
        : [new[] { "all-reduce", "all-gather", "reduce-scatter" }.FirstOrDefault(k => kind.StartsWith(k, StringComparison.Ordinal)) ?? kind];

    /// <summary>The cells of the table of README that a line heads, by system and kind; the systems stand in its last columns.</summary>
    public static Dictionary<(string System, string Kind), string> OfReadme(string head, string[] systems)
    {
        var found = new Dictionary<(string System, string Kind), string>();
        foreach (var line in File.ReadAllLines(Readme()).SkipWhile(l => l != head).Skip(2).TakeWhile(l => l.StartsWith('|')))
        {
            var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
            foreach (var (system, cell) in systems.Zip(cells[^systems.Length..]))
            {
                if (cell.Length > 0)
                    found.Add((system, cells[0]), cell);
            }
        }
        return found;
    }

    private static string Readme()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Preserve.Compiler.sln")))
            folder = folder.Parent;
        return Path.Combine(folder.ShouldNotBeNull().FullName, "README.md");
    }
}

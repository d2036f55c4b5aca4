using System.Runtime.CompilerServices;
using Shouldly.Configuration;

namespace Preserve.Generators.Tests;

/// <summary>Compares a text with the approved one in <c>Snapshots/Class.Method.verified.cs</c>. Run the tests with
/// PRESERVE_ACCEPT=1 to approve what they receive.</summary>
internal static class Snapshot
{
    private static bool Accept => Environment.GetEnvironmentVariable("PRESERVE_ACCEPT") == "1";

    public static void Match(string actual, [CallerFilePath] string file = "", [CallerMemberName] string method = "")
    {
        var folder = Path.Combine(Path.GetDirectoryName(file)!, "Snapshots");
        var name = $"{Path.GetFileNameWithoutExtension(file)}.{method}";
        if (Accept)
            File.WriteAllText(Path.Combine(folder, $"{name}.verified.cs"), actual);
        actual.ShouldMatchApproved(c => c
            .WithFilenameGenerator((_, _, type, extension) => $"{name}.{(type == "approved" ? "verified" : type)}.{extension}")
            .WithFileExtension(".cs")
            .SubFolder(folder)
            .WithStringCompareOptions(StringCompareShould.IgnoreLineEndings)
            .NoDiff());
    }
}

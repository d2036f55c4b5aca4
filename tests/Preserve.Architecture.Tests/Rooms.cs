namespace Preserve.Architecture.Tests;

/// <summary>Which room may import which. A new room needs a row here, and a reference in this project's file.</summary>
internal static class Rooms
{
    public const string ForTheCompiler = "netstandard2.0";
    public const string ForApplications = "net10.0";

    public static readonly IReadOnlyList<Room> All =
    [
        new("src", "Preserve.Core", [ForTheCompiler, ForApplications], []),
        new("src", "Preserve.Hardware", [ForTheCompiler, ForApplications], ["Preserve.Core"]),
        new("src", "Preserve.Execution", [ForTheCompiler, ForApplications], ["Preserve.Hardware"]),
        new("src", "Preserve.Optimizer", [ForTheCompiler, ForApplications], ["Preserve.Execution"]),
        new("src", "Preserve.Runtime", [ForApplications], ["Preserve.Execution"]), // never the optimizer: an application ships its plans
        new("src", "Preserve.Cpu", [ForApplications], ["Preserve.Runtime"]) { Packages = ["System.Numerics.Tensors"] }, // a package of its own: only who computes on the processor ships it
        new("src", "Preserve.Calibration", [ForApplications], ["Preserve.Hardware"]) { Packages = ["MathNet.Numerics"] }, // only the tool fits constants
        new("src", "Preserve.Models", [ForApplications], ["Preserve.Core"]),
        new("src", "Preserve.Exploration", [ForApplications], ["Preserve.Optimizer"]), // only the tool asks what a device should be
        new("src", "Preserve.Profiling", [ForApplications], ["Preserve.Optimizer"]) { Packages = ["System.Numerics.Tensors"] }, // only the tool measures
        new("src", "Preserve.Cli", [ForApplications], ["Preserve.Optimizer", "Preserve.Models", "Preserve.Calibration", "Preserve.Exploration", "Preserve.Profiling"]) { Packages = ["System.CommandLine", "Spectre.Console"] },
        new("src", "Preserve.Templates", [ForApplications], []), // content for `dotnet new`, and no code
        new("generators", "Preserve.Generators", [ForTheCompiler], ["Preserve.Optimizer"]),
        new("generators", "Preserve.CodeFixes", [ForTheCompiler], ["Preserve.Generators"]) { Packages = ["Microsoft.CodeAnalysis.Workspaces", "Microsoft.CodeAnalysis.CSharp.Workspaces", "System.Composition.AttributedModel"] }, // an editor's alone: the compiler has no workspaces
    ];

    /// <summary>What the host of the compiler has in any case; all else would have to travel with the generator.</summary>
    public static readonly IReadOnlySet<string> OfTheCompiler = new HashSet<string>
    {
        "netstandard",
        "Microsoft.CodeAnalysis",
        "Microsoft.CodeAnalysis.CSharp",
        "System.Collections.Immutable", // Roslyn's own, and
        "System.Threading.Tasks.Extensions", // ValueTask, which netstandard2.0 lacks
    };

    /// <summary>The rooms that a room may import: those of its row, and those that they may import.</summary>
    public static HashSet<string> AllowedFor(Room room)
    {
        var allowed = new HashSet<string>();
        var open = new Stack<string>(room.Imports);
        while (open.TryPop(out var name))
        {
            if (!allowed.Add(name))
                continue;
            foreach (var next in All.Single(r => r.Name == name).Imports)
                open.Push(next);
        }
        return allowed;
    }
}

/// <summary>A project of the product.</summary>
/// <param name="Folder">The folder it stands in.</param>
/// <param name="Name">Its name, and that of its assembly.</param>
/// <param name="Frameworks">The frameworks it targets.</param>
/// <param name="Imports">The rooms it imports directly.</param>
internal sealed record Room(string Folder, string Name, IReadOnlyList<string> Frameworks, IReadOnlyList<string> Imports)
{
    /// <summary>The packages that it needs: none of what the compiler loads or an application ships has any.</summary>
    public IReadOnlyList<string> Packages { get; init; } = [];
}

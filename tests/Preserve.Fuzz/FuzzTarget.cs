namespace Preserve.Fuzz;

/// <summary>A reader of files that others wrote, and files to damage. What it gives must be sound, or errors that can be printed.</summary>
/// <remarks>Knows no test framework: the tests run some cases, the program of this folder as many as it is asked for.</remarks>
internal abstract class FuzzTarget(string name)
{
    public string Name { get; } = name;

    /// <summary>A file: sound, or damaged in up to a few places.</summary>
    /// <param name="random">What decides.</param>
    public abstract byte[] Next(Random random);

    /// <summary>Reads a file.</summary>
    /// <param name="file">The file.</param>
    /// <returns>The errors; none where it was accepted.</returns>
    /// <exception cref="InvalidOperationException">What was read is not sound.</exception>
    public abstract IReadOnlyList<string> Read(byte[] file);
}

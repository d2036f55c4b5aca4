namespace Preserve.Profiling;

/// <summary>Where times come from.</summary>
/// <param name="Kind"><c>model</c> or <c>machine</c>.</param>
/// <param name="Name">The device's id, or the machine's processor.</param>
/// <param name="Processors">Threads that the machine runs at once; 0 for a model.</param>
/// <param name="Runtime">Operating system and runtime; empty for a model.</param>
/// <param name="Note">What stands for host and device, and anything else that a reader must know.</param>
public sealed record ProfileSource(string Kind, string Name, int Processors, string Runtime, string Note);

namespace Preserve;

/// <summary>Which run of which instruction a wait is for: a plan's wait binds to the last signal of its label above, in program
/// order, as <c>cudaStreamWaitEvent</c> binds to the last <c>cudaEventRecord</c>.</summary>
/// <remarks>In a repeat that may be the signal of the iteration before, and in its first iteration one from before the repeat,
/// so a wait has several bindings one after the other, and the first whose condition holds counts. How many runs of the source stand
/// above is <c>Base</c> plus, for each repeat around both, runs per iteration x iterations begun.</remarks>
/// <param name="Source">The instruction that signals.</param>
/// <param name="Stream">Its stream.</param>
/// <param name="OtherStream">Whether that is another than the one that waits; on the same stream it has ended anyway.</param>
/// <param name="UnlessFirstOf">The repeat that must not be in its first iteration, or -1 for no condition.</param>
/// <param name="Base">Runs of the source above, in the same iteration of all repeats around both.</param>
/// <param name="Terms">Repeats around both, each with the source's runs per iteration.</param>
/// <param name="Others">Bindings of the same wait behind this one: they do not count where this one does.</param>
internal readonly record struct EventBinding(int Source, StreamKind Stream, bool OtherStream, int UnlessFirstOf, long Base, LoopTerm[] Terms, int Others);

/// <summary>Runs of an instruction per iteration of a repeat.</summary>
internal readonly record struct LoopTerm(int Loop, long PerIteration);

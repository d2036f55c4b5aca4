namespace Preserve.Profiling;

/// <summary>One timed copy.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Time">Its times.</param>
public sealed record CopyTiming(CopyKind Kind, long Bytes, Timing Time);

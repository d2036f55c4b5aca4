namespace Preserve.Exploration;

/// <summary>How work is shared out over threads.</summary>
internal static class Workers
{
    /// <summary>One worker for each processor, and no more: the thread pool adds threads to work that takes seconds, and each collection of
    /// garbage then waits for all of them to have had their turn.</summary>
    /// <param name="cancellation">Stops the work.</param>
    public static ParallelOptions Of(CancellationToken cancellation) =>
        new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation };
}

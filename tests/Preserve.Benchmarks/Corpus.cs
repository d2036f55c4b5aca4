using Preserve.Optimizer;
using Preserve.Optimizer.Tests;

namespace Preserve.Benchmarks;

/// <summary>The properties of the policy Best over many random models, devices and shapes, and how often it gains.</summary>
internal static class Corpus
{
    /// <param name="cases">How many.</param>
    /// <param name="first">Cases before the first: a long corpus can be run in parts, whose counts add up.</param>
    /// <param name="mostTrials">Most trials of each search: what has to hold does not depend on them, how much is gained does.</param>
    public static void Measure(int cases, int first, int mostTrials)
    {
        var chunks = (cases + PrefetchCorpus.ChunkSize - 1) / PrefetchCorpus.ChunkSize;
        var outcomes = new List<PrefetchOutcome>(cases);
        var done = 0;
        // Chunks of the tests' seeds come first; a fault names its seed and stops the run.
        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, chunk =>
        {
            var some = PrefetchCorpus.Check((first / PrefetchCorpus.ChunkSize) + chunk, mostTrials);
            lock (outcomes)
            {
                outcomes.AddRange(some);
                if (++done % 20 == 0)
                    Console.Error.WriteLine($"{outcomes.Count:#,0} cases");
            }
        });
        Console.WriteLine($"{outcomes.Count:#,0} cases after the first {first / PrefetchCorpus.ChunkSize * PrefetchCorpus.ChunkSize:#,0}, searched by at most {mostTrials} trials, every property held");
        foreach (var percent in (int[])[1, 5, 10])
            Print($"emitted plan at least {percent} % faster than base", outcomes.Count(o => o.Base >= o.Emitted * (1 + (percent / 100.0))));
        Print("choice at least 1 % faster than the published rule", outcomes.Count(o => o.Published >= o.Chosen * 1.01));
        Print("published rule slower than base", outcomes.Count(o => o.Published > o.Base));
        Print("choice slower than the published rule, which would cost time at a smaller context", outcomes.Count(o => o.SlowerThanPublished));
        Print("choice that prefetches nothing at some contexts, where it would cost time", outcomes.Count(o => o.Pauses));
        Print("emitted plan slower than base at a random context, of four in each case", outcomes.Count(o => o.SlowerContexts > 0));
        Print("choice that the guard refused", outcomes.Count(o => o.Chosen < o.Base && o.Emitted == o.Base));

        void Print(string what, int count) => Console.WriteLine($"{what}: {count:#,0}, {100.0 * count / outcomes.Count:0.0} %");
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>The passes, in the one order in which they run.</summary>
/// <param name="Ranks">Degree of tensor parallelism.</param>
/// <param name="Prefetch">What is prefetched, and where.</param>
internal sealed record PassPipeline(int Ranks, IPrefetchRule Prefetch)
{
    private readonly GraphVerifier _verifier = new();

    /// <summary>Whether norms and additions are divided by tokens.</summary>
    public bool SequenceParallel { get; init; }

    /// <summary>What shares a kernel with the collectives that sum.</summary>
    public CollectiveFusion Fusion { get; init; }

    /// <summary>Moves the KV-cache to host memory; null where it lives on the device.</summary>
    public OffloadKeyValues? Offload { get; init; }

    /// <summary>Whether the layers' matrices live in host memory.</summary>
    public bool OffloadsWeights { get; init; }

    /// <summary>Whether alike repeats are rolled. Without it a plan grows with the depth of the stack.</summary>
    public bool Roll { get; init; } = true;

    /// <summary>The names of the passes, in their order.</summary>
    public IEnumerable<string> Names => PassesBeforePrefetch().Concat(PassesFromPrefetchOn()).Select(p => p.Pass.Name);

    /// <summary>The passes that the choice of prefetches changes nothing in, each with what holds of the graph after it.</summary>
    private (IPass Pass, GraphInvariants After)[] PassesBeforePrefetch() =>
    [
        // First: everything that follows counts in bytes of one rank.
        (new ShardTensorParallel(Ranks, SequenceParallel), GraphInvariants.None),
        // After sharding, which says where a rank holds only a summand or a part.
        (new InsertCollectives(), GraphInvariants.Reduced),
        // After sharding: a rank's own heads cross its link. Before prefetch, which then finds no cache in the device's memory.
        .. Offload is null ? Array.Empty<(IPass, GraphInvariants)>() : [(Offload, GraphInvariants.Reduced)],
        // After the KV-cache, whose recomputation wants a part of a matrix first; likewise before prefetch.
        .. OffloadsWeights ? [(new OffloadWeights(), GraphInvariants.Reduced)] : Array.Empty<(IPass, GraphInvariants)>(),
        // Behind the collectives that it fuses; before prefetch, whose windows are what is left.
        .. Fusion == CollectiveFusion.None ? Array.Empty<(IPass, GraphInvariants)>() : [(new FuseCollectives(Fusion), GraphInvariants.Reduced)],
    ];

    /// <summary>The passes after them.</summary>
    private (IPass Pass, GraphInvariants After)[] PassesFromPrefetchOn() =>
    [
        // After the collectives, which are the windows; before streams, of which a prefetch needs one.
        (new InsertPrefetch(Prefetch), GraphInvariants.Reduced),
        // After every operator stands: events order what is there.
        (new AssignStreams(), GraphInvariants.Reduced | GraphInvariants.Streamed),
        // After streams: what may run at once may not share bytes.
        (new PlanMemory(), GraphInvariants.Reduced | GraphInvariants.Streamed | GraphInvariants.Placed),
        // Last: repeats are alike only once nothing is left to decide. From here on layers are the model's.
        .. Roll ? [(new RollRepeats(), GraphInvariants.Rolled)] : Array.Empty<(IPass, GraphInvariants)>(),
    ];

    /// <summary>Runs the passes, and checks the graph after each.</summary>
    public void Run(Graph graph)
    {
        RunUntilPrefetch(graph);
        RunFromPrefetchOn(graph);
    }

    /// <summary>Runs those passes on a lowered graph that the choice of prefetches changes nothing in.</summary>
    public void RunUntilPrefetch(Graph graph)
    {
        _verifier.Check(graph, GraphInvariants.None, "lowering");
        Run(graph, PassesBeforePrefetch());
    }

    /// <summary>Runs the other passes, after <see cref="RunUntilPrefetch"/>.</summary>
    public void RunFromPrefetchOn(Graph graph) => Run(graph, PassesFromPrefetchOn());

    private void Run(Graph graph, (IPass Pass, GraphInvariants After)[] passes)
    {
        foreach (var (pass, after) in passes)
        {
            pass.Run(graph);
            _verifier.Check(graph, after, pass.Name);
        }
    }
}

namespace Preserve.Optimizer;

/// <summary>One rewriting of the graph.</summary>
internal interface IPass
{
    /// <summary>What it does, verb and noun.</summary>
    string Name { get; }

    /// <summary>Rewrites the graph.</summary>
    /// <param name="graph">The graph; it satisfies the pass's precondition.</param>
    /// <returns>Whether anything changed.</returns>
    bool Run(Graph graph);
}

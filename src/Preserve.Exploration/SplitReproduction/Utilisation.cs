namespace Preserve.Exploration;

/// <summary>Parts of a row's times in which a kernel runs, 0 to 1: what tools show as the utilisation of a GPU. KVPR publishes 0.85 with all of the KV-cache
/// transferred and 0.99 with a part recomputed, of a run that it does not name (arXiv 2411.17089).</summary>
/// <param name="ModelledBaseline">The published system on the model, all transferred.</param>
/// <param name="ModelledSplit">The same with half of the prompt recomputed.</param>
/// <param name="Base">This planner's plans with all transferred.</param>
/// <param name="Optimised">This planner's plans.</param>
public sealed record Utilisation(double ModelledBaseline, double ModelledSplit, double Base, double Optimised)
{
    /// <summary>The published parts.</summary>
    public const double PublishedBaseline = 0.85, PublishedSplit = 0.99;
}

using System.Text.Json;
using Preserve.Cli.Commands;
using Preserve.Exploration;

namespace Preserve.Cli.Output;

/// <summary>What <c>explore --json</c> prints, and what its plot is drawn from. The names are documented in docs/explore.schema.json.</summary>
internal sealed record ExplorationDocument
{
    /// <summary>The best sizes of PRESERVE (arXiv 2501.08192), in MB, and what it gains at the second over the first.</summary>
    public const double PublishedWithout = 8, PublishedWith = 104, PublishedGain = 1.25;

    private static readonly PrefetchPolicy[] _policies = [PrefetchPolicy.None, PrefetchPolicy.Paper, PrefetchPolicy.Best];

    public required IReadOnlyList<string> Models { get; init; }

    public required string Device { get; init; }

    public required int TensorParallel { get; init; }

    public required string Phase { get; init; }

    public required int Batch { get; init; }

    public required int Context { get; init; }

    public required string CostModel { get; init; }

    public required IReadOnlyList<ConstantDocument> Constants { get; init; }

    public required IReadOnlyList<L2PointDocument> Points { get; init; }

    public required IReadOnlyList<BestDocument> Best { get; init; }

    public required PublishedDocument Published { get; init; }

    public required IReadOnlyList<SensitivityDocument> Sensitivity { get; init; }

    public required IReadOnlyList<string> Unmeasured { get; init; }

    public required IReadOnlyList<NoteDocument> Assumed { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public static IReadOnlyList<PrefetchPolicy> Policies => _policies;

    public static ExplorationDocument Of(IReadOnlyList<DeployedModel> deployed, L2Exploration exploration)
    {
        var (first, step) = (deployed[0], deployed[0].Spec.Steps[0]);
        var sizes = exploration.Points.GroupBy(p => p.Run.L2Mebibytes).OrderBy(g => g.Key).ToList();
        return new ExplorationDocument
        {
            Models = [.. deployed.Select(d => d.Spec.Model.Name)],
            Device = first.Device.Id,
            TensorParallel = first.Spec.TensorParallel,
            Phase = step is DecodeSpec ? "decode" : "prefill",
            Batch = step.Batch,
            Context = step is DecodeSpec ? first.Context : step.NewTokens,
            CostModel = exploration.Cost.Name,
            Constants = [.. exploration.Cost.Constants.Select(c => new ConstantDocument(c.Name, c.Value, c.Assumed, c.Source))],
            Points = [.. sizes.Select(g => new L2PointDocument(
                g.Key, g.First().Cost?.DieSquareMillimetres, g.First().Cost?.DieYield, g.First().Cost?.DieDollars, g.First().Cost?.Dollars,
                [.. g.Select(p => new L2RunDocument(
                    Name(p.Run.Policy), p.Run.TokensPerSecond, p.Run.TokensPerSecondBand?.Low, p.Run.TokensPerSecondBand?.High, p.TokensPerSecondPerDollar,
                    [.. p.Run.Steps.Select(s => Simulation.Microseconds(s.Picoseconds))]))]))],
            Best = [.. _policies.Select(policy => BestDocument.Of(exploration, policy, sizes[0].Key, sizes[^1].Key))],
            Published = new PublishedDocument("PRESERVE, arXiv 2501.08192", PublishedWithout, PublishedWith, PublishedGain),
            Sensitivity = [.. exploration.Sensitivity().Select(row => new SensitivityDocument(
                row.Constant, row.Factor, [.. _policies.Select(policy => BestDocument.Of(row.Result, policy, sizes[0].Key, sizes[^1].Key))]))],
            Unmeasured = [.. exploration.Points.SelectMany(p => p.Run.Steps).SelectMany(s => s.Unmeasured).Distinct()],
            Assumed = [.. FieldUse.Marked(first.Device, exploration.Points.SelectMany(p => p.Run.Steps).Select(s => s.Plan)).AssumedFields.Select(NoteDocument.Of)],
            Notes = [.. NotesOf(deployed, exploration)],
        };
    }

    /// <summary>What of the cost model and the published figures belongs to another device or another setting.</summary>
    private static IEnumerable<string> NotesOf(IReadOnlyList<DeployedModel> deployed, L2Exploration exploration)
    {
        var device = deployed[0].Device.Id;
        var logic = exploration.Cost.Constants.Single(c => c.Name == CostModelFile.LogicSquareMillimetres);
        if (device != DeploymentOptions.PublishedDevice && CostModelFile.Default.Constants.Contains(logic))
            yield return $"the area of logic, {logic.Value:0} mm2, is that of an Ascend and not of {device}: --cost-model takes this device's own costs, in the form that --print-cost-model shows";
        if (!DeploymentOptions.IsOfThePublication(deployed))
            yield return "the published sizes and gain are those of the main setting of PRESERVE, which is this verb's where no option is given, and not of this one";
    }

    public static string Name(PrefetchPolicy policy) => policy.ToString().ToLowerInvariant();

    public string ToJson() => JsonSerializer.Serialize(this, DocumentContext.Default.ExplorationDocument);
}

/// <summary>A constant of the cost model.</summary>
internal sealed record ConstantDocument(string Name, double Value, bool Assumed, string Source);

/// <summary>One size of the L2. Null is what cannot be made.</summary>
internal sealed record L2PointDocument(
    double L2Mebibytes, double? DieSquareMillimetres, double? DieYield, double? DieDollars, double? Dollars, IReadOnlyList<L2RunDocument> Runs);

/// <summary>One policy at one size, per device. The ends of the 80 % band are null where less than half of a step follows what was measured on the device.</summary>
internal sealed record L2RunDocument(
    string Prefetch, double TokensPerSecond, double? TokensPerSecondLow, double? TokensPerSecondHigh, double? TokensPerSecondPerDollar, IReadOnlyList<decimal> StepMicroseconds);

/// <summary>The size at which a policy gives the most per cost, and how many times the best without prefetch that is. At an edge the best may lie beyond the sweep, at
/// the reticle nothing larger can be made.</summary>
internal sealed record BestDocument(string Prefetch, double? L2Mebibytes, double? TokensPerSecondPerDollar, double? Gain, bool AtEdge, bool AtReticle)
{
    public static BestDocument Of(L2Exploration exploration, PrefetchPolicy policy, double smallest, double largest)
    {
        if (exploration.Best(policy) is not { } best)
            return new BestDocument(ExplorationDocument.Name(policy), null, null, null, AtEdge: false, AtReticle: false);
        var size = best.Run.L2Mebibytes;
        return new BestDocument(
            ExplorationDocument.Name(policy), size, best.TokensPerSecondPerDollar, exploration.Gain(policy), size == smallest || size == largest, exploration.IsLargestThatCanBeMade(size));
    }
}

/// <summary>What was published.</summary>
internal sealed record PublishedDocument(string Source, double BestMegabytesWithoutPrefetch, double BestMegabytesWithPrefetch, double Gain);

/// <summary>What another value of an assumed constant gives; the factor is null where costs were left out.</summary>
internal sealed record SensitivityDocument(string Constant, double? Factor, IReadOnlyList<BestDocument> Best);

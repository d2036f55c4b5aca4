namespace Preserve.Exploration;

/// <summary>Performance per cost over the size of the L2.</summary>
public sealed class L2Exploration
{
    private readonly IReadOnlyList<SweptRun> _runs;
    private readonly double _hbmGigabytes;

    /// <summary>Judges the runs of a sweep by a cost model.</summary>
    /// <param name="runs">The runs, at least one for each policy.</param>
    /// <param name="cost">The cost model.</param>
    /// <param name="hbmGigabytes">Memory of the device.</param>
    public L2Exploration(IReadOnlyList<SweptRun> runs, CostModel cost, double hbmGigabytes)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(cost);
        _runs = runs;
        _hbmGigabytes = hbmGigabytes;
        Cost = cost;
        Points = [.. runs.Select(r => new L2Point(r, cost.Of(r.L2Mebibytes, hbmGigabytes)))];
    }

    /// <summary>The cost model.</summary>
    public CostModel Cost { get; }

    /// <summary>Every run with its cost.</summary>
    public IReadOnlyList<L2Point> Points { get; }

    /// <summary>The point of a policy with the most performance per cost, the smallest of equals; null where no size can be made.</summary>
    /// <param name="policy">The policy.</param>
    public L2Point? Best(PrefetchPolicy policy) =>
        Points.Where(p => p.Run.Policy == policy && p.Cost is not null).OrderByDescending(p => p.TokensPerSecondPerDollar).ThenBy(p => p.Run.L2Mebibytes).FirstOrDefault();

    /// <summary>Whether a size of the sweep is the largest that can be made, and the next one cannot.</summary>
    /// <param name="mebibytes">The size.</param>
    public bool IsLargestThatCanBeMade(double mebibytes) =>
        Points.Where(p => p.Run.L2Mebibytes > mebibytes).OrderBy(p => p.Run.L2Mebibytes).FirstOrDefault() is { Cost: null };

    /// <summary>How many times the best performance per cost without prefetch a policy reaches at its own best size; null where one of them
    /// cannot be made.</summary>
    /// <param name="policy">The policy.</param>
    public double? Gain(PrefetchPolicy policy) => Best(policy)?.TokensPerSecondPerDollar / Best(PrefetchPolicy.None)?.TokensPerSecondPerDollar;

    /// <summary>What other values of the assumed constants give: half and double of each, then the cost of the die alone. No step is run
    /// again.</summary>
    public IReadOnlyList<SensitivityRow> Sensitivity() =>
    [
        .. from constant in Cost.Constants
           where constant.Assumed
           from factor in new[] { 0.5, 2 }
           select new SensitivityRow(constant.Name, factor, new L2Exploration(_runs, Cost.With(constant.Name, constant.Value * factor), _hbmGigabytes)),
        new SensitivityRow("the die alone", null, new L2Exploration(_runs, Cost.OfDieAlone(), _hbmGigabytes)),
    ];
}

/// <summary>One size and policy with its cost.</summary>
/// <param name="Run">The run.</param>
/// <param name="Cost">What the accelerator costs; null where it cannot be made.</param>
public sealed record L2Point(SweptRun Run, AcceleratorCost? Cost)
{
    /// <summary>Tokens per second and US dollar of one device; null where it cannot be made.</summary>
    public double? TokensPerSecondPerDollar => Run.TokensPerSecond / Cost?.Dollars;
}

/// <summary>What another value of one constant gives.</summary>
/// <param name="Constant">The constant, or what was left out.</param>
/// <param name="Factor">Times its declared value; null where costs were left out.</param>
/// <param name="Result">The exploration with it.</param>
public sealed record SensitivityRow(string Constant, double? Factor, L2Exploration Result);

namespace Preserve.Exploration;

/// <summary>What an accelerator of one die with stacks of HBM costs to make, as a function of its L2.</summary>
/// <remarks>Defects in the L2 count as those in logic: redundancy that repairs an array is not modelled. Design, power, boards and
/// margins are left out.</remarks>
public sealed class CostModel
{
    private readonly Dictionary<string, CostConstant> _constants;

    internal CostModel(string name, IReadOnlyList<CostConstant> constants)
    {
        Name = name;
        Constants = constants;
        _constants = constants.ToDictionary(c => c.Name, StringComparer.Ordinal);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>All its constants.</summary>
    public IReadOnlyList<CostConstant> Constants { get; }

    /// <summary>The value of a constant.</summary>
    /// <param name="name">Its name, one of <see cref="CostModelFile.Names"/>.</param>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public double this[string name] => _constants[name].Value;

    /// <summary>The same model with another value for one constant.</summary>
    /// <param name="name">The constant's name.</param>
    /// <param name="value">Its new value.</param>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public CostModel With(string name, double value)
    {
        _ = _constants[name];
        return new CostModel(Name, [.. Constants.Select(c => c.Name == name ? c with { Value = value } : c)]);
    }

    /// <summary>The same model of the die alone: neither memory nor package costs anything.</summary>
    public CostModel OfDieAlone() => With(CostModelFile.HbmDollarsPerGigabyte, 0).With(CostModelFile.PackageDollars, 0);

    /// <summary>What one accelerator costs.</summary>
    /// <param name="l2Mebibytes">Capacity of its L2, above 0.</param>
    /// <param name="hbmGigabytes">Capacity of its memory, above 0.</param>
    /// <returns>Null where the die is larger than a reticle, or none fits the wafer: it cannot be made.</returns>
    public AcceleratorCost? Of(double l2Mebibytes, double hbmGigabytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(l2Mebibytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hbmGigabytes);
        var stacks = Math.Ceiling(hbmGigabytes / this[CostModelFile.HbmStackGigabytes]);
        var area = this[CostModelFile.LogicSquareMillimetres] + (stacks * this[CostModelFile.HbmInterfaceSquareMillimetres])
            + (l2Mebibytes * this[CostModelFile.SramSquareMillimetresPerMebibyte]);
        var dies = Wafer.Dies(this[CostModelFile.WaferDiameterMillimetres], area);
        if (area > this[CostModelFile.ReticleSquareMillimetres] || dies < 1)
            return null;
        var yield = Wafer.Yield(area, this[CostModelFile.DefectsPerSquareCentimetre], this[CostModelFile.DefectClustering]);
        var die = this[CostModelFile.WaferDollars] / (dies * yield);
        return new AcceleratorCost(area, yield, die, die + (hbmGigabytes * this[CostModelFile.HbmDollarsPerGigabyte]) + this[CostModelFile.PackageDollars]);
    }
}

/// <summary>What one accelerator costs.</summary>
/// <param name="DieSquareMillimetres">Area of its die.</param>
/// <param name="DieYield">Part of the dies that work, 0 to 1.</param>
/// <param name="DieDollars">Cost of a working die, in US dollars.</param>
/// <param name="Dollars">Cost of die, memory and package, in US dollars.</param>
public sealed record AcceleratorCost(double DieSquareMillimetres, double DieYield, double DieDollars, double Dollars);

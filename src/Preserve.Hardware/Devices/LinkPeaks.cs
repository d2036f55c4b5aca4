using System;
using System.Globalization;

namespace Preserve;

/// <summary>What named links carry at most, so that a rate in bits, or of both directions, is refused.</summary>
internal static class LinkPeaks
{
    /// <summary>Gigabytes per second in one direction, or null for a link that is not known.</summary>
    /// <param name="kind">A name such as <c>NVLink4</c> or <c>PCIe 5.0 x16</c>, in any case, with or without blanks.</param>
    public static double? GigabytesPerSecondOf(string kind)
    {
        var name = kind.Replace(" ", "").ToUpperInvariant();
        return name switch
        {
            "NVLINK3" => 300,
            "NVLINK4" => 450,
            "NVLINK5" => 900,
            _ => OfPcie(name) ?? OfNetwork(name),
        };
    }

    /// <summary>A network's port is named by its gigabits, as in <c>InfiniBand NDR</c> and <c>400 GbE</c>; several by their number behind it, as in
    /// <c>InfiniBand NDR x2</c>.</summary>
    private static double? OfNetwork(string name)
    {
        const string ethernet = "GBE";
        var portsAt = name.LastIndexOf('X');
        var several = int.TryParse(name.Substring(portsAt + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ports) && portsAt > 0;
        var port = several ? name.Substring(0, portsAt) : name;
        double? gigabits = port switch
        {
            "INFINIBANDEDR" => 100,
            "INFINIBANDHDR" => 200,
            "INFINIBANDNDR" => 400,
            "INFINIBANDXDR" => 800,
            _ when port.EndsWith(ethernet, StringComparison.Ordinal)
                && int.TryParse(port.Substring(0, port.Length - ethernet.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var rate) => rate,
            _ => null,
        };
        return gigabits / 8 * (several ? ports : 1);
    }

    private static double? OfPcie(string kind)
    {
        const string prefix = "PCIE";
        var lanesAt = kind.IndexOf('X');
        if (!kind.StartsWith(prefix, StringComparison.Ordinal) || lanesAt < prefix.Length)
            return null;
        double? perLane = kind.Substring(prefix.Length, lanesAt - prefix.Length) switch
        {
            "3.0" => 1,
            "4.0" => 2,
            "5.0" => 4,
            "6.0" => 8,
            _ => null,
        };
        return int.TryParse(kind.Substring(lanesAt + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var lanes) ? perLane * lanes : null;
    }
}

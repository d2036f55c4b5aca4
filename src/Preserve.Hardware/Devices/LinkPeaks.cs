using System;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;

namespace Preserve;

/// <summary>What named links carry at most, so that a rate in bits, or of both directions, is refused. A name is read as people spell it: in any
/// case, with blanks, hyphens or none, with a generation as <c>4</c>, <c>4.0</c> or <c>Gen4</c>, and with more words behind it.</summary>
internal static class LinkPeaks
{
    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
    private const string Generation = @"[\s_-]*(?:Gen(?:eration)?[\s.-]*|v)?(\d+)(?:\.\d)?(?![\d.])";

    /// <summary>The families of links. A text that names two says of neither what the rate is of.</summary>
    private static readonly Regex _families = new(@"NV[\s-]*Link|PCI|InfiniBand|Ethernet|RoCE|\d[\s-]*GbE|Fabric|HCCS|ICI\b", Options);

    // A number of links alone is no generation.
    private static readonly Regex _nvlink = new(@"NV[\s-]*Link" + Generation + @"(?!\s*-?links?\b)", Options);
    private static readonly Regex _links = new(@"(\d+)[\s-]*links?\b", Options);

    private static readonly Regex _pcie = new(@"PCI(?:[\s-]*Express|-?E)?(?>[\s,_-]*x\s?\d+)?" + Generation, Options);
    private static readonly Regex _lanes = new(@"x\s?(\d+)|(\d+)[\s-]*(?:x\b|lanes?\b)", Options);

    // GB is bytes: only in GbE, which people write in any case, does the case of the b say nothing.
    private static readonly Regex _gigabits = new(@"(\d+)[\s-]*(?:[Gg][Bb][Ee]|[Gg](?:b(?:it)?(?:/s|ps)?)?)(?!(?!x\d)[\w/])", RegexOptions.CultureInvariant);
    private static readonly Regex _infiniBand = new(@"\b(EDR|HDR|NDR|XDR)[\s-]*(\d{2,})?(?!\d)", Options);
    private static readonly Regex _portsBehind = new(@"(?<!Connect)x\s?(\d+)(?!\d|[\s-]*G)", Options);
    private static readonly Regex _portsBefore = new(@"\b(\d+)\s?x", Options);

    /// <summary>Gigabytes per second in one direction, or null for a link that is not known.</summary>
    /// <param name="kind">A name such as <c>NVLink4</c>, <c>PCIe Gen5 x16</c> or <c>InfiniBand NDR x2</c>.</param>
    public static double? GigabytesPerSecondOf(string kind)
    {
        var families = _families.Matches(kind).Cast<Match>().Select(m => FamilyOf(m.Value)).Distinct().ToArray();
        return families.Length == 1 ? families[0](kind) : null;
    }

    private static Func<string, double?> FamilyOf(string name) => char.ToUpperInvariant(name[0]) switch
    {
        'N' => OfNVLink,
        'P' => OfPcie,
        'F' or 'H' => Unknown,
        'I' when name.Length == 3 => Unknown,
        _ => OfNetwork,
    };

    private static double? Unknown(string kind) => null;

    /// <summary>A device has 12, 18 and 18 links of 25, 25 and 50 GB/s in the generations 3 to 5, unless their number is said.</summary>
    private static double? OfNVLink(string kind)
    {
        (int Links, double Rate)? device = NumberOf(_nvlink.Match(kind)) switch
        {
            3 => (12, 25),
            4 => (18, 25),
            5 => (18, 50),
            _ => null,
        };
        return device is { } all ? (NumberOf(_links.Match(kind)) ?? all.Links) * all.Rate : null;
    }

    /// <summary>A slot has 16 lanes, unless their number is said.</summary>
    private static double? OfPcie(string kind)
    {
        double? perLane = NumberOf(_pcie.Match(kind)) switch
        {
            3 => 1,
            4 => 2,
            5 => 4,
            6 => 8,
            _ => null,
        };
        return perLane * (NumberOf(_lanes.Match(kind)) ?? 16);
    }

    /// <summary>A network's port is named by its gigabits, as in <c>InfiniBand NDR</c> and <c>400 GbE</c>; several by their number, as in
    /// <c>InfiniBand NDR x2</c> and <c>8x 400 GbE</c>.</summary>
    private static double? OfNetwork(string kind)
    {
        var generation = _infiniBand.Match(kind);
        // A number behind the generation says the port's own rate: HDR100 has half the lanes of HDR.
        double? gigabits = NumberOf(_gigabits.Match(kind)) ?? (generation.Groups[2].Success ? NumberOf(generation.Groups[2]) : generation.Groups[1].Value.ToUpperInvariant() switch
        {
            "EDR" => 100,
            "HDR" => 200,
            "NDR" => 400,
            "XDR" => 800,
            _ => null,
        });
        return gigabits / 8 * (NumberOf(_portsBehind.Match(kind)) ?? NumberOf(_portsBefore.Match(kind)) ?? 1);
    }

    /// <summary>The number of the first group that has one.</summary>
    private static int? NumberOf(Match match) => match.Groups.Cast<Group>().Skip(1).Select(NumberOf).FirstOrDefault(n => n is not null);

    private static int? NumberOf(Group group) =>
        group.Success && int.TryParse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}

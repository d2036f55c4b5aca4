using System.Text.Json;

namespace Preserve.Exploration;

/// <summary>Cost models as JSON files: every constant with its value, its source, and whether it is assumed.</summary>
public static class CostModelFile
{
    /// <summary>Area of 1 MiB of L2.</summary>
    public const string SramSquareMillimetresPerMebibyte = "sram_square_millimetres_per_mebibyte";

    /// <summary>Area of the die without L2 and HBM interfaces.</summary>
    public const string LogicSquareMillimetres = "logic_square_millimetres";

    /// <summary>Area of the interface and controller of one HBM stack.</summary>
    public const string HbmInterfaceSquareMillimetres = "hbm_interface_square_millimetres";

    /// <summary>Capacity of one HBM stack.</summary>
    public const string HbmStackGigabytes = "hbm_stack_gigabytes";

    /// <summary>Price of HBM.</summary>
    public const string HbmDollarsPerGigabyte = "hbm_dollars_per_gigabyte";

    /// <summary>Cost of package, assembly and test.</summary>
    public const string PackageDollars = "package_dollars";

    /// <summary>Price of a processed wafer.</summary>
    public const string WaferDollars = "wafer_dollars";

    /// <summary>Mean density of defects that kill a die.</summary>
    public const string DefectsPerSquareCentimetre = "defects_per_square_centimetre";

    /// <summary>Clustering of defects.</summary>
    public const string DefectClustering = "defect_clustering";

    /// <summary>Diameter of a wafer.</summary>
    public const string WaferDiameterMillimetres = "wafer_diameter_millimetres";

    /// <summary>Area of the largest die that can be exposed.</summary>
    public const string ReticleSquareMillimetres = "reticle_square_millimetres";

    private const string Header = "preserve_cost_model";
    private const string BuiltIn = "7nm-hbm2e.cost.json";

    private static readonly Dictionary<string, (double Least, double Most)> _bounds = new(StringComparer.Ordinal)
    {
        [SramSquareMillimetresPerMebibyte] = (0.01, 100),
        [LogicSquareMillimetres] = (1, 10_000),
        [HbmInterfaceSquareMillimetres] = (0, 200),
        [HbmStackGigabytes] = (1, 1024),
        [HbmDollarsPerGigabyte] = (0, 1000),
        [PackageDollars] = (0, 100_000),
        [WaferDollars] = (100, 1_000_000),
        [DefectsPerSquareCentimetre] = (0, 10),
        [DefectClustering] = (0.1, 1000),
        [WaferDiameterMillimetres] = (100, 450),
        [ReticleSquareMillimetres] = (10, 100_000),
    };

    /// <summary>The names of all constants; a file has each of them.</summary>
    public static IReadOnlyCollection<string> Names => _bounds.Keys;

    /// <summary>The text of the built-in model.</summary>
    public static string DefaultText
    {
        get
        {
            using var stream = typeof(CostModelFile).Assembly.GetManifestResourceStream(BuiltIn)!;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }

    /// <summary>The built-in model: a die of a 7 nm class process with HBM2E.</summary>
    public static CostModel Default => Parse(DefaultText);

    /// <summary>Reads a model.</summary>
    /// <param name="json">The text of the file.</param>
    /// <exception cref="FormatException">The text is not JSON, a constant is missing, unknown, given twice, out of its bounds, or has no
    /// source. The message names the constant, the value, and the bound.</exception>
    public static CostModel Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = Members(document.RootElement, "the file", [Header, "name", "constants"]);
            if (root[Header].ValueKind != JsonValueKind.Number || !root[Header].TryGetInt32(out var version) || version != 1)
                throw new FormatException($"{Header} is {root[Header].GetRawText()}, but must be 1");
            var constants = Members(root["constants"], "constants", [.. Names]);
            return new CostModel(Text(root["name"], "name"), [.. Names.Select(n => Constant(n, constants[n]))]);
        }
        catch (JsonException e)
        {
            throw new FormatException($"it is not JSON: {e.Message}", e);
        }
    }

    private static CostConstant Constant(string name, JsonElement element)
    {
        var members = Members(element, name, ["value", "assumed", "source"]);
        var (least, most) = _bounds[name];
        if (members["value"].ValueKind != JsonValueKind.Number || !members["value"].TryGetDouble(out var value) || !(value >= least && value <= most))
            throw new FormatException(FormattableString.Invariant($"{name}.value is {members["value"].GetRawText()}, but must be a number from {least} to {most}"));
        if (members["assumed"].ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw new FormatException($"{name}.assumed is {members["assumed"].GetRawText()}, but must be true or false");
        return new CostConstant(name, value, members["assumed"].GetBoolean(), Text(members["source"], $"{name}.source"));
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is { } text && !string.IsNullOrWhiteSpace(text)
            ? text
            : throw new FormatException($"{name} is {element.GetRawText()}, but must be a text that is not empty");

    /// <summary>The members of an object that has each of these names once, and no other.</summary>
    private static Dictionary<string, JsonElement> Members(JsonElement element, string name, IReadOnlyCollection<string> names)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new FormatException($"{name} is {element.GetRawText()}, but must be an object with {string.Join(", ", names)}");
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (!names.Contains(member.Name))
                throw new FormatException($"{name} has '{member.Name}', which is none of {string.Join(", ", names)}");
            if (!members.TryAdd(member.Name, member.Value))
                throw new FormatException($"{name} has '{member.Name}' twice");
        }
        return names.FirstOrDefault(n => !members.ContainsKey(n)) is { } missing
            ? throw new FormatException($"{name} has no '{missing}'")
            : members;
    }
}

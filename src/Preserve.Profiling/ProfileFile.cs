using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Preserve.Profiling;

/// <summary>A profile as a JSON file.</summary>
public static class ProfileFile
{
    /// <summary>What its field <c>format</c> says.</summary>
    public const string Format = "preserve profile 1";

    /// <summary>Writes a profile.</summary>
    /// <param name="profile">The profile.</param>
    public static string Write(SplitProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return JsonSerializer.Serialize(new Document(Format, profile.Source, profile.Measured, profile.Copies, profile.MatMuls), ProfileContext.Default.Document) + "\n";
    }

    /// <summary>Reads a profile.</summary>
    /// <param name="json">The text of the file.</param>
    /// <exception cref="FormatException">It is not a profile, or a value of it cannot be.</exception>
    public static SplitProfile Read(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        Document document;
        try
        {
            document = JsonSerializer.Deserialize(json, ProfileContext.Default.Document) ?? throw new FormatException("the profile is null");
        }
        catch (JsonException e)
        {
            throw new FormatException($"the profile is not sound at {e.Path}, line {e.LineNumber + 1}: {e.Message}", e);
        }
        if (document.Format != Format)
            throw new FormatException($"the profile's format is '{document.Format}', but must be '{Format}'");
        for (var i = 0; i < document.Copies.Count; i++)
            Check($"copies[{i}]", document.Copies[i].Time, ("bytes", document.Copies[i].Bytes));
        for (var i = 0; i < document.MatMuls.Count; i++)
        {
            var m = document.MatMuls[i];
            Check($"matMuls[{i}]", m.Time, ("batch", m.Shape.Batch), ("hidden", m.Shape.Hidden), ("keyValueWidth", m.Shape.KeyValueWidth), ("tokens", m.Tokens));
        }
        return new(document.Source, document.Measured, document.Copies, document.MatMuls);
    }

    private static void Check(string where, Timing time, params (string Name, long Value)[] sizes)
    {
        foreach (var (name, value) in sizes)
        {
            if (value < 1)
                throw new FormatException($"{name} of {where} is {value}, but must be 1 or more");
        }
        foreach (var (name, value) in new[] { ("medianMicroseconds", time.MedianMicroseconds), ("lowMicroseconds", time.LowMicroseconds), ("highMicroseconds", time.HighMicroseconds) })
        {
            if (!(value > 0 && double.IsFinite(value)))
                throw new FormatException($"{name} of {where} is {value.ToString(CultureInfo.InvariantCulture)}, but must be a number above 0");
        }
        if (time.LowMicroseconds > time.MedianMicroseconds || time.MedianMicroseconds > time.HighMicroseconds)
            throw new FormatException($"the median of {where} is {time.MedianMicroseconds}, outside of {time.LowMicroseconds} to {time.HighMicroseconds}");
    }

    internal sealed record Document(
        string Format, ProfileSource Source, string Measured, IReadOnlyList<CopyTiming> Copies, IReadOnlyList<MatMulTiming> MatMuls);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, IgnoreReadOnlyProperties = true, NewLine = "\n")]
[JsonSerializable(typeof(ProfileFile.Document))]
internal sealed partial class ProfileContext : JsonSerializerContext;

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
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"the profile is not sound at {e.Path}, line {e.LineNumber + 1}: {e.Message}"), e);
        }
        if (document.Format != Format)
            throw new FormatException($"the profile's format is '{document.Format}', but must be '{Format}'");
        Check(document.Source);
        if (!SplitProfile.IsTime(document.Measured))
            throw new FormatException($"measured is '{document.Measured}', but must be a time in UTC, such as 2026-01-31T12:00:00Z");
        for (var i = 0; i < document.Copies.Count; i++)
            Check($"copies[{i}]", document.Copies[i]);
        for (var i = 0; i < document.MatMuls.Count; i++)
            Check($"matMuls[{i}]", document.MatMuls[i]);
        return new(document.Source, document.Measured, document.Copies, document.MatMuls);
    }

    private static void Check(ProfileSource source)
    {
        if (source.Kind is not ("model" or "machine"))
            throw new FormatException($"kind of source is '{source.Kind}', but must be 'model' or 'machine'");
        AtLeast("processors", "source", source.Processors, 0);
    }

    // The reader takes null where an element of a list may not be null, and any number for a direction.
    private static void Check(string where, CopyTiming? copy)
    {
        if (copy is null)
            throw new FormatException($"{where} is null, but must be a copy");
        if (!Enum.IsDefined(copy.Kind.Direction))
            throw new FormatException($"direction of {where} is {copy.Kind.Direction}, but must be {string.Join(" or ", Enum.GetNames<TransferDirection>())}");
        AtLeast("bytes", where, copy.Bytes, 1);
        Check(where, copy.Time);
    }

    private static void Check(string where, MatMulTiming? matMul)
    {
        if (matMul is null)
            throw new FormatException($"{where} is null, but must be a matmul");
        AtLeast("batch", where, matMul.Shape.Batch, 1);
        AtLeast("hidden", where, matMul.Shape.Hidden, 1);
        AtLeast("keyValueWidth", where, matMul.Shape.KeyValueWidth, 1);
        AtLeast("tokens", where, matMul.Tokens, 1);
        try
        {
            matMul.Shape.Rows(matMul.Tokens);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"{where}: {e.Message}", e);
        }
        Check(where, matMul.Time);
    }

    private static void Check(string where, Timing time)
    {
        foreach (var (name, value) in new[] { ("medianMicroseconds", time.MedianMicroseconds), ("lowMicroseconds", time.LowMicroseconds), ("highMicroseconds", time.HighMicroseconds) })
        {
            if (!(value > 0 && double.IsFinite(value)))
                throw new FormatException($"{name} of {where} is {Text(value)}, but must be a number above 0");
        }
        if (time.LowMicroseconds > time.MedianMicroseconds || time.MedianMicroseconds > time.HighMicroseconds)
            throw new FormatException($"the median of {where} is {Text(time.MedianMicroseconds)}, outside of {Text(time.LowMicroseconds)} to {Text(time.HighMicroseconds)}");
        AtLeast("repetitions", where, time.Repetitions, 1);
    }

    private static void AtLeast(string name, string where, long value, long least)
    {
        if (value < least)
            throw new FormatException($"{name} of {where} is {value.ToString(CultureInfo.InvariantCulture)}, but must be {least} or more");
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    internal sealed record Document(
        string Format, ProfileSource Source, string Measured, IReadOnlyList<CopyTiming> Copies, IReadOnlyList<MatMulTiming> MatMuls);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, IgnoreReadOnlyProperties = true, NewLine = "\n")]
[JsonSerializable(typeof(ProfileFile.Document))]
internal sealed partial class ProfileContext : JsonSerializerContext;

using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Preserve.Cpu;

/// <summary>The header of a safetensors file (github.com/huggingface/safetensors, "Format"): eight bytes of its length, little-endian, then JSON.</summary>
/// <remarks>All of it is checked before a byte of a tensor is read: every tensor within the file, none over another, none of the file without one, each as
/// long as its shape and type say.</remarks>
internal static class SafetensorsHeader
{
    /// <summary>Bytes of the length in front.</summary>
    public const int LengthBytes = 8;

    /// <summary>Longest header, in bytes: that of the format's own reader.</summary>
    public const long MostBytes = 100_000_000;

    private const int MostDepth = 4;
    private const int MostDimensions = 16;
    private const string Metadata = "__metadata__";

    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Length of the header, from the first bytes of a file.</summary>
    /// <param name="start">The first bytes, as many as there are of eight.</param>
    /// <param name="fileBytes">Length of the file.</param>
    /// <exception cref="SafetensorsException">The header does not fit the file.</exception>
    public static int LengthOf(ReadOnlySpan<byte> start, long fileBytes)
    {
        if (start.Length < LengthBytes)
            throw new SafetensorsException($"the file has {fileBytes} bytes, and its first {LengthBytes} are the header's length");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MostBytes)
            throw new SafetensorsException($"the header is said to have {length} bytes, and the format allows {MostBytes}");
        return (long)length <= fileBytes - LengthBytes
            ? (int)length
            : throw new SafetensorsException($"the header is said to have {length} bytes, and only {fileBytes - LengthBytes} follow");
    }

    /// <summary>Reads a header and checks it.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataBytes">Bytes of the file behind it.</param>
    /// <returns>The tensors, by their place in the file.</returns>
    /// <exception cref="SafetensorsException">Something is wrong; the message names the tensor.</exception>
    public static IReadOnlyList<SafetensorsTensor> Parse(ReadOnlySpan<byte> json, long dataBytes)
    {
        if (json.IsEmpty || json[0] != '{')
            throw new SafetensorsException("the header does not begin with '{'");
        var tensors = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
        string? current = null;
        var hasMetadata = false;
        try
        {
            _ = s_strict.GetCharCount(json);
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MostDepth });
            reader.Read();
            while (Next(ref reader) == JsonTokenType.PropertyName)
            {
                current = reader.GetString()!;
                if (current == Metadata)
                {
                    if (hasMetadata)
                        throw new SafetensorsException($"'{Metadata}' stands in the header twice");
                    ReadMetadata(ref reader);
                    hasMetadata = true;
                    continue;
                }
                var tensor = ReadTensor(ref reader, current);
                if (!tensors.TryAdd(current, tensor))
                    throw Bad(current, "stands in the header twice");
            }
            // Blanks may pad the header; anything else behind the object is refused by the reader.
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            throw new SafetensorsException(current is null ? "the header is no JSON" : $"the header is no JSON at or behind tensor '{Printable(current)}'", e);
        }
        return Placed(tensors.Values, dataBytes);
    }

    /// <summary>Bits of an element of a type; null for a type that the format does not have.</summary>
    public static int? ElementBits(string type) => type switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" or "C64" => 64,
        _ => null,
    };

    /// <summary>A name without what would spoil a message.</summary>
    public static string Printable(string name)
    {
        var text = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
            text.Append(IsPrintable(rune) ? rune.ToString() : "?");
        return text.Length <= 200 ? text.ToString() : $"{text.ToString(0, char.IsHighSurrogate(text[199]) ? 199 : 200)}...";
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (Next(ref reader) != JsonTokenType.StartObject)
            throw Bad(name, "is no object");
        string? type = null;
        long[]? shape = null, offsets = null;
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            switch (reader.GetString())
            {
                case "dtype" when type is null:
                    type = Next(ref reader) == JsonTokenType.String ? reader.GetString()! : throw Bad(name, "has a dtype that is no string");
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, "shape", MostDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, "data_offsets", 2);
                    break;
                case var field:
                    throw Bad(name, field is "dtype" or "shape" or "data_offsets" ? $"has '{field}' twice" : $"has a field '{Printable(field!)}', which the format does not have");
            }
        }
        if (type is null || shape is null || offsets is null)
            throw Bad(name, $"has no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        if (offsets.Length != 2)
            throw Bad(name, $"has {offsets.Length} data_offsets, and the format wants begin and end");
        Int128 bits = ElementBits(type) ?? throw Bad(name, $"is of type '{Printable(type)}', which the format does not have");
        foreach (var size in shape)
        {
            if (size != 0 && bits > (Int128)long.MaxValue * 8 / size)
                throw Bad(name, "has a shape whose bytes do not fit 64 bits");
            bits *= size;
        }
        var (bytes, rest) = Int128.DivRem(bits, 8);
        if (rest != 0)
            throw Bad(name, $"has {bits} bits by its shape and type, which are no whole bytes");
        if (offsets[1] < offsets[0])
            throw Bad(name, $"ends at byte {offsets[1]}, before it begins at {offsets[0]}");
        return offsets[1] - offsets[0] == bytes
            ? new SafetensorsTensor(name, type, shape, offsets[0], offsets[1])
            : throw Bad(name, $"takes {offsets[1] - offsets[0]} bytes, and its shape and type {bytes}");
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string name, string field, int most)
    {
        if (Next(ref reader) != JsonTokenType.StartArray)
            throw Bad(name, $"has a {field} that is no array");
        var numbers = new List<long>();
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Bad(name, $"has a {field} with something else than whole numbers from 0 to {long.MaxValue}");
            if (numbers.Count == most)
                throw Bad(name, $"has a {field} of more than {most} numbers");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (Next(ref reader) != JsonTokenType.StartObject)
            throw new SafetensorsException($"'{Metadata}' is no object");
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (!keys.Add(key))
                throw new SafetensorsException($"'{Metadata}' has '{Printable(key)}' twice");
            if (Next(ref reader) != JsonTokenType.String)
                throw new SafetensorsException($"'{Metadata}' has a value that is no string");
        }
    }

    /// <summary>The tensors by their place: they fill the file, each where the one before ends.</summary>
    private static List<SafetensorsTensor> Placed(IEnumerable<SafetensorsTensor> tensors, long dataBytes)
    {
        var placed = tensors.OrderBy(t => t.Begin).ThenBy(t => t.End).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        var end = 0L;
        SafetensorsTensor? before = null;
        foreach (var tensor in placed)
        {
            if (tensor.End > dataBytes)
                throw Bad(tensor.Name, $"ends at byte {tensor.End}, and the file has {dataBytes} behind its header");
            if (tensor.Begin < end)
                throw Bad(tensor.Name, $"begins at byte {tensor.Begin}, within '{Printable(before!.Name)}', which ends at {end}");
            if (tensor.Begin > end)
                throw Bad(tensor.Name, $"begins at byte {tensor.Begin}, and bytes [{end}, {tensor.Begin}) before it belong to no tensor");
            (end, before) = (tensor.End, tensor);
        }
        return end == dataBytes
            ? placed
            : throw new SafetensorsException($"{dataBytes - end} bytes behind {(before is null ? "the header" : $"the last tensor, '{Printable(before.Name)}',")} belong to no tensor");
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new JsonException();

    private static SafetensorsException Bad(string name, string what) => new($"tensor '{Printable(name)}' {what}");
}

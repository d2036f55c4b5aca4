using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Preserve.Cpu;

namespace Preserve.Fuzz;

/// <summary>Opens damaged safetensors files, and holds that an error is one of those that there are, and that what it says is so: the tensor that it names and the numbers
/// that it tells are those of the file.</summary>
internal static class SafetensorsFaults
{
    private const string Tensor = "tensor '(.*)' ";

    /// <summary>Every error that a header can have, and when it is right, by what stands in its brackets.</summary>
    private static readonly (Regex Text, Func<Header, string[], bool> IsRight)[] s_faults =
    [
        Fault("the file has (.*) bytes, and its first 8 are the header's length", (h, said) => said[0] == Text(h.FileBytes) && h.FileBytes < 8),
        Fault("the header is said to have (.*) bytes, and the format allows 100000000", (h, said) => said[0] == Text(h.Length) && h.Length > 100_000_000),
        Fault("the header is said to have (.*) bytes, and only (.*) follow", (h, said) => said[0] == Text(h.Length) && said[1] == Text(h.FileBytes - 8) && h.Length > (ulong)h.FileBytes - 8),
        Fault("the header does not begin with '{'", (h, _) => !h.HasBrace),
        Fault("the header is no JSON", (h, _) => !h.IsJson),
        Fault("the header is no JSON at or behind tensor '(.*)'", (h, said) => !h.IsJson && h.Names.Contains(said[0])),
        Fault("'(__metadata__)' stands in the header twice", (h, said) => h.Names.Count(n => n == said[0]) > 1),
        Fault("'(__metadata__)' is no object", (h, said) => h.Any(said[0], e => e.ValueKind != JsonValueKind.Object)),
        Fault("'(__metadata__)' has '(.*)' twice", (h, said) => h.Any(said[0], e => Named(e, said[1]).Count() > 1)),
        Fault("'(__metadata__)' has a value that is no string", (h, said) => h.Any(said[0], e => e.EnumerateObject().Any(p => p.Value.ValueKind != JsonValueKind.String))),
        Fault($"{Tensor}stands in the header twice", (h, said) => h.Names.Count(n => n == said[0]) > 1),
        Fault($"{Tensor}is no object", (h, said) => h.Any(said[0], e => e.ValueKind != JsonValueKind.Object)),
        Fault($"{Tensor}has a dtype that is no string", (h, said) => h.Any(said[0], e => Named(e, "dtype").Any(v => v.ValueKind != JsonValueKind.String))),
        Fault($"{Tensor}has '(dtype|shape|data_offsets)' twice", (h, said) => h.Any(said[0], e => Named(e, said[1]).Count() > 1)),
        Fault($"{Tensor}has a field '(.*)', which the format does not have", (h, said) => h.Any(said[0], e => Named(e, said[1]).Any() && said[1] is not ("dtype" or "shape" or "data_offsets"))),
        Fault($"{Tensor}has no (dtype|shape|data_offsets)", (h, said) => h.Any(said[0], e => !Named(e, said[1]).Any())),
        Fault($"{Tensor}has (\\d+) data_offsets, and the format wants begin and end", (h, said) => h.Any(said[0], e => Numbers(e, "data_offsets").Length is var n and not 2 && said[1] == Text(n))),
        Fault($"{Tensor}is of type '(.*)', which the format does not have", (h, said) => h.Any(said[0], e => Named(e, "dtype").Any(v => SafetensorsHeader.Printable(v.GetString()!) == said[1]))),
        Fault($"{Tensor}has a shape whose bytes do not fit 64 bits", (h, said) => h.Any(said[0], e => Bits(e) > (BigInteger)long.MaxValue * 8 || Numbers(e, "shape").Contains(0))),
        Fault($"{Tensor}has (\\d+) bits by its shape and type, which are no whole bytes", (h, said) => h.Any(said[0], e => said[1] == Text(Bits(e)) && Bits(e) % 8 != 0)),
        Fault($"{Tensor}ends at byte (\\d+), before it begins at (\\d+)", (h, said) => h.Any(said[0], e => Offsets(e, said[2], said[1]) && Numbers(e, "data_offsets")[1] < Numbers(e, "data_offsets")[0])),
        Fault($"{Tensor}takes (\\d+) bytes, and its shape and type (\\d+)", (h, said) => h.Any(said[0], e => said[1] != said[2] && said[1] == Text(Taken(e)) && said[2] == Text(Bits(e) / 8))),
        Fault($"{Tensor}has a (shape|data_offsets) that is no array", (h, said) => h.Any(said[0], e => Named(e, said[1]).Any(v => v.ValueKind != JsonValueKind.Array))),
        Fault($"{Tensor}has a (shape|data_offsets) with something else than whole numbers from 0 to 9223372036854775807",
            (h, said) => h.Any(said[0], e => Named(e, said[1]).Any(v => v.EnumerateArray().Any(n => n.ValueKind != JsonValueKind.Number || !n.TryGetInt64(out var whole) || whole < 0)))),
        Fault($"{Tensor}has a (shape|data_offsets) of more than (2|16) numbers", (h, said) => h.Any(said[0], e => Named(e, said[1]).Any(v => v.GetArrayLength() > (said[1] == "shape" ? 16 : 2)))),
        Fault($"{Tensor}ends at byte (\\d+), and the file has (\\d+) behind its header", (h, said) => said[2] == Text(h.DataBytes) && h.Any(said[0], e => Offsets(e, null, said[1]) && Numbers(e, "data_offsets")[1] > h.DataBytes)),
        Fault($"{Tensor}begins at byte (\\d+), within '(.*)', which ends at (\\d+)", (h, said) => h.Any(said[0], e => Offsets(e, said[1], null)) && h.Any(said[2], e => Offsets(e, null, said[3]))),
        Fault($"{Tensor}begins at byte (\\d+), and bytes \\[(\\d+), (\\d+)\\) before it belong to no tensor", (h, said) => said[1] == said[3] && h.Any(said[0], e => Offsets(e, said[1], null))),
        Fault("(\\d+) bytes behind the header belong to no tensor", (h, said) => said[0] == Text(h.DataBytes) && h.Names.All(n => n == "__metadata__")),
        Fault("(\\d+) bytes behind the last tensor, '(.*)', belong to no tensor", (h, said) => h.Any(said[1], e => said[0] == Text(h.DataBytes - Numbers(e, "data_offsets")[1]))),
    ];

    /// <summary>Opens a file.</summary>
    /// <param name="folder">Where it is written.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="check">Looks at what was opened.</param>
    /// <returns>The error; none where it was opened.</returns>
    /// <exception cref="InvalidOperationException">The error is none that there is, or what it says is not so.</exception>
    public static IReadOnlyList<string> Open(string folder, byte[] file, Action<SafetensorsFile> check)
    {
        var path = Path.Combine(folder, "damaged.safetensors");
        File.WriteAllBytes(path, file);
        try
        {
            using var opened = SafetensorsFile.Open(path);
            check(opened);
            return [];
        }
        catch (SafetensorsException e)
        {
            if (!IsRight(e.Message, file))
                throw new InvalidOperationException($"an error that names no fault, or not the file's: {e.Message}", e);
            return [e.Message];
        }
    }

    /// <summary>Whether an error is one that there is, and what it says of a file is so.</summary>
    public static bool IsRight(string error, byte[] file)
    {
        var header = new Header(file);
        return s_faults.Any(f => f.Text.Match(error) is { Success: true } match && f.IsRight(header, [.. match.Groups.Values.Skip(1).Select(g => g.Value)]));
    }

    private static (Regex Text, Func<Header, string[], bool> IsRight) Fault(string text, Func<Header, string[], bool> isRight) => (new Regex($"^{text}$", RegexOptions.CultureInvariant), isRight);

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

    private static IEnumerable<JsonElement> Named(JsonElement tensor, string field) =>
        tensor.ValueKind != JsonValueKind.Object ? [] : tensor.EnumerateObject().Where(p => SafetensorsHeader.Printable(p.Name) == field).Select(p => p.Value);

    private static long[] Numbers(JsonElement tensor, string field) => [.. Named(tensor, field).First().EnumerateArray().Select(n => n.GetInt64())];

    private static bool Offsets(JsonElement tensor, string? begin, string? end) =>
        Numbers(tensor, "data_offsets") is [var first, var last] && (begin ?? Text(first)) == Text(first) && (end ?? Text(last)) == Text(last);

    private static long Taken(JsonElement tensor) => Numbers(tensor, "data_offsets") is [var first, var last] ? last - first : -1;

    private static BigInteger Bits(JsonElement tensor) =>
        Numbers(tensor, "shape").Aggregate((BigInteger)(SafetensorsHeader.ElementBits(Named(tensor, "dtype").First().GetString()!) ?? 0), (bits, size) => bits * size);

    /// <summary>What a file is, read without the reader that is tried.</summary>
    private sealed class Header
    {
        private readonly List<(string Name, JsonElement Value)> _members = [];

        public Header(byte[] file)
        {
            FileBytes = file.Length;
            if (file.Length < 8)
                return;
            Length = BinaryPrimitives.ReadUInt64LittleEndian(file);
            var json = file.AsMemory(8, (int)Math.Min(Length, (ulong)file.Length - 8));
            DataBytes = file.Length - 8 - json.Length;
            HasBrace = json.Length > 0 && json.Span[0] == '{';
            try
            {
                var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(json.Span);
                using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 4 });
                foreach (var member in document.RootElement.Clone().EnumerateObject())
                {
                    Decode(member.Value);
                    _members.Add((SafetensorsHeader.Printable(member.Name), member.Value));
                }
                IsJson = true;
            }
            catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
            {
                _members.Clear();
            }
            Names = IsJson ? [.. _members.Select(m => m.Name)] : NamesOf(json.Span);
        }

        public long FileBytes { get; }

        public ulong Length { get; }

        public long DataBytes { get; }

        public bool HasBrace { get; }

        public bool IsJson { get; }

        /// <summary>The names that stand in it, as far as it can be read.</summary>
        public List<string> Names { get; } = [];

        /// <summary>Whether something is so of one of the members of a name. Of a header that is no JSON from some place on, only that there is one.</summary>
        public bool Any(string name, Func<JsonElement, bool> isSo) => IsJson ? _members.Any(m => m.Name == name && isSo(m.Value)) : Names.Contains(name);

        /// <summary>Reads every string and every name, which throws where one is no text.</summary>
        private static void Decode(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    _ = element.GetString();
                    break;
                case JsonValueKind.Array:
                    foreach (var item in element.EnumerateArray())
                        Decode(item);
                    break;
                case JsonValueKind.Object:
                    foreach (var member in element.EnumerateObject())
                    {
                        _ = member.Name;
                        Decode(member.Value);
                    }
                    break;
            }
        }

        private static List<string> NamesOf(ReadOnlySpan<byte> json)
        {
            var names = new List<string>();
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            try
            {
                while (reader.Read())
                {
                    if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
                        names.Add(SafetensorsHeader.Printable(reader.GetString()!));
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // The names before it are known.
            }
            return names;
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using Preserve.Cpu;

namespace Preserve.Fuzz;

/// <summary>Safetensors files with damaged headers: each is opened as a file is, and gives tensors that can be read to their last element, or an error
/// that names the fault.</summary>
/// <param name="folder">Where the file that is opened is written.</param>
internal sealed class SafetensorsFuzz(string folder) : FuzzTarget("safetensors")
{
    private static readonly string[] s_keys =
    [
        "__metadata__", "a.weight", "b.weight", "c", "d", "dtype", "shape", "data_offsets", "", "a\\u0000b", "\\ud83d\\ude00", "x\\u202ey",
    ];

    private static readonly string[] s_numbers = ["0", "1", "2", "3", "24", "25", "-1", "1.5", "1e3", "4294967296", "9223372036854775807", "9223372036854775808", "null", "\"2\"", "[2]"];

    private static readonly string[] s_types = ["F32", "BF16", "F16", "F64", "I64", "BOOL", "U8", "F8_E4M3", "f32", "FLOAT", "", "F32 "];

    private const string Sound = """
        {
        "__metadata__": {"format": "pt"},
        "a.weight": {
        "dtype": "F32",
        "shape": [2, 3],
        "data_offsets": [0, 24]
        },
        "b.weight": {
        "dtype": "BF16",
        "shape": [5],
        "data_offsets": [24, 34]
        },
        "c": {
        "dtype": "F16",
        "shape": [],
        "data_offsets": [34, 36]
        },
        "d": {
        "dtype": "U8",
        "shape": [0, 7],
        "data_offsets": [36, 36]
        }
        }
        """;

    public override byte[] Next(Random random)
    {
        var lines = Sound.ReplaceLineEndings("\n").Split('\n');
        for (var times = random.Next(3); times > 0; times--)
        {
            var at = random.Next(lines.Length);
            if (lines[at].StartsWith("\"dtype\"", StringComparison.Ordinal))
                lines[at] = $"\"dtype\": \"{s_types[random.Next(s_types.Length)]}\",";
            else if (lines[at].Contains("[", StringComparison.Ordinal))
                lines[at] = $"{lines[at][..lines[at].IndexOf('[', StringComparison.Ordinal)]}[{string.Join(", ", Enumerable.Range(0, random.Next(4)).Select(_ => s_numbers[random.Next(s_numbers.Length)]))}]{(lines[at].EndsWith(',') ? "," : "")}";
        }
        var text = string.Join('\n', lines);
        var header = random.Next(3) == 0 ? Damage.Encode(Damage.Members(text, s_keys, random), random) : Encoding.UTF8.GetBytes(text);
        var data = random.Next(6) == 0 ? random.Next(80) : 36;
        var file = new byte[8 + header.Length + data];
        var length = random.Next(8) switch
        {
            0 => (ulong)random.NextInt64(),
            1 => (ulong)(header.Length + random.Next(-3, 4)),
            _ => (ulong)header.Length,
        };
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        header.CopyTo(file, 8);
        random.NextBytes(file.AsSpan(8 + header.Length));
        return random.Next(20) == 0 ? file[..random.Next(file.Length)] : file;
    }

    public override IReadOnlyList<string> Read(byte[] file) => SafetensorsFaults.Open(folder, file, opened =>
    {
        if (opened.Tensors.Sum(t => t.End - t.Begin) > file.Length - 8)
            throw new InvalidOperationException("the tensors have more bytes than the file");
        foreach (var tensor in opened.Tensors)
            ReadAll(opened, tensor);
    });

    private static void ReadAll(SafetensorsFile file, SafetensorsTensor tensor)
    {
        var values = new float[tensor.Elements];
        if (tensor.Type is "F32" or "F16" or "BF16")
            file.Read(tensor, 0, values);
        try
        {
            file.Read(tensor, 1, values);
        }
        catch (ArgumentOutOfRangeException)
        {
            return;
        }
        throw new InvalidOperationException($"an element behind the last of '{tensor.Name}' was read");
    }
}

using System.Buffers.Binary;
using Preserve.Fuzz;

namespace Preserve.Cpu.Tests;

/// <summary>Safetensors files of which each is damaged, and what must hold of those that are sound all the same: every tensor lies in the file behind the header, and
/// its values are the file's bytes.</summary>
/// <param name="files">Makes the files; some are not damaged, and are left out.</param>
/// <param name="folder">Where a file that is opened is written.</param>
internal sealed class DamagedHeaders(FuzzTarget files, string folder) : FuzzTarget(files.Name)
{
    private static readonly (string Name, string Type, long Begin, long End)[] s_sound =
        [("a.weight", "F32", 0, 24), ("b.weight", "BF16", 24, 34), ("c", "F16", 34, 36), ("d", "U8", 36, 36)];

    /// <summary>Files that were not damaged.</summary>
    public int LeftOut { get; private set; }

    public override byte[] Next(Random random)
    {
        while (true)
        {
            var file = files.Next(random);
            if (!IsSound(file))
                return file;
            LeftOut++;
        }
    }

    public override IReadOnlyList<string> Read(byte[] file) => SafetensorsFaults.Open(folder, file, opened =>
    {
        var data = file.AsSpan(8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        if (opened.Tensors.Sum(t => t.End - t.Begin) != data.Length)
            throw new InvalidOperationException($"the tensors have other bytes than the {data.Length} behind the header");
        foreach (var tensor in opened.Tensors)
            Check(opened, tensor, data);
    });

    /// <summary>Whether the file has the tensors of the one that is damaged: a change of its metadata or blanks does not count.</summary>
    private static bool IsSound(byte[] file)
    {
        try
        {
            var length = SafetensorsHeader.LengthOf(file.AsSpan(0, Math.Min(8, file.Length)), file.Length);
            var tensors = SafetensorsHeader.Parse(file.AsSpan(8, length), file.Length - 8 - length);
            return tensors.Select(t => (t.Name, t.Type, t.Begin, t.End)).SequenceEqual(s_sound);
        }
        catch (SafetensorsException)
        {
            return false;
        }
    }

    private static void Check(SafetensorsFile file, SafetensorsTensor tensor, ReadOnlySpan<byte> data)
    {
        if (tensor.Begin < 0 || tensor.End < tensor.Begin || tensor.End > data.Length)
            throw new InvalidOperationException($"'{tensor.Name}' has bytes [{tensor.Begin}, {tensor.End}) of {data.Length}");
        var bytes = data[(int)tensor.Begin..(int)tensor.End];
        if (SafetensorsHeader.ElementBits(tensor.Type) is not { } bits || tensor.Elements * bits != 8L * bytes.Length)
            throw new InvalidOperationException($"'{tensor.Name}' has {tensor.Elements} elements of {tensor.Type} in {bytes.Length} bytes");
        var (size, values) = (bits / 8, new float[tensor.Elements]);
        if (tensor.Type is "F32" or "F16" or "BF16")
        {
            file.Read(tensor, 0, values);
            for (var i = 0; i < values.Length; i++)
            {
                var element = bytes.Slice(i * size, size);
                var expected = tensor.Type switch
                {
                    "F32" => BinaryPrimitives.ReadSingleLittleEndian(element),
                    "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
                    _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(element) << 16),
                };
                if (BitConverter.SingleToInt32Bits(values[i]) != BitConverter.SingleToInt32Bits(expected))
                    throw new InvalidOperationException($"element {i} of '{tensor.Name}' was read as {values[i]}, and is {expected}");
            }
        }
        foreach (var (first, count) in new[] { (1L, values.Length), (-1L, 0), (0L, values.Length + 1), (long.MaxValue, 1) })
        {
            try
            {
                file.Read(tensor, first, new float[count]);
            }
            catch (ArgumentOutOfRangeException)
            {
                continue;
            }
            if (first != values.Length || count > 0)
                throw new InvalidOperationException($"{count} elements from {first} on were read of '{tensor.Name}', which has {values.Length}");
        }
    }
}

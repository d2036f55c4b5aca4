using System.Globalization;
using System.Text;

namespace Preserve.Fuzz;

/// <summary>Damages files at random: lines of JSON with one member on each, and bytes of anything.</summary>
internal static class Damage
{
    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "-0", "1", "-1", "2", "3", "64", "65537", "1048577", "2147483647", "2147483648", "-2147483649", "9223372036854775808",
        "1e308", "1e309", "-1e999", "0.5", "4096.0", "1e-400", "NaN", "Infinity", "-Infinity", "0x10", "01", "+1", ".5", "\"\"", "\"4096\"", "\"gelu\"", "\"relu\"",
        "\"sliding_attention\"", "\"\\ud800\"", "\"\\u0000\"", "\"\u202e\"", "'x'", "[]", "{}", "[1, 0]", "[\"full_attention\"]", "[[[[]]]]", "{\"a\": {\"a\": 1}}", "",
    ];

    /// <summary>Text as bytes; one file in three has its bytes damaged.</summary>
    public static byte[] Encode(string text, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return random.Next(3) == 0 ? Bytes(bytes, random) : bytes;
    }

    /// <summary>Changes up to three lines of a JSON text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="keys">Names that members may be given.</param>
    /// <param name="random">What decides.</param>
    public static string Members(string text, string[] keys, Random random)
    {
        for (var times = random.Next(4); times > 0; times--)
            text = Member(text, keys, random);
        return text;
    }

    private static string Member(string text, string[] keys, Random random)
    {
        var lines = text.Split('\n').ToList();
        var at = random.Next(lines.Count);
        var colon = lines[at].IndexOf(':', StringComparison.Ordinal);
        switch (random.Next(8))
        {
            case 0 or 1 or 2 when colon > 0:
                lines[at] = $"{lines[at][..colon]}: {s_values[random.Next(s_values.Length)]},";
                break;
            case 3 when colon > 0:
                lines[at] = $"  \"{keys[random.Next(keys.Length)]}\"{lines[at][colon..]}";
                break;
            case 4:
                lines.RemoveAt(at);
                break;
            case 5:
                lines.Insert(at, lines[at]);
                break;
            case 6:
                lines.Insert(Math.Min(at + 1, lines.Count), $"  \"{keys[random.Next(keys.Length)]}\": {s_values[random.Next(s_values.Length)]},");
                break;
            case 7 when colon > 0:
                var depth = random.Next(1, 200);
                lines[at] = $"{lines[at][..colon]}: {new string('[', depth)}{new string(']', depth)},";
                break;
            default:
                lines[at] = $"{lines[at].TrimEnd(',')}{random.Next(10).ToString(CultureInfo.InvariantCulture)},";
                break;
        }
        return string.Join('\n', lines);
    }

    private static byte[] Bytes(byte[] bytes, Random random)
    {
        if (bytes.Length == 0)
            return bytes;
        var at = random.Next(bytes.Length);
        switch (random.Next(5))
        {
            case 0:
                return bytes[..at];
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 3:
                return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(40))..]];
            default:
                var inserted = new byte[random.Next(1, 40)];
                random.NextBytes(inserted);
                return [.. bytes[..at], .. inserted, .. bytes[at..]];
        }
    }
}

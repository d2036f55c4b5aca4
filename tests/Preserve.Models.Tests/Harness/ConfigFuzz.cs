using System.Globalization;
using System.Text;

namespace Preserve.Models.Tests;

/// <summary>Damages configurations at random and holds that the import of each gives a sound model or errors that can be
/// printed. Knows no test framework, so that a longer run can use it too.</summary>
internal static class ConfigFuzz
{
    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "-0", "1", "-1", "2", "3", "64", "65537", "1048577", "2147483647", "2147483648", "-2147483649", "9223372036854775808",
        "1e308", "1e309", "-1e999", "0.5", "4096.0", "1e-400", "NaN", "Infinity", "-Infinity", "0x10", "01", "+1", ".5", "\"\"", "\"4096\"", "\"gelu\"", "\"relu\"",
        "\"sliding_attention\"", "\"\\ud800\"", "\"\\u0000\"", "\"\u202e\"", "'x'", "[]", "{}", "[1, 0]", "[\"full_attention\"]", "[[[[]]]]", "{\"a\": {\"a\": 1}}", "",
    ];

    private static readonly string[] s_keys =
    [
        "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size",
        "max_position_embeddings", "tie_word_embeddings", "sliding_window", "layer_types", "n_embd", "num_experts", "text_config", "torch_dtype", "is_encoder_decoder",
    ];

    /// <summary>Runs some cases.</summary>
    /// <param name="configs">Sound configurations to damage.</param>
    /// <param name="cases">How many cases.</param>
    /// <param name="seed">The seed: the same gives the same cases.</param>
    /// <returns>How many were imported, and how many refused.</returns>
    /// <exception cref="InvalidOperationException">A case broke what is held; the message has its text.</exception>
    public static (int Imported, int Refused) Run(IReadOnlyList<string> configs, int cases, int seed)
    {
        var random = new Random(seed);
        var imported = 0;
        for (var i = 0; i < cases; i++)
        {
            var text = configs[random.Next(configs.Count)];
            for (var damage = random.Next(4); damage > 0; damage--)
                text = Structure(text, random);
            var bytes = Encoding.UTF8.GetBytes(text);
            if (random.Next(3) == 0)
                bytes = Bytes(bytes, random);
            if (Holds(bytes))
                imported++;
        }
        return (imported, cases - imported);
    }

    /// <summary>Imports a text; whether it gave a model.</summary>
    private static bool Holds(byte[] bytes)
    {
        try
        {
            var result = HuggingFaceConfig.Parse(bytes, "M");
            if (result.Model is null == (result.Errors.Count == 0))
                throw new InvalidOperationException("neither a model nor errors, or both");
            if (result.Model is { } model)
            {
                if (ModelRules.Check(model.Spec).Count > 0 || model.Spec.ParameterCount <= 0 || LayerGroups.Canonical(model.Spec.Stack) != model.Spec.Stack)
                    throw new InvalidOperationException("the model is not sound");
                return true;
            }
            foreach (var error in result.Errors)
            {
                if (error.Message.Length is 0 or > 1000 || error.Message.Any(c => char.IsControl(c) || char.IsSurrogate(c) || c == '\u202e'))
                    throw new InvalidOperationException($"the message cannot be printed: {error}");
            }
            return false;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}, of {Encoding.Latin1.GetString(bytes)}", e);
        }
    }

    /// <summary>Changes one line of the text: the configurations have a member on each.</summary>
    private static string Structure(string text, Random random)
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
                lines[at] = $"  \"{s_keys[random.Next(s_keys.Length)]}\"{lines[at][colon..]}";
                break;
            case 4:
                lines.RemoveAt(at);
                break;
            case 5:
                lines.Insert(at, lines[at]);
                break;
            case 6:
                lines.Insert(Math.Min(at + 1, lines.Count), $"  \"{s_keys[random.Next(s_keys.Length)]}\": {s_values[random.Next(s_values.Length)]},");
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

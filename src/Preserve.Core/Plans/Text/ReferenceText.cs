using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>References to tensors as text: <c>embedding</c>, <c>79.kv[0:c]</c>, <c>i+1.qkv_weight</c>.</summary>
internal static class ReferenceText
{
    public static string Write(TensorReference reference)
    {
        var layer = reference.Layer.Kind switch
        {
            LayerIndexKind.None => "",
            LayerIndexKind.Absolute => reference.Layer.Value.ToString(CultureInfo.InvariantCulture) + ".",
            _ => reference.Layer.Value == 0 ? "i." : "i" + reference.Layer.Value.ToString("+0;-0", CultureInfo.InvariantCulture) + ".",
        };
        var range = reference.Range is null ? "" : $"[{reference.Range.Begin}:{reference.Range.End}]";
        return layer + reference.Tensor + range;
    }

    public static TensorReference Parse(string text)
    {
        UnitRange? range = null;
        var name = text;
        var bracket = text.IndexOf('[');
        if (bracket >= 0)
        {
            if (!text.EndsWith("]", StringComparison.Ordinal))
                throw new FormatException($"'{text}' has no closing bracket");
            name = text.Substring(0, bracket);
            var (begin, end) = Bounds(text.Substring(bracket + 1, text.Length - bracket - 2), text);
            range = new UnitRange(Amount.Parse(begin), Amount.Parse(end));
        }

        var layer = LayerIndex.None;
        var dot = name.IndexOf('.');
        if (dot > 0)
        {
            layer = ParseLayer(name.Substring(0, dot)) ?? throw new FormatException($"'{name.Substring(0, dot)}' in '{text}' is not a layer such as '3', 'i' or 'i+1'");
            name = name.Substring(dot + 1);
        }
        return name.Length > 0 ? new TensorReference(name, layer, range) : throw new FormatException($"'{text}' names no tensor");
    }

    /// <summary>Reads <c>a, b -> c</c>, or <c>-</c> for neither.</summary>
    public static (EquatableArray<TensorReference> Reads, EquatableArray<TensorReference> Writes) ParseOperands(string text)
    {
        if (text == "-")
            return (default, default);
        var arrow = text.IndexOf("->", StringComparison.Ordinal);
        return arrow < 0 ? (List(text), default) : (List(text.Substring(0, arrow)), List(text.Substring(arrow + 2)));

        static TensorReference[] List(string text)
        {
            text = text.Trim();
            return text.Length == 0 ? [] : text.Split(',').Select(t => Parse(t.Trim())).ToArray();
        }
    }

    public static string WriteOperands(IEnumerable<TensorReference> reads, EquatableArray<TensorReference> writes)
    {
        var left = string.Join(", ", reads.Select(Write));
        if (writes.Count == 0)
            return left.Length == 0 ? "-" : left;
        return (left.Length == 0 ? "-> " : left + " -> ") + string.Join(", ", writes.Select(Write));
    }

    private static LayerIndex? ParseLayer(string text)
    {
        if (text == "i")
            return LayerIndex.FromRepeat(0);
        var relative = text.StartsWith("i+", StringComparison.Ordinal) || text.StartsWith("i-", StringComparison.Ordinal);
        var style = relative ? NumberStyles.AllowLeadingSign : NumberStyles.None;
        if (!int.TryParse(relative ? text.Substring(1) : text, style, CultureInfo.InvariantCulture, out var value))
            return null;
        return relative ? LayerIndex.FromRepeat(value) : LayerIndex.Of(value);
    }

    /// <summary>Splits at the colon between the bounds, which is outside of the braces of an amount.</summary>
    private static (string Begin, string End) Bounds(string text, string whole)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '{')
                depth++;
            else if (text[i] == '}')
                depth--;
            else if (text[i] == ':' && depth == 0)
                return (text.Substring(0, i), text.Substring(i + 1));
        }
        throw new FormatException($"'{whole}' has no range such as [0:512]");
    }
}

using System.Globalization;
using System.Linq;
using System.Text;

namespace Preserve;

/// <summary>Which names can stand in the text of plans, where two blanks part columns and '#' begins a comment.</summary>
internal static class NameRules
{
    public const string Model = "must be one printable line, not empty, without '#', double blanks, or blanks around it";

    public const string Layer = "must be printable and not empty, without blanks and the characters # . / [ ] , : >";

    public static bool IsModelName(string name) =>
        name.Length > 0 && name[0] != ' ' && name[name.Length - 1] != ' ' && !name.Contains("  ") && name.IndexOf('#') < 0
        && IsPrintable(name);

    /// <summary>A layer's name is a part of its tensors' names.</summary>
    public static bool IsLayerName(string name) =>
        name.Length > 0 && name.IndexOfAny([' ', '#', '.', '/', '[', ']', ',', ':', '>']) < 0 && IsPrintable(name);

    /// <summary>The name on one line, for a message.</summary>
    public static string Printable(string name)
    {
        var text = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (IsPrintable(name, ref i, out var character))
                text.Append(character);
            else
                text.Append("\\u").Append(((int)name[i]).ToString("x4", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    public static bool IsPrintable(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (!IsPrintable(name, ref i, out _))
                return false;
        }
        return true;
    }

    /// <summary>Whether the character at an index is printable; moves the index to its last unit.</summary>
    private static bool IsPrintable(string name, ref int index, out string character)
    {
        var pair = char.IsHighSurrogate(name[index]) && index + 1 < name.Length && char.IsLowSurrogate(name[index + 1]);
        var category = CharUnicodeInfo.GetUnicodeCategory(name, index);
        character = name.Substring(index, pair ? 2 : 1);
        // Of all blanks only the ordinary one: the others break lines, or cannot be told from it.
        var printable = character == " " || !NotPrintable.Contains(category);
        if (printable && pair)
            index++;
        return printable;
    }

    private static UnicodeCategory[] NotPrintable =>
    [
        UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.Surrogate, UnicodeCategory.LineSeparator,
        UnicodeCategory.ParagraphSeparator, UnicodeCategory.SpaceSeparator, UnicodeCategory.PrivateUse,
    ];
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>What an id that no device has may mean. Models are told apart by a digit or a letter beside it, as <c>a100</c> and <c>h100</c>: an id that
/// differs there is near in its letters only, and names another device.</summary>
/// <param name="Meant">The id of the same device, or null: the same but for case and separators, but for a slip in a word without digits, as in
/// <c>h100-smx</c>, or but for such words at its end, as <c>h100</c>; and of no other device as well.</param>
/// <param name="Near">The ids to name where it is not known which device is meant, the built-in ones in ordinal order: those with the same model, those that begin
/// with what is written, those that have it in them, or the one nearest in its letters; none where none is near, or one is meant.</param>
public sealed record DeviceSuggestion(string? Meant, EquatableArray<string> Near)
{
    /// <summary>A part of an id is what one remembers of it; a shorter one is in too many.</summary>
    private const int LeastPart = 3;

    private static readonly char[] _separators = ['-', '_', '.', ' '];

    /// <summary>The same in words, to stand behind what is wrong: begins with a semicolon, and is empty where no id is near.</summary>
    public string Hint =>
        Meant is not null ? $"; did you mean '{Meant}'?"
        : Near.Count == 0 ? ""
        : $"; the nearest {(Near.Count == 1 ? "id is" : "ids are")} {string.Join(" and ", Near.Select(n => $"'{n}'"))}";

    internal static DeviceSuggestion Of(string id, IReadOnlyList<string> ids)
    {
        var written = WordsOf(id);
        if ((Only(i => Joined(WordsOf(i)) == Joined(written)) ?? Only(i => IsSame(written, WordsOf(i)))) is { } meant)
            return new DeviceSuggestion(meant, default);
        string[][] near =
        [
            Those(i => WordsOf(i).Any(w => HasDigit(w) && w.Length >= LeastPart && written.Any(o => IsOfModel(o, w)))),
            Those(i => id.Length >= LeastPart && i.StartsWith(id, StringComparison.OrdinalIgnoreCase)),
            Those(i => id.Length >= LeastPart && i.IndexOf(id, StringComparison.OrdinalIgnoreCase) >= 0),
            EditDistance.Nearest(id, ids) is { } nearest ? [nearest] : [],
        ];
        return new DeviceSuggestion(null, near.FirstOrDefault(n => n.Length > 0) ?? []);

        string[] Those(Func<string, bool> fits) => ids.Where(fits).ToArray();

        string? Only(Func<string, bool> fits) => Those(fits) is [var one] ? one : null;
    }

    /// <summary>Whether the words of one id stand for those of another: where both have one, it is the same, or without digits and a slip away;
    /// what is left out has no digit.</summary>
    private static bool IsSame(string[] written, string[] words) =>
        written.Length > 0 && written.Length <= words.Length
            && written.Zip(words, (w, o) => w == o || (!HasDigit(w) && !HasDigit(o) && IsSlip(w, o))).All(same => same)
            && !words.Skip(written.Length).Any(HasDigit);

    /// <summary>Whether a word is a model's, or begins with it: what follows is no further digit of its number.</summary>
    private static bool IsOfModel(string word, string model) =>
        word.StartsWith(model, StringComparison.Ordinal) && (word.Length == model.Length || !HasDigit(word.Substring(model.Length, 1)));

    /// <summary>Whether one letter is missing, too many or another one, or two neighbours have changed places.</summary>
    private static bool IsSlip(string written, string word)
    {
        if (Math.Min(written.Length, word.Length) < LeastPart)
            return false;
        if (EditDistance.Between(written, word) <= 1)
            return true;
        var differing = Enumerable.Range(0, Math.Min(written.Length, word.Length)).Where(i => written[i] != word[i]).ToArray();
        return written.Length == word.Length && differing is [var left, var right] && right == left + 1 && written[left] == word[right] && written[right] == word[left];
    }

    private static string[] WordsOf(string id) => id.ToLowerInvariant().Split(_separators, StringSplitOptions.RemoveEmptyEntries);

    private static string Joined(string[] words) => string.Concat(words);

    private static bool HasDigit(string word) => word.Any(c => c is >= '0' and <= '9');
}

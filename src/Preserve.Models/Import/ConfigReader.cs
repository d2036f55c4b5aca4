using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Preserve;

/// <summary>Reads the keys of a <c>config.json</c> one by one, each by its meaning, and keeps what is wrong with them. A value that
/// is wrong is answered with one that is in its range, so that reading goes on and finds the other errors.</summary>
internal sealed class ConfigReader(JsonValue root)
{
    private const int ShownLength = 60;

    private readonly List<ModelImportError> _errors = [];
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, string> _otherSpellings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);

    public bool HasErrors => _errors.Count > 0;

    public EquatableArray<ModelImportError> Errors => _errors.OrderBy(e => e.Line).ThenBy(e => e.Column).ToArray();

    public EquatableArray<string> Notes => _notes.ToArray();

    /// <summary>The library's general name of what an architecture calls otherwise; a file may have either.</summary>
    public void AlsoSpelled(string key, string other)
    {
        _otherSpellings[key] = other;
        if (root.Find(key) is { } value && root.Find(other) is { } under && (value.Kind, value.Text) != (under.Kind, under.Text))
            Refuse(under, $"{other} is {Shown(under)}, but {key}, which names the same, is {Shown(value)}");
    }

    public void Note(string sentence) => _notes.Add(sentence);

    /// <summary>Whether the key stands there with a value other than null.</summary>
    public bool Has(string key) => Find(key).Value is { Kind: not JsonKind.Null };

    public JsonValue? Value(string key) => Find(key).Value;

    /// <summary>A size that must be given.</summary>
    public int RequiredSize(SizeKind kind, string key)
    {
        _keys.TryAdd(kind.Property, key);
        if (Find(key).Value is not null)
            return Whole(key, kind.Range, unset: 0);
        Refuse(key, null, $"a whole number, {kind.Range}");
        return (int)kind.Range.Least;
    }

    /// <summary>A size that must be a number where it is given.</summary>
    public int Size(SizeKind kind, string key, int unset)
    {
        _keys.TryAdd(kind.Property, key);
        NoteDefault(key, unset);
        return Whole(key, kind.Range, unset);
    }

    /// <summary>A size that null stands for none of.</summary>
    public int? OptionalSize(SizeKind kind, string key, int? unset)
    {
        _keys.TryAdd(kind.Property, key);
        NoteDefault(key, unset);
        return Find(key).Value switch
        {
            null => unset,
            { Kind: JsonKind.Null } => null,
            _ => Whole(key, kind.Range, unset ?? 0),
        };
    }

    /// <summary>A whole number of a range.</summary>
    public int Whole(string key, ValueRange range, int unset)
    {
        var (value, spelled) = Find(key);
        if (value is null)
            return unset;
        if (value.Kind != JsonKind.Number || !long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            Refuse(spelled, value, $"a whole number, {range}");
        else if (!range.Contains(number))
            Refuse(spelled, value, range.ToString());
        else
            return (int)number;
        return (int)range.Least;
    }

    /// <summary>Whether something holds; null says no, as it does to the library.</summary>
    public bool Flag(string key, bool unset)
    {
        var (value, spelled) = Find(key);
        switch (value?.Kind)
        {
            case null:
                return unset;
            case JsonKind.Boolean:
                return value.Text == "true";
            case JsonKind.Null:
                return false;
            default:
                Refuse(spelled, value, "true or false");
                return unset;
        }
    }

    /// <summary>A number above 0, or null for none.</summary>
    public double? Number(string key, double? unset)
    {
        var (value, spelled) = Find(key);
        switch (value?.Kind)
        {
            case null:
                return unset;
            case JsonKind.Null:
                return null;
            case JsonKind.Number when value.Number > 0:
                return value.Number;
            default:
                Refuse(spelled, value, "a number above 0, or null");
                return unset;
        }
    }

    /// <summary>One of some words. Where null stands, the word is <paramref name="unset"/>.</summary>
    public T Word<T>(string key, string unset, IReadOnlyDictionary<string, T> words)
    {
        var (value, spelled) = Find(key);
        if (value is null or { Kind: JsonKind.Null })
            return words[unset];
        if (value.Kind == JsonKind.String && words.TryGetValue(value.Text, out var meaning))
            return meaning;
        Refuse(spelled, value, $"one of {string.Join(", ", words.Keys.Select(w => $"'{w}'"))}");
        return words[unset];
    }

    /// <summary>A list with an item for each layer, or null where there is none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="layers">How many layers there are.</param>
    /// <param name="mayBeLonger">Whether items beyond the last layer are ignored.</param>
    /// <param name="items">The meaning of an item, by its spelling.</param>
    public bool[]? PerLayer(string key, int layers, bool mayBeLonger, IReadOnlyDictionary<string, bool> items)
    {
        var (value, spelled) = Find(key);
        if (value is null or { Kind: JsonKind.Null })
            return null;
        if (value.Kind != JsonKind.Array || value.Items.Count < layers || (value.Items.Count > layers && !mayBeLonger))
        {
            Refuse(spelled, value, $"a list with an item for each of the {layers} layers");
            return null;
        }
        var meanings = new bool[layers];
        for (var i = 0; i < layers; i++)
        {
            var item = value.Items[i];
            if (item.Kind is not (JsonKind.String or JsonKind.Number) || !items.TryGetValue(item.Text, out meanings[i]))
            {
                Refuse($"{spelled}[{i}]", item, $"one of {string.Join(", ", items.Keys.Select(k => $"'{k}'"))}");
                return null;
            }
        }
        return meanings;
    }

    /// <summary>Refuses a value of a key that the specification has no words for.</summary>
    /// <param name="key">The key.</param>
    /// <param name="only">The value that can be expressed.</param>
    /// <param name="unset">The value where the key is absent.</param>
    /// <param name="otherwise">What the other value would mean, in words that end a sentence.</param>
    public void Only(string key, bool only, bool unset, string otherwise)
    {
        if (Flag(key, unset) == only)
            return;
        var (value, spelled) = Find(key);
        Refuse(spelled, value, $"{(only ? "true" : "false")}: {otherwise}");
    }

    /// <summary>Reports that a value is not right.</summary>
    public void Refuse(string key, JsonValue? value, string mustBe) => Refuse(value, $"{Shown(key)} is {Shown(value)}, but must be {mustBe}");

    /// <summary>Reports a fault at a value, or at the file's own where there is none.</summary>
    public void Refuse(JsonValue? place, string message) => _errors.Add(new ModelImportError((place ?? root).Line, (place ?? root).Column, message));

    /// <summary>Reports a fault of the specification at the key that the value came from.</summary>
    public void Refuse(SpecificationFault fault)
    {
        if (_keys.TryGetValue(fault.Place.Property, out var key))
            Refuse(Find(key).Value, $"{Find(key).Spelled}: {fault.Message}");
        else
            Refuse(null, fault.Message);
    }

    /// <summary>A value as a message shows it: on one line, and not all of a long one.</summary>
    public static string Shown(JsonValue? value) => value?.Kind switch
    {
        null => "not given",
        JsonKind.String => $"the string '{Shown(value.Text)}'",
        JsonKind.Array => $"a list of {value.Items.Count}",
        JsonKind.Object => "an object",
        _ => value.Text,
    };

    public static string Shown(string text) =>
        NameRules.Printable(text.Length <= ShownLength ? text : text[..ShownLength] + "...");

    private void NoteDefault(string key, int? unset)
    {
        if (unset is { } taken && Find(key).Value is null)
            Note(FormattableString.Invariant($"{key} is not given: {taken} is taken, the default of the architecture"));
    }

    /// <summary>The value of a key, by whichever of its spellings stands there.</summary>
    private (JsonValue? Value, string Spelled) Find(string key)
    {
        var value = root.Find(key);
        if (value is not null || !_otherSpellings.TryGetValue(key, out var other) || root.Find(other) is not { } under)
            return (value, key);
        return (under, other);
    }
}

using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve;

/// <summary>An object of a device file while it is read: which names are known, which values stand, and what is wrong with them.</summary>
internal sealed class DeviceFileSection
{
    private readonly string _path;
    private readonly JsonValue? _value;
    private readonly JsonValue _place;
    private readonly DeviceFileErrors _errors;
    private readonly List<string> _known = [];

    /// <summary>The whole file.</summary>
    public DeviceFileSection(JsonValue root, DeviceFileErrors errors)
        : this("", root, root, errors)
    {
    }

    private DeviceFileSection(string path, JsonValue? value, JsonValue place, DeviceFileErrors errors)
    {
        _path = path;
        _place = place;
        _errors = errors;
        if (value is { Kind: JsonKind.Object })
            _value = value;
        else if (value is not null)
            errors.Add(value, $"{(path.Length == 0 ? "a device file" : path)} must be an object");
    }

    /// <summary>Whether the file has this object.</summary>
    public bool Present => _value is not null;

    /// <summary>The path of a field, as notes and errors name it.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : _path + "." + name;

    /// <summary>An object inside; it may be missing.</summary>
    public DeviceFileSection Section(string name)
    {
        var value = Find(name);
        return new DeviceFileSection(PathOf(name), value, value ?? _place, _errors);
    }

    /// <summary>An object inside that must stand.</summary>
    public DeviceFileSection RequiredSection(string name)
    {
        if (Present)
            Missing(name, IsMissing(name), 0);
        return Section(name);
    }

    /// <summary>The objects of a list; it may be missing.</summary>
    public IReadOnlyList<DeviceFileSection> Sections(string name)
    {
        var list = Find(name);
        if (list is null)
            return [];
        if (list.Kind != JsonKind.Array)
        {
            _errors.Add(list, $"{PathOf(name)} must be a list of objects");
            return [];
        }
        return list.Items.Select((item, at) => new DeviceFileSection($"{PathOf(name)}[{at}]", item, item, _errors)).ToArray();
    }

    /// <summary>One of a few names, which must stand.</summary>
    public T RequiredName<T>(string name, IReadOnlyDictionary<string, T> names)
        where T : struct
    {
        var missing = IsMissing(name);
        return Name(name, names) ?? Missing(name, missing, names.Values.First());
    }

    /// <summary>One of a few names, or null where it is missing.</summary>
    public T? Name<T>(string name, IReadOnlyDictionary<string, T> names)
        where T : struct
    {
        if (Text(name) is not { } text)
            return null;
        if (names.TryGetValue(text, out var value))
            return value;
        Refuse(name, $"must be one of {string.Join(", ", names.Keys)}");
        return null;
    }

    /// <summary>A whole number that may be missing, within bounds.</summary>
    public long? Whole(string name, Bounds bounds)
    {
        var number = Number(name, bounds);
        if (number is not { } value || value == (long)value)
            return (long?)number;
        Refuse(name, "must be a whole number");
        return null;
    }

    /// <summary>A whole number that must stand, within bounds.</summary>
    public long RequiredWhole(string name, Bounds bounds)
    {
        var missing = IsMissing(name);
        return Whole(name, bounds) ?? Missing(name, missing, 0L);
    }

    /// <summary>The value of a field, or null where it is missing or null. The field is known from now on.</summary>
    public JsonValue? Find(string name)
    {
        _known.Add(name);
        _errors.Known(PathOf(name));
        return _value?.Find(name) is { Kind: not JsonKind.Null } value ? value : null;
    }

    /// <summary>A text that may be missing.</summary>
    public string? Text(string name)
    {
        var value = Find(name);
        if (value is null)
            return null;
        if (value.Kind == JsonKind.String && value.Text.Length > 0)
            return value.Text;
        _errors.Add(value, $"{PathOf(name)} must be a text in quotes, and not empty");
        return null;
    }

    /// <summary>A text that may be missing, and is shown as it stands.</summary>
    public string? PrintableText(string name)
    {
        RequirePrintable(name);
        return Text(name);
    }

    /// <summary>Refuses a text that a terminal would take for more than a text.</summary>
    public void RequirePrintable(string name)
    {
        if (_value?.Find(name) is { Kind: JsonKind.String } value && !NameRules.IsPrintable(value.Text))
            Refuse(name, "must be one printable line");
    }

    /// <summary>A text that must stand.</summary>
    public string RequiredText(string name)
    {
        var missing = IsMissing(name);
        return Text(name) ?? Missing(name, missing, "");
    }

    /// <summary>A number that may be missing, within bounds.</summary>
    public double? Number(string name, Bounds bounds)
    {
        var value = Find(name);
        if (value is null)
            return null;
        if (value.Kind != JsonKind.Number)
        {
            _errors.Add(value, $"{PathOf(name)} must be a number");
            return null;
        }
        if (value.Number >= bounds.Least && value.Number <= bounds.Most)
            return value.Number;
        _errors.Add(value, $"{PathOf(name)} is {value.Text}, but must be from {bounds.LeastText} to {bounds.MostText}{bounds.Hint}");
        return null;
    }

    /// <summary>A number that must stand, within bounds.</summary>
    public double RequiredNumber(string name, Bounds bounds)
    {
        var missing = IsMissing(name);
        return Number(name, bounds) ?? Missing(name, missing, double.NaN);
    }

    /// <summary>Reports that a value breaks a bound that another value sets.</summary>
    public void Refuse(string name, string message)
    {
        var value = _value?.Find(name);
        _errors.Add(value ?? _place, $"{PathOf(name)}{(value is null ? "" : " is " + value.Text)}, but {message}");
    }

    /// <summary>Reports that a value can be, and is probably not meant.</summary>
    public void Doubt(string name, string message)
    {
        if (_value?.Find(name) is { } value)
            _errors.Doubt(value, $"{PathOf(name)} is {value.Text}, {message}");
    }

    /// <summary>Reports every name that was not asked for, here.</summary>
    public void RefuseUnknown()
    {
        if (_value is null)
            return;
        foreach (var member in _value.Members.Where(m => !_known.Contains(m.Name)))
        {
            var nearest = WithUnit(member.Name) ?? EditDistance.Nearest(member.Name, _known) ?? RateOf(member.Name);
            // Two errors of one slip would be one too many.
            if (nearest is not null)
                _errors.Remove(MissingMessage(nearest));
            _errors.Add(member.Line, member.Column,
                $"{PathOf(member.Name)} is not a field of a device file{(nearest is null ? "" : $"; '{nearest}' is")}");
        }
    }

    /// <summary>The one field that a name is the beginning of, or of which it has the first word and the kind: what was left out is the unit.</summary>
    private string? WithUnit(string name)
    {
        var begun = _known.Where(k => k.StartsWith(name + "_", StringComparison.Ordinal)).ToArray();
        if (begun.Length == 0 && name.EndsWith("_rate", StringComparison.Ordinal))
            begun = _known.Where(k => k.StartsWith(name.Substring(0, name.Length - "rate".Length), StringComparison.Ordinal) && k.EndsWith("_per_second", StringComparison.Ordinal)).ToArray();
        return begun.Length == 1 ? begun[0] : null;
    }

    /// <summary>The field of a rate, as another section may call it: the only one here, or that on paper.</summary>
    private string? RateOf(string name)
    {
        const string unit = "gigabytes_per_second";
        if (name.IndexOf(unit, StringComparison.Ordinal) < 0)
            return null;
        var rates = _known.Where(k => k.IndexOf(unit, StringComparison.Ordinal) >= 0).ToArray();
        return rates.Length == 1 ? rates[0] : rates.FirstOrDefault(r => r == "nominal_" + unit);
    }

    private bool IsMissing(string name) => _value?.Find(name) is null or { Kind: JsonKind.Null };

    private T Missing<T>(string name, bool missing, T standIn)
    {
        if (missing)
            _errors.Add(_place, MissingMessage(name));
        return standIn;
    }

    private string MissingMessage(string name) => $"{PathOf(name)} is missing";
}

using System;
using System.Globalization;

namespace Preserve;

/// <summary>A row of a table while it is read: its fields by name, and whether one was wrong.</summary>
internal sealed class TableRow(TableReader table, string[] header, string[] fields)
{
    public int Line { get; } = table.Line;

    /// <summary>Whether all fields that were asked for are sound.</summary>
    public bool Sound { get; private set; } = true;

    /// <summary>A text that is not empty.</summary>
    public string Text(string name)
    {
        var text = Find(name);
        return text.Length is > 0 and <= 100 ? text : Refuse(name, text, "must be a text of 1 to 100 characters", "");
    }

    /// <summary>One of a few texts.</summary>
    public T Name<T>(string name, params (string Name, T Value)[] names)
    {
        var text = Find(name);
        foreach (var (known, value) in names)
        {
            if (known == text)
                return value;
        }
        return Refuse(name, text, "must be one of " + string.Join(", ", Array.ConvertAll(names, n => n.Name)), names[0].Value);
    }

    /// <summary>A whole number of 1 or more.</summary>
    public int Count(string name, int most)
    {
        var text = Find(name);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most
            ? value
            : Refuse(name, text, $"must be a whole number from 1 to {most}", 1);
    }

    /// <summary>A whole number of bytes.</summary>
    public long Bytes(string name)
    {
        const long most = 1L << 40;
        var text = Find(name);
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= most
            ? value
            : Refuse(name, text, $"must be a whole number of bytes from 1 to {most}", 1L);
    }

    /// <summary>A time. Below a nanosecond or above an hour it is in another unit.</summary>
    public double Microseconds(string name)
    {
        const double least = 0.001, most = 3.6e9;
        var text = Find(name);
        return double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
            && value is >= least and <= most
            ? value
            : Refuse(name, text, $"must be a number of microseconds from {least} to {most}", 1.0);
    }

    public static string Shortened(string text) => NameRules.Printable(text.Length <= 60 ? text : text[..60] + "...");

    private string Find(string name) => fields[Array.IndexOf(header, name)];

    /// <summary>Reports that a field breaks a bound that only the caller knows.</summary>
    public void Refuse(string name, string message) => Refuse(name, Find(name), message, 0);

    private T Refuse<T>(string name, string text, string message, T standIn)
    {
        Sound = false;
        table.Add(string.Create(CultureInfo.InvariantCulture, $"{name} is '{Shortened(text)}', but {message}"));
        return standIn;
    }
}

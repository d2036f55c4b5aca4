using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>What a <see cref="JsonValue"/> is.</summary>
public enum JsonKind
{
    /// <summary><c>null</c>.</summary>
    Null,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A finite number.</summary>
    Number,

    /// <summary>A string.</summary>
    String,

    /// <summary>An array.</summary>
    Array,

    /// <summary>An object.</summary>
    Object,
}

/// <summary>A value of a JSON text, with its place, so that whoever finds it wrong can say where.</summary>
public sealed class JsonValue
{
    internal JsonValue(
        JsonKind kind, int line, int column, string text, double number = 0, IReadOnlyList<JsonValue>? items = null, IReadOnlyList<JsonMember>? members = null)
    {
        Kind = kind;
        Line = line;
        Column = column;
        Text = text;
        Number = number;
        Items = items ?? [];
        Members = members ?? [];
    }

    /// <summary>What the value is.</summary>
    public JsonKind Kind { get; }

    /// <summary>The line of its first character, counted from 1.</summary>
    public int Line { get; }

    /// <summary>The column of its first character in UTF-16 units, counted from 1.</summary>
    public int Column { get; }

    /// <summary>A string's content, or the spelling of a number, <c>true</c>, <c>false</c> or <c>null</c>; empty for arrays and objects.</summary>
    public string Text { get; }

    /// <summary>A number's value; 0 for what is not a number.</summary>
    public double Number { get; }

    /// <summary>An array's items, in order; empty for what is not an array.</summary>
    public IReadOnlyList<JsonValue> Items { get; }

    /// <summary>An object's members, in order; their names differ. Empty for what is not an object.</summary>
    public IReadOnlyList<JsonMember> Members { get; }

    /// <summary>The member of that name, or null. Looks through all members.</summary>
    /// <param name="name">The name.</param>
    public JsonValue? Find(string name)
    {
        foreach (var member in Members)
        {
            if (string.Equals(member.Name, name, StringComparison.Ordinal))
                return member.Value;
        }
        return null;
    }
}

/// <summary>A member of a JSON object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Line">The line of the name, counted from 1.</param>
/// <param name="Column">The column of the name, counted from 1.</param>
/// <param name="Value">Its value.</param>
public sealed record JsonMember(string Name, int Line, int Column, JsonValue Value);

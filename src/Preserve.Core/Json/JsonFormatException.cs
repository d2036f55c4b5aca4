using System;

namespace Preserve;

/// <summary>A text is not JSON. The message says what was expected; the position is where the reader stood.</summary>
public sealed class JsonFormatException : FormatException
{
    /// <summary>An error at a place of the text.</summary>
    /// <param name="line">The line, counted from 1.</param>
    /// <param name="column">The column in UTF-16 units, counted from 1.</param>
    /// <param name="message">What is wrong.</param>
    public JsonFormatException(int line, int column, string message)
        : base(message)
    {
        Line = line;
        Column = column;
    }

    /// <summary>The line, counted from 1.</summary>
    public int Line { get; }

    /// <summary>The column in UTF-16 units, counted from 1.</summary>
    public int Column { get; }
}

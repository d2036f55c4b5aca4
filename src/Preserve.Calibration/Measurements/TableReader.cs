using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Preserve;

/// <summary>Reads a table of comma-separated values as the measurement tables have it: comments, one header, rows of as many fields.</summary>
/// <remarks>Whoever wrote the table: one row is held at a time, lines are bounded, and reading ends after some errors.</remarks>
internal sealed class TableReader
{
    public const int MaxErrors = 20;

    private const int MaxLineLength = 1000;

    private readonly TextReader _reader;
    private readonly List<MeasurementError> _errors;
    private readonly StringBuilder _text = new();
    private bool _tooLong, _ended;

    /// <param name="table">Name of the table, as errors give it.</param>
    /// <param name="reader">Its text.</param>
    /// <param name="errors">Where errors go.</param>
    public TableReader(string table, TextReader reader, List<MeasurementError> errors)
    {
        Table = table;
        _reader = reader;
        _errors = errors;
    }

    public string Table { get; }

    /// <summary>The line of the present row, counted from 1.</summary>
    public int Line { get; private set; }

    /// <summary>What may be wrong with the last row: it has no line end, so that the table may be cut inside it. Null where it has one, and until all rows are read.</summary>
    public MeasurementError? Cut { get; private set; }

    /// <summary>The rows below the header. None where the header is not as expected.</summary>
    public IEnumerable<TableRow> Rows(string[] header)
    {
        var before = _errors.Count;
        if (!ReadHeader(header))
            yield break;
        while (_errors.Count - before < MaxErrors && Next() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var fields = line.Split(',');
            if (fields.Length != header.Length)
                Add($"{fields.Length} fields where the header has {header.Length}: '{TableRow.Shortened(line)}'");
            else
                yield return new TableRow(this, header, fields);
            if (_ended)
                Cut = new MeasurementError(Table, Line, $"the last line has no line end: if the table was cut there, its last number, {TableRow.Shortened(fields[^1])}, may be too");
        }
    }

    public void Add(string message) => _errors.Add(new MeasurementError(Table, Line, message));

    private bool ReadHeader(string[] header)
    {
        while (Next() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line == string.Join(",", header))
                return true;
            Add($"the header must be '{string.Join(",", header)}', not '{TableRow.Shortened(line)}'");
            return false;
        }
        if (!_tooLong)
        {
            Line = 0;
            Add("the table has no header");
        }
        return false;
    }

    /// <summary>The next line, without its end; null after the last and after one that is too long.</summary>
    private string? Next()
    {
        if (_tooLong)
            return null;
        Line++;
        _text.Clear();
        while (true)
        {
            var c = _reader.Read();
            _ended = c < 0;
            if (_ended)
                return _text.Length == 0 ? null : _text.ToString();
            if (c == '\n')
                return _text.Length > 0 && _text[^1] == '\r' ? _text.ToString(0, _text.Length - 1) : _text.ToString();
            if (_text.Length == MaxLineLength)
            {
                Add($"a line has more than {MaxLineLength} characters: is this a table?");
                _tooLong = true;
                return null;
            }
            _text.Append((char)c);
        }
    }
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Preserve;

/// <summary>Reads JSON as RFC 8259 has it and nothing more: no comments, no trailing commas, no duplicate names.</summary>
/// <remarks>The compiler loads device files with it, from whoever wrote them: time and memory are linear in the text, and
/// the depth is bounded.</remarks>
public static class JsonReader
{
    /// <summary>How deep arrays and objects may nest.</summary>
    public const int MaxDepth = 64;

    /// <summary>Most characters of one number.</summary>
    public const int MaxNumberLength = 64;

    /// <summary>Reads one value, which must be the whole text. A byte order mark is not part of it.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="JsonFormatException">The text is not such a value.</exception>
    public static JsonValue Parse(string text)
    {
        if (text is null)
            throw new ArgumentNullException(nameof(text));
        var cursor = new Cursor(text);
        cursor.SkipBlanks();
        var value = cursor.ReadValue(depth: 0);
        cursor.SkipBlanks();
        return cursor.AtEnd ? value : throw cursor.Bad($"expected the end of the text, found {cursor.Found()}");
    }

    private sealed class Cursor(string text)
    {
        private int _at;
        private int _line = 1;
        private int _lineStart;

        public bool AtEnd => _at == text.Length;

        private int Column => _at - _lineStart + 1;

        public JsonFormatException Bad(string message) => new(_line, Column, message);

        /// <summary>The next character, as an error names it.</summary>
        public string Found() => AtEnd ? "the end of the text" : Name(text[_at]);

        public void SkipBlanks()
        {
            for (; _at < text.Length; _at++)
            {
                var c = text[_at];
                // As editors count lines: one that ends in both ends once.
                if (c == '\n' || (c == '\r' && (_at + 1 == text.Length || text[_at + 1] != '\n')))
                {
                    _line++;
                    _lineStart = _at + 1;
                }
                else if (c is not (' ' or '\t' or '\r'))
                {
                    return;
                }
            }
        }

        public JsonValue ReadValue(int depth)
        {
            if (AtEnd)
                throw Bad("expected a value, found the end of the text");
            var (line, column) = (_line, Column);
            switch (text[_at])
            {
                case '{':
                    return new JsonValue(JsonKind.Object, line, column, "", members: ReadMembers(depth));
                case '[':
                    return new JsonValue(JsonKind.Array, line, column, "", items: ReadItems(depth));
                case '"':
                    return new JsonValue(JsonKind.String, line, column, ReadString());
                case 't':
                    return new JsonValue(JsonKind.Boolean, line, column, ReadWord("true"));
                case 'f':
                    return new JsonValue(JsonKind.Boolean, line, column, ReadWord("false"));
                case 'n':
                    return new JsonValue(JsonKind.Null, line, column, ReadWord("null"));
                case '-' or (>= '0' and <= '9'):
                    var (spelling, number) = ReadNumber();
                    return new JsonValue(JsonKind.Number, line, column, spelling, number);
                default:
                    throw Bad($"expected a value, found {Found()}");
            }
        }

        private List<JsonMember> ReadMembers(int depth)
        {
            Open(depth);
            var members = new List<JsonMember>();
            if (TryTake('}'))
                return members;
            var names = new HashSet<string>(StringComparer.Ordinal);
            while (true)
            {
                SkipBlanks();
                var (line, column) = (_line, Column);
                if (AtEnd || text[_at] != '"')
                    throw Bad($"expected a name in quotes, found {Found()}");
                var name = ReadString();
                if (!names.Add(name))
                    throw new JsonFormatException(line, column, $"the name '{Shortened(name)}' stands twice in one object");
                SkipBlanks();
                Take(':', "after a name");
                SkipBlanks();
                members.Add(new JsonMember(name, line, column, ReadValue(depth + 1)));
                SkipBlanks();
                if (TryTake('}'))
                    return members;
                Take(',', "or '}' after a member");
            }
        }

        private List<JsonValue> ReadItems(int depth)
        {
            Open(depth);
            var items = new List<JsonValue>();
            if (TryTake(']'))
                return items;
            while (true)
            {
                SkipBlanks();
                items.Add(ReadValue(depth + 1));
                SkipBlanks();
                if (TryTake(']'))
                    return items;
                Take(',', "or ']' after an item");
            }
        }

        private void Open(int depth)
        {
            if (depth >= MaxDepth)
                throw Bad($"arrays and objects nest more than {MaxDepth} deep");
            _at++;
            SkipBlanks();
        }

        private bool TryTake(char c)
        {
            if (AtEnd || text[_at] != c)
                return false;
            _at++;
            return true;
        }

        private void Take(char c, string where)
        {
            if (!TryTake(c))
                throw Bad($"expected '{c}' {where}, found {Found()}");
        }

        private string ReadWord(string word)
        {
            if (string.CompareOrdinal(text, _at, word, 0, word.Length) != 0)
                throw Bad($"expected a value; '{word}' is spelled otherwise");
            _at += word.Length;
            return word;
        }

        private string ReadString()
        {
            var start = ++_at;
            StringBuilder? built = null;
            while (true)
            {
                if (AtEnd)
                    throw Bad("a string has no closing quote");
                var c = text[_at];
                if (c == '"')
                {
                    var plain = text.Substring(start, _at++ - start);
                    return built is null ? plain : built.Append(plain).ToString();
                }
                if (c < ' ')
                    throw Bad($"{Name(c)} must be escaped in a string");
                if (c == '\\')
                {
                    built = (built ?? new StringBuilder()).Append(text, start, _at - start);
                    _at++;
                    built.Append(ReadEscaped());
                    start = _at;
                }
                else
                {
                    _at++;
                }
            }
        }

        private char ReadEscaped()
        {
            if (AtEnd)
                throw Bad("a string has no closing quote");
            var c = text[_at++];
            switch (c)
            {
                case '"' or '\\' or '/':
                    return c;
                case 'b':
                    return '\b';
                case 'f':
                    return '\f';
                case 'n':
                    return '\n';
                case 'r':
                    return '\r';
                case 't':
                    return '\t';
                case 'u':
                    var code = 0;
                    for (var i = 0; i < 4; i++, _at++)
                    {
                        var digit = AtEnd ? -1 : HexDigit(text[_at]);
                        if (digit < 0)
                            throw Bad($"expected four hexadecimal digits after '\\u', found {Found()}");
                        code = (code * 16) + digit;
                    }
                    return (char)code;
                default:
                    _at--;
                    throw Bad($"{Name(c)} cannot be escaped in a string");
            }
        }

        private (string Spelling, double Number) ReadNumber()
        {
            var start = _at;
            TryTake('-');
            if (!TryTake('0'))
                Digits();
            if (TryTake('.'))
                Digits();
            if (!AtEnd && text[_at] is 'e' or 'E')
            {
                _at++;
                if (!TryTake('+'))
                    TryTake('-');
                Digits();
            }
            var length = _at - start;
            if (length > MaxNumberLength)
            {
                _at = start;
                throw Bad($"a number has more than {MaxNumberLength} characters");
            }
            var spelling = text.Substring(start, length);
            var number = DecimalNumber.Parse(spelling);
            if (double.IsInfinity(number) || double.IsNaN(number))
            {
                _at = start;
                throw Bad($"the number {spelling} is too large");
            }
            return (spelling, number);
        }

        private void Digits()
        {
            var start = _at;
            while (!AtEnd && text[_at] is >= '0' and <= '9')
                _at++;
            if (_at == start)
                throw Bad($"expected a digit, found {Found()}");
        }

        private static int HexDigit(char c) => c switch
        {
            >= '0' and <= '9' => c - '0',
            >= 'a' and <= 'f' => c - 'a' + 10,
            >= 'A' and <= 'F' => c - 'A' + 10,
            _ => -1,
        };

        private static string Name(char c) =>
            c is > ' ' and < (char)127 ? $"'{c}'" : "U+" + ((int)c).ToString("X4", CultureInfo.InvariantCulture);

        private static string Shortened(string name) => name.Length <= 40 ? name : name.Substring(0, 40) + "...";
    }
}

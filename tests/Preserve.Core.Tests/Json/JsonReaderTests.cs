using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Core.Tests.Json;

public class JsonReaderTests
{
    [Fact]
    public void Values_keep_their_places()
    {
        var root = JsonReader.Parse("{\n  \"a\": [1, -2.5e3,\n    true], \"b\\u0041\": {\"c\": null}\r\n}");
        root.Kind.ShouldBe(JsonKind.Object);
        (root.Line, root.Column).ShouldBe((1, 1));
        var list = root.Find("a").ShouldNotBeNull();
        (list.Line, list.Column).ShouldBe((2, 8));
        list.Items.Select(i => (i.Kind, i.Text, i.Number, i.Line, i.Column)).ShouldBe(
        [
            (JsonKind.Number, "1", 1, 2, 9),
            (JsonKind.Number, "-2.5e3", -2500, 2, 12),
            (JsonKind.Boolean, "true", 0, 3, 5),
        ]);
        var member = root.Members[1];
        (member.Name, member.Line, member.Column).ShouldBe(("bA", 3, 12));
        member.Value.Find("c").ShouldNotBeNull().Kind.ShouldBe(JsonKind.Null);
        root.Find("d").ShouldBeNull();
    }

    [Theory]
    [InlineData("\"\"", "")]
    [InlineData("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz")]
    [InlineData("\"\\ud83d\\ude00 \\u00e9\"", "😀 é")]
    [InlineData("  \"é\"\n", "é")]
    public void Strings_are_read(string text, string content) => JsonReader.Parse(text).Text.ShouldBe(content);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("0.1", 0.1)]
    [InlineData("1978.9", 1978.9)]
    [InlineData("1e22", 1e22)]
    [InlineData("123456789012345678901234567890", 123456789012345678901234567890.0)]
    [InlineData("1.7976931348623157e308", double.MaxValue)]
    [InlineData("4.9e-324", double.Epsilon)]
    [InlineData("1e-999999999", 0)]
    [InlineData("0e99999999999", 0)]
    public void Numbers_are_read_to_the_last_bit(string text, double value) => JsonReader.Parse(text).Number.ShouldBe(value);

    [Theory]
    [InlineData("", 1, 1, "expected a value, found the end of the text")]
    [InlineData("[1,]", 1, 4, "expected a value, found ']'")]
    [InlineData("{\"a\":1,}", 1, 8, "expected a name in quotes, found '}'")]
    [InlineData("{a:1}", 1, 2, "expected a name in quotes, found 'a'")]
    [InlineData("{\"a\" 1}", 1, 6, "expected ':' after a name, found '1'")]
    [InlineData("{\"a\":1 \"b\":2}", 1, 8, "expected ',' or '}' after a member, found '\"'")]
    [InlineData("{\"a\":1,\n \"a\":2}", 2, 2, "the name 'a' stands twice in one object")]
    [InlineData("[1 // one\n]", 1, 4, "expected ',' or ']' after an item, found '/'")]
    [InlineData("1 2", 1, 3, "expected the end of the text, found '2'")]
    [InlineData("01", 1, 2, "expected the end of the text, found '1'")]
    [InlineData("1.", 1, 3, "expected a digit, found the end of the text")]
    [InlineData(".5", 1, 1, "expected a value, found '.'")]
    [InlineData("+1", 1, 1, "expected a value, found '+'")]
    [InlineData("-", 1, 2, "expected a digit, found the end of the text")]
    [InlineData("1e", 1, 3, "expected a digit, found the end of the text")]
    [InlineData("NaN", 1, 1, "expected a value, found 'N'")]
    [InlineData("nul", 1, 1, "expected a value; 'null' is spelled otherwise")]
    [InlineData(" 1e999", 1, 2, "the number 1e999 is too large")]
    [InlineData("\"a", 1, 3, "a string has no closing quote")]
    [InlineData("\"a\nb\"", 1, 3, "U+000A must be escaped in a string")]
    [InlineData("\"\\x\"", 1, 3, "'x' cannot be escaped in a string")]
    [InlineData("\"\\u12g4\"", 1, 6, "expected four hexadecimal digits after '\\u', found 'g'")]
    [InlineData("\uFEFF1", 1, 1, "expected a value, found U+FEFF")]
    public void What_is_not_JSON_is_refused_at_its_place(string text, int line, int column, string message)
    {
        var error = Should.Throw<JsonFormatException>(() => JsonReader.Parse(text));
        (error.Line, error.Column, error.Message).ShouldBe((line, column, message));
    }

    [Fact]
    public void Depth_is_bounded()
    {
        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
        JsonReader.Parse(Nested(JsonReader.MaxDepth)).Kind.ShouldBe(JsonKind.Array);
        Should.Throw<JsonFormatException>(() => JsonReader.Parse(Nested(JsonReader.MaxDepth + 1))).Column.ShouldBe(JsonReader.MaxDepth + 1);
        Should.Throw<JsonFormatException>(() => JsonReader.Parse(new string('[', 50_000_000)));
        var objects = new StringBuilder();
        for (var i = 0; i < 1_000_000; i++)
            objects.Append("{\"a\":");
        Should.Throw<JsonFormatException>(() => JsonReader.Parse(objects.ToString()));
    }

    [Theory]
    [InlineData("1", "", "")]
    [InlineData("9", "", "")]
    [InlineData("0", "0.", "1")]
    [InlineData(" ", "", "1")]
    [InlineData("a", "\"", "\"")]
    [InlineData("\\n", "\"", "\"")]
    [InlineData("1,", "[", "1]")]
    [InlineData("[],", "[", "1]")]
    public void Long_texts_take_linear_time(string part, string before, string after)
    {
        // 4 MB each; quadratic work would take minutes.
        var text = new StringBuilder(before).Insert(before.Length, part, 4_000_000 / part.Length).Append(after).ToString();
        try
        {
            JsonReader.Parse(text).ShouldNotBeNull();
        }
        catch (JsonFormatException e)
        {
            e.Message.ShouldBe("a number has more than 64 characters");
        }
    }

    [Fact]
    public void Damaged_texts_are_read_or_refused()
    {
        const string sound = """{ "a": [1, 2.5e-3, "x\u0041\n", true, null], "b": { "c": { "d": [[], {}] } } }""";
        const string alphabet = "{}[]\",:\\ue+-.0159atfn \n\0é";
        var damage = from at in Gen.Choose(0, sound.Length - 1)
                     from kind in Gen.Choose(0, 3)
                     from c in Gen.Elements(alphabet.ToCharArray())
                     from length in Gen.Choose(1, 12)
                     select (at, kind, c, length);
        var damages = damage.ArrayOf().Where(d => d.Length <= 6);
        Prop.ForAll(damages.ToArbitrary(), all =>
        {
            var text = new StringBuilder(sound);
            foreach (var (at, kind, c, length) in all)
            {
                var place = Math.Min(at, text.Length);
                var part = Math.Min(length, text.Length - place);
                _ = kind switch
                {
                    0 => text.Insert(place, c),
                    1 => text.Remove(place, part),
                    2 => text.Insert(place, new string(c, length)),
                    _ => text.Remove(place, text.Length - place),
                };
            }
            try
            {
                JsonReader.Parse(text.ToString());
            }
            catch (JsonFormatException e)
            {
                e.Line.ShouldBeGreaterThan(0);
                e.Column.ShouldBeGreaterThan(0);
                e.Message.ShouldNotBeEmpty();
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(4000).WithReplay(8259, 3));
    }
}

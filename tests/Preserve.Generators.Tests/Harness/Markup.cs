using System.Text;
using Microsoft.CodeAnalysis.Text;

namespace Preserve.Generators.Tests;

/// <summary>A source with places marked <c>[|so|]</c>.</summary>
internal static class Markup
{
    public static (string Source, TextSpan[] Spans) Parse(string marked)
    {
        var source = new StringBuilder();
        var spans = new List<TextSpan>();
        var start = -1;
        for (var i = 0; i < marked.Length; i++)
        {
            if (string.CompareOrdinal(marked, i, "[|", 0, 2) == 0)
            {
                start = source.Length;
                i++;
            }
            else if (string.CompareOrdinal(marked, i, "|]", 0, 2) == 0)
            {
                spans.Add(TextSpan.FromBounds(start, source.Length));
                i++;
            }
            else
            {
                source.Append(marked[i]);
            }
        }
        return (source.ToString(), [.. spans]);
    }
}

using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Preserve.Fuzz;

/// <summary>What came of the cases of a <see cref="FuzzTarget"/>.</summary>
internal sealed partial class FuzzTally
{
    public int Cases { get; private set; }

    public int Accepted { get; private set; }

    /// <summary>Refused files, by their first error without its names and values.</summary>
    public Dictionary<string, int> Refused { get; } = new(StringComparer.Ordinal);

    /// <summary>Files of which the reader threw, gave what is not sound, or an error that cannot be printed.</summary>
    public List<string> Crashes { get; } = [];

    /// <summary>The longest that one file took.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>Runs some cases. The same seed gives the same ones.</summary>
    /// <param name="target">What reads them.</param>
    /// <param name="cases">How many.</param>
    /// <param name="seed">The seed.</param>
    public static FuzzTally Run(FuzzTarget target, int cases, int seed)
    {
        var tally = new FuzzTally();
        var random = new Random(seed);
        for (; tally.Cases < cases; tally.Cases++)
            tally.Run(target, target.Next(random));
        return tally;
    }

    private void Run(FuzzTarget target, byte[] file)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            var errors = target.Read(file);
            foreach (var error in errors)
            {
                if (error.Length is 0 or > 1000 || error.EnumerateRunes().Any(c => Rune.IsControl(c) || c.Value is 0x202e || (c == Rune.ReplacementChar && !error.Contains('\ufffd'))))
                    throw new InvalidOperationException($"an error that cannot be printed: {error}");
            }
            if (errors.Count == 0)
                Accepted++;
            else
                Refused[KindOf(errors[0])] = Refused.GetValueOrDefault(KindOf(errors[0])) + 1;
        }
        catch (Exception e)
        {
            Crashes.Add($"{e.GetType().Name}: {e.Message}, of {Encoding.Latin1.GetString(file)}");
        }
        if (clock.Elapsed > Slowest)
            Slowest = clock.Elapsed;
    }

    /// <summary>An error without what stands in quotes, the path before 'is' or 'must', and numbers.</summary>
    private static string KindOf(string error)
    {
        var kind = Subject().Replace(Quoted().Replace(error, "'...'"), "... ");
        return Value().Replace(Number().Replace(kind, "N"), " is ..., but");
    }

    [GeneratedRegex("'[^']*'")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^[a-z0-9_.\[\]]+ (?=is |must |has )")]
    private static partial Regex Subject();

    [GeneratedRegex(@"(?<![A-Za-z])-?\d[\d.,eE+-]*")]
    private static partial Regex Number();

    [GeneratedRegex(" is .*, but")]
    private static partial Regex Value();
}

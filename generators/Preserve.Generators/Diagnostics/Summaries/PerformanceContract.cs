using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Preserve.Generators;

/// <summary>What a project asks of its plans, in an <c>.editorconfig</c>: a limit for all steps, and another one for those of a phase.</summary>
internal sealed class PerformanceContract(AnalyzerConfigOptions options)
{
    /// <summary>How many times as fast as the base plan a step is at least.</summary>
    public const string MinimumSpeedup = "preserve_minimum_speedup";

    /// <summary>Microseconds that a step takes at most.</summary>
    public const string MaximumStep = "preserve_maximum_step_microseconds";

    private const string Prefix = "preserve_", Decode = ".decode", Prefill = ".prefill";

    /// <summary>What takes an option of an outer section back, by the rules of <c>.editorconfig</c>.</summary>
    private const string Unset = "unset";

    /// <summary>Every option with what it may be, such as the example.</summary>
    private static readonly IReadOnlyList<(string Key, string Example)> _known =
        [.. from limit in new[] { (Key: MinimumSpeedup, Example: "1.05"), (Key: MaximumStep, Example: "20000") } from phase in new[] { "", Decode, Prefill } select (limit.Key + phase, limit.Example)];

    /// <summary>The limit of a step, with the option that sets it; null where there is none. That of the phase goes first.</summary>
    /// <param name="limit">One of the limits.</param>
    /// <param name="prefill">Whether the step is a prefill.</param>
    public (string Key, decimal Value)? LimitOf(string limit, bool prefill)
    {
        foreach (var key in new[] { limit + (prefill ? Prefill : Decode), limit })
        {
            if (options.TryGetValue(key, out var text))
                return Read(text) is { } value ? (key, value) : null;
        }
        return null;
    }

    /// <summary>What is wrong with the options, each in a sentence.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (key, example) in _known)
        {
            if (options.TryGetValue(key, out var text) && !text.Equals(Unset, StringComparison.OrdinalIgnoreCase) && Read(text) is null)
                yield return $"{key} is '{text}', but must be a number above 0 with a point before its fraction, such as {example}, or {Unset}";
        }
        foreach (var key in options.Keys.Where(k => k.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)).OrderBy(k => k, StringComparer.Ordinal))
        {
            if (!_known.Any(k => k.Key.Equals(key, StringComparison.OrdinalIgnoreCase)))
                yield return $"{key} is not an option of Preserve; {(MeantBy(key) is { } meant ? $"{meant} is" : $"{MinimumSpeedup} and {MaximumStep} are")}";
        }
    }

    /// <summary>A value that does not keep to its limit: rounded as the step's summary has it, and to more places only where it would read as if it did.</summary>
    /// <param name="value">The value.</param>
    /// <param name="limit">The limit, another value.</param>
    /// <param name="places">Decimals of the summary.</param>
    public static string Figure(decimal value, decimal limit, int places)
    {
        while (Math.Sign(Rounded() - limit) != Math.Sign(value - limit))
            places++;
        return Rounded().ToString("N" + places, CultureInfo.InvariantCulture);

        decimal Rounded() => Math.Round(value, places, MidpointRounding.AwayFromZero);
    }

    /// <summary>The option whose quantity a name has a word of, with the phase that it has a word of; null where it has that of no quantity, or of both. The other
    /// words are alike in names of either.</summary>
    private static string? MeantBy(string key)
    {
        var words = key.Substring(Prefix.Length).Split('_', '.');
        return Only("speedup", "step") switch
        {
            "speedup" => MinimumSpeedup + Phase(),
            "step" => MaximumStep + Phase(),
            _ => null,
        };

        string Phase() => Only("decode", "prefill") is { } phase ? "." + phase : "";

        string? Only(params string[] meanings) =>
            words.Select(w => EditDistance.Nearest(w, meanings)).OfType<string>().Distinct().ToList() is [var only] ? only : null;
    }

    private static decimal? Read(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : null;
}

using System.Runtime.InteropServices;

namespace Preserve.Cpu.Tests;

/// <summary>How logits are held against each other.</summary>
internal static class Logits
{
    /// <summary>Length of the difference by that of what is expected. Every number of both is one: a comparison with none is always false, and would pass.</summary>
    public static double Distance(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        actual.Length.ShouldBe(expected.Length);
        var (difference, length) = (0.0, 0.0);
        for (var i = 0; i < actual.Length; i++)
        {
            (float.IsFinite(actual[i]) && double.IsFinite(expected[i])).ShouldBeTrue($"logit {i} is {actual[i]}, and {expected[i]} was expected");
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            length += expected[i] * expected[i];
        }
        length.ShouldBeGreaterThan(0);
        return Math.Sqrt(difference / length);
    }

    /// <summary>Whether two steps gave the same bits; 0 and -0 are not the same.</summary>
    public static bool AreSame(ReadOnlySpan<float> left, ReadOnlySpan<float> right) =>
        MemoryMarshal.Cast<float, int>(left).SequenceEqual(MemoryMarshal.Cast<float, int>(right));

    /// <summary>Holds that every step gave the bits that it should, and that they are numbers.</summary>
    public static void ShouldHaveTheBitsOf(this float[][] actual, float[][] expected, Func<string> what)
    {
        actual.Length.ShouldBe(expected.Length, what());
        for (var step = 0; step < expected.Length; step++)
        {
            if (!expected[step].All(float.IsFinite))
                throw new ShouldAssertException($"{what()}, step {step}: not all are numbers");
            if (!AreSame(actual[step], expected[step]))
                throw new ShouldAssertException($"{what()}, step {step}: {FirstDifference(actual[step], expected[step])}");
        }
    }

    private static string FirstDifference(float[] actual, float[] expected)
    {
        if (actual.Length != expected.Length)
            return $"{actual.Length} logits, and {expected.Length} were expected";
        var at = Enumerable.Range(0, expected.Length).FirstOrDefault(i => !AreSame([actual[i]], [expected[i]]));
        return $"logit {at} is {actual[at]:R}, and {expected[at]:R} was expected";
    }
}

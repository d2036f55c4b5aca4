namespace Preserve.Execution.Tests;

/// <summary>A drawn layer says of each row what it moved, and all its times have one unit.</summary>
public class TimelineTextTests
{
    [Theory]
    [InlineData(0, "0.0 us")]
    [InlineData(1_250_000, "1.3 us")]
    [InlineData(9_834_500_000, "9,834.5 us")]
    [InlineData(14_650_100_000, "14,650.1 us")]
    [InlineData(-14_650_100_000, "-14,650.1 us")]
    public void Times_are_in_microseconds_whatever_their_size(long picoseconds, string text) => TimelineText.Microseconds(picoseconds).ShouldBe(text);

    [Fact]
    public void Rows_say_what_they_moved()
    {
        var run = new StepRun(30_000_000)
        {
            Timeline = new[]
            {
                new InstructionRun(StreamKind.Compute, "qkv", 1, 0, 10_000_000, 1_000_000, 3_000_000),
                new InstructionRun(StreamKind.Compute, "norm", 1, 10_000_000, 12_000_000, 0, 999_999),
                new InstructionRun(StreamKind.Prefetch, "under_reduce", 1, 12_000_000, 20_000_000, 0, 8_388_608) { Prefetched = "out_weight" },
                new InstructionRun(StreamKind.Prefetch, "under_reduce", 1, 20_000_000, 21_000_000, 0, 400_000) { Prefetched = "kv" },
                new InstructionRun(StreamKind.Collective, "reduce", 1, 12_000_000, 30_000_000, 0, 0),
            },
        };
        TimelineText.OfLayer(run, layer: 1, width: 10).Split('\n')[1..].Select(l => l.TrimEnd()).ShouldBe(
            [
                "compute     qkv           ███             10.0 us     4.0 MB, 25 % from L2",
                "compute     norm             █             2.0 us",
                "collective  reduce            ▒▒▒▒▒▒      18.0 us",
                "prefetch    under_reduce      ░░           8.0 us     8.4 MB of out_weight",
                "prefetch    under_reduce        ░          1.0 us     0.4 MB of kv",
                "",
            ]);
    }
}

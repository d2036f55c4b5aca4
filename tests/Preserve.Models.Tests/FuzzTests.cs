using Preserve.Fuzz;

namespace Preserve.Models.Tests;

public class FuzzTests
{
    [Fact]
    public void Damaged_files_give_a_sound_model_or_errors()
    {
        var tally = FuzzTally.Run(new ConfigFuzz([.. PublishedConfigs.Ids.Select(PublishedConfigs.Text)]), cases: 3_000, seed: 20_251);
        tally.Crashes.ShouldBeEmpty();
        tally.Accepted.ShouldBeGreaterThan(300);
        tally.Refused.Values.Sum().ShouldBeGreaterThan(1_000);
    }
}

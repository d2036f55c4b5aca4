namespace Preserve.Models.Tests;

public class FuzzTests
{
    [Fact]
    public void Damaged_files_give_a_sound_model_or_errors()
    {
        var (imported, refused) = ConfigFuzz.Run([.. PublishedConfigs.Ids.Select(PublishedConfigs.Text)], cases: 3_000, seed: 20_251);
        imported.ShouldBeGreaterThan(300);
        refused.ShouldBeGreaterThan(1_000);
    }
}

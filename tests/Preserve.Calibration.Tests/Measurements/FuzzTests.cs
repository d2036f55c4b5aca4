using Preserve.Fuzz;

namespace Preserve.Calibration.Tests.Measurements;

public class FuzzTests
{
    [Fact]
    public void Damaged_tables_give_possible_rows_or_errors_that_can_be_printed()
    {
        var tally = FuzzTally.Run(new TableFuzz(), cases: 3_000, seed: 77);
        tally.Crashes.ShouldBeEmpty();
        tally.Accepted.ShouldBeGreaterThan(300);
        tally.Refused.Count.ShouldBeGreaterThan(5);
    }
}

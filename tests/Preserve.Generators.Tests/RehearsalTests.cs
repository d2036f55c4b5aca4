namespace Preserve.Generators.Tests;

public class RehearsalTests
{
    [Fact]
    public void A_rehearsal_goes_all_the_way() => PlanSet.Parse(Rehearsal.Play()).Steps.Count.ShouldBe(1);
}

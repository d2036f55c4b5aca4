namespace Preserve.Package.Tests;

/// <summary>What the documentation tells its reader to do works, and prints what it shows.</summary>
public sealed class WalkthroughTests(PackageFixture fixture)
{
    [Theory]
    [InlineData("tutorial.md", 6)]
    [InlineData("optimizer.md", 2)]
    [InlineData("own-hardware.md", 4)]
    public async Task A_page_does_what_it_says(string page, int leastCommands)
    {
        var walkthrough = new Walkthrough(page, fixture.CreateFolder(), fixture);
        (await walkthrough.FollowAsync()).ShouldBeGreaterThanOrEqualTo(leastCommands);
        walkthrough.LooseFigures().ShouldBeEmpty();
    }
}

namespace Preserve.Core.Tests;

/// <summary>Which name was probably meant.</summary>
public class EditDistanceTests
{
    [Theory]
    [InlineData("mistral-7", "mistral-7b")]
    [InlineData("mixtral", "mixtral-8x7b")]
    [InlineData("MIXTRAL", "mixtral-8x7b")]
    [InlineData("capacity", "capacity_gigabytes")]
    [InlineData("capacity_g", "capacity_gigabytes")]
    [InlineData("capasity_gigabytes", "capacity_gigabytes")]
    [InlineData("mi", null)]
    [InlineData("falcon", null)]
    public void A_beginning_is_nearer_than_a_few_changes(string written, string? meant) =>
        EditDistance.Nearest(written, ["mistral-7b", "mixtral-8x7b-instruct", "mixtral-8x7b", "capacity_mebibytes_and_more", "capacity_gigabytes"]).ShouldBe(meant);

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("Same", "same", 0)]
    public void A_distance_counts_the_changed_characters(string left, string right, int distance) => EditDistance.Between(left, right).ShouldBe(distance);
}

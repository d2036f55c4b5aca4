namespace Preserve.Hardware.Tests.Simulation;

public class ResidencyCurveTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(30, 1)]
    [InlineData(32, 0.8)]
    [InlineData(40, 0)]
    [InlineData(400, 0)]
    public void All_is_found_to_the_full_speed_part_then_evenly_less(double distance, double share) =>
        new ResidencyCurve(30, 40).Share(distance).ShouldBe(share, tolerance: 1e-12);

    [Fact]
    public void Nothing_is_found_in_an_unknown_cache_and_a_cliff_is_a_curve() =>
        (new ResidencyCurve(0, 0).Share(0), new ResidencyCurve(30, 30).Share(30), new ResidencyCurve(30, 30).Share(31)).ShouldBe((0, 1, 0));

    /// <summary>The measured end of the H100's L2 holds for fits and validations as it does for simulations.</summary>
    [Fact]
    public void A_device_has_one_curve()
    {
        DeviceCatalogue.TryGet("h100-sxm", out var h100).ShouldBeTrue();
        (h100!.Residency.FullBytes, h100.Residency.LimitBytes).ShouldBe((h100.PrefetchRoomBytes, h100.L2LimitBytes));
        DeviceCatalogue.TryGet("b200-sxm", out var b200).ShouldBeTrue();
        (b200!.PrefetchRoomBytes, b200.L2LimitBytes).ShouldBe((0, 0), "its read rate is unknown");
        b200.Residency.FullBytes.ShouldBe(100L << 20);
    }
}

namespace Preserve.Hardware.Tests.Devices;

/// <summary>Of a group beyond what the links are known to join it is said, whatever says how many they join.</summary>
public class GroupReachTests
{
    [Theory]
    // Joined by the file, measured, and neither.
    [InlineData("ascend-910b2", 8, "16 ranks are more than the 8 that one domain of HCCS x7 joins")]
    [InlineData("mi300x", 8, "16 ranks are more than the 8 that one domain of Infinity Fabric x7 joins")]
    [InlineData("tpu-v5e", 256, "512 ranks are more than the 256 that one domain of ICI 2D x4 joins")]
    [InlineData("h100-sxm", 8, "collectives were measured over 8 ranks at most: those of 16 take the device file's rates of collectives")]
    [InlineData("l40s", 8, "16 ranks are more than the 8 of one server, and how many PCIe 4.0 x16 joins is neither measured nor said")]
    public void A_group_is_known_up_to_its_reach(string id, int reach, string beyond)
    {
        DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
        GroupReach.Beyond(device, 1).ShouldBeNull();
        GroupReach.Beyond(device, reach).ShouldBeNull();
        GroupReach.Beyond(device, reach + 1).ShouldNotBeNull();
        GroupReach.Beyond(device, 2 * reach).ShouldNotBeNull().ShouldStartWith(beyond);
    }

    /// <summary>The largest pods join 8,960.</summary>
    [Fact]
    public void No_built_in_device_joins_any_number()
    {
        foreach (var id in DeviceCatalogue.Ids)
        {
            DeviceCatalogue.TryGet(id, out var device).ShouldBeTrue();
            GroupReach.Beyond(device, 8_961).ShouldNotBeNull(id);
        }
    }
}

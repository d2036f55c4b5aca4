namespace Preserve.Hardware.Tests;

public class L2ContentsTests
{
    private const long Mebibyte = 1 << 20;

    [Fact]
    public void What_is_set_aside_stays_until_it_is_read_whatever_passes()
    {
        var l2 = Contents(setAside: 10 * Mebibyte);
        l2.BeginPrefetch(0).ShouldBe(0);
        l2.Arrive(0, 6 * Mebibyte, 6 * Mebibyte);
        for (var other = 1; other < 20; other++)
            l2.Pass(other, 30 * Mebibyte);
        l2.Read(0).ShouldBe(6 * Mebibyte);
        // Once read it belongs to the shared part, which has let go of it.
        l2.Read(0).ShouldBe(0);
    }

    [Fact]
    public void Without_a_set_aside_it_is_evicted()
    {
        var l2 = Contents(setAside: 0);
        l2.Arrive(0, 6 * Mebibyte, 6 * Mebibyte);
        for (var other = 1; other < 20; other++)
            l2.Pass(other, 30 * Mebibyte);
        l2.Read(0).ShouldBe(0);
    }

    [Fact]
    public void What_finds_no_room_there_is_shared()
    {
        var l2 = Contents(setAside: 10 * Mebibyte);
        l2.Arrive(0, 16 * Mebibyte, 16 * Mebibyte);
        l2.BeginPrefetch(0).ShouldBe(16 * Mebibyte);
        for (var other = 1; other < 20; other++)
            l2.Pass(other, 30 * Mebibyte);
        l2.Read(0).ShouldBe(10 * Mebibyte);
    }

    [Fact]
    public void The_shared_part_is_smaller_by_what_is_set_aside()
    {
        // 27 of 40 MiB at full speed, nothing beyond 36: with 10 set aside 17 and 26.
        var l2 = Contents(setAside: 10 * Mebibyte);
        l2.Pass(0, 17 * Mebibyte);
        l2.Read(0).ShouldBe(17 * Mebibyte);
        l2.Pass(1, 26 * Mebibyte);
        l2.Read(0).ShouldBe(0);
    }

    private static L2Contents Contents(long setAside)
    {
        DeviceCatalogue.TryGet(Preserve.Devices.A100Sxm80, out var device).ShouldBeTrue();
        var l2 = new L2Contents();
        l2.Reset(32, device with { L2 = device.L2 with { SetAsideMebibytes = (double)setAside / Mebibyte } });
        return l2;
    }
}

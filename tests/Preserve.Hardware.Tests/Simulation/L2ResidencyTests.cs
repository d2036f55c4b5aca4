namespace Preserve.Hardware.Tests.Simulation;

public class L2ResidencyTests
{
    [Fact]
    public void The_least_recently_used_bytes_leave_first()
    {
        var l2 = Empty(100);
        l2.Add(1, 40, 40);
        l2.Add(2, 40, 40);
        l2.Touch(1);
        l2.Add(3, 40, 40);
        // 120 bytes: 20 leave, of slot 2, which was used longest ago.
        (l2.Resident(1), l2.Resident(2), l2.Resident(3)).ShouldBe((40, 20, 40));
        l2.Add(4, 30, 30);
        (l2.Resident(1), l2.Resident(2), l2.Resident(3), l2.Resident(4)).ShouldBe((30, 0, 40, 30));
        l2.Count.ShouldBe(3);
    }

    [Fact]
    public void A_range_arrives_in_parts_and_no_more_than_whole()
    {
        var l2 = Empty(100);
        l2.Add(1, 10, 25);
        l2.Add(1, 10, 25);
        l2.Resident(1).ShouldBe(20);
        l2.Add(1, 10, 25);
        l2.Resident(1).ShouldBe(25);
    }

    [Fact]
    public void A_range_larger_than_the_L2_holds_what_fits()
    {
        var l2 = Empty(100);
        l2.Add(1, 60, 60);
        l2.Add(2, 500, 500);
        (l2.Resident(1), l2.Resident(2)).ShouldBe((0, 100));
    }

    [Fact]
    public void Without_capacity_nothing_is_resident()
    {
        var l2 = Empty(0);
        l2.Add(1, 60, 60);
        l2.Resident(1).ShouldBe(0);
        l2.Newest.ShouldBe(-1);
    }

    [Fact]
    public void Layers_shift_and_keep_their_order()
    {
        var l2 = Empty(100);
        l2.Add(1, 10, 10);
        l2.Add(5, 20, 20);
        l2.Add(2, 30, 30);
        // Segments of four slots; those of the first shift by one.
        l2.Shift(1, 4, [true, false]);
        (l2.Newest, l2.Older(3), l2.Older(5)).ShouldBe((3, 5, 2));
        (l2.Resident(3), l2.Resident(5), l2.Resident(2), l2.Resident(1)).ShouldBe((30, 20, 10, 0));
        l2.Reset(8, 100);
        l2.Resident(3).ShouldBe(0);
    }

    private static L2Residency Empty(long capacity)
    {
        var l2 = new L2Residency();
        l2.Reset(8, capacity);
        return l2;
    }
}

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
        StateOf(l2).ShouldBe([0L]);
    }

    [Fact]
    public void Layers_shift_and_keep_their_order()
    {
        var l2 = Empty(100);
        l2.Add(1, 10, 10);
        l2.Add(5, 20, 20);
        l2.Add(2, 30, 30);
        // Those of the first four slots shift by one.
        l2.Shift(1, 4);
        // How many, then each with its bytes, the newest first; the first five slots are of layers, counted from slot 4.
        StateOf(l2, origin: 4, layerSlots: 5).ShouldBe([3L, -1, 30, 5, 20, -2, 10]);
        (l2.Resident(3), l2.Resident(5), l2.Resident(2), l2.Resident(1)).ShouldBe((30, 20, 10, 0));
        l2.Reset(8, 100, 100);
        l2.Resident(3).ShouldBe(0);
    }

    [Fact]
    public void Beyond_the_full_speed_part_less_is_found_and_beyond_a_third_more_nothing()
    {
        // Full speed up to 90 bytes, nothing from 120 on.
        foreach (var (size, hot) in new[] { (60L, 60L), (90, 90), (105, 52), (119, 3), (120, 0), (500, 0) })
        {
            var l2 = new L2Residency();
            l2.Reset(8, 90, 120);
            l2.Add(1, size, size);
            l2.Hot(1).ShouldBe(hot);
        }
    }

    [Fact]
    public void What_was_used_since_counts_and_what_was_not_does_not()
    {
        var l2 = new L2Residency();
        l2.Reset(8, 90, 120);
        l2.Add(1, 40, 40);
        l2.Add(2, 40, 40);
        l2.Add(3, 25, 25);
        // Since slot 1: 105 bytes with its own, half of the way from 90 to 120. Since slots 2 and 3: 65 and 25.
        (l2.Hot(1), l2.Hot(2), l2.Hot(3)).ShouldBe((20, 40, 25));
        l2.Keep(1, l2.Hot(1));
        (l2.Resident(1), l2.Hot(1)).ShouldBe((20, 20));
        l2.Keep(1, 0);
        l2.Count.ShouldBe(2);
    }

    private static long[] StateOf(L2Residency l2, int origin = 0, int layerSlots = 0)
    {
        var state = new long[1 + (2 * l2.Count)];
        l2.WriteState(origin, layerSlots, state, 0).ShouldBe(state.Length);
        return state;
    }

    private static L2Residency Empty(long capacity)
    {
        var l2 = new L2Residency();
        l2.Reset(8, capacity, capacity);
        return l2;
    }
}

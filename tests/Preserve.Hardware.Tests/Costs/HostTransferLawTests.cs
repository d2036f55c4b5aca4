namespace Preserve.Hardware.Tests.Costs;

public class HostTransferLawTests
{
    private static readonly HostTransferConstants s_constants = new(9, 50, 20, 12, 0.8, 240);

    [Theory]
    [InlineData(true, false, 1, 9_000_000 + 20_000_000)]
    [InlineData(false, false, 1, 20_000_000 + 83_333_334)]
    [InlineData(true, true, 1, 9_000_000 + 25_000_000)]
    [InlineData(true, false, 8, 9_000_000 + 33_333_334)]
    [InlineData(true, true, 8, 9_000_000 + 66_666_667)]
    public void A_copy_takes_its_latency_and_its_bytes(bool pinned, bool bothDirections, int ranks, long picoseconds) =>
        HostTransferLaw.Time(s_constants, new TransferOperation(TransferDirection.HostToDevice, pinned), 1_000_000, bothDirections, ranks).ShouldBe(picoseconds);

    [Fact]
    public void A_copy_demands_the_link_of_its_direction()
    {
        HostTransferLaw.Demand(s_constants, new TransferOperation(TransferDirection.HostToDevice, Pinned: true))
            .ShouldBe(new KernelDemand(9_000_000, HbmBytesPerPicosecond: 0.05, L2BytesPerPicosecond: 0.05, Transfer: TransferDirection.HostToDevice));
        HostTransferLaw.Demand(s_constants, new TransferOperation(TransferDirection.DeviceToHost, Pinned: false))
            .ShouldBe(new KernelDemand(20_000_000, HbmBytesPerPicosecond: 0.012, L2BytesPerPicosecond: 0.012, Transfer: TransferDirection.DeviceToHost));
    }
}

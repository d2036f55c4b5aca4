using Preserve.Fuzz;

namespace Preserve.Hardware.Tests.Devices;

public class FuzzTests
{
    [Fact]
    public void Damaged_device_files_give_a_sound_device_or_errors()
    {
        var tally = FuzzTally.Run(new DeviceFileFuzz(), cases: 3_000, seed: 20_251);
        tally.Crashes.ShouldBeEmpty();
        tally.Accepted.ShouldBeGreaterThan(300);
        tally.Refused.Values.Sum().ShouldBeGreaterThan(1_000);
    }
}

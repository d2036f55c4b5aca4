using System.Globalization;

namespace Preserve;

/// <summary>Least and most that a value of a device file may be. Wide enough for any machine that exists or is announced,
/// narrow enough that a wrong unit falls outside, or breaks what holds between values: a core's share of a server's rates is small.</summary>
internal sealed record Bounds(double Least, double Most, string Hint = "")
{
    public static readonly Bounds Teraflops = new(0.001, 100_000, " (in 10^12 operations per second)");
    public static readonly Bounds CapacityGigabytes = new(1, 4_096, " (in 10^9 bytes)");
    public static readonly Bounds HostGigabytes = new(1, 1_000_000, " (in 10^9 bytes)");
    public static readonly Bounds MemoryRate = new(4, 50_000, " (in 10^9 bytes per second, not bits)");
    public static readonly Bounds Mebibytes = new(0.25, 4_096, " (in 2^20 bytes)");
    public static readonly Bounds OnChipRate = new(0.001, 500, " (in 10^12 bytes per second)");
    public static readonly Bounds LinkRate = new(0.5, 4_000, " (in 10^9 bytes per second and direction, not bits)");
    public static readonly Bounds Microseconds = new(0, 1_000, " (in 10^-6 seconds)");
    public static readonly Bounds CollectiveMicroseconds = new(0.1, 1_000, " (in 10^-6 seconds; one access to another rank's memory alone takes more than the least)");
    public static readonly Bounds Nanoseconds = new(0, 100_000, " (in 10^-9 seconds)");
    public static readonly Bounds Picoseconds = new(0, 10_000, " (in 10^-12 seconds)");
    public static readonly Bounds Share = new(0, 1);
    public static readonly Bounds PartAboveZero = new(0.01, 1);
    public static readonly Bounds Ratio = new(0.1, 10);
    public static readonly Bounds Multiprocessors = new(1, 100_000);
    public static readonly Bounds CopyEngines = new(1, 64);
    public static readonly Bounds Ranks = new(2, 100_000);
    public static readonly Bounds Bytes = new(1, 1e15);
    public static readonly Bounds Rows = new(0, 1e9);
    public static readonly Bounds SquareMillimetres = new(1, 100_000);
    public static readonly Bounds Watts = new(1, 100_000);
    public static readonly Bounds Dollars = new(1, 10_000_000);

    public string LeastText => Least.ToString(CultureInfo.InvariantCulture);

    public string MostText => Most.ToString(CultureInfo.InvariantCulture);
}

using Preserve.Tests;

namespace Preserve.Calibration.Tests;

/// <summary>What a table says does not depend on the order of its rows: constants and bands are the same to the last digit.</summary>
public class RowOrderTests
{
    private static readonly MeasurementSet s_nothing = new([], [], [], [], []);

    /// <summary>Rows of every table, off any law by noise.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Shuffled_rows_give_the_same_constants(int seed)
    {
        var random = new Random(seed);
        DeviceCatalogue.TryGet("h100-sxm", out var device).ShouldBeTrue();
        var calibration = HoldInAnyOrder(Rows(random), "mine", device! with { Calibration = null }, random);
        (calibration.MatMul.Count, calibration.SmallOperators.Count, calibration.Collectives.Count).ShouldBe((1, 4, 2));
        calibration.Decode.ShouldNotBeNull();
        calibration.Prefill.ShouldNotBeNull();
    }

    [MeasuredFact]
    public void Shuffled_measurements_give_the_same_constants()
    {
        var system = MeasuredSystem.Of("a100_sxm")!;
        DeviceCatalogue.TryGet(system.DeviceId, out var device).ShouldBeTrue();
        var rows = s_nothing with { Collectives = MeasuredTables.Set!.Collectives };
        HoldInAnyOrder(rows, system.Name, device!, new Random(3)).Collectives.Count.ShouldBe(device!.Calibration!.Collectives.Count);
    }

    /// <summary>The constants of rows, which are those of the same rows shuffled.</summary>
    private static DeviceCalibration HoldInAnyOrder(MeasurementSet rows, string system, Device device, Random random)
    {
        var calibration = Calibrate(rows);
        Calibrate(Shuffled(rows, random)).ShouldBe(calibration);
        return calibration;

        DeviceCalibration Calibrate(MeasurementSet rows) => Calibrator.Calibrate(rows, system, device, 132, "test").Calibration;
    }

    /// <summary>Every table in another order, each row at its new line.</summary>
    private static MeasurementSet Shuffled(MeasurementSet rows, Random random)
    {
        return new MeasurementSet(
            Of(rows.MatMul, (r, line) => r with { Line = line }),
            Of(rows.HotMatMul, (r, line) => r with { Line = line }),
            Of(rows.Attention, (r, line) => r with { Line = line }),
            Of(rows.Collectives, (r, line) => r with { Line = line }),
            Of(rows.Layers, (r, line) => r with { Line = line }));

        List<T> Of<T>(IReadOnlyList<T> table, Func<T, int, T> at)
        {
            var shuffled = table.ToArray();
            random.Shuffle(shuffled);
            return shuffled.Select((r, i) => at(r, i + 3)).ToList();
        }
    }

    /// <summary>Rows of every table; some shapes stand twice.</summary>
    private static MeasurementSet Rows(Random random)
    {
        var line = 2;
        var matMul = new List<MatMulRow>();
        foreach (var n in new[] { 512, 2048, 4096, 8192 })
        {
            foreach (var k in new[] { 1024, 2560, 4096 })
            {
                foreach (var m in new[] { 1, 1, 16, 256, 2048 })
                    matMul.Add(new MatMulRow(++line, "mine", Precision.Bf16, m, n, k, Noisy(4 + (2.0 * n * k / 2.5e6) + (2.0 * m * n * k / 600e6)), Hot: false));
            }
        }
        var hot = matMul.Where(r => r.Rows <= 16).Select(r => r with { Hot = true, Microseconds = Noisy(4 + (2.0 * r.Columns * r.Depth / 6e6)) }).ToList();
        var attention = new List<AttentionRow>();
        foreach (var batch in new[] { 1, 4, 16 })
        {
            foreach (var length in new[] { 128, 1024, 4096 })
            {
                foreach (var heads in new[] { 8, 32, 32 })
                {
                    attention.Add(new AttentionRow(++line, "mine", true, "any", batch, length, heads, 8, Noisy(12 + (512e-6 * batch * length * 8 / 2))));
                    attention.Add(new AttentionRow(++line, "mine", false, "any", batch, length, heads, 8, Noisy(12 + (4.0 * 64 * batch * length * length * heads / 300e6))));
                }
            }
        }
        var collectives = from library in new[] { "NCCL", "Mine" }
                          from size in Enumerable.Range(0, 12)
                          from again in Enumerable.Range(0, 2)
                          select new CollectiveRow(++line, "mine", library, LaunchMode.Graph, CollectiveTable.AllReduce, 8, 8192L << size, Noisy(15 + (1.75 * (8192L << size) / 300e3)));
        var layers = from model in new[] { "Llama-2-7b-hf", "Llama-2-13b-hf" }
                     from tokens in new[] { 1, 8, 32, 128, 1024, 2048, 4096 }
                     from again in Enumerable.Range(0, 2)
                     select new LayerRow(++line, "mine", model, 1, tokens, LayerTable.Operators.Select(o => Noisy(TimeOf(LayerShapes.Of(model)!.Operation(o, 1, tokens)))).ToArray());
        return new MeasurementSet(matMul, hot, attention, collectives.ToList(), layers.ToList());

        static double TimeOf((Operation Operation, long Bytes)? of) => of switch
        {
            (MatMulOperation o, var bytes) => 5 + (bytes / 2.5e6) + (2.0 * o.Rows * o.Columns * o.Depth / 600e6),
            (_, var bytes) => 6 + (bytes / 2e6),
            null => 5,
        };

        double Noisy(double microseconds) => Math.Round(microseconds * (0.9 + (0.2 * random.NextDouble())), 2);
    }
}

namespace Preserve.Cpu.Tests;

/// <summary>Each operator by itself beside its definition, in double precision.</summary>
public unsafe class KernelTests
{
    private const double Tolerance = 1e-5;

    /// <summary>Each line of the buffer holds another power of two: their sum says which lines were read, and that none was read twice.</summary>
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 1, 1)]
    [InlineData(63, 1, 1)]
    [InlineData(63, 2, 3)]
    [InlineData(64, 64, 2)]
    [InlineData(100, 200, 30)]
    [InlineData(0, 512, 255)]
    [InlineData(511, 1, 128)]
    public void A_prefetch_reads_each_line_once(int start, int bytes, long lines)
    {
        using var buffer = new NativeBuffer(512);
        for (var i = 0; i < buffer.Bytes; i++)
            buffer.Start[i] = (byte)(1 << (i / 64));
        var tensor = new TensorDeclaration("prefetched", TensorRole.Weight, false, Precision.Bf16, buffer.Bytes, 1, 0);
        CacheLines.Touch([new Operand(tensor, buffer.Start + start, bytes)]).ShouldBe(lines);
        CacheLines.Touch([new Operand(tensor, buffer.Start + start, bytes), new Operand(tensor, buffer.Start, 128)]).ShouldBe(lines + 3);
    }

    [Theory]
    [InlineData(Norm.Rms, 5, 1e-5f)]
    [InlineData(Norm.Rms, 48, 0.5f)]
    [InlineData(Norm.Layer, 48, 1e-5f)]
    [InlineData(Norm.Layer, 7, 0.5f)]
    public void A_norm_divides_by_the_root_of_the_mean_square(Norm norm, int width, float epsilon)
    {
        var (row, weight) = (Values(width, 1), Values(2 * width, 2));
        var mean = norm == Norm.Layer ? row.Average(x => (double)x) : 0;
        var root = Math.Sqrt(row.Average(x => (x - mean) * (x - mean)) + epsilon);
        double[] expected = [.. row.Select((x, i) => ((x - mean) / root * weight[i]) + (norm == Norm.Layer ? weight[width + i] : 0))];
        Normalisation.Run(norm, row, weight, epsilon);
        Logits.Distance(row, expected).ShouldBeLessThan(Tolerance);
    }

    [Theory]
    [InlineData(8, 10_000, 0)]
    [InlineData(8, 10_000, 5)]
    [InlineData(64, 500_000, 1_000)]
    [InlineData(5, 100, 3)]
    public void A_rotation_turns_each_pair_by_its_own_angle(int size, double rotaryBase, int position)
    {
        var heads = Values(3 * size, 3);
        var expected = heads.Select(x => (double)x).ToArray();
        for (var head = 0; head < 3; head++)
        {
            for (var i = 0; i < size / 2; i++)
            {
                // As a complex number times e to the i angle.
                var (at, angle) = ((head * size) + i, position / Math.Pow(rotaryBase, 2.0 * i / size));
                var turned = new System.Numerics.Complex(heads[at], heads[at + (size / 2)]) * System.Numerics.Complex.FromPolarCoordinates(1, angle);
                (expected[at], expected[at + (size / 2)]) = (turned.Real, turned.Imaginary);
            }
        }
        new Rotation(size, rotaryBase).Run(heads, position);
        Logits.Distance(heads, expected).ShouldBeLessThan(Tolerance);
    }

    /// <summary>Values as PyTorch 2 gives them: <c>silu</c>, <c>gelu(approximate="tanh")</c>, <c>relu</c>, and 2 tanh(x / 2).</summary>
    [Theory]
    [InlineData(-3, -0.142278, -0.003637, 0, -1.810297)]
    [InlineData(-1, -0.268941, -0.158808, 0, -0.924234)]
    [InlineData(0, 0, 0, 0, 0)]
    [InlineData(0.5, 0.311230, 0.345714, 0.5, 0.489837)]
    [InlineData(2, 1.761594, 1.954598, 2, 1.523188)]
    public void An_activation_has_the_values_of_its_definition(float x, double silu, double gelu, double relu, double capped)
    {
        // Of one element and of as many as take vectors and leave some over.
        foreach (var width in new[] { 1, 5, 67 })
        {
            var other = new float[width];
            Near(silu, row => Activations.Silu(row, other));
            Near(gelu, row => Activations.Gelu(row, other));
            Near(relu, Activations.Relu);
            Near(capped, row => Activations.SoftCap(row, 2));

            void Near(double expected, RowFunction function)
            {
                var row = Enumerable.Repeat(x, width).ToArray();
                function(row);
                row.ShouldAllBe(actual => Math.Abs(actual - expected) <= 1e-6);
            }
        }
        float[] none = [float.NaN];
        Activations.Relu(none);
        float.IsNaN(none[0]).ShouldBeTrue();
    }

    /// <summary>Rows of one width give the same bits wherever they lie in memory, and whatever lies beside them.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(24)]
    [InlineData(67)]
    [InlineData(301)]
    public void An_element_wise_kernel_gives_the_same_bits_at_any_place(int width)
    {
        var (values, weight) = (Values(width, 12), Values(2 * width, 13));
        RowFunction[] functions =
        [
            row => Activations.Silu(row, new float[width]), row => Activations.Gelu(row, new float[width]), Activations.Relu, row => Activations.SoftCap(row, 2),
            row => Normalisation.Run(Norm.Rms, row, weight, 1e-5f), row => Normalisation.Run(Norm.Layer, row, weight, 1e-5f), row => new Rotation(width, 100).Run(row, 7),
        ];
        foreach (var function in functions)
        {
            var expected = values.ToArray();
            function(expected);
            for (var place = 1; place < 20; place++)
            {
                var memory = new float[place + width + 3];
                values.CopyTo(memory, place);
                function(memory.AsSpan(place, width));
                Logits.AreSame(memory.AsSpan(place, width), expected).ShouldBeTrue($"at {place}");
                memory[..place].Concat(memory[(place + width)..]).ShouldAllBe(v => v == 0);
            }
        }
    }

    /// <summary>A function of a row.</summary>
    private delegate void RowFunction(Span<float> row);

    public static TheoryData<int, int, int, int, int, bool> Shapes { get; } = new()
    {
        // Query heads, KV heads, head size, new tokens, window, soft cap.
        { 4, 4, 8, 1, 0, false },
        { 6, 2, 40, 1, 0, true },
        { 4, 1, 33, 5, 0, false },
        { 8, 2, 64, 3, 4, true },
        { 2, 2, 2, 7, 1, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Attention_weighs_values_by_the_softmax_of_scaled_scores(int heads, int keyValueHeads, int size, int newTokens, int window, bool softCap)
    {
        const int Sequences = 2, Cached = 6;
        const float Cap = 0.75f, Scale = 0.3f;
        var attended = Cached + newTokens;
        var (queryWidth, width) = (heads * size, 2 * keyValueHeads * size);
        float[] queries = Values(Sequences * newTokens * queryWidth, 4), cache = Values(attended * Sequences * width, 5);
        var expected = new double[Sequences * newTokens * queryWidth];
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            for (var token = 0; token < newTokens; token++)
            {
                for (var head = 0; head < heads; head++)
                {
                    var (row, shared) = (((sequence * newTokens) + token) * queryWidth, head / (heads / keyValueHeads) * size);
                    var last = Cached + token;
                    var seen = Enumerable.Range(0, last + 1).Where(t => window == 0 || t > last - window).ToArray();
                    var scores = seen.Select(t => Enumerable.Range(0, size).Sum(d => (double)queries[row + (head * size) + d] * Entry(t, sequence, shared + d)) * Scale).ToArray();
                    if (softCap)
                        scores = [.. scores.Select(s => Cap * Math.Tanh(s / Cap))];
                    var total = scores.Sum(Math.Exp);
                    for (var d = 0; d < size; d++)
                        expected[row + (head * size) + d] = seen.Select((t, i) => Math.Exp(scores[i]) / total * Entry(t, sequence, (keyValueHeads * size) + shared + d)).Sum();
                }
            }
        }
        using NativeBuffer from = Buffer(queries), past = Buffer(cache[..(Cached * Sequences * width)]), fresh = Buffer(cache[(Cached * Sequences * width)..]), to = Buffer(new float[expected.Length]);
        var shape = new AttentionOperation(Sequences, newTokens, heads, keyValueHeads, size, 0, softCap);
        Attention.Run(shape, Fp32(from), [new CacheView(Fp32(past), Sequences, width), new CacheView(Fp32(fresh), Sequences, width)], Fp32(to), window, Scale, Cap, new Scratch());
        var actual = new float[expected.Length];
        Fp32(to).Load(0, actual);
        Logits.Distance(actual, expected).ShouldBeLessThan(Tolerance);

        double Entry(int token, int sequence, int element) => cache[(((token * Sequences) + sequence) * width) + element];
    }

    [Theory]
    [InlineData(1, 5, 3)]
    [InlineData(2, 64, 40)]
    [InlineData(7, 300, 33)]
    public void A_matmul_adds_its_bias(int rows, int depth, int columns)
    {
        float[] x = Values(rows * depth, 6), w = Values(columns * depth, 7), bias = Values(columns, 8);
        double[] expected = [.. Enumerable.Range(0, rows * columns)
            .Select(i => Enumerable.Range(0, depth).Sum(d => (double)x[(i / columns * depth) + d] * w[(i % columns * depth) + d]) + bias[i % columns])];
        using NativeBuffer input = Buffer(x), weight = Buffer(w), summand = Buffer(bias), output = Buffer(new float[rows * columns]);
        MatMul.Run(Fp32(input), rows, [Fp32(weight)], [Fp32(summand)], Fp32(output), new Scratch(), threads: 2);
        var actual = new float[rows * columns];
        Fp32(output).Load(0, actual);
        Logits.Distance(actual, expected).ShouldBeLessThan(Tolerance);
    }

    /// <summary>A fused weight may have parts of several formats: each gives the bits that it gives by itself.</summary>
    [Theory]
    [InlineData(Precision.Bf16, new[] { Precision.Bf16, Precision.Fp32 })]
    [InlineData(Precision.Bf16, new[] { Precision.Fp32, Precision.Bf16 })]
    [InlineData(Precision.Bf16, new[] { Precision.Bf16, Precision.Fp32, Precision.Bf16 })]
    [InlineData(Precision.Fp32, new[] { Precision.Bf16, Precision.Fp32 })]
    public void Each_part_of_a_weight_is_read_in_its_own_format(Precision activations, Precision[] formats)
    {
        const int Rows = 3, Depth = 300, Columns = 40;
        var columns = formats.Length * Columns;
        using NativeBuffer input = Buffer(Values(Rows * Depth, 9), activations), output = Buffer(new float[Rows * columns]), alone = Buffer(new float[Rows * Columns]);
        var parts = formats.Select((f, i) => Buffer(Values(Columns * Depth, 10 + i), f)).ToArray();
        Operand[] weights = [.. parts.Select((p, i) => Of(p, formats[i]))];
        MatMul.Run(Of(input, activations), Rows, weights, [], Fp32(output), new Scratch(), threads: 2);
        var (actual, expected) = (new float[Columns], new float[Columns]);
        for (var part = 0; part < weights.Length; part++)
        {
            MatMul.Run(Of(input, activations), Rows, [weights[part]], [], Fp32(alone), new Scratch(), threads: 1);
            for (var row = 0; row < Rows; row++)
            {
                Fp32(output).Load(((long)row * columns) + (part * Columns), actual);
                Fp32(alone).Load((long)row * Columns, expected);
                expected.ShouldContain(v => v != 0);
                Logits.AreSame(actual, expected).ShouldBeTrue($"part {part}, row {row}");
            }
            parts[part].Dispose();
        }
    }

    [Theory]
    [InlineData(64, 4, 4, 0, null)]
    [InlineData(63, 4, 4, 0, "'t' has 63 elements, which are no rows of 16")]
    [InlineData(48, 4, 4, 0, "'t' has 4 columns, and its weights have 3 outputs")]
    [InlineData(64, 4, 4, 3, "'t' has 4 columns, and its biases have 3 outputs")]
    [InlineData(64, 4, 4, 5, "'t' has 4 columns, and its biases have 5 outputs")]
    public void A_matmul_has_a_weight_and_a_bias_for_each_output(int weights, int rows, int columns, int biases, string? fault)
    {
        using NativeBuffer input = Buffer(new float[rows * 16]), weight = Buffer(new float[weights]), bias = Buffer(new float[biases]), output = Buffer(new float[rows * columns]);
        if (fault is null)
            Run();
        else
            Should.Throw<InvalidOperationException>(Run).Message.ShouldBe(fault);

        void Run() => MatMul.Run(Fp32(input), rows, [Fp32(weight)], biases == 0 ? [] : [Fp32(bias)], Fp32(output), new Scratch(), threads: 1);
    }

    /// <summary>A step may be stopped in the middle of a large matmul, of which nobody waits for the rest.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_matmul_of_a_step_that_is_stopped_goes_no_further(int threads)
    {
        const int Depth = 512, Columns = 1024;
        using NativeBuffer input = Buffer(Values(Depth, 14)), weight = Buffer(Values(Depth * Columns, 15)), output = Buffer(new float[Columns]);
        var progress = new RankProgress();
        progress.Begin();
        progress.Stop();
        Run().ShouldAllBe(o => o == 0);
        progress.Begin();
        Run().ShouldAllBe(o => o != 0);

        float[] Run()
        {
            MatMul.Run(Fp32(input), 1, [Fp32(weight)], [], Fp32(output), new Scratch(), threads, progress);
            var outputs = new float[Columns];
            Fp32(output).Load(0, outputs);
            return outputs;
        }
    }

    private static NativeBuffer Buffer(float[] values, Precision format = Precision.Fp32)
    {
        var buffer = new NativeBuffer((format == Precision.Fp32 ? 4L : 2L) * values.Length);
        Of(buffer, format).Store(0, values);
        return buffer;
    }

    private static Operand Fp32(NativeBuffer buffer) => Of(buffer, Precision.Fp32);

    private static Operand Of(NativeBuffer buffer, Precision format) => new(new TensorDeclaration("t", TensorRole.Value, false, format, buffer.Bytes, 1, 0), buffer.Start, buffer.Bytes);

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }
}

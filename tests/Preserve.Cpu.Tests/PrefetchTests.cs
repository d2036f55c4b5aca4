namespace Preserve.Cpu.Tests;

/// <summary>A prefetch reads what its instruction names, and nothing else: seen by the sum of the bytes that it read, of memory in which one line alone is not zero.</summary>
public sealed unsafe class PrefetchTests
{
    private const int Prompt = 9;
    private const int Sequences = 2;
    private const int LineBytes = 64;

    private static readonly ModelSpec s_model = Model(window: 0);

    private static readonly DecodeSpec s_decode = new(Sequences, Prompt + 3, Total: false, Prompt);

    public static TheoryData<int, int, int, int, int> Ranges { get; } = new()
    {
        // Tokens of a block, window, context, first token that the step sees and is prefetched, and the one behind the last.
        { 2, 0, Prompt, 0, 10 },
        { 2, 0, Prompt, 0, 1 },
        { 2, 0, Prompt, 3, 4 },
        { 3, 0, Prompt + 2, 2, 7 },
        { 4, 0, Prompt, 4, 8 },
        { 16, 0, Prompt, 1, 5 },
        { 3, 0, Prompt, 5, 5 },
        { 3, 4, Prompt + 1, 0, 4 },
        { 2, 4, Prompt + 2, 1, 3 },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Of_a_paged_cache_the_blocks_of_its_tokens_are_read(int block, int window, int context, int begin, int end)
    {
        var model = Model(window);
        var plan = Deployments.Plan(Deployments.Of(model, 1) with { KeyValueBlockTokens = block }, s_decode);
        var cache = plan.Tensors.Single(t => t.Role == TensorRole.KeyValues);
        (cache.UnitBytes / Sequences).ShouldBe(LineBytes);
        using var stream = new OneStream(model, plan, context);
        TensorReference tokens = new(cache.Name, LayerIndex.Of(1), new UnitRange(begin, end)), table = new(plan.Tensors.Single(t => t.Role == TensorRole.BlockTable).Name, LayerIndex.None);
        var (data, blocks) = (stream.Memory.Resolve(tokens, 0), stream.Memory.Resolve(table, 0));
        var numbers = new ReadOnlySpan<int>(blocks.Start, (int)blocks.Bytes / 4);
        var attended = window == 0 ? context + 1 : Math.Min(window, context + 1);
        var first = context + 1 - attended;
        var lines = new HashSet<int>();
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            for (var token = first + begin; token < first + end; token++)
            {
                var number = numbers[(sequence * numbers.Length / Sequences) + (token / block) - (first / block)];
                lines.Add((number * block) + (token % block));
            }
        }
        lines.Count.ShouldBe(Sequences * (end - begin));
        LinesRead(stream, data, tokens, table).ShouldBe(lines, ignoreOrder: true);
    }

    /// <summary>A cache in one piece has the sequences of a token beside each other; a weight has bytes.</summary>
    [Theory]
    [InlineData("kv", 3, 8, Sequences * 3, Sequences * 8)]
    [InlineData("kv", 0, 10, 0, Sequences * 10)]
    [InlineData("out_weight", 128, 384, 2, 6)]
    [InlineData("out_weight", 0, 512, 0, 8)]
    public void Of_what_lies_in_one_piece_its_range_is_read(string tensor, int begin, int end, int firstLine, int lastLine)
    {
        using var stream = new OneStream(s_model, Deployments.Plan(Deployments.Of(s_model, 1), s_decode), Prompt);
        TensorReference whole = new(tensor, LayerIndex.Of(1)), part = whole with { Range = new UnitRange(begin, end) };
        LinesRead(stream, stream.Memory.Resolve(whole, 0), part).ShouldBe(Enumerable.Range(firstLine, lastLine - firstLine), ignoreOrder: true);
    }

    [Fact]
    public void A_paged_cache_is_not_prefetched_without_its_table()
    {
        var plan = Deployments.Plan(Deployments.Of(s_model, 1) with { KeyValueBlockTokens = 2 }, s_decode);
        using var stream = new OneStream(s_model, plan, Prompt);
        Should.Throw<InvalidOperationException>(() => Prefetch(stream, new TensorReference("kv", LayerIndex.Of(1)))).Message.ShouldBe("'kv' lies in blocks, and their table is not read");
    }

    /// <summary>A model of which a token of one sequence takes a line in each layer.</summary>
    private static ModelSpec Model(int window) => SmallModels.Model(16, 20, new LayerGroup(new[] { SmallModels.Layer(heads: 2, keyValueHeads: 2, window: window) }, 2));

    /// <summary>The lines of some bytes that a prefetch reads.</summary>
    private static List<int> LinesRead(OneStream stream, Operand bytes, params TensorReference[] reads)
    {
        var memory = new Span<byte>(bytes.Start, (int)bytes.Bytes);
        ((nuint)bytes.Start % LineBytes).ShouldBe((nuint)0);
        var lines = new List<int>();
        memory.Clear();
        // What the table has is read too.
        var without = Prefetch(stream, reads);
        for (var line = 0; line < memory.Length / LineBytes; line++)
        {
            memory.Slice(line * LineBytes, LineBytes).Fill(1);
            var sum = Prefetch(stream, reads) - without;
            sum.ShouldBeInRange(0, 1);
            if (sum == 1)
                lines.Add(line);
            memory.Clear();
        }
        return lines;
    }

    /// <summary>Runs a prefetch.</summary>
    /// <returns>The sum of the bytes that it read.</returns>
    private static long Prefetch(OneStream stream, params TensorReference[] reads)
    {
        var before = stream.PrefetchedSum;
        stream.Run(new Instruction(StreamKind.Prefetch, "under_test", new PrefetchOperation(), reads, Array.Empty<TensorReference>(), Array.Empty<string>(), Signals: false)).ShouldBeTrue();
        return stream.PrefetchedSum - before;
    }
}

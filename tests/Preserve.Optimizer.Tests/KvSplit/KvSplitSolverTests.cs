using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class KvSplitSolverTests
{
    [Theory]
    [InlineData(5120, 288, 32, 189)]
    [InlineData(5120, 384, 32, 252)]
    [InlineData(5120, 544, 32, 357)]
    [InlineData(5120, 640, 32, 419)]
    [InlineData(5120, 1024, 32, 671)]
    [InlineData(5120, 1056, 32, 692)]
    [InlineData(5120, 1152, 32, 755)]
    [InlineData(5120, 1024, 64, 499)]
    [InlineData(4096, 129, 32, 91)]
    [InlineData(4096, 160, 32, 113)]
    [InlineData(4096, 256, 32, 180)]
    [InlineData(4096, 257, 32, 181)]
    [InlineData(4096, 258, 32, 182)]
    [InlineData(4096, 288, 32, 203)]
    public void The_published_splits_are_found(int hidden, int cached, int gigabytesPerSecond, int tokens)
    {
        // Independent of the batch: each of the three times is proportional to it.
        foreach (var batch in new[] { 1, 32, 64 })
        {
            var solver = new KvSplitSolver(KvSplits.MultiHead(hidden, batch, gigabytesPerSecond: gigabytesPerSecond));
            solver.Solve(KvSplitForm.Published, cached).Tokens.ShouldBe(tokens);
            solver.Solve(KvSplitForm.Sequential, cached).Tokens.ShouldBe(tokens);
            // The integer optimum is a neighbour of the closed form.
            (solver.ClosedForm(KvSplitForm.Published, cached) - tokens).ShouldBeInRange(-1, 1);
        }
    }

    [Theory]
    [InlineData(4096, 721, "10.87", "16.78")]
    [InlineData(5120, 671, "14.10", "20.97")]
    [InlineData(7168, 590, "20.90", "29.36")]
    public void The_published_times_of_one_layer_are_found(int hidden, int tokens, string milliseconds, string transferMilliseconds)
    {
        var choice = new KvSplitSolver(KvSplits.MultiHead(hidden)).Solve(KvSplitForm.Published, 1024);
        choice.Tokens.ShouldBe(tokens);
        Milliseconds(choice.Seconds).ShouldBe(milliseconds);
        Milliseconds(choice.TransferSeconds).ShouldBe(transferMilliseconds);
        // At most half of the transfer can be saved: l* / 2s'.
        (choice.Seconds * 2).ShouldBeGreaterThan(choice.TransferSeconds);
    }

    [Theory]
    [InlineData(500, 499, 448)]
    [InlineData(500, 500, 500)]
    [InlineData(512, 600, 512)]
    public void All_of_a_prompt_that_is_no_multiple_of_the_tile_can_be_recomputed_once_it_is_cached(int prompt, int cached, int tokens)
    {
        // 20 s for a token's keys and values, 10 s for its activations, 1 s to make them again.
        var problem = new KvSplitProblem(1, 10, 10, 1, 1, 1, new LinearTime(0, 1), prompt) { Tile = 64 };
        new KvSplitSolver(problem).Solve(KvSplitForm.Sequential, cached).Tokens.ShouldBe(tokens);
    }

    [Fact]
    public void The_closed_form_is_the_published_formula_with_its_cap()
    {
        // l* = min(s, s' / (1 + (2h/p)(v_c/v_g))), with h = 5120, p = 2, v_c = 32 GB/s and v_g = 312 TFLOP/s.
        var factor = (Rational)1 + ((Rational)5120 * 32 / 312_000);
        new KvSplitSolver(KvSplits.MultiHead(5120)).ClosedForm(KvSplitForm.Published, 1024).ShouldBe(1024 / factor);
        var capped = new KvSplitSolver(KvSplits.MultiHead(5120, prompt: 512));
        capped.ClosedForm(KvSplitForm.Published, 1024).ShouldBe(512);
        capped.Solve(KvSplitForm.Published, 1024).Tokens.ShouldBe(512);
    }

    [Fact]
    public void Pipelined_the_split_makes_transfers_as_long_as_the_recomputation()
    {
        // 2c s' / (a + c), with a and c the times of a token's recomputation and of its X: 0.0107 and 0.0102 ms.
        var solver = new KvSplitSolver(KvSplits.MultiHead(5120));
        var a = (Rational)4 * 32 * 5120 * 5120 / ((Rational)312_000 * KvSplits.Gigabyte);
        var c = (Rational)32 * 5120 * 2 / ((Rational)32 * KvSplits.Gigabyte);
        solver.ClosedForm(KvSplitForm.Pipelined, 1024).ShouldBe(c * 2048 / (a + c));
        solver.Solve(KvSplitForm.Pipelined, 1024).Tokens.ShouldBe(999);
        // The prompt caps it.
        new KvSplitSolver(KvSplits.MultiHead(5120, prompt: 896)).Solve(KvSplitForm.Pipelined, 1024).Tokens.ShouldBe(896);
    }

    [Fact]
    public void The_split_is_the_least_of_all_splits()
    {
        var (splits, gathered, falling) = (0, 0, 0);
        Prop.ForAll(Arb.From(Cases(KvSplits.Random())), c =>
        {
            var solver = new KvSplitSolver(c.Problem);
            var ways = c.Problem.Gather is null || c.Form == KvSplitForm.Published
                ? new[] { ActivationTransfer.Whole }
                : [ActivationTransfer.Whole, ActivationTransfer.Gathered];
            (Rational Time, int Tokens, ActivationTransfer Activations)? best = null;
            foreach (var way in ways)
            {
                var least = Least(c.Problem, c.Form, way, c.Cached);
                var chosen = solver.Solve(c.Form, way, c.Cached);
                chosen.Tokens.ShouldBe(least.Tokens);
                chosen.Seconds.ShouldBe(least.Time);
                solver.Seconds(c.Form, way, c.Cached, least.Tokens).ShouldBe(least.Time);
                chosen.TransferSeconds.ShouldBe(PlainTime(c.Problem, c.Form, way, c.Cached, 0));
                if (!c.Problem.Sizes(way).CanPay)
                    chosen.Tokens.ShouldBe(0);
                if (best is null || least.Time < best.Value.Time)
                    best = (least.Time, least.Tokens, way);
            }
            var choice = solver.Solve(c.Form, c.Cached);
            (choice.Seconds, choice.Tokens, choice.Activations).ShouldBe(best!.Value);
            splits += choice.Tokens > 0 ? 1 : 0;
            gathered += choice.Activations == ActivationTransfer.Gathered ? 1 : 0;
            falling += c.Problem.Recompute.NeverFalls ? 0 : 1;
            return true;
        }).Check(RandomDeployments.Runs(3000));
        // The cases are worth their name.
        splits.ShouldBeGreaterThan(500);
        gathered.ShouldBeGreaterThan(50);
        falling.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void With_a_gather_that_costs_nothing_every_rank_pulls_its_part()
    {
        // Two ranks of multi-head attention: whole X is as large as the keys and values of a rank, and cannot pay.
        var problem = KvSplits.MultiHead(4096) with { KeyValueWidth = 2048, Ranks = 2, Prompt = 1024 };
        problem.Sizes(ActivationTransfer.Whole).Ratio.ShouldBe(1);
        new KvSplitSolver(problem).Solve(KvSplitForm.Sequential, 1024).Tokens.ShouldBe(0);

        problem.Sizes(ActivationTransfer.Gathered).Ratio.ShouldBe(new Rational(1, 2));
        var free = new KvSplitSolver(problem with { Gather = new LinearTime(0, 0) }).Solve(KvSplitForm.Sequential, 1024);
        free.Activations.ShouldBe(ActivationTransfer.Gathered);
        free.Tokens.ShouldBeGreaterThan(0);
        // One that takes longer than all keys and values is not worth it.
        var dear = new KvSplitSolver(problem with { Gather = new LinearTime(1, 0) }).Solve(KvSplitForm.Sequential, 1024);
        (dear.Activations, dear.Tokens).ShouldBe((ActivationTransfer.Whole, 0));
    }

    [Fact]
    public void Ranks_share_the_memory_of_their_host()
    {
        var problem = KvSplits.MultiHead(4096) with { KeyValueWidth = 1024, Ranks = 4, HostMemoryBytesPerSecond = KvSplits.Gigabyte * 100 };
        problem.RankBytesPerSecond.ShouldBe(KvSplits.Gigabyte * 25);
        (problem with { Ranks = 1 }).RankBytesPerSecond.ShouldBe(KvSplits.Gigabyte * 32);
    }

    [Theory]
    [InlineData("multi-head", 4096, 4096, "2", "1/2", true)]
    [InlineData("Llama-3-8B", 4096, 1024, "2", "2", false)]
    [InlineData("Llama-70B", 8192, 1024, "2", "4", false)]
    [InlineData("multi-head, 4-bit keys and values", 4096, 4096, "9/16", "16/9", false)]
    public void Where_it_cannot_pay_nothing_is_split_in_any_form(string what, int hidden, int keyValueWidth, string keyValueBytes, string ratio, bool pays)
    {
        var parts = keyValueBytes.Split('/');
        var problem = KvSplits.MultiHead(hidden, batch: 1) with
        {
            KeyValueWidth = keyValueWidth,
            KeyValueBytes = parts.Length == 1 ? long.Parse(parts[0]) : new Rational(long.Parse(parts[0]), long.Parse(parts[1])),
            Recompute = TokenTime.Recompute(1, hidden, keyValueWidth, (Rational)312_000 * KvSplits.Gigabyte),
        };
        var sizes = problem.Sizes(ActivationTransfer.Whole);
        sizes.Ratio.ToString().ShouldBe(ratio, what);
        sizes.CanPay.ShouldBe(pays, what);
        var solver = new KvSplitSolver(problem);
        foreach (var form in new[] { KvSplitForm.Sequential, KvSplitForm.Pipelined })
        {
            (solver.Solve(form, 4096).Tokens > 0).ShouldBe(pays, what);
            (solver.ClosedForm(form, 4096) > 0).ShouldBe(pays, what);
        }
    }

    /// <summary>Those of a token: they are the same in a batch of any size.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void The_reason_that_it_cannot_pay_has_both_sizes(int batch)
    {
        var problem = KvSplits.MultiHead(4096, batch) with { KeyValueWidth = 1024 };
        problem.Sizes(ActivationTransfer.Whole).ToString().ShouldBe(
            "a token's activations are 8,192 bytes, the keys and values that they make 4,096: recomputing cannot pay");
        (problem with { Ranks = 4 }).Sizes(ActivationTransfer.Gathered).ToString().ShouldBe(
            "a token's activations are 8,192 bytes, the keys and values that they make over 4 links 16,384: recomputing can pay");
    }

    [Fact]
    public void A_problem_that_cannot_be_is_refused_with_the_name_and_the_value()
    {
        var sound = KvSplits.MultiHead(4096);
        Refusal(sound with { Batch = 0 }).ShouldBe("Batch is 0, but must be 1 or more");
        Refusal(sound with { Tile = -3 }).ShouldBe("Tile is -3, but must be 1 or more");
        Refusal(sound with { KeyValueBytes = 0 }).ShouldBe("KeyValueBytes is 0, but must be above 0");
        Refusal(sound with { TransferSeconds = new Rational(-1, 2) }).ShouldBe("TransferSeconds is -1/2, but must be 0 or more");
        Refusal(sound with { HostMemoryBytesPerSecond = 0 }).ShouldBe("HostMemoryBytesPerSecond is 0, but must be above 0");
        Refusal(sound with { Gather = new LinearTime(0, 1) }).ShouldBe("Gather is given, but Ranks is 1: one rank has nobody to gather from");
        Refusal(sound with { Prompt = 64, Recompute = SampledTime.Of(16, 64, l => l) }).ShouldBe("Recompute is sampled every 16 tokens, but Tile is 1: sample it at multiples of the tile");
        Refusal(sound with { Prompt = 64, Tile = 16, Recompute = SampledTime.Of(16, 32, l => l) }).ShouldBe(
            "Recompute has 3 samples, but the 64 tokens of the prompt in tiles of 16 need 5, that of no token among them");

        Should.Throw<ArgumentException>(() => new KvSplitSolver(sound with { KeyValueWidth = 1024 }).Solve(KvSplitForm.Published, 100)).Message.ShouldBe(
            "the published form holds for multi-head attention in one precision: KeyValueWidth is 1024 beside Hidden 4096, KeyValueBytes 2 beside ActivationBytes 2");
        Should.Throw<ArgumentException>(() => new KvSplitSolver(sound).Solve(KvSplitForm.Sequential, ActivationTransfer.Gathered, 100)).Message.ShouldBe(
            "X cannot be gathered in the Sequential form: the problem has no time of the all-gather");
        Should.Throw<ArgumentOutOfRangeException>(() => new KvSplitSolver(sound with { Tile = 64 }).Seconds(KvSplitForm.Sequential, ActivationTransfer.Whole, 130, 192)).Message.ShouldStartWith(
            "must be a multiple of 64 from 0 to 128");
        Should.Throw<ArgumentOutOfRangeException>(() => new KvSplitSolver(sound with { Tile = 64, Prompt = 100 }).Seconds(KvSplitForm.Sequential, ActivationTransfer.Whole, 130, 128)).Message.ShouldStartWith(
            "must be a multiple of 64 from 0 to 100, which is the prompt");
    }

    private static string Refusal(KvSplitProblem problem) => Should.Throw<ArgumentException>(() => new KvSplitSolver(problem)).Message;

    private static string Milliseconds(Rational seconds) => Math.Round(seconds.ToDouble() * 1000, 2).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A problem, a form that holds for it, and a length of the cache.</summary>
    private static Gen<(KvSplitProblem Problem, KvSplitForm Form, int Cached)> Cases(Gen<KvSplitProblem> problems) =>
        from problem in problems
        from form in Gen.Elements(KvSplitForm.Published, KvSplitForm.Sequential, KvSplitForm.Pipelined)
        from cached in Gen.Choose(0, 100)
        select (form == KvSplitForm.Published ? AsPublished(problem) : problem, form, cached);

    private static KvSplitProblem AsPublished(KvSplitProblem problem) => problem with
    {
        KeyValueWidth = problem.Hidden,
        KeyValueBytes = problem.ActivationBytes,
        Ranks = 1,
        Gather = null,
        Tile = 1,
        Recompute = problem.Recompute as LinearTime ?? new LinearTime(0, 1),
    };

    private static (Rational Time, int Tokens) Least(KvSplitProblem problem, KvSplitForm form, ActivationTransfer activations, int cached)
    {
        var best = (Time: PlainTime(problem, form, activations, cached, 0), Tokens: 0);
        var tiles = Enumerable.Range(1, cached).Select(i => i * problem.Tile).Where(l => l <= problem.Prompt && l <= cached);
        foreach (var l in cached < problem.Prompt ? tiles : tiles.Append(problem.Prompt).Distinct())
        {
            var time = PlainTime(problem, form, activations, cached, l);
            if (time < best.Time)
                best = (time, l);
        }
        return best;
    }

    /// <summary>The formulas of the model as they are written, term by term.</summary>
    private static Rational PlainTime(KvSplitProblem p, KvSplitForm form, ActivationTransfer activations, int cached, int l)
    {
        if (form == KvSplitForm.Published)
        {
            var x = (Rational)p.Batch * l * p.Hidden * p.ActivationBytes;
            var kv = (Rational)2 * p.Batch * (cached - l) * p.Hidden * p.ActivationBytes;
            return (x / p.LinkBytesPerSecond) + Rational.Max(((LinearTime)p.Recompute).SecondsPerToken * l, kv / p.LinkBytesPerSecond);
        }
        var rate = p.HostMemoryBytesPerSecond is { } memory && memory / p.Ranks < p.LinkBytesPerSecond ? memory / p.Ranks : p.LinkBytesPerSecond;
        var gathers = activations == ActivationTransfer.Gathered;
        var bytes = (Rational)p.Batch * l * p.Hidden * p.ActivationBytes / (gathers ? p.Ranks : 1);
        var pull = l == 0 ? 0 : p.TransferSeconds + (bytes / rate);
        var gather = gathers ? p.Gather!.Seconds(l) : 0;
        var rest = p.TransferSeconds + ((Rational)2 * p.Batch * (cached - l) * p.KeyValueWidth * p.KeyValueBytes / rate);
        var first = p.FirstWeightBytes == 0 ? 0 : (p.TransferSeconds + (p.FirstWeightBytes / rate)) / p.Batches;
        var others = p.OtherWeightBytes == 0 ? 0 : (p.TransferSeconds + (p.OtherWeightBytes / rate)) / p.Batches;
        return form == KvSplitForm.Sequential
            ? first + pull + Rational.Max(gather + p.Recompute.Seconds(l), rest + others)
            : Rational.Max(first + pull + rest + others, Rational.Max(gather, p.Recompute.Seconds(l) + p.OtherSeconds + (p.OtherSecondsPerToken * cached)));
    }
}

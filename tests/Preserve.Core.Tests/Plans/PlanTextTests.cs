namespace Preserve.Tests;

public class PlanTextTests
{
    private static readonly PlanSet _plans = new(new[]
    {
        new PlannedStep(
            new ExecutionPlan("Small", "h100-sxm", 2, 3, new DecodeSpec(2, 100, Total: false), PrefetchPolicy.Paper, 1_234_000, 512,
                new TensorDeclaration[]
                {
                    new("w", TensorRole.Weight, true, Precision.Int8, 64, 1, -1),
                    new("kv", TensorRole.KeyValues, true, Precision.Bf16, Amount.Min(Amount.Context, 9) + 1, 32, -1),
                    new("h", TensorRole.Value, true, Precision.Bf16, 256, 1, 256),
                },
                new PlanNode[]
                {
                    new Repeat(2, 0, 1, new PlanNode[]
                    {
                        new Instruction(StreamKind.Compute, "mul", new MatMulOperation(2, 4, 8, Precision.Int8, Precision.Bf16),
                            new[] { new TensorReference("h", LayerIndex.FromRepeat(0)), new TensorReference("w", LayerIndex.FromRepeat(0)) },
                            new[] { new TensorReference("h", LayerIndex.FromRepeat(1)) }, default, true),
                        new Instruction(StreamKind.Prefetch, "under_mul", new PrefetchOperation(),
                            new[] { new TensorReference("kv", LayerIndex.FromRepeat(-1), new UnitRange(0, Amount.Context)) }, default, new[] { "mul" }, false),
                    }),
                    new Instruction(StreamKind.Compute, "attention", new AttentionOperation(2, 1, 4, 2, 8, (Amount.Context * 2) + 2, true),
                        new[] { new TensorReference("h", LayerIndex.Of(2)) }, default, new[] { "mul" }, false),
                    new Instruction(StreamKind.Collective, "gather", new CollectiveOperation(CollectiveKind.AllGather, 12, 2), default, default, default, false),
                    new Instruction(StreamKind.Compute, "join", new JoinOperation(), default, default, default, false),
                }),
            new PlanReport(9_000_001, 8, 7, "critical path", 3, 2, 1, 64, 320, new[]
            {
                new WindowReport("out_reduce", 0, 4, 2, 5, 4, -3, new[]
                {
                    new CandidateReport(new TensorReference("w", LayerIndex.FromRepeat(1)), 64, 10, Verdict.Part, "because of 3 reasons"),
                }),
                new WindowReport("head_gather", -1, -1, 0, 5, 0, 0, default),
            })
            {
                GainAtHalfPicoseconds = -2,
                GainAtTwicePicoseconds = 4,
                Guard = new GuardReport(GuardOutcome.Kept, -1, 3_000_000),
                Pauses = new[] { new ContextRange(1, 4), new ContextRange(1_000, 2_047) },
            }),
        new PlannedStep(
            new ExecutionPlan("Small", "own", 1, 1, new PrefillSpec(1, 4), PrefetchPolicy.None, 0, 0, default, default),
            new PlanReport(1, 1, 1, "HBM", 0, 0, 0, 0, 0, default) { Guard = GuardReport.NothingToGain }),
    }, "{\n  \"id\": \"own\"\n\n}");

    [Fact]
    public void A_plan_of_several_batches_says_how_many()
    {
        var plan = _plans.Steps[0].Plan;
        plan.Batches.ShouldBe(1);
        PlanText.Write(plan).ShouldNotContain("batches ");
        var several = plan with { Batches = 8 };
        PlanText.Write(several).ShouldContain("  batches        8\n");
        PlanText.ReadPlan(PlanText.Write(several)).ShouldBe(several);
        PlanText.ReadPlan(PlanText.Write(several)).ShouldNotBe(plan);
    }

    [Fact]
    public void Plans_read_back_equal() => PlanSet.Parse(PlanText.Write(_plans)).ShouldBe(_plans);

    [Theory]
    [InlineData(SplitOutcome.Pipelined)]
    [InlineData(SplitOutcome.CannotPay)]
    [InlineData(SplitOutcome.NotPossible)]
    public void The_split_of_a_cache_in_host_memory_reads_back_equal(SplitOutcome outcome)
    {
        var step = _plans.Steps[0];
        var plans = new PlanSet(new[]
        {
            step with
            {
                Plan = step.Plan with { Tensors = step.Plan.Tensors.Append(new("x", TensorRole.Activations, true, Precision.Bf16, 64, 512, -1, TensorMemory.PinnedHost)).ToArray() },
                Report = step.Report with { Split = new SplitReport(outcome, 1_128, 655_360, 1_310_720, "a token's activations are smaller") },
            },
        });
        PlanSet.Parse(PlanText.Write(plans)).ShouldBe(plans);
    }

    [Fact]
    public void A_single_plan_reads_back_equal() => PlanText.ReadPlan(PlanText.Write(_plans.Steps[0].Plan)).ShouldBe(_plans.Steps[0].Plan);

    [Fact]
    public void The_first_format_stays_readable()
    {
        var fixture = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Plans", "Formats", "version-1.txt"));
        PlanSet.Parse(fixture).ShouldBe(_plans);
    }

    [Fact]
    public void Another_version_is_refused_naming_both()
    {
        var error = Should.Throw<FormatException>(() => PlanSet.Parse(PlanText.Write(_plans).Replace("preserve plans 1", "preserve plans 7")));
        error.Message.ShouldContain("version 7");
        error.Message.ShouldContain("version 1");
    }

    [Fact]
    public void Every_damaged_line_is_named_or_harmless()
    {
        var lines = PlanText.Write(_plans).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            foreach (var damaged in new[] { lines[i].Replace(' ', 'x'), lines[i][..(lines[i].Length / 2)], lines[i] + "  surplus", "" })
            {
                var text = string.Join('\n', lines[..i].Append(damaged).Concat(lines[(i + 1)..]));
                try
                {
                    PlanSet.Parse(text);
                }
                catch (FormatException e)
                {
                    e.Message.ShouldStartWith("line ");
                }
            }
        }
    }

    [Fact]
    public void A_plan_is_found_by_batch_and_context()
    {
        _plans.ForDecode(2, 50).ShouldBe(_plans.Steps[0].Plan);
        Should.Throw<ArgumentException>(() => _plans.ForDecode(2, 101)).Message.ShouldContain("decode batch 2 context 100");
        Should.Throw<ArgumentException>(() => _plans.ForMixedDecode(2, 50));
        _plans.ForPrefill(1, 4).ShouldBe(_plans.Steps[1].Plan);
        Should.Throw<ArgumentException>(() => _plans.ForPrefill(1, 5));
    }
}

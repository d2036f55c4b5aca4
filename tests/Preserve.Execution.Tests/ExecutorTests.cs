using static Preserve.Execution.Tests.TestPlans;

namespace Preserve.Execution.Tests;

public class ExecutorTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(10_001)]
    public async Task A_context_that_the_plan_does_not_serve_is_refused(int context)
    {
        var executor = new Executor(new SimulatedBackend(PlainDevice()));
        var error = await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await executor.RunAsync(Llama(), context));
        error.Message.ShouldContain("the plan for decode batch 1 context 10000 serves contexts from 1 to 10000");
    }

    [Fact]
    public async Task Instructions_come_in_program_order_with_their_layer()
    {
        var backend = new Recorder();
        var plan = Plan([Weight("w", 10)],
            Read("first", [Of("w", 0)]),
            new Repeat(3, 2, 2, new PlanNode[] { Read("body", [Here("w")]), new Repeat(2, 5, 1, new PlanNode[] { Read("inner", [Here("w")]) }) }),
            Read("last", [Of("w", 0)]));
        await new Executor(backend).RunAsync(plan, 1);
        backend.Submitted.ShouldBe(
        [
            "first 0", "repeat 3", "body 2", "repeat 2", "inner 5", "inner 6", "end", "body 4", "repeat 2", "inner 5", "inner 6", "end",
            "body 6", "repeat 2", "inner 5", "inner 6", "end", "end", "last 0",
        ]);
    }

    [Fact]
    public async Task A_run_can_be_stopped()
    {
        using var source = new CancellationTokenSource();
        var backend = new Recorder { OnSubmit = label => { if (label == "norm2") source.Cancel(); } };
        await Should.ThrowAsync<OperationCanceledException>(async () => await new Executor(backend).RunAsync(Llama(), 1, source.Token));
        backend.Submitted.Count(s => s.StartsWith("norm2", StringComparison.Ordinal)).ShouldBe(1);

        var simulated = new Executor(new SimulatedBackend(PlainDevice()));
        await Should.ThrowAsync<OperationCanceledException>(async () => await simulated.RunAsync(Llama(), 1, source.Token));
        (await simulated.RunAsync(Llama(), 1, CancellationToken.None)).Picoseconds.ShouldBePositive();
    }

    [Fact]
    public void Nothing_is_allocated_per_instruction()
    {
        var executor = new Executor(new SimulatedBackend(PlainDevice()));
        var rolled = Llama();
        var unrolled = Llama().Unroll();
        var perStep = Least(rolled);
        perStep.ShouldBeLessThan(256 * 10);
        Least(unrolled).ShouldBe(perStep);

        // What is allocated per instruction is so in every one; now and then the runtime allocates something of its own.
        long Least(ExecutionPlan plan) => Enumerable.Range(0, 8).Min(_ => Allocated(plan));

        long Allocated(ExecutionPlan plan)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 1; i <= 10; i++)
                executor.RunAsync(plan, i * 1000).AsTask().Wait();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private sealed class Recorder : IBackend
    {
        public List<string> Submitted { get; } = [];

        public Action<string>? OnSubmit { get; init; }

        public void Begin(ExecutionPlan plan, int context) => Submitted.Clear();

        public int BeginRepeat(int count)
        {
            Submitted.Add($"repeat {count}");
            return count;
        }

        public void EndRepeat() => Submitted.Add("end");

        public void Submit(Instruction instruction, int layer)
        {
            Submitted.Add($"{instruction.Label} {layer}");
            OnSubmit?.Invoke(instruction.Label);
        }

        public ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken) => new(new StepRun(1));
    }
}

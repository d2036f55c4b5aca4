namespace Preserve.Cpu.Tests;

/// <summary>Nothing else runs beside: the bytes are those of the whole process.</summary>
[CollectionDefinition(nameof(HeldMemoryTests), DisableParallelization = true)]
public sealed class HeldMemory;

/// <summary>What a backend no longer needs is freed at once, and not only when it is collected.</summary>
[Collection(nameof(HeldMemoryTests))]
public class HeldMemoryTests
{
    private const int Prompt = 6;

    private static readonly ModelSpec s_model = SmallModels.Model(32, 50, new LayerGroup(new[] { SmallModels.Layer(keyValueHeads: 4) }, 2));

    private static readonly SeededWeights s_weights = new(s_model, 9);

    private static readonly DeploymentSpec s_paged = Deployments.Of(s_model, 2) with { KeyValueBlockTokens = 2, CollectiveFusion = CollectiveFusion.MatMul };

    private static readonly ExecutionPlan s_prefill = Prefill(s_paged, Prompt), s_decode = Decode(s_paged, Prompt + 2);

    private readonly long _before;

    public HeldMemoryTests()
    {
        // What other tests have left.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _before = NativeBuffer.HeldBytes;
    }

    private long Held => NativeBuffer.HeldBytes - _before;

    [Fact]
    public void The_memory_of_a_buffer_goes_back_to_the_system()
    {
        const int Bytes = 32 << 20, Buffers = 64;
        var before = Environment.WorkingSet;
        for (var i = 0; i < Buffers; i++)
            new NativeBuffer(Bytes).Dispose();
        (Environment.WorkingSet - before).ShouldBeLessThan((long)Bytes * Buffers / 4);
        Held.ShouldBe(0);
    }

    [Fact]
    public async Task A_backend_that_is_disposed_holds_nothing()
    {
        var backend = new CpuBackend(s_model, s_weights);
        await Generate(backend, s_prefill, s_decode);
        Held.ShouldBeGreaterThan(s_decode.ArenaBytes);
        backend.Dispose();
        Held.ShouldBe(0);
    }

    [Fact]
    public async Task A_backend_that_is_disposed_in_a_step_holds_nothing_when_the_step_has_ended()
    {
        CpuBackend? backend = null;
        var held = 0L;
        backend = new CpuBackend(s_model, s_weights, new CpuOptions
        {
            BeforeEach = (_, stream, i) =>
            {
                if (stream == StreamKind.Collective && i == 0)
                    backend!.Dispose();
                Interlocked.CompareExchange(ref held, Held, 0);
            },
        });
        await Should.ThrowAsync<ObjectDisposedException>(() => Step(backend, s_prefill, 0));
        held.ShouldBeGreaterThan(s_prefill.ArenaBytes);
        Held.ShouldBe(0);
    }

    [Fact]
    public void A_backend_that_is_disposed_while_weights_are_read_holds_nothing_when_they_have_been()
    {
        CpuBackend? backend = null;
        backend = new CpuBackend(s_model, new WatchedWeights(s_weights, () => backend!.Dispose()));
        backend.SetTokens(new int[Prompt]);
        backend.Begin(s_prefill, 0);
        Should.Throw<ObjectDisposedException>(() => backend.Submit(s_prefill.Instructions().First(), 0));
        Held.ShouldBe(0);
    }

    /// <summary>What goes wrong in a source of weights is its own, whatever it is, and a weight that could not be read takes no room.</summary>
    [Theory]
    [InlineData(typeof(OverflowException))]
    [InlineData(typeof(OutOfMemoryException))]
    [InlineData(typeof(InvalidDataException))]
    public void A_weight_that_cannot_be_read_holds_nothing(Type type)
    {
        var (reads, fault) = (0, (Exception)Activator.CreateInstance(type, "the source's own")!);
        using var backend = new CpuBackend(s_model, new WatchedWeights(s_weights, () =>
        {
            if (++reads == 3)
                throw fault;
        }));
        backend.SetTokens(new int[Prompt]);
        backend.Begin(s_prefill, 0);
        var held = Held;
        Should.Throw<Exception>(() => backend.Submit(s_prefill.Instructions().First(), 0)).ShouldBeSameAs(fault);
        Held.ShouldBe(held);
    }

    [Fact]
    public async Task One_generation_after_the_other_holds_what_the_first_one_held()
    {
        using var backend = new CpuBackend(s_model, s_weights);
        await Generate(backend, s_prefill, s_decode);
        var held = Held;
        for (var i = 0; i < 3; i++)
            await Generate(backend, s_prefill, s_decode);
        Held.ShouldBe(held);
    }

    /// <summary>Arenas, caches, tables and what ranks give each other grow with the plans, and ranks come and go.</summary>
    [Fact]
    public async Task What_is_outgrown_is_not_held()
    {
        var (longPrefill, longDecode) = (Prefill(s_paged, 30), Decode(s_paged, 40));
        using var once = new CpuBackend(s_model, s_weights);
        await Generate(once, longPrefill, longDecode);
        var expected = Held;
        using var other = new CpuBackend(s_model, s_weights);
        await Generate(other, s_prefill, s_decode);
        var small = Held - expected;
        await Generate(other, longPrefill, longDecode);
        (Held - expected).ShouldBe(expected);
        small.ShouldBeLessThan(expected);
        var plain = Deployments.Of(s_model, 1);
        await Generate(other, Prefill(plain, Prompt), Decode(plain, Prompt + 2));
        await Generate(other, longPrefill, longDecode);
        (Held - expected).ShouldBe(expected);
    }

    private static ExecutionPlan Prefill(DeploymentSpec deployment, int tokens) => Deployments.Plan(deployment, new PrefillSpec(1, tokens));

    private static ExecutionPlan Decode(DeploymentSpec deployment, int context) => Deployments.Plan(deployment, new DecodeSpec(1, context, Total: false));

    private static async Task Generate(CpuBackend backend, ExecutionPlan prefill, ExecutionPlan decode)
    {
        await Step(backend, prefill, 0);
        await Step(backend, decode, prefill.Step.NewTokens);
    }

    private static async Task Step(CpuBackend backend, ExecutionPlan plan, int context)
    {
        backend.SetTokens(new int[plan.Step.NewTokens]);
        await new Executor(backend).RunAsync(plan, context);
    }
}

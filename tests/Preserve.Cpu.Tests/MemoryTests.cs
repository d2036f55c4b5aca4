namespace Preserve.Cpu.Tests;

/// <summary>A plan touches nothing that is not its own, and reads nothing that no step has written.</summary>
public class MemoryTests
{
    private const int Prompt = 5;

    private static readonly ModelSpec s_model = SmallModels.Model(16, 20, new LayerGroup(new[] { SmallModels.Layer() }, 2));

    private static readonly DecodeSpec s_decode = new(1, Prompt + 3, Total: false, Prompt);

    private static readonly int[] s_prompt = Deployments.Tokens(s_model, 1, Prompt, 3)[0];

    public static TheoryData<string, TensorDeclaration, UnitRange?, string> Outside { get; } = new()
    {
        { "before the arena", Value(offset: -64), null, "bytes [0, 32) of 'v' lie outside of its memory: from -64 on, of 1024" },
        { "behind the arena", Value(offset: 1000), null, "bytes [0, 32) of 'v' lie outside of its memory: from 1000 on, of 1024" },
        { "beyond 64 bits", Value(offset: long.MaxValue - 8), null, "bytes [0, 32) of 'v' lie outside of its memory: from 9223372036854775799 on, of 1024" },
        { "before the tensor", Value(offset: 64), new UnitRange(-8, 8), "bytes [-8, 8) of 'v' lie outside of its memory: from 64 on, of 1024" },
        { "backwards", Value(offset: 64), new UnitRange(8, 0), "bytes [8, 0) of 'v' lie outside of its memory: from 64 on, of 1024" },
        { "units whose bytes are beyond 64 bits", Value(offset: 0) with { UnitBytes = long.MaxValue / 16 }, null, "'v' has more bytes than 64 bits count" },
        { "a cache of too many bytes", new TensorDeclaration("v", TensorRole.KeyValues, false, Precision.Bf16, Amount.Context + 1, long.MaxValue / 2, -1), null, "'v' has more bytes than 64 bits count" },
        { "a cache of fewer than none", new TensorDeclaration("v", TensorRole.KeyValues, false, Precision.Bf16, Amount.Context + 1, -8, -1), null, "'v' has -8 bytes a unit" },
    };

    [Theory]
    [MemberData(nameof(Outside))]
    public void What_lies_outside_of_a_tensors_memory_is_refused(string what, TensorDeclaration tensor, UnitRange? range, string fault)
    {
        var plan = Deployments.Plan(Deployments.Of(s_model, 1), s_decode) with { ArenaBytes = 1024, Tensors = new[] { tensor } };
        using var memory = new RankMemory(new RankShard(s_model, s_model.LayerSpecs(), new SeededWeights(s_model, 1), 0, 1));
        memory.Begin(plan, Prompt, poison: false);
        Should.Throw<InvalidOperationException>(() => { memory.Resolve(new TensorReference("v", LayerIndex.None, range), 0); }, what).Message.ShouldBe(fault);
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(16, 0)]
    [InlineData(-1, 1)]
    [InlineData(0, 17)]
    [InlineData(16, 1)]
    [InlineData(0, -1)]
    [InlineData(long.MaxValue, 16)]
    [InlineData(long.MaxValue - 15, 16)]
    public unsafe void Elements_outside_of_an_operand_have_no_place(long element, long count)
    {
        using var buffer = new NativeBuffer(32);
        var operand = new Operand(Value(offset: 0), buffer.Start, buffer.Bytes);
        if (element is >= 0 and <= 16 && count >= 0 && element + count <= 16)
            (operand.At(element, count) - buffer.Start).ShouldBe(2 * element);
        else
            Should.Throw<InvalidOperationException>(() => { operand.At(element, count); }).Message.ShouldBe($"{count} elements from {element} on are wanted of 'v', which has 16 here");
    }

    [Fact]
    public unsafe void What_was_freed_is_not_read()
    {
        var buffer = new NativeBuffer(32);
        buffer.Dispose();
        buffer.Dispose();
        using var other = new NativeBuffer(32);
        Action[] uses = [() => _ = *buffer.Start, () => buffer.Fill(0), () => buffer.CopyFrom(other), () => other.CopyFrom(buffer)];
        foreach (var use in uses)
            Should.Throw<ObjectDisposedException>(use).ObjectName.ShouldBe(typeof(NativeBuffer).FullName);
    }

    [Fact]
    public void A_tensor_that_is_declared_twice_is_refused_by_name_and_the_next_plan_is_sound()
    {
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        var plan = Deployments.Plan(Deployments.Of(s_model, 1), new PrefillSpec(1, Prompt));
        backend.SetTokens(s_prompt);
        backend.Begin(plan, 0);
        var twice = plan with { Tensors = plan.Tensors.Append(plan.Tensors[^1]).ToArray() };
        Should.Throw<ArgumentException>(() => backend.Begin(twice, 0)).Message.ShouldBe($"'{plan.Tensors[^1].Name}' is declared twice");
        backend.Begin(plan, 0);
        foreach (var instruction in plan.Body.OfType<Instruction>().Take(1))
            backend.Submit(instruction, 0);
    }

    [Fact]
    public async Task A_decode_step_needs_a_prefill_of_its_own_kind()
    {
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        var plain = Deployments.Of(s_model, 1);
        await Refused(plain, Prompt, "'attention' reads tokens [0, 5) of 'kv' of layer 0, of which 0 were stored: a prefill comes first");
        await Prefill(plain);
        await Refused(plain, Prompt + 2, "'attention' reads tokens [0, 7) of 'kv' of layer 0, of which 5 were stored: a prefill comes first");
        await Decode(plain, Prompt);
        // Back to an earlier token, and on from there.
        await Decode(plain, Prompt);
        await Decode(plain, Prompt + 1);
        await Refused(plain with { KeyValues = Precision.Fp32 }, Prompt + 2, "'kv' of layer 0 was stored as Bf16, 64 bytes a token, and the plan has it as Fp32, 128 bytes a token: a prefill comes first");
        await Refused(plain with { KeyValueBlockTokens = 2 }, Prompt + 2, "'kv' of layer 0 was stored in one piece, and the plan has it in blocks of 2: a prefill comes first");
        await Decode(plain, Prompt + 2);
        // Ranks of another group have caches of their own.
        await Refused(Deployments.Of(s_model, 2), Prompt, "'attention' reads tokens [0, 5) of 'kv' of layer 0, of which 0 were stored: a prefill comes first");

        async Task Refused(DeploymentSpec deployment, int context, string fault) =>
            (await Should.ThrowAsync<InvalidOperationException>(() => Decode(deployment, context))).Message.ShouldBe(fault);

        async Task Decode(DeploymentSpec deployment, int context)
        {
            backend.SetTokens([3]);
            await new Executor(backend).RunAsync(Deployments.Plan(deployment, s_decode), context);
        }

        async Task Prefill(DeploymentSpec deployment)
        {
            backend.SetTokens(s_prompt);
            await new Executor(backend).RunAsync(Deployments.Plan(deployment, new PrefillSpec(1, Prompt)), 0);
        }
    }

    [Fact]
    public async Task Recomputing_needs_activations_of_as_many_tokens()
    {
        var host = Deployments.Of(s_model, 1) with { Offload = new OffloadSpec(KeyValues: Home.Host) };
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        backend.SetTokens(s_prompt);
        await new Executor(backend).RunAsync(Deployments.Plan(host, new PrefillSpec(1, Prompt), Deployments.Recompute(host, s_decode.MaxContext, 2)), 0);
        backend.SetTokens([3]);
        var decode = Deployments.Plan(host, s_decode, Deployments.Recompute(host, s_decode.MaxContext, 4));
        (await Should.ThrowAsync<InvalidOperationException>(async () => await new Executor(backend).RunAsync(decode, Prompt)))
            .Message.ShouldBe("'load_x_even' reads tokens [0, 4) of 'x' of layer 0, of which 2 were stored: a prefill comes first");
    }

    [Fact]
    public async Task One_backend_computes_the_same_plan_in_two_formats()
    {
        using var backend = new CpuBackend(s_model, new SeededWeights(s_model, 1));
        foreach (var format in new[] { Precision.Fp32, Precision.Bf16, Precision.Fp32 })
        {
            var deployment = Deployments.Of(s_model, 1, format, format);
            var (prefill, decode) = (Deployments.Plan(deployment, new PrefillSpec(1, Prompt)), Deployments.Plan(deployment, s_decode));
            using var other = new CpuBackend(s_model, new SeededWeights(s_model, 1));
            var tokens = Deployments.Tokens(s_model, 1, Prompt + 2, 4);
            (await Deployments.LogitsAsync(backend, prefill, decode, tokens)).ShouldHaveTheBitsOf(await Deployments.LogitsAsync(other, prefill, decode, tokens), () => $"{format}");
        }
    }

    private static TensorDeclaration Value(long offset) => new("v", TensorRole.Value, false, Precision.Bf16, 32, 1, offset);
}

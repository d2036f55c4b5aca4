namespace Preserve.Cpu.Tests;

/// <summary>A step that is stopped, or that fails, ends: nobody waits on, and the next step is sound.</summary>
public class StepTests
{
    private const int Prompt = 6;
    private const int Generated = 3;

    private static readonly ModelSpec s_model = SmallModels.Model(32, 50, new LayerGroup(new[] { SmallModels.Layer(keyValueHeads: 4) }, 3));

    private static readonly SeededWeights s_weights = new(s_model, 9);

    private static readonly ExecutionPlan s_prefill = Deployments.Plan(Deployments.Of(s_model, 2), new PrefillSpec(1, Prompt));

    private static readonly ExecutionPlan s_decode = Deployments.Plan(Deployments.Of(s_model, 2), new DecodeSpec(1, Prompt + 2, Total: false, Prompt));

    private static readonly int[] s_tokens = Deployments.Tokens(s_model, 1, Prompt + 2, 8)[0];

    /// <summary>Rows of the position table beyond the model's positions stand before the first token's, as OPT's two do: no token reaches them.</summary>
    [Theory]
    [InlineData(128, 64)]
    [InlineData(64, 64)]
    [InlineData(62, 62)]
    public void A_context_beyond_the_models_positions_is_refused(int maxPositions, int positions)
    {
        var model = SmallModels.Model(32, 50, new LayerGroup(new[] { SmallModels.Layer(position: Position.Learned) }, 1)) with { MaxPositions = maxPositions };
        using var backend = new CpuBackend(model, new SeededWeights(model, 1));
        var plan = Deployments.Plan(Deployments.Of(model, 1), new PrefillSpec(1, 2));
        backend.SetTokens([1, 2]);
        backend.Begin(plan, positions - 2);
        // The declaration's rule says so before anything is built.
        DeploymentRules.Check(Deployments.Of(model, 1) with { Steps = new StepSpec[] { new PrefillSpec(1, positions) } }, modelIsSound: true).ShouldBeEmpty();
        DeploymentRules.Check(Deployments.Of(model, 1) with { Steps = new StepSpec[] { new PrefillSpec(1, positions + 1) } }, modelIsSound: true).ShouldHaveSingleItem().ShouldBeOfType<BeyondTableFault>();
        Should.Throw<ArgumentException>(() => backend.Begin(plan, positions - 1)).Message
            .ShouldBe($"a context of {positions - 1} and 2 new tokens need more than the {positions} positions of Small (Parameter 'context')");
    }

    [Fact]
    public async Task Who_waits_for_an_event_goes_when_the_step_is_stopped()
    {
        var progress = new RankProgress();
        progress.Begin();
        var waits = Task.Run(() => progress.Wait(new EventPoint(StreamKind.Collective, 2)));
        progress.End(StreamKind.Collective, 1, signals: true);
        progress.Stop();
        (await waits).ShouldBeFalse();
        progress.IsStopped.ShouldBeTrue();
        progress.Begin();
        waits = Task.Run(() => progress.Wait(new EventPoint(StreamKind.Collective, 2)));
        progress.End(StreamKind.Collective, 2, signals: true);
        (await waits).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_waits_for_other_ranks_goes_when_the_step_is_stopped()
    {
        var ranks = new Rendezvous(3);
        ranks.Begin();
        Task<bool>[] waits = [Task.Run(() => ranks.Meet(4)), Task.Run(() => ranks.Meet(4))];
        ranks.Stop();
        (await Task.WhenAll(waits)).ShouldBe([false, false]);
        // The last to come goes on no more than the others did.
        ranks.Meet(4).ShouldBeFalse();
        ranks.Begin();
        waits = [Task.Run(() => ranks.Meet(5)), Task.Run(() => ranks.Meet(5)), Task.Run(() => ranks.Meet(5))];
        (await Task.WhenAll(waits)).ShouldBe([true, true, true]);
    }

    [Fact]
    public async Task Ranks_that_are_at_different_collectives_do_not_meet()
    {
        var ranks = new Rendezvous(2);
        ranks.Begin();
        var met = new[] { 7, 8 }.Select(i => Task.Run(() => ranks.Meet(i))).ToArray();
        var first = await Task.WhenAny(met);
        (await Should.ThrowAsync<InvalidOperationException>(() => first)).Message.ShouldContain("a collective takes all of them at one");
        ranks.Stop();
        foreach (var other in met.Where(m => m != first))
            (await other).ShouldBeFalse();
    }

    [Fact]
    public async Task A_fault_of_one_rank_ends_the_step_of_all_and_the_next_one_is_sound()
    {
        var expected = await Expected();
        foreach (var (stream, rank) in new[] { (StreamKind.Compute, 0), (StreamKind.Compute, 1), (StreamKind.Collective, 0), (StreamKind.Collective, 1) })
        {
            var fails = false;
            using var backend = Backend((r, s, i) =>
            {
                if (fails && (r, s, i) == (rank, stream, 3))
                    throw new InvalidDataException("a fault");
            });
            await Run(backend, s_prefill, 0);
            var prefilled = backend.Logits();
            fails = true;
            (await Should.ThrowAsync<InvalidDataException>(() => Run(backend, s_decode, Prompt))).Message.ShouldBe("a fault");
            Should.Throw<InvalidOperationException>(() => backend.Logits()).Message.ShouldBe("the last step did not run to its end");
            fails = false;
            // The caches hold what they held before the step that failed.
            await Run(backend, s_decode, Prompt);
            var decoded = backend.Logits();
            await Run(backend, s_decode, Prompt + 1);
            new[] { prefilled, decoded, backend.Logits() }.ShouldHaveTheBitsOf(expected, () => $"rank {rank}, {stream}");
        }
    }

    [Fact]
    public async Task A_step_is_stopped_while_one_rank_waits_for_the_other()
    {
        var expected = await Expected();
        using var stop = new CancellationTokenSource();
        using var first = new ManualResetEventSlim();
        using var backend = Backend((rank, stream, i) =>
        {
            if (stream != StreamKind.Collective || i > 0 || stop.IsCancellationRequested)
                return;
            // Rank 0 goes on to the collective, where it waits for rank 1, which stops the step instead.
            if (rank == 0)
            {
                first.Set();
                return;
            }
            first.Wait();
            stop.Cancel();
        });
        await Should.ThrowAsync<OperationCanceledException>(() => Run(backend, s_prefill, 0, stop.Token));
        Should.Throw<InvalidOperationException>(() => backend.Logits()).Message.ShouldBe("the last step did not run to its end");
        (await Should.ThrowAsync<InvalidOperationException>(() => Run(backend, s_decode, Prompt))).Message.ShouldEndWith("of which 0 were stored: a prefill comes first");
        (await Deployments.LogitsAsync(backend, s_prefill, s_decode, [s_tokens])).ShouldHaveTheBitsOf(expected, () => "after a stop");
    }

    /// <summary>A large matmul takes longer than who stops a step would wait.</summary>
    [Fact]
    public void A_step_is_stopped_within_a_matmul()
    {
        var plan = Deployments.Plan(Deployments.Of(s_model, 1), new PrefillSpec(1, Prompt));
        using var stream = new OneStream(s_model, plan, 0);
        var matMul = plan.Unroll().Instructions().First(i => i.Operation is MatMulOperation);
        var (input, output) = (stream.Memory.Resolve(matMul.Reads[0], 0), stream.Memory.Resolve(matMul.Writes[0], 0));
        input.Store(0, [.. Enumerable.Repeat(1f, (int)input.Elements)]);
        stream.Progress.Stop();
        stream.Run(matMul);
        Outputs().ShouldAllBe(o => o == 0);
        stream.Progress.Begin();
        stream.Run(matMul);
        Outputs().ShouldContain(o => o != 0);

        float[] Outputs()
        {
            var outputs = new float[output.Elements];
            output.Load(0, outputs);
            return outputs;
        }
    }

    [Fact]
    public async Task One_step_runs_at_a_time_and_a_backend_that_is_disposed_ends_its_step()
    {
        using var running = new ManualResetEventSlim();
        using var goes = new ManualResetEventSlim();
        var backend = Backend((_, _, _) =>
        {
            running.Set();
            goes.Wait();
        });
        var step = Run(backend, s_prefill, 0);
        running.Wait();
        const string busy = "a step is running, and this backend runs one at a time";
        (await Should.ThrowAsync<InvalidOperationException>(() => Run(backend, s_prefill, 0))).Message.ShouldBe(busy);
        (await Should.ThrowAsync<InvalidOperationException>(async () => await backend.CompleteAsync(default))).Message.ShouldBe(busy);
        Should.Throw<InvalidOperationException>(() => backend.Logits()).Message.ShouldBe(busy);
        Should.Throw<InvalidOperationException>(() => backend.SetTokens([1])).Message.ShouldBe(busy);
        backend.Dispose();
        goes.Set();
        (await Should.ThrowAsync<Exception>(() => step)).ShouldBeOfType<ObjectDisposedException>();
        backend.Dispose();
        Should.Throw<ObjectDisposedException>(() => backend.SetTokens([1]));
        Should.Throw<ObjectDisposedException>(() => backend.Logits());
        Should.Throw<ObjectDisposedException>(() => backend.Begin(s_prefill, 0));
        Should.Throw<ObjectDisposedException>(() => backend.Submit(s_prefill.Instructions().First(), 0));
        await Should.ThrowAsync<ObjectDisposedException>(async () => await backend.CompleteAsync(default));
    }

    /// <summary>Nobody is waited for: what reads the weights may itself dispose the backend, or wait for one that does. The memory that they are read into is freed when they
    /// have been.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_backend_may_be_disposed_while_it_reads_weights(bool byTheReader)
    {
        var (reads, readBehind) = (0, 0);
        CpuBackend? backend = null;
        backend = new CpuBackend(s_model, new WatchedWeights(s_weights, () =>
        {
            if (++reads == 3)
                Dispose(backend!, byTheReader);
            else if (reads > 3)
                readBehind++;
        }));
        backend.SetTokens(s_tokens.AsSpan(0, Prompt));
        backend.Begin(s_prefill, 0);
        var embed = s_prefill.Instructions().First();
        Should.Throw<ObjectDisposedException>(() => backend.Submit(embed, 0)).ObjectName.ShouldBe(typeof(CpuBackend).FullName);
        readBehind.ShouldBeGreaterThan(0);
        Should.Throw<ObjectDisposedException>(() => backend.Submit(embed, 0)).ObjectName.ShouldBe(typeof(CpuBackend).FullName);
        backend.Dispose();
    }

    [Fact]
    public async Task Who_reads_weights_for_a_backend_may_ask_it_for_nothing_else()
    {
        var (asks, refused) = (true, new List<string>());
        CpuBackend? backend = null;
        backend = new CpuBackend(s_model, new WatchedWeights(s_weights, () =>
        {
            if (!asks)
                return;
            asks = false;
            Action[] calls = [() => backend!.Begin(s_prefill, 0), () => backend!.Submit(s_prefill.Instructions().First(), 0), () => backend!.CompleteAsync(default).AsTask().GetAwaiter().GetResult(), () => backend!.Logits(), () => backend!.SetTokens([1])];
            foreach (var call in calls)
                refused.Add(Should.Throw<InvalidOperationException>(call).Message);
        }));
        using (backend)
        {
            var logits = await Deployments.LogitsAsync(backend, s_prefill, s_decode, [s_tokens]);
            refused.Count.ShouldBe(5);
            refused.ShouldAllBe(r => r.StartsWith("an instruction is being handed over, and weights may be read for it", StringComparison.Ordinal));
            logits.ShouldHaveTheBitsOf(await Expected(), () => "behind what was refused");
        }
    }

    /// <summary>What was handed over is not whole, and what each rank has of it may differ.</summary>
    [Fact]
    public async Task A_step_of_which_an_instruction_was_refused_is_over()
    {
        var fails = true;
        using var backend = new CpuBackend(s_model, new WatchedWeights(s_weights, () =>
        {
            if (fails)
                throw new InvalidDataException("no weight");
        }));
        await Should.ThrowAsync<InvalidDataException>(() => Run(backend, s_prefill, 0));
        Should.Throw<InvalidOperationException>(() => backend.Submit(s_prefill.Instructions().First(), 0)).Message.ShouldBe("no step was begun");
        (await Should.ThrowAsync<InvalidOperationException>(async () => await backend.CompleteAsync(default))).Message.ShouldBe("no step was begun");
        fails = false;
        (await Deployments.LogitsAsync(backend, s_prefill, s_decode, [s_tokens])).ShouldHaveTheBitsOf(await Expected(), () => "behind a weight that could not be read");
    }

    [Fact]
    public async Task A_generation_on_a_backend_that_is_disposed_before_its_first_step_has_none()
    {
        using var backend = Backend((_, _, _) => throw new InvalidOperationException("a step ran"));
        var generation = Generation(backend);
        backend.Dispose();
        (await Disposed(generation)).ShouldBe(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_generation_on_a_backend_that_is_disposed_between_two_steps_has_no_more(int steps)
    {
        using var backend = Backend(null);
        (await Disposed(Generation(backend), step =>
        {
            if (step == steps)
                backend.Dispose();
        })).ShouldBe(steps);
    }

    [Fact]
    public async Task A_generation_on_a_backend_that_is_disposed_behind_its_last_step_is_whole()
    {
        using var backend = Backend(null);
        var steps = 0;
        await foreach (var _ in Generation(backend))
        {
            if (++steps == Generated)
                backend.Dispose();
        }
        steps.ShouldBe(Generated);
        Should.Throw<ObjectDisposedException>(() => backend.Logits()).ObjectName.ShouldBe(typeof(CpuBackend).FullName);
    }

    /// <summary>Before instructions of every step, first and last: by a stream of the step itself, and by another thread, for which the stream waits.</summary>
    [Fact]
    public async Task A_generation_on_a_backend_that_is_disposed_in_a_step_ends_in_it()
    {
        var ends = await InstructionsByStep();
        int[] places = [.. Enumerable.Range(0, ends[^1]).Where(i => i % 7 == 0), .. ends.Select(e => e - 1)];
        foreach (var (place, byTheStream) in places.Select((p, i) => (p, i % 2 == 0)))
        {
            var (instructions, struck) = (-1, false);
            CpuBackend? backend = null;
            backend = Backend((_, _, _) =>
            {
                if (Interlocked.Increment(ref instructions) != place)
                    return;
                Dispose(backend!, byTheStream);
                struck = true;
            });
            var steps = await Disposed(Generation(backend));
            struck.ShouldBeTrue();
            steps.ShouldBe(ends.Count(e => e <= place), $"disposed before instruction {place} of {string.Join(", ", ends)}");
        }
    }

    /// <summary>Nobody waits for the thread that disposes: the step may end first, or the generation.</summary>
    [Fact]
    public async Task A_backend_may_be_disposed_while_its_step_ends()
    {
        var ends = await InstructionsByStep();
        foreach (var end in Enumerable.Repeat(ends, 20).SelectMany(e => e))
        {
            var (instructions, disposing) = (0, Task.CompletedTask);
            CpuBackend? backend = null;
            backend = Backend((_, _, _) =>
            {
                if (Interlocked.Increment(ref instructions) == end)
                    disposing = Task.Run(() => backend!.Dispose());
            });
            try
            {
                await foreach (var _ in Generation(backend))
                {
                }
            }
            catch (ObjectDisposedException e)
            {
                e.ObjectName.ShouldBe(typeof(CpuBackend).FullName);
            }
            instructions.ShouldBeGreaterThanOrEqualTo(end);
            await disposing;
            Should.Throw<ObjectDisposedException>(() => backend.Logits());
        }
    }

    [Fact]
    public async Task Before_a_step_has_run_there_are_no_logits()
    {
        using var backend = Backend(null);
        Should.Throw<InvalidOperationException>(() => backend.Logits()).Message.ShouldBe("no step has run");
        Should.Throw<InvalidOperationException>(() => backend.Submit(s_prefill.Instructions().First(), 0)).Message.ShouldBe("no step was begun");
        await Should.ThrowAsync<InvalidOperationException>(async () => await backend.CompleteAsync(default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_step_that_was_not_handed_over_whole_has_no_logits(int instructions)
    {
        using var backend = Backend(null);
        await Run(backend, s_prefill, 0);
        backend.Logits().ShouldNotBeEmpty();
        backend.SetTokens(s_tokens.AsSpan(0, Prompt));
        backend.Begin(s_prefill, 0);
        foreach (var instruction in s_prefill.Instructions().Take(instructions))
            backend.Submit(instruction, 0);
        await backend.CompleteAsync(default);
        Should.Throw<InvalidOperationException>(() => backend.Logits()).Message.ShouldBe("no instruction of the last step wrote 'logits'");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_step_runs_once(int ranks)
    {
        using var backend = new CpuBackend(s_model, s_weights);
        var prefill = Deployments.Plan(Deployments.Of(s_model, ranks), new PrefillSpec(1, Prompt));
        await Run(backend, prefill, 0);
        var logits = backend.Logits();
        (await Should.ThrowAsync<InvalidOperationException>(async () => await backend.CompleteAsync(default))).Message.ShouldBe("no step was begun");
        Should.Throw<InvalidOperationException>(() => backend.Submit(prefill.Instructions().First(), 0)).Message.ShouldBe("no step was begun");
        backend.Logits().ShouldBe(logits);
        await Run(backend, prefill, 0);
        backend.Logits().ShouldBe(logits);
    }

    private static void Dispose(CpuBackend backend, bool onThisThread)
    {
        if (onThisThread)
            backend.Dispose();
        else
            Task.Run(backend.Dispose).Wait();
    }

    private static IAsyncEnumerable<int[]> Generation(CpuBackend backend) => GreedyDecoding.RunAsync(backend, s_prefill, s_decode, s_tokens[..Prompt], Generated);

    /// <summary>Runs a generation that ends because its backend was disposed.</summary>
    /// <returns>Steps that it had.</returns>
    private static async Task<int> Disposed(IAsyncEnumerable<int[]> generation, Action<int>? behindEach = null)
    {
        var steps = 0;
        (await Should.ThrowAsync<ObjectDisposedException>(async () =>
        {
            await foreach (var _ in generation)
            {
                steps++;
                behindEach?.Invoke(steps);
            }
        })).ObjectName.ShouldBe(typeof(CpuBackend).FullName);
        return steps;
    }

    /// <summary>Instructions of all streams and ranks that a generation has run behind each of its steps.</summary>
    private static async Task<List<int>> InstructionsByStep()
    {
        var (instructions, ends) = (0, new List<int>());
        using var backend = Backend((_, _, _) => Interlocked.Increment(ref instructions));
        await foreach (var _ in Generation(backend))
            ends.Add(instructions);
        return ends;
    }

    private static CpuBackend Backend(Action<int, StreamKind, int>? beforeEach) => new(s_model, s_weights, new CpuOptions { BeforeEach = beforeEach });

    private static async Task Run(CpuBackend backend, ExecutionPlan plan, int context, CancellationToken cancellationToken = default)
    {
        backend.SetTokens(s_tokens.AsSpan(context, plan.Step.NewTokens));
        await new Executor(backend).RunAsync(plan, context, cancellationToken);
    }

    private static async Task<float[][]> Expected()
    {
        using var backend = Backend(null);
        return await Deployments.LogitsAsync(backend, s_prefill, s_decode, [s_tokens]);
    }
}

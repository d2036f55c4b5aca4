namespace Preserve.Cpu.Tests;

/// <summary>A backend has the caches of one generation at a time: of several, each gives its own tokens or ends, in whatever order their calls come.</summary>
public class GenerationStepsTests
{
    private const int Prompt = 6;
    private const int Generated = 3;
    private const int Schedules = 400;

    private static readonly ModelSpec s_model = SmallModels.Model(16, 30, new LayerGroup(new[] { SmallModels.Layer() }, 2));

    private static readonly SeededWeights s_weights = new(s_model, 1);

    private static readonly ExecutionPlan s_prefill = Deployments.Plan(Deployments.Of(s_model, 1), new PrefillSpec(1, Prompt)).Unroll();

    private static readonly ExecutionPlan s_decode = Deployments.Plan(Deployments.Of(s_model, 1), new DecodeSpec(1, Prompt + Generated, Total: false, Prompt)).Unroll();

    private static readonly int[][] s_prompts = Deployments.Tokens(s_model, 2, Prompt, 5);

    private readonly ITestOutputHelper _output;

    public GenerationStepsTests(ITestOutputHelper output) => _output = output;

    /// <summary>The calls of two generations, in random orders: each makes a few of them, until the other has its turn.</summary>
    [Fact]
    public async Task Of_two_generations_each_gives_its_own_tokens_or_ends()
    {
        int[][] expected = [await Alone(s_prompts[0]), await Alone(s_prompts[1])];
        expected[0].ShouldNotBe(expected[1]);
        var random = new Random(17);
        var (whole, faults) = (0, new SortedDictionary<string, int>(StringComparer.Ordinal));
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            using var backend = new CpuBackend(s_model, s_weights);
            Calls[] generations = [new(backend, s_prompts[0]), new(backend, s_prompts[1])];
            var longest = random.Next(2, 200);
            while (generations.Any(g => !g.HasEnded))
            {
                var generation = generations[random.Next(2)];
                for (var calls = random.Next(1, longest); calls > 0 && !generation.HasEnded; calls--)
                    generation.Next();
            }
            for (var i = 0; i < generations.Length; i++)
            {
                generations[i].Tokens.ShouldBe(expected[i].Take(generations[i].Tokens.Count), $"schedule {schedule}, generation {i}");
                if (generations[i].Fault is { } fault)
                    faults[fault] = faults.GetValueOrDefault(fault) + 1;
                else
                    whole++;
            }
        }
        _output.WriteLine($"{whole} generations were whole; {string.Join("; ", faults.Select(f => $"{f.Value} times {f.Key}"))}");
        whole.ShouldBeGreaterThanOrEqualTo(Schedules);
        faults.Keys.ShouldBe(new[] { "behind step 1", "behind step 2", "within step 1", "within step 2", "within step 3" }.Select(Interrupted));
    }

    /// <summary>Who drives the backend by himself is not held to anything, and takes the caches of a generation as well.</summary>
    [Fact]
    public void A_step_of_nobodys_ends_a_generation_and_is_ended_by_one()
    {
        using var backend = new CpuBackend(s_model, s_weights);
        var generation = new Calls(backend, s_prompts[0]);
        generation.Next();
        backend.SetTokens(s_prompts[1]);
        backend.Begin(s_prefill, 0);
        generation.Next();
        generation.Fault.ShouldBe(Interrupted("within step 1"));
        new Calls(backend, s_prompts[0]).Next();
        Should.Throw<InvalidOperationException>(() => backend.Submit(s_prefill.Instructions().First(), 0)).Message.ShouldBe("no step was begun");
    }

    [Fact]
    public async Task A_generation_that_comes_while_a_step_of_another_runs_ends_and_the_other_is_whole()
    {
        using var running = new SemaphoreSlim(0);
        using var goes = new ManualResetEventSlim();
        using var backend = new CpuBackend(s_model, s_weights, new CpuOptions
        {
            BeforeEach = (_, _, i) =>
            {
                if (i > 0 || goes.IsSet)
                    return;
                running.Release();
                goes.Wait();
            },
        });
        var first = Task.Run(() => Tokens(backend, s_prompts[0]));
        await running.WaitAsync();
        (await Should.ThrowAsync<InvalidOperationException>(() => Tokens(backend, s_prompts[1]))).Message.ShouldBe("a step is running, and this backend runs one at a time");
        goes.Set();
        (await first).ShouldBe(await Alone(s_prompts[0]));
    }

    private static string Interrupted(string place) =>
        $"another step ran on the backend {place} of this generation, and the caches are no longer its own: a backend generates one text at a time";

    private static async Task<int[]> Alone(int[] prompt)
    {
        using var backend = new CpuBackend(s_model, s_weights);
        return await Tokens(backend, prompt);
    }

    private static async Task<int[]> Tokens(CpuBackend backend, int[] prompt)
    {
        var tokens = new List<int>();
        await foreach (var next in GreedyDecoding.RunAsync(backend, s_prefill, s_decode, prompt, Generated))
            tokens.AddRange(next);
        return [.. tokens];
    }

    /// <summary>A generation as <see cref="GreedyDecoding"/> has it, one call of the backend after the other.</summary>
    private sealed class Calls
    {
        private readonly GenerationSteps _steps;
        private readonly IEnumerator<bool> _calls;

        public Calls(CpuBackend backend, int[] prompt)
        {
            _steps = new GenerationSteps(backend) { Tokens = prompt };
            _calls = All().GetEnumerator();
        }

        public List<int> Tokens { get; } = [];

        /// <summary>What ended it early.</summary>
        public string? Fault { get; private set; }

        public bool HasEnded { get; private set; }

        public void Next()
        {
            try
            {
                HasEnded = !_calls.MoveNext();
            }
            catch (InvalidOperationException e)
            {
                (Fault, HasEnded) = (e.Message, true);
            }
        }

        private IEnumerable<bool> All()
        {
            for (var step = 0; step < Generated; step++)
            {
                var plan = step == 0 ? s_prefill : s_decode;
                _steps.Begin(plan, step == 0 ? 0 : Prompt + step - 1);
                yield return true;
                foreach (var instruction in plan.Instructions())
                {
                    _steps.Submit(instruction, 0);
                    yield return true;
                }
                _steps.CompleteAsync(default).AsTask().GetAwaiter().GetResult();
                yield return true;
                _steps.Tokens = GreedyDecoding.Largest(_steps.Logits(), s_model.Vocabulary);
                Tokens.AddRange(_steps.Tokens);
                yield return true;
            }
        }
    }
}

namespace Preserve.Optimizer.Tests;

/// <summary>Small plans with the KV-cache, the weights or both in host memory: row by row and column by column, split at one length and at several.</summary>
internal static class HostPlans
{
    private const int Plans = 40;

    public static IEnumerable<ExecutionPlan> Corpus(Random random)
    {
        for (var i = 0; i < Plans; i++)
        {
            var layer = Specs.Layer("L", 2, random.Next(3) == 0 ? 1 : 2, 8, 16, window: random.Next(6) == 0 ? 3 : 0, position: random.Next(4) == 0 ? Position.None : Position.Rotary,
                bias: random.Next(3) == 0 ? ProjectionBias.All : ProjectionBias.None, queryKeyNorm: random.Next(4) == 0);
            var other = Specs.Layer("M", 2, 1, 8, 24, activation: Activation.Relu);
            var batches = i % 2 == 0 ? 1 : random.Next(2, 4);
            // Buffers in turn make a repeat of two layers, behind those that enter.
            var stack = random.Next(4) switch
            {
                0 => [Specs.Group(1, layer), Specs.Group(1, other)],
                1 when batches < 3 => [Specs.Group(8, layer)],
                _ => new[] { Specs.Group(batches == 1 ? random.Next(2, 5) : random.Next(1, 4), layer) },
            };
            var prompt = random.Next(2, 5);
            StepSpec step = random.Next(5) == 0 ? new PrefillSpec(random.Next(1, 3), prompt) : new DecodeSpec(random.Next(1, 3), prompt + random.Next(0, 3), Total: false, prompt);
            var (cache, weights) = random.Next(4) switch { 0 => (Home.Device, Home.Host), 1 or 2 => (Home.Host, Home.Host), _ => (Home.Host, Home.Device) };
            var ranks = random.Next(3) == 0 ? 2 : 1;
            var room = ranks == 2 && batches == 1 ? random.Next(300, 1_500) : 0;
            var policy = room == 0 ? PrefetchPolicy.None : random.Next(2) == 0 ? PrefetchPolicy.Paper : PrefetchPolicy.Best;
            var deployment = Specs.Deploy(Specs.Model("Tiny", 16, 24, stack), ranks, step, Precision.Bf16, policy, separate: random.Next(4) == 0) with
            {
                Offload = new OffloadSpec(cache, weights, batches == 1 ? Objective.Latency : Objective.Throughput, batches),
            };
            var split = cache == Home.Host ? Split(stack, step, prompt, ranks, random) : null;
            var rule = Specs.RuleOf(deployment, random, room, split);
            yield return PlanEmission.Emit(StepPlanner.Plan(deployment, step, rule, split), deployment, room);
        }
    }

    /// <summary>Some of the prompt's tokens in each kind of layer that keeps them, one more from a length on.</summary>
    private static CacheSplit Split(LayerGroup[] stack, StepSpec step, int prompt, int ranks, Random random)
    {
        var gathered = ranks > 1 && random.Next(2) == 0;
        var tokens = new Dictionary<string, Amount>();
        foreach (var layer in stack.SelectMany(g => g.Pattern))
        {
            var few = random.Next(0, prompt);
            var split = gathered || step is PrefillSpec || random.Next(2) == 0 ? few : Amount.WhereNotNegative(Amount.Context - (prompt + 1), few + 1, few);
            if (layer.Attention is MultiHeadAttentionSpec { Window: 0 } && split.Most(step.MinContext, step.MaxContext) > 0)
                tokens[stack.Length == 1 ? "" : layer.Name + "/"] = split;
        }
        return new CacheSplit(null, tokens) { Activations = gathered ? ActivationTransfer.Gathered : ActivationTransfer.Whole };
    }
}

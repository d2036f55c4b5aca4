using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>A static batch of requests on a group of ranks: all begin and end together. Of each sequence's maximum length two thirds are
/// prefilled and one third is decoded. Weights, activations and KV-cache are int8, as in the evaluation of PRESERVE
/// (arXiv 2501.08192).</summary>
/// <param name="Model">What is computed.</param>
/// <param name="Ranks">Ranks of the tensor-parallel group, 1 or more.</param>
/// <param name="Batch">Sequences, 1 or more.</param>
/// <param name="Length">Maximum length of a sequence, in tokens, 3 or more.</param>
public sealed record RequestBatch(ModelSpec Model, int Ranks, int Batch, int Length)
{
    /// <summary>Tokens of each prompt.</summary>
    public int PromptTokens => (int)(2L * Length / 3);

    /// <summary>Decode steps: step k reads the prompt and k tokens after it.</summary>
    public int DecodeSteps => Length - PromptTokens;

    /// <summary>The decode step whose plan serves the whole request.</summary>
    public DecodeSpec Decode => new(Batch, Length - 1, Total: false);

    /// <summary>The prefill of some of its sequences.</summary>
    /// <param name="sequences">Sequences, 1 or more.</param>
    public PrefillSpec Prefill(int sequences) => new(sequences, PromptTokens);

    /// <summary>The deployment of a step.</summary>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="step">The step.</param>
    /// <param name="technique">How the collectives' time is used.</param>
    public DeploymentSpec Deploy(Device device, StepSpec step, Technique technique)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(technique);
        return new(Model, device.Id, Ranks, Precision.Int8, Precision.Int8, Precision.Int8, technique.Prefetch, SeparateProjections: false, new[] { step })
        {
            PrefetchTargets = technique.Targets,
            CollectiveFusion = technique.Fusion,
        };
    }

    /// <summary>How many sequences are prefilled at a time: as many as fit the memory beside the KV-cache of the whole batch, all of them or
    /// a power of two.</summary>
    /// <param name="device">The device that each rank runs on.</param>
    /// <param name="why">Why the batch cannot run; null where it can.</param>
    /// <returns>Sequences, or 0 where the batch cannot run.</returns>
    public int SequencesPerPrefill(Device device, out string? why)
    {
        ArgumentNullException.ThrowIfNull(device);
        var decode = Deploy(device, Decode, Technique.Plain);
        why = DeploymentRules.Check(decode, modelIsSound: true).Select(f => f.Message).FirstOrDefault();
        if (why is not null)
            return 0;
        var held = MemoryFit.Of(decode, device.MemoryBytes);
        if (!held.Fits)
        {
            why = FormattableString.Invariant($"{held.NeededBytes / 1e9:0.0} GB are needed on each rank, which has {held.AvailableBytes / 1e9:0.0}");
            return 0;
        }
        for (var sequences = Batch; sequences > 0; sequences = sequences == Batch ? LargestPowerBelow(sequences) : sequences / 2)
        {
            var prefill = Deploy(device, Prefill(sequences), Technique.Plain);
            if (DeploymentRules.Check(prefill, modelIsSound: true).Count == 0
                && held.WeightBytes + held.KeyValueBytes + MemoryFit.Of(prefill, device.MemoryBytes).ActivationBytes <= device.MemoryBytes)
            {
                return sequences;
            }
        }
        why = FormattableString.Invariant($"the values of one prompt of {PromptTokens} tokens do not fit beside weights and KV-cache");
        return 0;
    }

    private static int LargestPowerBelow(int sequences)
    {
        var power = 1;
        while (power * 2 < sequences)
            power *= 2;
        return sequences == 1 ? 0 : power;
    }
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>The run of a whole generation: the prompts' prefill, which gives each sequence its first token, and a decode step for each of
/// the others, every one at its own context.</summary>
/// <param name="Batch">Sequences, those of all batches that a layer serves.</param>
/// <param name="Prefill">The run of the prefill.</param>
/// <param name="Decode">The runs of the decode steps, in order; the first begins with the prompt cached.</param>
public sealed record GenerationRun(int Batch, StepRun Prefill, EquatableArray<StepRun> Decode)
{
    /// <summary>Time of the whole.</summary>
    public long Picoseconds => checked(Prefill.Picoseconds + DecodePicoseconds);

    /// <summary>Time of the decode steps.</summary>
    public long DecodePicoseconds => Decode.Sum(s => s.Picoseconds);

    /// <summary>Tokens that all sequences together are given in a second, the prefill's time included.</summary>
    public double TokensPerSecond => Batch * (Decode.Count + 1) / (Picoseconds / 1e12);

    /// <summary>The part of the decode steps' time in which something of theirs goes on.</summary>
    /// <param name="of">The time of a step in which it does, in picoseconds.</param>
    /// <exception cref="ArgumentNullException"><paramref name="of"/> is null.</exception>
    public double DecodeShare(Func<StepRun, long> of) =>
        DecodePicoseconds == 0 ? 0 : (double)Decode.Sum(of ?? throw new ArgumentNullException(nameof(of))) / DecodePicoseconds;

    /// <summary>The part of the whole generation's time, the prefill's included, in which something goes on.</summary>
    /// <param name="of">The time of a step in which it does, in picoseconds.</param>
    /// <exception cref="ArgumentNullException"><paramref name="of"/> is null.</exception>
    public double Share(Func<StepRun, long> of)
    {
        if (of is null)
            throw new ArgumentNullException(nameof(of));
        return Picoseconds == 0 ? 0 : (double)(of(Prefill) + Decode.Sum(of)) / Picoseconds;
    }

    /// <summary>Runs a generation.</summary>
    /// <param name="executor">Runs the steps.</param>
    /// <param name="prefill">The plan of the prefill.</param>
    /// <param name="decode">A plan of decode steps for the same sequences; it serves every context from the prompt on that the generation reaches.</param>
    /// <param name="tokens">Tokens that each sequence is given, 1 or more: the first by the prefill.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The plans are not of one generation.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tokens"/> is below 1, or beyond what the decode plan serves; nothing has run.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static async ValueTask<GenerationRun> RunAsync(
        Executor executor, ExecutionPlan prefill, ExecutionPlan decode, int tokens, CancellationToken cancellationToken = default)
    {
        if (executor is null)
            throw new ArgumentNullException(nameof(executor));
        var prompt = Check(prefill, decode, tokens);
        var first = await executor.RunAsync(prefill, 0, cancellationToken).ConfigureAwait(false);
        var steps = new List<StepRun>(tokens - 1);
        for (var i = 0; i < tokens - 1; i++)
            steps.Add(await executor.RunAsync(decode, checked(prompt.Tokens + i), cancellationToken).ConfigureAwait(false));
        return new GenerationRun(checked(prompt.Batch * prefill.Batches), first, steps.ToArray());
    }

    /// <summary>Checks that two plans are those of one generation.</summary>
    /// <param name="prefill">The plan of the prefill.</param>
    /// <param name="decode">The plan of the decode steps.</param>
    /// <param name="tokens">Tokens that each sequence is given.</param>
    /// <returns>The prefill's step.</returns>
    /// <exception cref="ArgumentNullException">A plan is null.</exception>
    /// <exception cref="ArgumentException">The plans are not of one generation.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tokens"/> is below 1, or beyond what the decode plan serves.</exception>
    internal static PrefillSpec Check(ExecutionPlan prefill, ExecutionPlan decode, int tokens)
    {
        if (prefill?.Step is not PrefillSpec prompt)
            throw prefill is null ? new ArgumentNullException(nameof(prefill)) : new ArgumentException($"'{prefill.Step}' is no prefill", nameof(prefill));
        if (decode?.Step is not DecodeSpec { Total: false } step)
            throw decode is null ? new ArgumentNullException(nameof(decode)) : new ArgumentException($"'{decode.Step}' is no decode step of sequences of one length", nameof(decode));
        if (step.Batch != prompt.Batch)
            throw new ArgumentException($"the prefill has {prompt.Batch} sequences, the decode step {step.Batch}", nameof(decode));
        if (prefill.Batches != decode.Batches)
            throw new ArgumentException($"the layers of the prefill serve {prefill.Batches} batches, those of the decode step {decode.Batches}", nameof(decode));
        if ((prefill.Model, prefill.Device, prefill.Ranks) != (decode.Model, decode.Device, decode.Ranks))
            throw new ArgumentException($"the prefill is of {prefill.Model} on {prefill.Ranks} x {prefill.Device}, the decode step of {decode.Model} on {decode.Ranks} x {decode.Device}", nameof(decode));
        foreach (var needed in decode.Tensors.Where(t => t.Role == TensorRole.Activations))
        {
            if (!prefill.Tensors.Any(t => (t.Name, t.Role, t.Format, t.UnitBytes) == (needed.Name, needed.Role, needed.Format, needed.UnitBytes) && t.Units.At(0) >= needed.Units.At(step.MaxContext)))
                throw new ArgumentException($"the decode step recomputes from the activations '{needed.Name}', which the prefill does not store, or not as many", nameof(decode));
        }
        if (prefill.Tensors.FirstOrDefault(t => t.Role == TensorRole.KeyValues && !decode.Tensors.Any(d => IsSameCache(t, d))) is { } cache)
            throw new ArgumentException($"the cache '{cache.Name}' of the prefill is none of the decode step: of another place, format or size", nameof(decode));
        if (prompt.Tokens < step.MinContext)
            throw new ArgumentException($"the prefill has {prompt.Tokens} tokens, and the decode plan serves from {step.MinContext} on", nameof(prefill));
        if (tokens < 1)
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens, "a generation gives each sequence a token or more");
        if (checked(prompt.Tokens + tokens - 2) is var last && last > step.MaxContext)
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"the last step has {last} cached tokens, and the decode plan serves {step.MaxContext}");
        return prompt;
    }

    private static bool IsSameCache(TensorDeclaration one, TensorDeclaration other) =>
        (one.Name, one.Role, one.Memory, one.Format, one.UnitBytes, one.BlockUnits) == (other.Name, other.Role, other.Memory, other.Format, other.UnitBytes, other.BlockUnits);
}

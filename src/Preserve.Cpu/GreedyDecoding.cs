using System.Runtime.CompilerServices;

namespace Preserve.Cpu;

/// <summary>Generates tokens: after each sequence always the one with the largest logit.</summary>
public static class GreedyDecoding
{
    /// <summary>Runs a prefill, then a decode step for each further token. A backend has the caches of one generation at a time.</summary>
    /// <param name="backend">Computes the steps.</param>
    /// <param name="prefill">The plan of the prefill.</param>
    /// <param name="decode">A plan of decode steps for the same sequences; it serves every context from the prompt on that the generation reaches.</param>
    /// <param name="prompts">The prompts' tokens: those of each batch, in it of each sequence.</param>
    /// <param name="tokens">Tokens that each sequence is given, 1 or more: the first by the prefill.</param>
    /// <param name="cancellationToken">Stops before the next instruction, or within a matmul.</param>
    /// <returns>After each step, the token of each sequence of each batch.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The plans are not of one generation, or the prompts are not as long as the prefill; in the first step, the backend
    /// cannot compute the plans.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tokens"/> is below 1, or beyond what the decode plan serves; or a prompt's token
    /// is not of the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">A step has no number among a sequence's logits, or another step ran on the backend since this generation began its first, or runs: no token is given
    /// that is another's.</exception>
    /// <exception cref="ObjectDisposedException">The backend was disposed, before or meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The generation was stopped.</exception>
    public static IAsyncEnumerable<int[]> RunAsync(
        CpuBackend backend, ExecutionPlan prefill, ExecutionPlan decode, int[] prompts, int tokens, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(prompts);
        var prompt = GenerationRun.Check(prefill, decode, tokens);
        var wanted = (long)prefill.Batches * prompt.Batch * prompt.Tokens;
        if (prompts.Length != wanted)
            throw new ArgumentException($"the prompts have {prompts.Length} tokens, and '{prompt}' of {prefill.Batches} batches has {wanted}", nameof(prompts));
        backend.CheckTokens(prompts, nameof(prompts));
        return Steps(backend, prefill, decode, [.. prompts], prompt.Tokens, tokens, cancellationToken);
    }

    private static async IAsyncEnumerable<int[]> Steps(
        CpuBackend backend, ExecutionPlan prefill, ExecutionPlan decode, int[] prompts, int prompt, int tokens, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var steps = new GenerationSteps(backend) { Tokens = prompts };
        var executor = new Executor(steps);
        for (var i = 0; i < tokens; i++)
        {
            await executor.RunAsync(i == 0 ? prefill : decode, i == 0 ? 0 : prompt + i - 1, cancellationToken).ConfigureAwait(false);
            steps.Tokens = Largest(steps.Logits(), backend.Model.Vocabulary);
            yield return [.. steps.Tokens];
        }
    }

    /// <summary>The token with the largest logit of each row; of several, the first. What is no number is not the largest.</summary>
    /// <exception cref="InvalidOperationException">A row has no number.</exception>
    internal static int[] Largest(ReadOnlySpan<float> logits, int vocabulary)
    {
        var tokens = new int[logits.Length / vocabulary];
        for (var row = 0; row < tokens.Length; row++)
        {
            var values = logits.Slice(row * vocabulary, vocabulary);
            tokens[row] = -1;
            for (var token = 0; token < vocabulary; token++)
            {
                if (!float.IsNaN(values[token]) && (tokens[row] < 0 || values[token] > values[tokens[row]]))
                    tokens[row] = token;
            }
            if (tokens[row] < 0)
                throw new InvalidOperationException($"no logit of sequence {row} is a number");
        }
        return tokens;
    }
}

using System;
using System.Linq;

namespace Preserve;

/// <summary>A planned step: the plan and the optimizer's report on it.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Report">The report.</param>
public sealed record PlannedStep(ExecutionPlan Plan, PlanReport Report);

/// <summary>The plans of a deployment, one for each declared step.</summary>
/// <param name="Steps">The steps, in declared order.</param>
/// <param name="DeviceFile">The device file that the plans were made with, or null for a built-in device.</param>
public sealed record PlanSet(EquatableArray<PlannedStep> Steps, string? DeviceFile = null)
{
    /// <summary>Reads what <see cref="PlanText.Write(PlanSet)"/> wrote. Generated code calls this.</summary>
    /// <param name="text">The text of the plans.</param>
    /// <exception cref="FormatException">The text is not of the version that this library reads, or is damaged; the
    /// message names the line.</exception>
    public static PlanSet Parse(string text) => PlanText.Read(text);

    /// <summary>The plan for a decode step: of those declared for the batch, the one with the smallest sufficient context.</summary>
    /// <param name="batch">Sequences in the batch.</param>
    /// <param name="context">Tokens that each sequence has cached.</param>
    /// <exception cref="ArgumentException">No declared step serves it; the message lists those there are.</exception>
    public ExecutionPlan ForDecode(int batch, int context) => Find(batch, context, total: false);

    /// <summary>The plan for a decode step of sequences with mixed lengths.</summary>
    /// <param name="batch">Sequences in the batch.</param>
    /// <param name="cachedTokens">Tokens that all sequences together have cached.</param>
    /// <exception cref="ArgumentException">No declared step serves it; the message lists those there are.</exception>
    public ExecutionPlan ForMixedDecode(int batch, int cachedTokens) => Find(batch, cachedTokens, total: true);

    /// <summary>The plan for a prefill step.</summary>
    /// <param name="batch">Sequences in the batch.</param>
    /// <param name="tokens">Prompt tokens per sequence.</param>
    /// <exception cref="ArgumentException">No such step is declared; the message lists those there are.</exception>
    public ExecutionPlan ForPrefill(int batch, int tokens) =>
        Steps.FirstOrDefault(s => s.Plan.Step is PrefillSpec prefill && prefill.Batch == batch && prefill.Tokens == tokens)?.Plan
        ?? throw NotPlanned($"a prefill of batch {batch} with {tokens} tokens");

    private ExecutionPlan Find(int batch, int context, bool total) =>
        Steps.Select(s => s.Plan)
            .Where(p => p.Step is DecodeSpec decode && decode.Total == total && decode.Batch == batch
                && decode.MinContext <= context && context <= decode.MaxContext)
            .OrderBy(p => p.Step.MaxContext)
            .FirstOrDefault()
        ?? throw NotPlanned($"a decode step of batch {batch} with {(total ? "a total of " : "a context of ")}{context} tokens");

    private ArgumentException NotPlanned(string wanted) =>
        new($"there is no plan for {wanted}; planned are: {string.Join("; ", Steps.Select(s => s.Plan.Step))}");
}

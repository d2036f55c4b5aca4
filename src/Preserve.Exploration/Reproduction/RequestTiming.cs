using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>Times a batch of requests on a device by runs of its plans.</summary>
/// <remarks>One plan serves all decode steps. They are summed by the composite midpoint rule: the steps are split into equal sections, and
/// each counts with the time of the one in its middle. A step's time is linear in the context but for bends, so that the error is that
/// of the sections with a bend.</remarks>
/// <param name="requests">The requests.</param>
/// <param name="device">The device that each rank runs on.</param>
/// <param name="cancellation">Stops before the next plan or run.</param>
public sealed class RequestTiming(RequestBatch requests, Device device, CancellationToken cancellation)
{
    /// <summary>Sections of the decode steps, unless there are fewer steps.</summary>
    public const int DefaultSections = 16;

    private readonly Dictionary<(PrefetchPolicy, CollectiveFusion), double> _prefills = [];

    /// <summary>Sections of the decode steps, 1 or more; one for each step where there are fewer steps.</summary>
    public int Sections { get; init; } = DefaultSections;

    /// <summary>What the requests take.</summary>
    /// <param name="technique">How the collectives' time is used.</param>
    /// <param name="sequencesPerPrefill">Sequences that are prefilled at a time; divides the batch, or the last prefill counts by its share.</param>
    public RequestTime Of(Technique technique, int sequencesPerPrefill)
    {
        ArgumentNullException.ThrowIfNull(technique);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequencesPerPrefill);
        return new RequestTime(Prefills(technique, sequencesPerPrefill), Decodes(technique));
    }

    private double Prefills(Technique technique, int sequences)
    {
        // A prefill finds no KV-cache that it could prefetch.
        var policy = technique.Targets == PrefetchTargets.KeyValues ? PrefetchPolicy.None : technique.Prefetch;
        if (!_prefills.TryGetValue((policy, technique.Fusion), out var time))
        {
            var step = requests.Prefill(sequences);
            time = Run(Plan(step, technique with { Prefetch = policy, Targets = PrefetchTargets.Both }), [0])[0] * ((double)requests.Batch / sequences);
            _prefills.Add((policy, technique.Fusion), time);
        }
        return time;
    }

    private double Decodes(Technique technique)
    {
        var sections = Math.Min(Sections, requests.DecodeSteps);
        var contexts = Enumerable.Range(0, sections).Select(i => requests.PromptTokens + (int)(((2L * i) + 1) * requests.DecodeSteps / (2 * sections)));
        return Run(Plan(requests.Decode, technique), [.. contexts]).Average() * requests.DecodeSteps;
    }

    private ExecutionPlan Plan(StepSpec step, Technique technique) =>
        Planner.PlanStep(requests.Deploy(device, step, technique), step, device, cancellation);

    private double[] Run(ExecutionPlan plan, int[] contexts)
    {
        var executor = new Executor(new SimulatedBackend(device));
        // The modelled device completes at once: nothing is waited for.
        return [.. contexts.Select(c => (double)executor.RunAsync(plan, c, cancellation).AsTask().GetAwaiter().GetResult().Picoseconds)];
    }
}

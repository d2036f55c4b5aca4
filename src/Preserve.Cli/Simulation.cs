using Preserve.Cli.Commands;
using Preserve.Cli.Output;
using Preserve.Optimizer;

namespace Preserve.Cli;

/// <summary>One step, planned and run: the base plan and this plan, by the executor on the hardware model.</summary>
internal sealed class Simulation
{
    private const string ColdNote = "the times of the step are those after an empty L2; windows, verdicts, gains and the bound are those of a step after steps like it";

    private readonly bool _cold;

    private Simulation(DeployedModel deployed, bool cold, PlanSet plans, StepRun baseRun, StepRun run, StepBand? baseBand, StepBand? band)
    {
        _cold = cold;
        (BaseBand, Band) = (baseBand, band);
        Deployed = deployed;
        Plans = plans;
        BaseRun = baseRun;
        Run = run;
    }

    public DeployedModel Deployed { get; }

    public PlanSet Plans { get; }

    public ExecutionPlan Plan => Plans.Steps[0].Plan;

    public PlanReport Report => Plans.Steps[0].Report;

    public StepRun BaseRun { get; }

    public StepRun Run { get; }

    /// <summary>How far the base plan's time is to be trusted; null where nothing of the device was measured.</summary>
    public StepBand? BaseBand { get; }

    /// <summary>How far this plan's time is to be trusted; null where nothing of the device was measured.</summary>
    public StepBand? Band { get; }

    /// <summary>Kinds of kernels that the band says nothing of, because they were not measured on the device.</summary>
    public IReadOnlyList<string> Unmeasured => Band is { } band
        ? [.. band.Unmeasured]
        : [.. Plan.Instructions().Select(i => PerturbedCostLaws.KindOf(i.Operation)).OfType<KernelKind>().Distinct().Select(k => k.ToString())];

    public double Speedup => (double)BaseRun.Picoseconds / Run.Picoseconds;

    public double CollectiveShare => (double)BaseRun.CollectiveExposedPicoseconds / BaseRun.Picoseconds;

    /// <summary>What is not exact about the step and its model.</summary>
    public IReadOnlyList<string> Notes => _cold ? [.. Deployed.Notes, ColdNote] : Deployed.Notes;

    /// <summary>Whether the step has collectives: a single rank has none.</summary>
    public bool HasCollectives => Plan.Instructions().Any(i => i.Operation is CollectiveOperation);

    /// <summary>Whether the KV-cache lives in the host's memory.</summary>
    public bool HasHostCache => Deployed.Spec.Offload.KeyValues == Home.Host;

    /// <summary>Weights, KV-cache and values of one rank, in the device's memory.</summary>
    public long MemoryBytes => Report.WeightBytes + (HasHostCache ? 0 : Report.KeyValueBytes) + Plan.ArenaBytes;

    /// <summary>Plans and runs.</summary>
    public static async Task<Simulation> RunAsync(DeployedModel deployed, bool cold, CancellationToken cancellation)
    {
        var plans = Planner.Plan(deployed.Spec, deployed.Device, deployed.DeviceFile, cancellation);
        var plan = plans.Steps[0].Plan;
        var basePlan = deployed.Spec.Offload.KeyValues == Home.Host ? WithoutRecomputation(deployed, cancellation) : plan.WithoutPrefetch();
        return new Simulation(
            deployed, cold, plans,
            await RunAsync(deployed, basePlan, cold, record: false, cancellation),
            await RunAsync(deployed, plan, cold, record: false, cancellation),
            await BandAsync(deployed, basePlan, cold, cancellation),
            await BandAsync(deployed, plan, cold, cancellation));
    }

    /// <summary>Runs the plan once more, and records it.</summary>
    public Task<StepRun> RecordAsync(bool cold, CancellationToken cancellation) => RunAsync(Deployed, Plan, cold, record: true, cancellation);

    public SimulationDocument ToDocument()
    {
        var spec = Deployed.Spec;
        return new SimulationDocument
        {
            Model = spec.Model.Name,
            Device = spec.Device,
            TensorParallel = spec.TensorParallel,
            Phase = spec.Steps[0] is DecodeSpec ? "decode" : "prefill",
            Batch = spec.Steps[0].Batch,
            Context = spec.Steps[0] is DecodeSpec ? Deployed.Context : spec.Steps[0].NewTokens,
            Prefetch = Plan.Policy.ToString().ToLowerInvariant(),
            PrefetchTargets = spec.PrefetchTargets switch { Preserve.PrefetchTargets.Weights => "weights", Preserve.PrefetchTargets.KeyValues => "kv", _ => "both" },
            KvHome = HasHostCache ? "host" : "device",
            Split = SplitDocument.Of(Report.Split),
            KvBlockTokens = spec.KeyValueBlockTokens == 0 ? null : spec.KeyValueBlockTokens,
            BaseMicroseconds = Microseconds(BaseRun.Picoseconds),
            StepMicroseconds = Microseconds(Run.Picoseconds),
            StepLowMicroseconds = Band is null ? null : Microseconds(Band.LowPicoseconds),
            StepHighMicroseconds = Band is null ? null : Microseconds(Band.HighPicoseconds),
            UnmeasuredKinds = Unmeasured,
            LowerBoundMicroseconds = Microseconds(Report.BoundPicoseconds),
            LowerBoundBy = Report.BoundBy,
            Speedup = Speedup,
            CollectiveShare = CollectiveShare,
            ReachableMicroseconds = Microseconds(Report.ReachablePicoseconds),
            ElsewhereMicroseconds = Microseconds(Report.ElsewherePicoseconds),
            GainAtHalfMicroseconds = HasCollectives ? Microseconds(Report.GainAtHalfPicoseconds) : null,
            GainAtTwiceMicroseconds = HasCollectives ? Microseconds(Report.GainAtTwicePicoseconds) : null,
            Guard = Report.Guard is { } guard
                ? new GuardDocument(Names.GuardOutcomes[guard.Outcome], Microseconds(guard.LowPicoseconds), Microseconds(guard.HighPicoseconds))
                : null,
            MemoryBytes = MemoryBytes,
            Assumed = [.. Deployed.Device.AssumedFields.Select(NoteDocument.Of)],
            Doubtful = [.. Deployed.Device.DoubtfulFields.Select(NoteDocument.Of)],
            Notes = [.. Notes, .. ConvertedFormats.Of(Plan, Deployed.Device)],
            Windows = [.. Report.Windows.Select(w => new WindowDocument(
                w.Host, w.FirstLayer < 0 ? null : [w.FirstLayer, w.LastLayer, w.Stride], Microseconds(w.WindowPicoseconds),
                w.Candidates.Sum(c => c.PrefetchedBytes), Microseconds(w.HiddenPicoseconds), Microseconds(w.SavedPicoseconds),
                [.. w.Candidates.Select(c => new CandidateDocument(c.Tensor.Tensor, c.Bytes, c.PrefetchedBytes, Names.Verdicts[c.Verdict], c.Reason))]))],
        };
    }

    /// <summary>The base plan of a KV-cache in host memory: everything is transferred, and nothing prefetched.</summary>
    private static ExecutionPlan WithoutRecomputation(DeployedModel deployed, CancellationToken cancellation)
    {
        var spec = deployed.Spec with { Prefetch = PrefetchPolicy.None, Offload = deployed.Spec.Offload with { Recompute = RecomputePolicy.None } };
        return Planner.PlanStep(spec, spec.Steps[0], deployed.Device, cancellation);
    }

    public static decimal Microseconds(long picoseconds) => picoseconds / 1_000_000m;

    private static decimal? Microseconds(long? picoseconds) => picoseconds is { } some ? Microseconds(some) : null;

    private static ValueTask<StepBand?> BandAsync(DeployedModel deployed, ExecutionPlan plan, bool cold, CancellationToken cancellation) =>
        StepBand.OfAsync(plan, deployed.Context, deployed.Device, new SimulationOptions { ColdStart = cold }, cancellation);

    private static async Task<StepRun> RunAsync(DeployedModel deployed, ExecutionPlan plan, bool cold, bool record, CancellationToken cancellation)
    {
        var backend = new SimulatedBackend(deployed.Device, new SimulationOptions { ColdStart = cold, RecordTimeline = record });
        return await new Executor(backend).RunAsync(plan, deployed.Context, cancellation);
    }
}

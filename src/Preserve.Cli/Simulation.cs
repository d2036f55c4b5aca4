using Preserve.Cli.Commands;
using Preserve.Cli.Output;
using Preserve.Optimizer;

namespace Preserve.Cli;

/// <summary>One step, planned and run: the base plan and this plan, by the executor on the hardware model.</summary>
internal sealed class Simulation
{
    private const string ColdNote = "the times of the step are those after an empty L2; windows, verdicts, gains and the bound are those of a step after steps like it";

    private readonly bool _cold;
    private readonly string? _overridden;

    private Simulation(DeployedModel deployed, bool cold, PlanSet plans, BandedRun baseRun, BandedRun run, string reason)
    {
        _cold = cold;
        Plans = plans;
        // By the file's own fields: those that no law reads lose their marks next.
        _overridden = deployed.Overridden([Plan]);
        Deployed = deployed with { Device = FieldUse.Marked(deployed.Device, [Plan]) };
        (BandedBase, Banded, Reason) = (baseRun, run, reason);
    }

    /// <summary>What is planned, its device with those marks that the plan's laws read.</summary>
    public DeployedModel Deployed { get; }

    public PlanSet Plans { get; }

    public ExecutionPlan Plan => Plans.Steps[0].Plan;

    public PlanReport Report => Plans.Steps[0].Report;

    /// <summary>The one reason that matters most for what this plan gains, or does not.</summary>
    public string Reason { get; }

    /// <summary>The base plan's step, and how far its times are to be trusted.</summary>
    public BandedRun BandedBase { get; }

    /// <summary>This plan's step, and how far its times are to be trusted.</summary>
    public BandedRun Banded { get; }

    /// <summary>The run of the base plan.</summary>
    public StepRun BaseRun => BandedBase.Run;

    /// <summary>The run of this plan, recorded.</summary>
    public StepRun Run => Banded.Run;

    public double Speedup => (double)BaseRun.Picoseconds / Run.Picoseconds;

    public double CollectiveShare => (double)CollectiveTime(BaseRun) / BaseRun.Picoseconds;

    /// <summary>What is not exact about the step and its model.</summary>
    public IReadOnlyList<string> Notes => [.. Deployed.Notes, .. new[] { Deployed.UnknownHost(HostBytes), _overridden }.OfType<string>(), .. _cold ? [ColdNote] : (string[])[], .. HeadNotes];

    private IEnumerable<string> HeadNotes => Deployed.Device.Calibration is not { Decode: not null } and not { Prefill: not null } ? [] : Plan.Instructions()
        .Select(i => i.Operation).OfType<AttentionOperation>().Select(o => o.HeadSize).Where(s => s != DeviceCalibration.MeasuredHeadSize).Distinct()
        .Select(s => $"attention was measured with heads of {DeviceCalibration.MeasuredHeadSize} elements, and this one has {s}: its band is that of the measured ones");

    /// <summary>The time of the step.</summary>
    public static long StepTime(StepRun run) => run.Picoseconds;

    /// <summary>The time in which a collective runs and nothing beside it but prefetches.</summary>
    public static long CollectiveTime(StepRun run) => run.CollectiveExposedPicoseconds;

    /// <summary>How far a time of the base plan is to be trusted; null where less than half of it follows what was measured on the device.</summary>
    public TimeBand? BaseBand(Func<StepRun, long> time) => BandedBase.BandOf(time);

    /// <summary>How far a time of this plan is to be trusted; null where less than half of it follows what was measured on the device.</summary>
    public TimeBand? Band(Func<StepRun, long> time) => Banded.BandOf(time);

    /// <summary>How far the time of a window's host is to be trusted; null where less than half of it follows what was measured on the device, and for a cold step, whose
    /// windows are those of a warm one.</summary>
    public TimeBand? Band(WindowReport window)
    {
        if (_cold)
            return null;
        // The host stands in the timeline once for each of its layers, in their order.
        var before = Report.Windows.Where(w => w.Host == window.Host).Sum(w => CountUpTo(window.LastLayer, w)) - 1;
        return Banded.BandOf(run => run.Timeline.Where(i => i.Label == window.Host).ElementAt(before).Picoseconds);

        // A window of one layer, or outside the layers, has no stride.
        static int CountUpTo(int layer, WindowReport window) =>
            layer < window.FirstLayer ? 0 : ((Math.Min(layer, window.LastLayer) - window.FirstLayer) / Math.Max(window.Stride, 1)) + 1;
    }

    /// <summary>Whether the step has collectives: a single rank has none.</summary>
    public bool HasCollectives => Plan.Instructions().Any(i => i.Operation is CollectiveOperation);

    /// <summary>Whether the KV-cache lives in the host's memory.</summary>
    public bool HasHostCache => Deployed.Spec.Offload.KeyValues == Home.Host;

    /// <summary>Whether the layers' matrices live in the host's memory.</summary>
    public bool HasHostWeights => Deployed.Spec.Offload.Weights == Home.Host;

    /// <summary>Weights, KV-cache and values of one rank, in the device's memory.</summary>
    public long MemoryBytes => Report.WeightBytes - HostWeightBytes + (HasHostCache ? 0 : Report.KeyValueBytes) + Plan.ArenaBytes;

    /// <summary>Of one rank's weights, those in the host's memory.</summary>
    public long HostWeightBytes => MemoryFit.Of(Deployed.Spec, Deployed.Device.MemoryBytes).HostWeightBytes / Deployed.Spec.TensorParallel;

    /// <summary>Whether activations are stored in the host's memory, to make keys and values again.</summary>
    public bool HasStoredActivations => Plan.Tensors.Any(t => t.Role == TensorRole.Activations);

    /// <summary>What one rank keeps in the host's memory.</summary>
    public long HostBytes => PlanFootprint.Of(Plan, Deployed.Context).HostBytes;

    /// <summary>Plans and runs.</summary>
    public static async Task<Simulation> RunAsync(DeployedModel deployed, bool cold, CancellationToken cancellation)
    {
        var plans = Planner.Plan(deployed.Spec, deployed.Device, deployed.DeviceFile, cancellation);
        var plan = plans.Steps[0].Plan;
        var basePlan = deployed.Spec.Offload.KeyValues == Home.Host ? WithoutRecomputation(deployed, cancellation) : plan.WithoutPrefetch();
        return new Simulation(
            deployed, cold, plans,
            await BandedRun.OfAsync(basePlan, deployed.Context, deployed.Device, new SimulationOptions { ColdStart = cold }, cancellation),
            await BandedRun.OfAsync(plan, deployed.Context, deployed.Device, new SimulationOptions { ColdStart = cold, RecordTimeline = true }, cancellation),
            StepSummary.Of(plans.Steps[0], deployed.Spec, deployed.Device, cancellation).Reason);
    }

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
            Batches = Plan.Batches,
            KvHome = HasHostCache ? "host" : "device",
            WeightHome = HasHostWeights ? "host" : "device",
            Split = SplitDocument.Of(Report.Split),
            KvBlockTokens = spec.KeyValueBlockTokens == 0 ? null : spec.KeyValueBlockTokens,
            BaseMicroseconds = Microseconds(BaseRun.Picoseconds),
            StepMicroseconds = Microseconds(Run.Picoseconds),
            BaseLowMicroseconds = Microseconds(BaseBand(StepTime)?.LowPicoseconds),
            BaseHighMicroseconds = Microseconds(BaseBand(StepTime)?.HighPicoseconds),
            StepLowMicroseconds = Microseconds(Band(StepTime)?.LowPicoseconds),
            StepHighMicroseconds = Microseconds(Band(StepTime)?.HighPicoseconds),
            Unmeasured = [.. Banded.Unmeasured],
            MeasuredShare = Banded.MeasuredShare(StepTime),
            LowerBoundMicroseconds = Microseconds(Report.BoundPicoseconds),
            LowerBoundBy = Report.BoundBy,
            Speedup = Speedup,
            Reason = Reason,
            CollectiveMicroseconds = Microseconds(CollectiveTime(BaseRun)),
            CollectiveLowMicroseconds = Microseconds(BaseBand(CollectiveTime)?.LowPicoseconds),
            CollectiveHighMicroseconds = Microseconds(BaseBand(CollectiveTime)?.HighPicoseconds),
            CollectiveShare = CollectiveShare,
            ReachableMicroseconds = Microseconds(Report.ReachablePicoseconds),
            ElsewhereMicroseconds = Microseconds(Report.ElsewherePicoseconds),
            GainAtHalfMicroseconds = HasCollectives ? Microseconds(Report.GainAtHalfPicoseconds) : null,
            GainAtTwiceMicroseconds = HasCollectives ? Microseconds(Report.GainAtTwicePicoseconds) : null,
            Guard = Report.Guard is { } guard
                ? new GuardDocument(Names.GuardOutcomes[guard.Outcome], Microseconds(guard.LowPicoseconds), Microseconds(guard.HighPicoseconds))
                : null,
            Pauses = [.. Report.Pauses.Select(p => (int[])[p.First, p.Last])],
            MemoryBytes = MemoryBytes,
            HostBytes = HostBytes,
            Assumed = [.. Deployed.Device.AssumedFields.Select(NoteDocument.Of)],
            Doubtful = [.. Deployed.Device.DoubtfulFields.Select(NoteDocument.Of)],
            Notes = [.. Notes, .. ConvertedFormats.Of(Plan, Deployed.Device)],
            Windows = [.. Report.Windows.Select(w => new WindowDocument(
                w.Host, w.FirstLayer < 0 ? null : [w.FirstLayer, w.LastLayer, w.Stride], Microseconds(w.WindowPicoseconds), Microseconds(Band(w)?.LowPicoseconds), Microseconds(Band(w)?.HighPicoseconds),
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
}

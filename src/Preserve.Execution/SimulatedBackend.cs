using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>The model of a device as a backend: simulates what each step takes, and computes nothing.</summary>
/// <remarks>Repeats stay rolled, and the time is that of the unrolled plan to the picosecond. A plan is compiled when it is first seen;
/// a step at a new context then allocates nothing but its <see cref="StepRun"/>.</remarks>
public sealed class SimulatedBackend : IBackend
{
    private readonly ICostLaws _laws;
    private readonly SimulationOptions _options;
    private readonly ConditionalWeakTable<ExecutionPlan, StepSimulation> _simulations = new();
    private readonly ConditionalWeakTable<ExecutionPlan, StepSimulation>.CreateValueCallback _compile;
    private readonly StepRecording? _recording;
    private StepSimulation? _current;
    private int _submitted;

    /// <summary>The model of a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="device"/> is null.</exception>
    /// <exception cref="ArgumentException">More of the L2 is to be set aside than the device allows.</exception>
    public SimulatedBackend(Device device, SimulationOptions? options = null)
    {
        Device = device ?? throw new ArgumentNullException(nameof(device));
        _options = options ?? new SimulationOptions();
        _laws = _options.CostLaws(device);
        _recording = _options.RecordTimeline ? new StepRecording() : null;
        RefuseSetAside(device);
        var memory = new StateMemory();
        _compile = plan => new StepSimulation(new CompiledPlan(plan), _laws, memory, _recording);
    }

    /// <summary>A device file is checked when it is read; a device that was made otherwise is checked here.</summary>
    private static void RefuseSetAside(Device device)
    {
        var asked = device.L2.SetAsideMebibytes;
        var most = device.L2.PersistingShare.GetValueOrDefault() * device.L2.CapacityMebibytes.GetValueOrDefault();
        if (asked < 0 || asked > most)
        {
            throw new ArgumentException(most == 0
                ? $"{device.Id} is not known to let a part of its L2 be set aside, {asked} MiB were asked for"
                : $"{device.Id} lets at most {most} MiB of its L2 be set aside, {asked} were asked for", nameof(device));
        }
    }

    /// <summary>The device that is modelled.</summary>
    public Device Device { get; }

    /// <inheritdoc/>
    public void Begin(ExecutionPlan plan, int context)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (_current is null || !ReferenceEquals(_current.Plan.Plan, plan))
            _current = _simulations.GetValue(plan, _compile);
        _submitted = 0;
        _current.Begin(context);
    }

    /// <inheritdoc/>
    public int BeginRepeat(int count) => 1;

    /// <inheritdoc/>
    public void EndRepeat()
    {
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It is not the plan's next instruction.</exception>
    public void Submit(Instruction instruction, int layer)
    {
        var expected = Current.Plan.Instructions;
        if (_submitted >= expected.Length || !ReferenceEquals(expected[_submitted], instruction))
            throw new InvalidOperationException($"'{instruction?.Label}' is not the next instruction of the plan that was begun");
        _submitted++;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Instructions are missing, or one waits for an event that never comes.</exception>
    public ValueTask<StepRun> CompleteAsync(CancellationToken cancellationToken)
    {
        var simulation = Current;
        if (_submitted != simulation.Plan.Instructions.Length)
            throw new InvalidOperationException("not every instruction of the plan was submitted");

        simulation.RunSteps(_options.ColdStart, cancellationToken);
        ref readonly var totals = ref simulation.Totals;
        return new ValueTask<StepRun>(new StepRun(totals.Picoseconds)
        {
            CollectiveExposedPicoseconds = totals.CollectiveExposedPicoseconds,
            PrefetchElsewherePicoseconds = totals.PrefetchElsewherePicoseconds,
            HbmBusyPicoseconds = totals.HbmBusyPicoseconds,
            HbmBytes = totals.HbmBytes,
            HotBytes = totals.HotBytes,
            PrefetchedBytes = totals.PrefetchedBytes,
            LateBytes = totals.LateBytes,
            KernelPicoseconds = totals.KernelPicoseconds,
            CopyToDevicePicoseconds = totals.CopyToDevicePicoseconds,
            CopyToHostPicoseconds = totals.CopyToHostPicoseconds,
            CopyExposedPicoseconds = totals.CopyExposedPicoseconds,
            CopyHiddenPicoseconds = totals.CopyHiddenPicoseconds,
            CollectivePicoseconds = totals.CollectivePicoseconds,
            Timeline = _recording is null ? default(EquatableArray<InstructionRun>) : _recording.Timeline.ToArray(),
            Usage = _recording is null ? default(EquatableArray<ResourceUse>) : _recording.Usage.ToArray(),
        });
    }

    private StepSimulation Current => _current ?? throw new InvalidOperationException("no step was begun");
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Preserve;

/// <summary>Runs one plan's steps on the model of a device. Keeps its arrays, so that a step allocates nothing.</summary>
internal sealed class StepSimulation
{
    private const int Streams = ResourceSimulation.StreamCount;

    /// <summary>Steps are run until the L2 at their border recurs; if it has not by then, the last one counts.</summary>
    private const int MostSteps = 16;

    private ICostLaws _laws;
    private readonly CompiledPlan _plan;
    private readonly PlanAtContext _sizes;
    private readonly StreamCursors _cursors;
    private readonly SteadyState _steady;
    private readonly L2Border _border;
    private readonly ResourceSimulation _resources;
    private readonly L2Traffic _traffic;
    private readonly long[] _ended;

    /// <summary>Streams that wait for another end of each instruction, one bit each.</summary>
    private readonly int[] _waiters;
    private readonly long[] _startedAt = new long[Streams];

    /// <summary>Streams whose events the idle instructions of each stream wait for, since its last that was not idle.</summary>
    private readonly int[] _waitedIdle = new int[Streams];
    private readonly long[] _hot = new long[Streams];
    private readonly long[] _cold = new long[Streams];
    private readonly StepRecording? _recording;
    private int _copies;
    private int _collectives;
    private int _prefetchStreams;

    /// <summary>Streams that wait for an instruction's end, or have come to theirs.</summary>
    private int _waiting;
    private bool _mayStart;
    private StepTotals _totals;

    public StepSimulation(CompiledPlan plan, ICostLaws laws, StateMemory memory, StepRecording? recording = null)
    {
        _plan = plan;
        _laws = laws;
        _recording = recording;
        _sizes = new PlanAtContext(plan);
        _cursors = new StreamCursors(plan);
        _resources = new ResourceSimulation(laws, plan.Plan.Ranks);
        _ended = new long[plan.Instructions.Length];
        _waiters = new int[plan.Instructions.Length];
        _traffic = new L2Traffic(_sizes, _resources, memory.L2);
        _steady = new SteadyState(plan, _sizes, _cursors, _resources, _traffic, _ended, memory);
        _border = memory.Border;
    }

    public CompiledPlan Plan => _plan;

    /// <summary>What the L2 holds: what the last step left.</summary>
    public L2Contents L2 => _traffic.Contents;

    /// <summary>Instructions that were walked and not skipped: what the time of a simulation grows with.</summary>
    public long Walked { get; private set; }

    public ref readonly StepTotals Totals => ref _totals;

    /// <summary>Takes the laws of another device from the next <see cref="Begin"/> on.</summary>
    public void Use(ICostLaws laws)
    {
        _laws = laws;
        _resources.Use(laws);
    }

    /// <summary>Sets the context and empties the L2.</summary>
    public void Begin(int context)
    {
        _sizes.Set(context, _laws);
        Restart();
    }

    /// <summary>Takes over the cuts of a tensor that have moved. What was begun is to be begun anew.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="touching">The instructions that touch it.</param>
    public void Recut(int tensor, int[] touching) => _sizes.Recut(tensor, touching);

    /// <summary>Empties the L2, at the same context.</summary>
    public void Restart()
    {
        _steady.BeginContext();
        L2.Reset(_sizes.Slots, _laws.Device);
    }

    /// <summary>When the last repeat of the plan ended in the first step since <see cref="Begin"/>, to the picosecond or nearly, in
    /// picoseconds; 0 where no state of it recurred.</summary>
    public long LastRepeatEnds { get; private set; }

    /// <summary>Runs the step after steps like it, until what they leave in the L2 recurs; the totals are those of the last one.</summary>
    /// <param name="coldStart">Whether a step with an empty L2 is meant, and no other.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <param name="giveUpAfter">Gives up where <see cref="LastRepeatEnds"/> is known to be later, in picoseconds.</param>
    /// <returns>Whether the totals are known: it did not give up.</returns>
    public bool RunSteps(bool coldStart, CancellationToken cancellationToken, long giveUpAfter = long.MaxValue)
    {
        _border.Clear();
        _border.IsSeen(L2, _sizes);
        for (var step = 0; step < MostSteps; step++)
        {
            var end = Run(giveUpAfter, cancellationToken);
            if (end == StepEnd.GivenUp)
                return false;
            if (step == 0)
                (LastRepeatEnds, giveUpAfter) = (_steady.LastRepeatEnds, long.MaxValue);
            if (end == StepEnd.AsBefore || coldStart || _border.IsSeen(L2, _sizes))
                break;
        }
        return true;
    }

    /// <summary>Runs a step from what the L2 holds.</summary>
    private StepEnd Run(long giveUpAfter, CancellationToken cancellationToken)
    {
        _steady.BeginStep(_totals);
        _cursors.Reset();
        _resources.Reset();
        _recording?.Clear();
        Array.Clear(_ended, 0, _ended.Length);
        Array.Clear(_waiters, 0, _waiters.Length);
        _totals = default;
        Array.Clear(_waitedIdle, 0, Streams);
        _traffic.BeginStep();
        _copies = _collectives = _prefetchStreams = _waiting = 0;
        _mayStart = true;
        while (true)
        {
            var loop = _cursors.TakeMark();
            if (loop >= 0 && _recording is null)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_steady.PassMark(loop, ref _totals))
                    return StepEnd.AsBefore;
                if (_steady.LastRepeatEnds > giveUpAfter)
                    return StepEnd.GivenUp;
            }
            if (_mayStart)
                Dispatch();
            if (_resources.ActiveStreams == 0)
                break;
            Advance();
            cancellationToken.ThrowIfCancellationRequested();
        }
        for (var s = 0; s < Streams; s++)
        {
            if (_cursors.Instruction(s) is >= 0 and var stuck)
                throw new InvalidOperationException($"the instruction '{_plan.Instructions[stuck].Label}' waits for an event that never comes");
        }
        return StepEnd.Complete;
    }

    private void Advance()
    {
        _recording?.Add(_totals.Picoseconds, _resources);
        var active = _resources.ActiveStreams;
        var passed = _resources.Advance();
        _totals.Picoseconds += passed;
        if ((active & _collectives) != 0 && (active & ~(_collectives | _prefetchStreams)) == 0)
            _totals.CollectiveExposedPicoseconds += passed;
        if ((active & _collectives) != 0)
            _totals.CollectivePicoseconds += passed;
        if ((active & _collectives) == 0 && (active & _prefetchStreams) != 0)
            _totals.PrefetchElsewherePicoseconds += passed;
        if ((_resources.InUse & Resources.Hbm) != 0)
            _totals.HbmBusyPicoseconds += passed;
        if ((active & (1 << (int)StreamKind.Compute)) != 0)
            _totals.KernelPicoseconds += passed;
        if (_copies > 0)
            AddCopies(active, passed);

        var ended = _resources.EndedStreams;
        var due = _resources.DueStreams;
        for (var s = 0; ended != 0; s++, ended >>= 1)
        {
            if ((ended & 1) != 0)
                End(s);
        }
        for (var s = 0; due != 0; s++, due >>= 1)
        {
            if ((due & 1) != 0)
                BeginData(s);
        }
    }

    private void AddCopies(int active, long passed)
    {
        if ((active & (1 << (int)StreamKind.HostToDevice)) != 0)
            _totals.CopyToDevicePicoseconds += passed;
        if ((active & (1 << (int)StreamKind.DeviceToHost)) != 0)
            _totals.CopyToHostPicoseconds += passed;
        if ((active & ((1 << (int)StreamKind.Compute) | _collectives)) == 0)
            _totals.CopyExposedPicoseconds += passed;
        else
            _totals.CopyHiddenPicoseconds += passed;
    }

    /// <summary>Starts all that can start, in the order of streams, until nothing more can.</summary>
    private void Dispatch()
    {
        // Only an end lets anything start, and what starts may end at once.
        while (_mayStart)
        {
            _mayStart = false;
            for (var s = 0; s < Streams; s++)
            {
                while (((_resources.ActiveStreams | _waiting) & (1 << s)) == 0 && TryStart(s))
                {
                }
            }
        }
    }

    private bool TryStart(int stream)
    {
        var instruction = _cursors.Instruction(stream);
        if (instruction < 0)
        {
            _waiting |= 1 << stream;
            return false;
        }
        var (events, waited) = (0, 0);
        var waits = _plan.Waits[instruction];
        for (var i = 0; (i = _cursors.NextThatCounts(stream, waits, i)) < waits.Length; i += 1 + waits[i].Others)
        {
            ref readonly var binding = ref waits[i];
            if (!binding.OtherStream)
                continue;
            if (_ended[binding.Source] < _cursors.Needed(stream, binding))
            {
                _waiters[binding.Source] |= 1 << stream;
                _waiting |= 1 << stream;
                return false;
            }
            events++;
            waited |= 1 << (int)binding.Stream;
        }

        _startedAt[stream] = _totals.Picoseconds;
        _hot[stream] = _cold[stream] = 0;
        var kind = _plan.Kinds[instruction];
        if (_sizes.IsIdle[instruction])
        {
            // It is not launched: the next one waits in its place, and for the later of two events of one stream.
            _waitedIdle[stream] |= waited;
            if (kind == InstructionKind.Transfer)
                _copies++;
            End(stream);
            return true;
        }
        for (var idle = _waitedIdle[stream] & ~waited; idle != 0; idle &= idle - 1)
            events++;
        if (kind == InstructionKind.Transfer)
        {
            // It waits for a free copy engine; whoever frees one lets it try again.
            if (_copies == _laws.Device.HostLink.CopyEngines)
                return false;
            _copies++;
        }
        _waitedIdle[stream] = 0;
        if (kind == InstructionKind.Prefetch)
        {
            if (_sizes.ReadBytes[instruction] == 0)
            {
                End(stream);
                return true;
            }
            _prefetchStreams |= 1 << stream;
        }
        else if (kind == InstructionKind.Collective)
        {
            _collectives |= 1 << stream;
        }

        var fixedTime = _sizes.Demands[instruction].FixedPicoseconds + (events * _laws.EventPicoseconds);
        if (fixedTime > 0)
            _resources.Start(stream, fixedTime);
        else
            BeginData(stream);
        return true;
    }

    /// <summary>The fixed phase is over: finds what is hot, lets the rest pass through the L2, and begins the tracks.</summary>
    private void BeginData(int stream)
    {
        var instruction = _cursors.Instruction(stream);
        var layer = _cursors.Layer(stream, instruction);
        _traffic.Arrive();
        long hot = 0, moved;
        if (_plan.Kinds[instruction] == InstructionKind.Prefetch)
        {
            moved = _traffic.BeginPrefetch(stream, instruction, layer);
            _cold[stream] = moved;
            _totals.PrefetchedBytes += moved;
        }
        else
        {
            hot = _traffic.Pass(instruction, layer, out var late);
            _totals.LateBytes += late;
            _hot[stream] = hot;
            _cold[stream] = _sizes.ReadBytes[instruction] - hot;
            moved = _cold[stream] + _sizes.WrittenBytes[instruction];
            _totals.HotBytes += hot;
        }
        _totals.HbmBytes += moved;
        if (!_resources.Load(stream, in _sizes.Demands[instruction], hot, moved))
            End(stream);
    }

    private void End(int stream)
    {
        var instruction = _cursors.Instruction(stream);
        _traffic.End(stream);
        _collectives &= ~(1 << stream);
        _prefetchStreams &= ~(1 << stream);
        if (_plan.Kinds[instruction] == InstructionKind.Transfer)
            _copies--;
        _ended[instruction]++;
        _waiting &= ~_waiters[instruction];
        _waiters[instruction] = 0;
        Walked++;
        _mayStart = true;
        if (_recording is not null)
            Record(stream, instruction);
        _cursors.Advance(stream);
    }

    private void Record(int stream, int instruction) => _recording!.Timeline.Add(new InstructionRun(
        (StreamKind)stream, _plan.Instructions[instruction].Label, _cursors.Layer(stream, instruction),
        _startedAt[stream], _totals.Picoseconds, _hot[stream], _cold[stream])
    {
        WrittenBytes = _sizes.WrittenBytes[instruction],
        Prefetched = _plan.Kinds[instruction] == InstructionKind.Prefetch ? string.Join(", ", _plan.Instructions[instruction].Reads.Select(r => r.Tensor)) : null,
    });

    private enum StepEnd
    {
        Complete,

        /// <summary>It came to a state of the step before, from where on it is the same: the L2 is then what that step left.</summary>
        AsBefore,

        GivenUp,
    }
}

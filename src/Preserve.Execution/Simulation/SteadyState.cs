using System;

namespace Preserve;

/// <summary>Skips the iterations of a repeat whose course is known: once a state recurs, what lies between the two comes again.</summary>
/// <remarks>A state is taken where the compute stream comes to the beginning of the body, and in the first iterations also to each kernel
/// with a weight or a cache: behind the first that fills the L2, a body is often like the one before long before it ends. A state is
/// everything that the future depends on, relative to the iteration: where each stream stands, from which follows how often each instruction has ended, what its
/// instruction has yet to do, and what the L2 holds, layers counted from the iteration's. Amounts are compared to the last bit. What is skipped is therefore what
/// the unrolled plan would have done, to the picosecond. A state may recur with any period: an L2 takes several bodies to fill.</remarks>
internal sealed class SteadyState
{
    private const int Streams = ResourceSimulation.StreamCount;
    private const int Compute = (int)StreamKind.Compute;

    /// <summary>Iterations in which states are taken inside the body: what recurs later does so slowly, and one a body finds it.</summary>
    private const int CloseIterations = 4;

    private readonly CompiledPlan _plan;
    private readonly PlanAtContext _sizes;
    private readonly StreamCursors _cursors;
    private readonly ResourceSimulation _resources;
    private readonly L2Traffic _traffic;
    private readonly long[] _ended;
    private readonly bool[] _beside = new bool[Streams];
    private readonly RecurrentStates _laterStates;
    private RecurrentStates _firstStates;
    private RecurrentStates _stepBefore;
    private RecurrentStates _states;
    private StepTotals _totalsBefore;
    private int _repeatsEntered;
    private long _bodyBegan;
    private int _looksFrom;
    private bool _done;

    public SteadyState(
        CompiledPlan plan, PlanAtContext sizes, StreamCursors cursors, ResourceSimulation resources, L2Traffic traffic, long[] ended, StateMemory memory)
    {
        _plan = plan;
        _sizes = sizes;
        _cursors = cursors;
        _resources = resources;
        _traffic = traffic;
        _ended = ended;
        (_firstStates, _stepBefore) = memory.FirstRepeats;
        _laterStates = memory.LaterRepeat;
        _states = _firstStates;
    }

    /// <summary>Forgets the step before: it was at another context.</summary>
    public void BeginContext()
    {
        _firstStates.Clear();
        _stepBefore.Clear();
    }

    /// <summary>Begins a step, and keeps the states of the one before.</summary>
    /// <param name="totalsBefore">The totals of the step before.</param>
    public void BeginStep(in StepTotals totalsBefore)
    {
        (_firstStates, _stepBefore) = (_stepBefore, _firstStates);
        _firstStates.Clear();
        _totalsBefore = totalsBefore;
        _repeatsEntered = 0;
        LastRepeatEnds = 0;
    }

    /// <summary>When the last repeat of the plan ends in this step, to the picosecond or nearly, in picoseconds; 0 as long as that is not known.</summary>
    public long LastRepeatEnds { get; private set; }

    /// <summary>Notes the state at a mark, and skips what is known.</summary>
    /// <param name="loop">The repeat that the mark is in.</param>
    /// <param name="totals">The totals of the run; what is skipped is added.</param>
    /// <returns>Whether the step before was in this state in the same iteration: it goes on as that did, and the totals are its last.</returns>
    public bool PassMark(int loop, ref StepTotals totals)
    {
        if (_cursors.RepeatsEntered != _repeatsEntered)
        {
            // Only states of the first repeat are kept for the next step: that it is the same from there on shows early.
            _states = _repeatsEntered == 0 ? _firstStates : _laterStates;
            _repeatsEntered = _cursors.RepeatsEntered;
            _states.Clear();
            (_looksFrom, _done) = (0, false);
        }
        var iteration = _cursors.Iteration(Compute, loop);
        if (_cursors.IsAtBodyStart(Compute, loop))
            _bodyBegan = totals.Picoseconds;
        if (_done || iteration < _looksFrom || (iteration >= CloseIterations && !_cursors.IsAtBodyStart(Compute, loop)) || !AllPastTheFirst(loop))
            return false;
        var end = WriteState(loop);
        if (ReferenceEquals(_states, _firstStates) && _stepBefore.Find(_states.Words, _states.Begin, end, iteration) is >= 0 and var then)
        {
            totals.Add(_totalsBefore, _stepBefore.TotalsOf(then));
            return true;
        }
        var earlier = _states.Find(end, iteration, totals);
        if (earlier < 0)
        {
            if (_states.IsFull)
                LookLater(iteration);
            return false;
        }
        ref readonly var earlierTotals = ref _states.TotalsOf(earlier);
        var period = iteration - _states.IterationOf(earlier);
        var times = TimesToSkip(loop, period);
        _done = true;
        if (loop == _plan.Loops.Length - 1)
            LastRepeatEnds = _bodyBegan + ((_plan.Loops[loop].Count - iteration) * (totals.Picoseconds - earlierTotals.Picoseconds) / period);
        if (times > 0)
        {
            totals.Repeat(earlierTotals, times);
            Skip(loop, times * period);
        }
        return false;
    }

    /// <summary>Looks for no state until twice as many iterations have passed, and then anew. An L2 that holds many bodies has no state come again before
    /// it is full, and states taken meanwhile are long: so a repeat is walked for at most a few times as many bodies as the L2 holds,
    /// however many it has, and the states that are written on the way grow with the logarithm of their number.</summary>
    private void LookLater(int iteration)
    {
        _looksFrom = 2 * iteration;
        // Those of the first repeat's beginning are kept for the next step.
        _states = _laterStates;
        _states.Clear();
    }

    /// <summary>Whether no wait of a first iteration lies ahead: bound to what stands before the repeat, it makes a state no other's like.</summary>
    private bool AllPastTheFirst(int loop)
    {
        for (var s = 0; s < Streams; s++)
        {
            _beside[s] = _cursors.IsBesideCompute(s, loop);
            if (_beside[s] && _cursors.IsBoundToFirst(s, loop, (_resources.ActiveStreams & (1 << s)) != 0))
                return false;
        }
        return true;
    }

    private int WriteState(int loop)
    {
        var most = (Streams * _cursors.StateLength) + _resources.StateLength + _traffic.StateLength;
        _states.Reserve(most);

        var words = _states.Words;
        var at = _states.Begin;
        var iteration = _cursors.Iteration(Compute, loop);
        var origin = (_plan.Loops[loop].FirstLayer + (iteration * _plan.Loops[loop].Stride)) * _sizes.SlotsPerLayer;
        for (var s = 0; s < Streams; s++)
            at = _cursors.WriteState(s, loop, _beside[s], words, at);
        at = _resources.WriteState(words, at);
        return _traffic.WriteState(origin, words, at);
    }

    /// <summary>How many periods may be skipped: no stream leaves the repeat meanwhile, and none that stands elsewhere is woken.</summary>
    private int TimesToSkip(int loop, int period)
    {
        var times = long.MaxValue;
        for (var s = 0; s < Streams; s++)
        {
            if (_beside[s])
                times = Math.Min(times, (_plan.Loops[loop].Count - 1 - _cursors.Iteration(s, loop)) / period);
            else if (_cursors.Instruction(s) is >= 0 and var waiting)
                times = Math.Min(times, TimesUntilWoken(s, waiting, loop, period));
        }
        return (int)times;
    }

    private long TimesUntilWoken(int stream, int instruction, int loop, int period)
    {
        var times = 0L;
        var waits = _plan.Waits[instruction];
        for (var i = 0; (i = _cursors.NextThatCounts(stream, waits, i)) < waits.Length; i += 1 + waits[i].Others)
        {
            ref readonly var binding = ref waits[i];
            var missing = _cursors.Needed(stream, binding) - _ended[binding.Source];
            if (binding.OtherStream && missing > 0)
                times = Math.Max(times, _plan.LoopOf[binding.Source] == loop ? (missing - 1) / period : long.MaxValue);
        }
        return times;
    }

    private void Skip(int loop, int iterations)
    {
        var shift = iterations * _plan.Loops[loop].Stride * _sizes.SlotsPerLayer;
        for (var s = 0; s < Streams; s++)
        {
            if (_beside[s])
                _cursors.Skip(s, loop, iterations);
        }
        for (var i = _plan.Loops[loop].First; i < _plan.Loops[loop].End; i++)
            _ended[i] += iterations;
        _traffic.Shift(shift);
    }
}

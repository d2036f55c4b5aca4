namespace Preserve.Cpu;

/// <summary>Where the ranks of a group meet: a collective reads what all ranks have given, and none goes on while another still reads it.</summary>
internal sealed class Rendezvous(int ranks)
{
    private readonly object _gate = new();
    private int _arrived;
    private int _instruction;
    private int _meeting;
    private bool _stopped;

    public void Begin()
    {
        lock (_gate)
            (_arrived, _stopped) = (0, false);
    }

    /// <summary>Waits until every rank is here.</summary>
    /// <param name="instruction">The collective for which, by its place in program order.</param>
    /// <returns>False if the step was stopped.</returns>
    /// <exception cref="InvalidOperationException">Another rank is here for another one.</exception>
    public bool Meet(int instruction)
    {
        lock (_gate)
        {
            var meeting = _meeting;
            if (_arrived == 0)
                _instruction = instruction;
            else if (_instruction != instruction)
                throw new InvalidOperationException($"one rank is at instruction {_instruction} and another at {instruction}, and a collective takes all of them at one");
            if (++_arrived == ranks)
            {
                _arrived = 0;
                _meeting++;
                Monitor.PulseAll(_gate);
                return !_stopped;
            }
            while (_meeting == meeting && !_stopped)
                Monitor.Wait(_gate);
            return !_stopped;
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }
}

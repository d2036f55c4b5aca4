namespace Preserve.Cpu;

/// <summary>How far the streams of one rank are in a step: what its events are made of.</summary>
internal sealed class RankProgress
{
    private readonly int[] _ended = new int[Enum.GetValues<StreamKind>().Length];
    private bool _stopped;

    /// <summary>Whether the step was stopped.</summary>
    public bool IsStopped => Volatile.Read(ref _stopped);

    public void Begin()
    {
        lock (_ended)
        {
            Array.Clear(_ended);
            _stopped = false;
        }
    }

    /// <summary>Waits for an event.</summary>
    /// <returns>False if the step was stopped.</returns>
    public bool Wait(EventPoint point)
    {
        lock (_ended)
        {
            while (_ended[(int)point.Stream] < point.Ended && !_stopped)
                Monitor.Wait(_ended);
            return !_stopped;
        }
    }

    /// <summary>Notes that an instruction has ended.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="ended">How many of the stream have, with it.</param>
    /// <param name="signals">Whether somebody may wait for it.</param>
    public void End(StreamKind stream, int ended, bool signals)
    {
        if (!signals)
            return;
        lock (_ended)
        {
            _ended[(int)stream] = ended;
            Monitor.PulseAll(_ended);
        }
    }

    /// <summary>Lets everybody who waits go.</summary>
    public void Stop()
    {
        lock (_ended)
        {
            _stopped = true;
            Monitor.PulseAll(_ended);
        }
    }
}

namespace Preserve.Cpu;

/// <summary>How far the streams of one rank are in a step: what its events are made of.</summary>
internal sealed class RankProgress
{
    private readonly StreamProgress[] _streams = [.. Enum.GetValues<StreamKind>().Select(_ => new StreamProgress())];
    private bool _stopped;

    /// <summary>Whether the step was stopped.</summary>
    public bool IsStopped => Volatile.Read(ref _stopped);

    public void Begin()
    {
        Volatile.Write(ref _stopped, false);
        foreach (var stream in _streams)
            stream.Begin();
    }

    /// <summary>Waits for an event.</summary>
    /// <returns>False if the step was stopped.</returns>
    public bool Wait(EventPoint point)
    {
        _streams[(int)point.Stream].Wait(point.Ended, ref _stopped);
        return !IsStopped;
    }

    /// <summary>Notes that an instruction has ended.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="ended">How many of the stream have, with it.</param>
    /// <param name="signals">Whether somebody may wait for it.</param>
    public void End(StreamKind stream, int ended, bool signals)
    {
        if (signals)
            _streams[(int)stream].End(ended);
    }

    /// <summary>Lets everybody who waits go.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopped, true);
        foreach (var stream in _streams)
            stream.Wake();
    }

    /// <summary>Instructions of one stream that have ended, and who waits for more.</summary>
    private sealed class StreamProgress
    {
        private readonly object _gate = new();
        private int _ended;
        private int _awaited = int.MaxValue;

        public void Begin()
        {
            lock (_gate)
                (_ended, _awaited) = (0, int.MaxValue);
        }

        public void Wait(int ended, ref bool stopped)
        {
            // Most events have happened when they are asked for.
            if (Volatile.Read(ref _ended) >= ended)
                return;
            lock (_gate)
            {
                while (_ended < ended && !Volatile.Read(ref stopped))
                {
                    _awaited = Math.Min(_awaited, ended);
                    Monitor.Wait(_gate);
                }
            }
        }

        public void End(int ended)
        {
            lock (_gate)
            {
                Volatile.Write(ref _ended, ended);
                if (ended >= _awaited)
                    PulseAll();
            }
        }

        public void Wake()
        {
            lock (_gate)
                PulseAll();
        }

        private void PulseAll()
        {
            _awaited = int.MaxValue;
            Monitor.PulseAll(_gate);
        }
    }
}

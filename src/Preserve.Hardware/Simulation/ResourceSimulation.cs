using System;

namespace Preserve;

/// <summary>Running instructions, at most one per stream, on the shared resources of one device.</summary>
/// <remarks>An instruction has a fixed phase, then tracks that drain in parallel: memory (bytes hot in the L2, then cold and
/// written bytes through HBM), compute, and the scale-up link. The memory track of a copy crosses the host link and the host's memory too,
/// at one rate. An instruction ends when all are drained. Rates change only where a phase starts or
/// ends. Each interval is rounded up to whole picoseconds; what remains is counted from the present alone, never from the
/// start of the run, so that equal states have equal futures.</remarks>
internal sealed class ResourceSimulation
{
    public const int StreamCount = 5;
    private const int TrackCount = 3;
    private const int MemoryTrack = 0, ComputeTrack = 1, LinkTrack = 2;
    private const Resources BothWays = Resources.HostToDevice | Resources.DeviceToHost;

    private readonly double[] _capacities = new double[MaxMinFairness.ResourceCount];
    private readonly int _ranks;
    private Resources _coldDraws;
    private Resources _linkDraws;
    private readonly long[] _fixedLeft = new long[StreamCount];
    private readonly double[] _coldAfterHot = new double[StreamCount];
    private readonly double[] _coldCaps = new double[StreamCount];
    private readonly Resources[] _hostPaths = new Resources[StreamCount];
    private double _linkRate;
    private double _duplexLinkRate;
    private readonly int[] _flowsOf = new int[StreamCount];
    private readonly Flow[] _flows = new Flow[StreamCount * TrackCount];
    private int _flowCount;
    private int _fixedStreams;
    private bool _flowsChanged;

    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="ranks">Ranks of the group: they share the host's memory.</param>
    public ResourceSimulation(ICostLaws laws, int ranks)
    {
        _ranks = ranks;
        Use(laws);
    }

    /// <summary>Takes the rates of other laws. Nothing may run.</summary>
    /// <param name="laws">The cost laws of the device.</param>
    public void Use(ICostLaws laws)
    {
        var device = laws.Device;
        var transfer = device.HostTransfer;
        _linkRate = HostTransferLaw.LinkRate(transfer, bothDirections: false);
        _duplexLinkRate = HostTransferLaw.LinkRate(transfer, bothDirections: true);
        Set(Resources.Compute, 1);
        Set(Resources.Hbm, laws.HbmBytesPerPicosecond);
        Set(Resources.L2, laws.L2BytesPerPicosecond);
        Set(Resources.ScaleUpLink, device.ScaleUp.GigabytesPerSecondPerDirection / 1000);
        Set(Resources.HostToDevice, _linkRate);
        Set(Resources.DeviceToHost, _linkRate);
        Set(Resources.HostMemory, HostTransferLaw.MemoryRate(transfer, _ranks));
        // A collective sends as much as it receives.
        _linkDraws = device.LinksAreOne ? Resources.ScaleUpLink | BothWays : Resources.ScaleUpLink;
        // What comes from HBM passes through the L2, where it is known, and competes there with what is hot.
        _coldDraws = device.L2Known ? Resources.Hbm | Resources.L2 : Resources.Hbm;
    }

    /// <summary>Streams with a running instruction, one bit each.</summary>
    public int ActiveStreams { get; private set; }

    /// <summary>Streams whose fixed phase ended in the last <see cref="Advance"/>; each is to be loaded.</summary>
    public int DueStreams { get; private set; }

    /// <summary>Streams whose instruction ended in the last <see cref="Advance"/>.</summary>
    public int EndedStreams { get; private set; }

    /// <summary>Resources that were drawn on during the last <see cref="Advance"/>.</summary>
    public Resources InUse { get; private set; }

    /// <summary>What is drawn of a resource now, in its unit per picosecond.</summary>
    public double RateOf(Resources resource)
    {
        if (_flowsChanged)
            ShareResources();
        var rate = 0.0;
        for (var i = 0; i < _flowCount; i++)
        {
            if ((_flows[i].Draws & resource) != 0)
                rate += _flows[i].Rate;
        }
        return rate;
    }

    /// <summary>Nothing runs.</summary>
    public void Reset()
    {
        ActiveStreams = DueStreams = EndedStreams = 0;
        _fixedStreams = 0;
        _flowCount = 0;
        _flowsChanged = true;
        Array.Clear(_flowsOf, 0, _flowsOf.Length);
        Array.Clear(_coldAfterHot, 0, _coldAfterHot.Length);
    }

    /// <summary>Begins the fixed phase of an instruction, 1 ps or longer.</summary>
    public void Start(int stream, long fixedPicoseconds)
    {
        _fixedLeft[stream] = fixedPicoseconds;
        _fixedStreams |= 1 << stream;
        ActiveStreams |= 1 << stream;
    }

    /// <summary>Begins the tracks of an instruction whose fixed phase is over. False where there are none, so that it has ended.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="demand">What it demands beside memory traffic.</param>
    /// <param name="hotBytes">Bytes that it reads from the L2.</param>
    /// <param name="coldBytes">Bytes that it moves between HBM and the chip.</param>
    public bool Load(int stream, in KernelDemand demand, long hotBytes, long coldBytes)
    {
        _coldCaps[stream] = demand.HbmBytesPerPicosecond > 0 ? demand.HbmBytesPerPicosecond : double.MaxValue;
        _hostPaths[stream] = demand.Transfer switch
        {
            TransferDirection.HostToDevice => Resources.HostToDevice | Resources.HostMemory,
            TransferDirection.DeviceToHost => Resources.DeviceToHost | Resources.HostMemory,
            _ => Resources.None,
        };
        if (hotBytes > 0)
        {
            _coldAfterHot[stream] = coldBytes;
            Add(stream, MemoryTrack, hotBytes, demand.L2BytesPerPicosecond, Resources.L2 | _hostPaths[stream]);
        }
        else if (coldBytes > 0)
        {
            Add(stream, MemoryTrack, coldBytes, _coldCaps[stream], _coldDraws | _hostPaths[stream]);
        }
        // Compute is counted as time on the whole device, so that kernels of different precisions can share it.
        if (demand.Flops > 0)
            Add(stream, ComputeTrack, demand.Flops / demand.FlopsPerPicosecond, 1, Resources.Compute);
        if (demand.LinkBytes > 0)
            Add(stream, LinkTrack, demand.LinkBytes, demand.LinkBytesPerPicosecond, _linkDraws);
        if (_flowsOf[stream] == 0)
        {
            ActiveStreams &= ~(1 << stream);
            return false;
        }
        ActiveStreams |= 1 << stream;
        return true;
    }

    private void Set(Resources resource, double capacity)
    {
        for (var r = 0; r < MaxMinFairness.ResourceCount; r++)
        {
            if (((int)resource & (1 << r)) != 0)
                _capacities[r] = capacity;
        }
    }

    /// <summary>Runs until the next phase or instruction ends. Something must be running, and all that is due loaded.</summary>
    /// <returns>The picoseconds that passed.</returns>
    public long Advance()
    {
        if (_flowsChanged)
            ShareResources();
        DueStreams = EndedStreams = 0;

        var flows = _flows;
        var soonest = double.MaxValue;
        for (var i = 0; i < _flowCount; i++)
        {
            ref var flow = ref flows[i];
            flow.DrainsIn = flow.Remaining / flow.Rate;
            if (flow.DrainsIn < soonest)
                soonest = flow.DrainsIn;
        }
        var step = soonest < long.MaxValue ? Picoseconds.Ceiling(soonest) : long.MaxValue;
        for (var (stream, left) = (0, _fixedStreams); left != 0; stream++, left >>= 1)
        {
            if ((left & 1) != 0)
                step = Math.Min(step, _fixedLeft[stream]);
        }
        if (step == long.MaxValue)
            throw new InvalidOperationException("nothing runs, or it never ends");

        EndFixedPhases(step);
        DrainFlows(step);
        return step;
    }

    /// <summary>Bytes that an instruction has yet to move between HBM and the chip.</summary>
    public double ColdLeft(int stream)
    {
        var left = _coldAfterHot[stream];
        for (var i = 0; i < _flowCount; i++)
        {
            if (_flows[i].Id == (stream * TrackCount) + MemoryTrack && (_flows[i].Draws & Resources.Hbm) != 0)
                left += _flows[i].Remaining;
        }
        return left;
    }

    /// <summary>Most places that <see cref="WriteState"/> needs.</summary>
    public int StateLength => 1 + StreamCount + (2 * _flowCount);

    /// <summary>Writes all that the future of what runs depends on. Returns the next free place.</summary>
    public int WriteState(long[] state, int at)
    {
        state[at++] = ((long)_flowCount << 32) | ((long)_fixedStreams << 16) | (long)ActiveStreams;
        for (var (stream, left) = (0, ActiveStreams); left != 0; stream++, left >>= 1)
        {
            if ((left & 1) != 0)
                state[at++] = (_fixedStreams & (1 << stream)) != 0 ? _fixedLeft[stream] : BitConverter.DoubleToInt64Bits(_coldAfterHot[stream]);
        }
        for (var i = 0; i < _flowCount; i++)
        {
            ref var flow = ref _flows[i];
            state[at++] = ((long)flow.Id << 32) | (long)flow.Draws;
            state[at++] = BitConverter.DoubleToInt64Bits(flow.Remaining);
        }
        return at;
    }

    private void ShareResources()
    {
        InUse = MaxMinFairness.Share(_capacities, _flows, _flowCount);
        if ((InUse & BothWays) == BothWays)
        {
            // Each direction of the host link carries less while the other one runs; where both do they meet in the host's memory.
            Set(BothWays, _duplexLinkRate);
            MaxMinFairness.Share(_capacities, _flows, _flowCount);
            Set(BothWays, _linkRate);
        }
        _flowsChanged = false;
    }

    private void EndFixedPhases(long step)
    {
        for (var (stream, left) = (0, _fixedStreams); left != 0; stream++, left >>= 1)
        {
            if ((left & 1) == 0)
                continue;
            _fixedLeft[stream] -= step;
            if (_fixedLeft[stream] == 0)
            {
                _fixedStreams &= ~(1 << stream);
                DueStreams |= 1 << stream;
            }
        }
    }

    private void DrainFlows(long step)
    {
        var flows = _flows;
        var kept = 0;
        for (var i = 0; i < _flowCount; i++)
        {
            ref var flow = ref flows[i];
            var remaining = flow.Remaining - (flow.Rate * step);
            if (flow.DrainsIn > step && remaining > 0)
            {
                flow.Remaining = remaining;
            }
            else
            {
                _flowsChanged = true;
                if (!GoesOn(ref flow))
                    continue;
            }
            if (kept != i)
                flows[kept] = flow;
            kept++;
        }
        _flowCount = kept;
    }

    /// <summary>A flow has drained. Memory goes on with what is cold; a stream without flows has ended.</summary>
    private bool GoesOn(ref Flow flow)
    {
        var stream = flow.Id / TrackCount;
        if (flow.Id == (stream * TrackCount) + MemoryTrack && _coldAfterHot[stream] > 0)
        {
            SetFlow(ref flow, _coldAfterHot[stream], _coldCaps[stream], _coldDraws | _hostPaths[stream]);
            _coldAfterHot[stream] = 0;
            return true;
        }
        if (--_flowsOf[stream] == 0)
        {
            ActiveStreams &= ~(1 << stream);
            EndedStreams |= 1 << stream;
        }
        return false;
    }

    /// <summary>Lists a flow, in the order of streams and tracks: sums over flows then do not depend on who started first.</summary>
    private void Add(int stream, int track, double amount, double cap, Resources draws)
    {
        var id = (stream * TrackCount) + track;
        _flowsOf[stream]++;
        _flowsChanged = true;
        var at = _flowCount++;
        for (; at > 0 && _flows[at - 1].Id > id; at--)
            _flows[at] = _flows[at - 1];
        _flows[at].Id = id;
        SetFlow(ref _flows[at], amount, cap > 0 ? cap : double.MaxValue, draws);
    }

    private void SetFlow(ref Flow flow, double amount, double cap, Resources draws)
    {
        flow.Remaining = amount;
        flow.Cap = cap;
        flow.Draws = draws;
        flow.AloneRate = Math.Min(cap, MaxMinFairness.Least(_capacities, draws));
    }
}

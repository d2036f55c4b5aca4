using System;
using System.Collections.Generic;
using System.Linq;

namespace Preserve.Optimizer;

/// <summary>A time that no plan of the same operators can beat, whatever it prefetches and wherever it keeps bytes.</summary>
/// <param name="Picoseconds">The time.</param>
/// <param name="BoundBy">The constraint that makes it.</param>
internal readonly record struct LowerBound(long Picoseconds, string BoundBy)
{
    /// <summary>What names the link to the host, in either direction.</summary>
    public const string HostLink = "host link";

    /// <summary>The largest of these: the critical path with every byte in the L2; what must come from HBM, over its rate;
    /// what must cross the link between ranks, and each direction of that to the host, over its rate.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">The context.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="sparedBytes">Of a plan that recomputes nothing, bytes that some split would keep off the link to the device.</param>
    public static LowerBound Of(ExecutionPlan plan, int context, ICostLaws laws, long sparedBytes = 0)
    {
        var traffic = new StepTraffic(plan, context);
        var device = laws.Device;
        LowerBound[] bounds =
        [
            new(CriticalPath(plan, traffic, context, laws), "critical path"),
            // Weights and cache are read in each step; at most a full L2 of them stands there from the step before. What is written passes
            // through the L2 to memory.
            new(Time(traffic.MemoryBytes + Sum(plan, i => Writes(i) ? traffic.WrittenBytes(i) : 0) - (device.L2.CapacityMebibytes ?? 0) * (1 << 20), laws.HbmBytesPerPicosecond), "HBM"),
            new(Time(HostBytes(plan, traffic, TransferDirection.HostToDevice) - sparedBytes, device.HostTransfer.PinnedGigabytesPerSecond / 1000), HostLink + ", to the device"),
            new(Time(HostBytes(plan, traffic, TransferDirection.DeviceToHost), device.HostTransfer.PinnedGigabytesPerSecond / 1000), HostLink + ", to the host"),
            new(Time(LinkBytes(plan, context, laws), device.ScaleUp.GigabytesPerSecondPerDirection / 1000), "scale-up link"),
        ];
        return bounds.OrderByDescending(b => b.Picoseconds).First();
    }

    private static double LinkBytes(ExecutionPlan plan, int context, ICostLaws laws) =>
        Sum(plan, i => laws.Demand(i.Operation, context, 0, 0).LinkBytes);

    private static bool Writes(Instruction instruction) => instruction.Operation is not (PrefetchOperation or JoinOperation or TransferOperation);

    private static double HostBytes(ExecutionPlan plan, StepTraffic traffic, TransferDirection direction) =>
        Sum(plan, i => i.Operation is TransferOperation copy && copy.Direction == direction ? traffic.ReadBytes(i) : 0);

    private static double Sum(ExecutionPlan plan, Func<Instruction, double> amount)
    {
        var sum = 0.0;
        Walk(plan.Body, 1);
        return sum;

        void Walk(EquatableArray<PlanNode> body, long times)
        {
            foreach (var node in body)
            {
                if (node is Repeat repeat)
                    Walk(repeat.Body, times * repeat.Count);
                else
                    sum += times * amount((Instruction)node);
            }
        }
    }

    /// <summary>The longest chain of instructions that read what another wrote. All of a layer hangs on the residual stream
    /// that enters it, so a repeat adds the same to the path each time. Copies do not: those of all layers may run ahead, and the
    /// link bounds them.</summary>
    private static long CriticalPath(ExecutionPlan plan, StepTraffic traffic, int context, ICostLaws laws)
    {
        var ready = new Dictionary<(string Tensor, int Layer), long>();
        var longest = 0L;
        Walk(plan.Body, 0);
        return longest;

        void Walk(EquatableArray<PlanNode> body, int layer)
        {
            foreach (var node in body)
            {
                if (node is Repeat repeat)
                    WalkRepeat(repeat);
                else if (node is Instruction instruction && Writes(instruction))
                    WalkInstruction(instruction, layer);
            }
        }

        void WalkRepeat(Repeat repeat)
        {
            var before = new Dictionary<(string Tensor, int Layer), long>(ready);
            Walk(repeat.Body, repeat.FirstLayer);
            var growth = ready.Where(r => r.Key.Layer == repeat.FirstLayer + repeat.Stride)
                .Select(r => (r.Key.Tensor, Entered: before.TryGetValue((r.Key.Tensor, repeat.FirstLayer), out var t) ? t : (long?)null, Left: r.Value))
                .Where(r => r.Entered is not null)
                .ToList();
            foreach (var (tensor, entered, left) in growth)
            {
                var end = checked(entered!.Value + (repeat.Count * (left - entered.Value)));
                ready[(tensor, repeat.FirstLayer + (repeat.Count * repeat.Stride))] = end;
                longest = Math.Max(longest, end);
            }
        }

        void WalkInstruction(Instruction instruction, int layer)
        {
            var start = 0L;
            foreach (var read in instruction.Reads)
            {
                if (ready.TryGetValue((read.Tensor, read.Layer.Resolve(layer)), out var written))
                    start = Math.Max(start, written);
            }
            var end = checked(start + HotTime(instruction, traffic, context, laws));
            foreach (var write in instruction.Writes)
                ready[(write.Tensor, write.Layer.Resolve(layer))] = end;
            longest = Math.Max(longest, end);
        }
    }

    /// <summary>The instruction's time on an idle machine with everything it reads in the L2: what it writes passes through to memory.</summary>
    private static long HotTime(Instruction instruction, StepTraffic traffic, int context, ICostLaws laws)
    {
        var read = traffic.ReadBytes(instruction);
        var written = traffic.WrittenBytes(instruction);
        var demand = laws.Demand(instruction.Operation, context, read, written);
        var hbm = demand.HbmBytesPerPicosecond > 0 ? Math.Min(demand.HbmBytesPerPicosecond, laws.HbmBytesPerPicosecond) : laws.HbmBytesPerPicosecond;
        var hot = laws.Device.L2Known ? Math.Max(laws.L2BytesPerPicosecond, laws.HbmBytesPerPicosecond) : 0;
        if (demand.L2BytesPerPicosecond > 0 && hot > 0)
            hot = Math.Min(hot, demand.L2BytesPerPicosecond);
        var longest = Math.Max(Time(read, hot) + Time(written, hbm), Math.Max(Time(demand.Flops, demand.FlopsPerPicosecond), Time(demand.LinkBytes, demand.LinkBytesPerPicosecond)));
        return demand.FixedPicoseconds + longest;
    }

    /// <summary>Rounded down, so that a bound stays one; 0 where the rate is not known.</summary>
    private static long Time(double amount, double perPicosecond) => amount <= 0 || perPicosecond <= 0 ? 0 : (long)(amount / perPicosecond);
}

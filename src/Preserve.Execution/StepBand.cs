using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Preserve;

/// <summary>How far the modelled time of a step is to be trusted: four of five measured steps should lie between the two.</summary>
/// <remarks>Each law states the band of its residuals. The kinds of kernels were fitted apart, so their errors are taken as independent of
/// each other, and those of one kind, which repeat in every layer, as common to all: the step is run once with each kind at each end of
/// its band, and the deviations are added as the sides of a right angle are.</remarks>
/// <param name="LowPicoseconds">The fast end.</param>
/// <param name="HighPicoseconds">The slow end.</param>
/// <param name="Unmeasured">Names of the kinds of kernels in the plan that no band is known for: they add nothing to this one.</param>
public sealed record StepBand(long LowPicoseconds, long HighPicoseconds, EquatableArray<string> Unmeasured)
{
    /// <summary>The band of a step, or null where no law of the device has one.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Tokens cached before the step, in the unit of the plan's step.</param>
    /// <param name="device">The device.</param>
    /// <param name="options">How it runs; what they record is not kept.</param>
    /// <param name="cancellationToken">Stops the runs.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static async ValueTask<StepBand?> OfAsync(ExecutionPlan plan, int context, Device device, SimulationOptions options, CancellationToken cancellationToken = default)
    {
        if (plan is null)
            throw new ArgumentNullException(nameof(plan));
        if (device is null)
            throw new ArgumentNullException(nameof(device));
        if (options is null)
            throw new ArgumentNullException(nameof(options));
        var laws = options.CostLaws(device);
        var (measured, unmeasured) = Kinds(plan, laws);
        if (measured.Count == 0)
            return null;

        var nominal = await RunAsync(laws).ConfigureAwait(false);
        // At the fast end memory serves more at once, so that a kernel can be faster: what that alone gains is no kernel's doing.
        var wider = await RunAsync(new PerturbedCostLaws(laws, null, slow: false)).ConfigureAwait(false);
        double faster = 0, slower = 0;
        foreach (var kind in measured)
        {
            var low = wider - await RunAsync(new PerturbedCostLaws(laws, kind, slow: false)).ConfigureAwait(false);
            var high = await RunAsync(new PerturbedCostLaws(laws, kind, slow: true)).ConfigureAwait(false) - nominal;
            faster += low > 0 ? (double)low * low : 0;
            slower += high > 0 ? (double)high * high : 0;
        }
        return new StepBand(nominal - (long)Math.Sqrt(faster), nominal + (long)Math.Sqrt(slower), unmeasured.ConvertAll(k => k.ToString()).ToArray());

        async ValueTask<long> RunAsync(ICostLaws any)
        {
            var backend = new SimulatedBackend(device, new SimulationOptions { ColdStart = options.ColdStart, CostLaws = _ => any });
            return (await new Executor(backend).RunAsync(plan, context, cancellationToken).ConfigureAwait(false)).Picoseconds;
        }
    }

    internal static (List<KernelKind> Measured, List<KernelKind> Unmeasured) Kinds(ExecutionPlan plan, ICostLaws laws)
    {
        var (measured, unmeasured) = (new List<KernelKind>(), new List<KernelKind>());
        foreach (var instruction in plan.Instructions())
        {
            if (PerturbedCostLaws.KindOf(instruction.Operation) is not { } kind)
                continue;
            var list = laws.Band(instruction.Operation) is null ? unmeasured : measured;
            if (!list.Contains(kind))
                list.Add(kind);
        }
        return (measured, unmeasured);
    }
}

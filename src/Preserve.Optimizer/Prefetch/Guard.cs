using System;

namespace Preserve.Optimizer;

/// <summary>Judges whether a gain is sure: how it moves when the constants of the model do.</summary>
/// <remarks>Both plans are timed with each kind of kernel at each end of its 80 % band, the same in both: only what differs between the
/// plans counts. Kinds were fitted apart and their errors are taken as independent, so that the losses of gain add as the sides of a right
/// angle do. An end of an 80 % band is 1.2816 standard deviations away; the gain is positive at a confidence of 80 % where it exceeds
/// 0.8416 of them (quantiles of the normal distribution).</remarks>
internal static class Guard
{
    private const double DeviationsPerBandEnd = 1.2816;
    private const double DeviationsAtConfidence = 0.8416;

    /// <summary>Judges a plan against the base plan, at the largest context.</summary>
    /// <param name="basePlan">The base plan.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="laws">The cost laws of the device.</param>
    /// <param name="times">Times of plans on it.</param>
    public static GuardReport Judge(ExecutionPlan basePlan, ExecutionPlan plan, ICostLaws laws, PlanTimes times)
    {
        var context = plan.Step.MaxContext;
        var gain = times.Of(basePlan, context) - times.Of(plan, context);
        // At the fast end memory serves more at once, so that a kernel can be faster: what that alone gains is no kernel's doing.
        var gainOfWider = Gain(new PerturbedCostLaws(laws, null, slow: false));
        var coverage = MeasurementCoverage.Of(plan, laws);
        double lost = 0, won = 0;
        foreach (var kind in coverage.Measured)
        {
            var slow = Gain(new PerturbedCostLaws(laws, kind, slow: true)) - gain;
            var fast = Gain(new PerturbedCostLaws(laws, kind, slow: false)) - gainOfWider;
            var (less, more) = (Math.Min(Math.Min(slow, fast), 0), Math.Max(Math.Max(slow, fast), 0));
            lost += (double)less * less;
            won += (double)more * more;
        }
        if (coverage.Measured.Count == 0)
            return new GuardReport(GuardOutcome.Nominal, null, null);
        var sure = gain - (Math.Sqrt(lost) * DeviationsAtConfidence / DeviationsPerBandEnd);
        // What was measured can refuse a gain alone. It makes none sure that hides under collectives which were not measured, or in a step of
        // which the larger part was not.
        if (sure > 0 && (!coverage.Covers(KernelKind.Collective) || MeasuredShare() < SlowerMeasuredLaws.LeastShare))
            return new GuardReport(GuardOutcome.Nominal, null, null);
        return new GuardReport(
            sure > 0 ? GuardOutcome.Kept : GuardOutcome.Refused, gain - (long)Math.Sqrt(lost), gain + (long)Math.Sqrt(won));

        double MeasuredShare() =>
            coverage.Unmeasured.Count == 0 ? 1 : SlowerMeasuredLaws.ShareOf(times.Of(plan, context), times.Under(new SlowerMeasuredLaws(laws), plan, context));

        long Gain(ICostLaws any) => times.Under(any, basePlan, context) - times.Under(any, plan, context);
    }
}

using Preserve.Optimizer;

namespace Preserve.Exploration;

/// <summary>Tokens that the published formula would have recomputed: of whole numbers the best one, which lies beside min(s, s' / (1 + (2h/p)(v_c/v_g))) (KVPR,
/// arXiv 2411.17089, equation 11), with the link's rate v_c and the device's peak v_g.</summary>
/// <param name="First">In the first decode step.</param>
/// <param name="Last">In the last.</param>
public readonly record struct PublishedOptimum(int First, int Last)
{
    /// <summary>Of a generation by a model with multi-head attention in 16 bit, on one device.</summary>
    /// <remarks>The publication gives its v_g as a peak. Where times are measured there is none, and <c>preserve profile</c> takes the rate of the whole prompt.</remarks>
    /// <param name="model">The model.</param>
    /// <param name="device">The device.</param>
    /// <param name="prompt">Prompt tokens of each sequence.</param>
    /// <param name="last">Tokens cached before the last step.</param>
    internal static PublishedOptimum Of(ModelSpec model, Device device, int prompt, int last)
    {
        var link = new ModelledRates(CostLaws.For(device), Precision.Bf16, Precision.Bf16).Copy(TransferDirection.HostToDevice).BytesPerSecond;
        var peak = Rational.FromDouble(device.Compute.Bf16Teraflops) * 1_000_000_000_000;
        // The batch cancels out.
        var solver = new KvSplitSolver(new KvSplitProblem(1, model.Hidden, model.Hidden, 2, 2, link, TokenTime.Recompute(1, model.Hidden, model.Hidden, peak), prompt));
        return new(At(prompt), At(last));

        int At(int cached) => solver.Solve(KvSplitForm.Published, cached).Tokens;
    }
}

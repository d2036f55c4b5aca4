using System;
using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>What one rank keeps in device memory, and all ranks in the host's: arithmetic on the specification, so that an editor can say it while the
/// declaration is typed. A deployment is accepted if and only if this fits.</summary>
/// <param name="WeightBytes">Weights of one rank, without those that live in host memory.</param>
/// <param name="KeyValueBytes">KV-cache of one rank, of the declared step that needs most; 0 where it lives in host memory.</param>
/// <param name="ActivationBytes">Most bytes that the values of any declared step can take at one time, what is brought from the host included.</param>
/// <param name="AvailableBytes">Memory of the device.</param>
public sealed record MemoryFit(long WeightBytes, long KeyValueBytes, long ActivationBytes, long AvailableBytes)
{
    /// <summary>All that is needed.</summary>
    public long NeededBytes => checked(WeightBytes + KeyValueBytes + ActivationBytes);

    /// <summary>What all ranks keep in the host's memory at least: the KV-cache and the layers' matrices, where they live there.</summary>
    public long HostBytes { get; init; }

    /// <summary>Of that, the layers' matrices of all ranks.</summary>
    public long HostWeightBytes { get; init; }

    /// <summary>The host's memory; null where it is not known, and then it is no bound.</summary>
    public long? HostAvailableBytes { get; init; }

    /// <summary>Whether the device's memory holds what it has to.</summary>
    public bool FitsDevice => NeededBytes <= AvailableBytes;

    /// <summary>Whether it fits.</summary>
    public bool Fits => FitsDevice && (HostAvailableBytes is not { } host || HostBytes <= host);

    /// <summary>Two sizes in gigabytes of 10^9, to a tenth, or to as many digits as tell them apart: what is too much never reads as what there is.</summary>
    /// <param name="needed">What is needed, in bytes.</param>
    /// <param name="available">What there is, in bytes.</param>
    public static (string Needed, string Available) InGigabytes(long needed, long available)
    {
        for (var digits = 1; ; digits++)
        {
            var format = "#,0." + new string('0', digits);
            var (left, right) = ((needed / 1e9m).ToString(format, CultureInfo.InvariantCulture), (available / 1e9m).ToString(format, CultureInfo.InvariantCulture));
            if (left != right || needed == available)
                return (left, right);
        }
    }

    /// <summary>Computes the fit.</summary>
    /// <param name="deployment">The deployment, otherwise accepted by its rules.</param>
    /// <param name="availableBytes">Memory of the device that a rank runs on.</param>
    /// <param name="hostAvailableBytes">Memory of the host that all ranks share; null where it is not known.</param>
    /// <exception cref="OverflowException">A size does not fit 64 bits.</exception>
    public static MemoryFit Of(DeploymentSpec deployment, long availableBytes, long? hostAvailableBytes = null)
    {
        if (deployment is null)
            throw new ArgumentNullException(nameof(deployment));
        var arithmetic = new RankSizes(deployment);
        long keyValues = 0, activations = 0;
        foreach (var step in deployment.Steps)
        {
            keyValues = Math.Max(keyValues, arithmetic.KeyValueBytes(step));
            activations = Math.Max(activations, arithmetic.ActivationBound(step));
        }
        var isHosted = deployment.Offload.KeyValues == Home.Host;
        var hostWeights = arithmetic.HostWeightBytes();
        return new MemoryFit(arithmetic.WeightBytes() - hostWeights, isHosted ? 0 : keyValues, activations, availableBytes)
        {
            HostBytes = checked(deployment.TensorParallel * (hostWeights + (isHosted ? keyValues : 0))),
            HostWeightBytes = checked(deployment.TensorParallel * hostWeights),
            HostAvailableBytes = hostAvailableBytes,
        };
    }
}

namespace Preserve;

/// <summary>What holds of every deployment that keeps something in the host's memory.</summary>
internal static class OffloadRules
{
    public static void CheckValues(OffloadSpec offload, FaultList faults)
    {
        const string of = "the deployment";
        faults.Choice(new DeploymentPlace(nameof(DeploymentAttribute.KeyValueHome)), of, offload.KeyValues);
        faults.Choice(new DeploymentPlace(nameof(DeploymentAttribute.WeightHome)), of, offload.Weights);
        faults.Choice(new DeploymentPlace(nameof(offload.Objective)), of, offload.Objective);
        faults.Range(new DeploymentPlace(nameof(offload.BatchesPerLayer)), of, offload.BatchesPerLayer, SpecificationLimits.BatchesPerLayer);
        faults.Choice(new DeploymentPlace(nameof(offload.StoredActivations)), of, offload.StoredActivations);
        faults.Choice(new DeploymentPlace(nameof(offload.Recompute)), of, offload.Recompute);
    }

    /// <summary>An option that would do nothing is refused: it would silently be none.</summary>
    public static void CheckTogether(DeploymentSpec deployment, FaultList faults)
    {
        var offload = deployment.Offload;
        if (offload.Objective == Objective.Throughput && !offload.Any && Are(nameof(DeploymentAttribute.KeyValueHome), nameof(DeploymentAttribute.WeightHome)))
        {
            Refuse(nameof(offload.Objective), "Objective is Objective.Throughput, but everything lives on the device, where layers need not be shared between batches: it needs KeyValueHome or WeightHome to be Home.Host");
        }
        if (offload.BatchesPerLayer > 1 && offload.Objective == Objective.Latency && Are(nameof(offload.Objective), nameof(offload.BatchesPerLayer)))
        {
            Refuse(nameof(offload.BatchesPerLayer), $"BatchesPerLayer is {ValueRange.Grouped(offload.BatchesPerLayer)}, but Objective.Latency takes one batch through all layers: it needs Objective.Throughput");
        }
        if (offload.StoredActivations != Precision.Bf16 && (offload.KeyValues == Home.Device || offload.Recompute == RecomputePolicy.None)
            && Are(nameof(offload.StoredActivations), nameof(DeploymentAttribute.KeyValueHome), nameof(offload.Recompute)))
        {
            Refuse(nameof(offload.StoredActivations), $"StoredActivations is Precision.{offload.StoredActivations}, but no activations are stored: it needs KeyValueHome to be Home.Host and Recompute to be RecomputePolicy.Best");
        }

        bool Are(params string[] sound) => faults.AreSound(System.Array.ConvertAll(sound, o => (SpecificationPlace)new DeploymentPlace(o)));

        void Refuse(string option, string sentence) => faults.Add(new OptionFault(new DeploymentPlace(option), sentence));
    }
}

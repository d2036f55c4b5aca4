using System.Text.RegularExpressions;

namespace Preserve.Cli.Commands;

/// <summary>The rules name the properties of a declaration; a user of the tool knows options.</summary>
internal static partial class OptionNames
{
    private const string Tokens = nameof(PrefillAttribute.Tokens);

    private static readonly Dictionary<string, string> _names = new(StringComparer.Ordinal)
    {
        [nameof(DeploymentAttribute.TensorParallel)] = "--tensor-parallel",
        [nameof(DeploymentAttribute.KeyValueBlockTokens)] = "--kv-block-tokens",
        [nameof(DeploymentAttribute.SequenceParallel)] = "--sequence-parallel",
        [nameof(DeploymentAttribute.CollectiveFusion)] = "--fuse",
        [nameof(DeploymentAttribute.KeyValueHome)] = "--kv-home",
        [nameof(DeploymentAttribute.WeightHome)] = "--weight-home",
        [nameof(DeploymentAttribute.BatchesPerLayer)] = "--batches",
        [nameof(DeploymentAttribute.StoredActivations)] = "--stored-activations",
        [nameof(DeploymentAttribute.Recompute)] = "--recompute",
        [nameof(DecodeAttribute.Batch)] = "--batch",
        [nameof(DecodeAttribute.Context)] = "--context",
        [nameof(DecodeAttribute.Prompt)] = "--prompt",
        // No option of its own: it follows from the number of batches.
        ["Objective is Objective.Throughput"] = "--batches is more than 1",
    };

    /// <summary>A sentence of the rules in the names of the options; what stands in quotes is the user's own.</summary>
    /// <param name="sentence">The sentence.</param>
    /// <param name="tokens">The option that gives the tokens of a prefill.</param>
    public static string In(string sentence, string tokens = "--context") => Names().Replace(sentence, found => found switch
    {
        { Groups: [_, { Success: true } choice] } => choice.Value.ToLowerInvariant(),
        { Value: Tokens } => tokens,
        _ => _names.GetValueOrDefault(found.Value, found.Value),
    });

    [GeneratedRegex(@"(?<!\w)'[^']*'(?!\w)|\bObjective is Objective\.Throughput\b|\b(?:Precision|Home|RecomputePolicy|CollectiveFusion)\.(\w+)|\w+")]
    private static partial Regex Names();
}

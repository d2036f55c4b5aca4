namespace Preserve.Profiling;

/// <summary>What is to be timed.</summary>
/// <param name="Shape">Sizes of the matmul.</param>
/// <param name="Tokens">Its tokens, by rising number.</param>
/// <param name="CopyBytes">Sizes of the copies, two or more.</param>
public sealed record ProfileSizes(RecomputeShape Shape, IReadOnlyList<int> Tokens, IReadOnlyList<long> CopyBytes)
{
    /// <summary>Both directions, pinned and not, alone and with as much in the other direction.</summary>
    public static IReadOnlyList<CopyKind> CopyKinds { get; } =
    [
        .. from direction in new[] { TransferDirection.HostToDevice, TransferDirection.DeviceToHost }
           from pinned in new[] { true, false }
           from both in new[] { false, true }
           select new CopyKind(direction, pinned, both),
    ];

    /// <summary>The copies that a plan of the shape has: X and KV of each number of tokens, in 16 bit.</summary>
    /// <param name="shape">Sizes of the matmul.</param>
    /// <param name="tokens">Its tokens.</param>
    public static ProfileSizes Of(RecomputeShape shape, IReadOnlyList<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(tokens);
        var sizes = tokens.SelectMany(l => new[] { 2L * shape.Batch * l * shape.Hidden, 4L * shape.Batch * l * shape.KeyValueWidth });
        return new(shape, [.. tokens.Order().Distinct()], [.. sizes.Order().Distinct()]);
    }
}

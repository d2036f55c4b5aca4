namespace Preserve;

/// <summary>Constants of <see cref="DecodeAttentionLaw"/>.</summary>
/// <param name="FixedMicroseconds">Launch and ramp: the floor.</param>
/// <param name="SplitNanoseconds">Serial blocks and joining of the splits, for each square root of a token of length.</param>
/// <param name="CombineMicroseconds">The kernel that joins the splits, once a sequence has more than one block.</param>
/// <param name="RegroupMicroseconds">The kernel that reorders the result of grouped heads, where batch and KV heads are both more than one.</param>
/// <param name="TileNanoseconds">Each pair of sequence and KV head, whatever its length, over the whole device.</param>
/// <param name="SerialNanoseconds">Each token of length where heads are not grouped and the kernel does not split; 0 where it splits all.</param>
/// <param name="HbmTerabytesPerSecond">Most that the kernel draws from memory.</param>
/// <param name="L2TerabytesPerSecond">Most that the kernel draws from the L2.</param>
/// <param name="Band">Its residuals; null where too few shapes were measured to tell.</param>
public sealed record DecodeAttentionConstants(
    double FixedMicroseconds,
    double SplitNanoseconds,
    double CombineMicroseconds,
    double RegroupMicroseconds,
    double TileNanoseconds,
    double SerialNanoseconds,
    double HbmTerabytesPerSecond,
    double L2TerabytesPerSecond,
    ResidualBand? Band);

/// <summary>Constants of <see cref="PrefillAttentionLaw"/>.</summary>
/// <param name="FixedMicroseconds">Launch and ramp: the floor.</param>
/// <param name="Teraflops">Rate over the pairs that the mask leaves.</param>
/// <param name="QueryTerabytesPerSecond">Rate at which queries are read and results written.</param>
/// <param name="KeyValueTerabytesPerSecond">Rate at which keys and values are read, counted once.</param>
/// <param name="TileTeraflops">Rate of the longest row of tiles, as if every multiprocessor had one.</param>
/// <param name="Band">Its residuals; null where too few shapes were measured to tell.</param>
public sealed record PrefillAttentionConstants(
    double FixedMicroseconds,
    double Teraflops,
    double QueryTerabytesPerSecond,
    double KeyValueTerabytesPerSecond,
    double TileTeraflops,
    ResidualBand? Band);

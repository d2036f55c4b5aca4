namespace Preserve.Optimizer;

/// <summary>The rates that a split depends on. The model of a device answers, or what was measured on a machine.</summary>
public interface ISplitRates
{
    /// <summary>Rate of the host's memory, which the ranks share; null where it is no limit, or part of what was measured.</summary>
    Rational? HostMemoryBytesPerSecond { get; }

    /// <summary>A copy between pinned host memory and the device, with nothing in the other direction.</summary>
    /// <param name="direction">Its direction.</param>
    /// <exception cref="System.InvalidOperationException">What was measured tells no rate.</exception>
    CopyRate Copy(TransferDirection direction);

    /// <summary>Time of the matmul (b l x h)(h x 2 d_kv) while the other tokens' keys and values cross.</summary>
    /// <param name="batch">Sequences b, 1 or more.</param>
    /// <param name="hidden">h, in elements.</param>
    /// <param name="keyValueWidth">d_kv of one rank, in elements.</param>
    /// <param name="tile">Tokens l are multiples of it, 1 or more.</param>
    /// <param name="most">The most tokens that are asked for.</param>
    /// <exception cref="System.ArgumentException">The shape was not measured.</exception>
    TokenTime Recompute(int batch, int hidden, int keyValueWidth, int tile, int most);

    /// <summary>Time of the all-gather of l tokens' activations over the ranks; null where the ranks have no link that was measured.</summary>
    /// <param name="bytesPerToken">Bytes of a token of every sequence, over all ranks.</param>
    /// <param name="ranks">Ranks, 2 or more.</param>
    /// <param name="tile">Tokens l are multiples of it, 1 or more.</param>
    /// <param name="most">The most tokens that are asked for.</param>
    TokenTime? Gather(Rational bytesPerToken, int ranks, int tile, int most);
}

/// <summary>A copy over the host link: a fixed time, then its bytes at a rate.</summary>
/// <param name="FixedSeconds">The fixed time, 0 or more.</param>
/// <param name="BytesPerSecond">The rate, above 0.</param>
public readonly record struct CopyRate(Rational FixedSeconds, Rational BytesPerSecond);

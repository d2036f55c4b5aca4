using System;

namespace Preserve;

/// <summary>What an instruction does, with the shape that its cost depends on. A closed family; shapes are those of one rank.</summary>
public abstract record Operation
{
    private protected Operation()
    {
    }

    /// <summary>Floating-point or integer operations, a multiply-add counted as two.</summary>
    public virtual Amount Flops => 0;

    /// <summary>Bytes of the rows that the operation looks up in a tensor, or -1 where it reads the whole of what is referenced.</summary>
    /// <param name="tensor">A tensor that it reads.</param>
    /// <exception cref="OverflowException">The bytes do not fit 64 bits.</exception>
    public long LookupBytes(TensorDeclaration tensor)
    {
        if (tensor is null)
            throw new ArgumentNullException(nameof(tensor));
        return (this, tensor.Role) switch
        {
            (EmbedOperation o, TensorRole.Weight) => tensor.Format.Bytes((long)o.Rows * o.Width),
            (ElementwiseOperation { Function: ElementwiseFunction.Position } o, TensorRole.Weight) => tensor.Format.Bytes((long)o.Rows * o.Width),
            // The last norm of a prefill takes only the last token of each sequence.
            (NormOperation o, TensorRole.Value) when tensor.Format.Bytes((long)o.Rows * o.Width) is var bytes && tensor.Units.IsConstant && bytes < tensor.Units.At(0) => bytes,
            _ => -1,
        };
    }
}

/// <summary>Looks up rows of the embedding matrix.</summary>
/// <param name="Rows">Tokens, those of other ranks' rows included.</param>
/// <param name="Width">Elements per row.</param>
public sealed record EmbedOperation(int Rows, int Width) : Operation;

/// <summary>Multiplies Rows x Depth activations with a Depth x Columns weight.</summary>
/// <param name="Rows">Rows of the activations (m).</param>
/// <param name="Columns">Columns of the weight (n).</param>
/// <param name="Depth">Summed elements (k).</param>
/// <param name="Weights">Format of the weight.</param>
/// <param name="Activations">Format in which activations enter.</param>
public sealed record MatMulOperation(int Rows, int Columns, int Depth, Precision Weights, Precision Activations) : Operation
{
    /// <inheritdoc/>
    public override Amount Flops => checked(2L * Rows * Columns * Depth);
}

/// <summary>Attends from the new tokens to the cached and the new ones.</summary>
/// <param name="Sequences">Sequences in the batch.</param>
/// <param name="NewTokens">New tokens per sequence: 1 in decode.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">KV heads.</param>
/// <param name="HeadSize">Elements per head.</param>
/// <param name="Pairs">Query-key pairs per head, over all sequences.</param>
/// <param name="SoftCap">Whether scores pass through a soft cap.</param>
/// <param name="KeyValues">Format of the KV-cache. It is converted on the way in: scores are computed in bf16.</param>
public sealed record AttentionOperation(
    int Sequences, int NewTokens, int Heads, int KeyValueHeads, int HeadSize, Amount Pairs, bool SoftCap, Precision KeyValues = Precision.Bf16) : Operation
{
    /// <inheritdoc/>
    public override Amount Flops => Pairs * checked(4L * Heads * HeadSize);
}

/// <summary>Makes the keys and values of a cache's first tokens again, from the activations that they were projected from: the projection,
/// its bias where there is one, and the rotation of the keys at the tokens' own positions.</summary>
/// <remarks>What feeds the projection is stored, so that no norm is needed; a head's keys are normalised again where the model does
/// (KVPR, arXiv 2411.17089).</remarks>
/// <param name="Sequences">Sequences in the batch.</param>
/// <param name="Tokens">Tokens of each sequence.</param>
/// <param name="KeyValueHeads">KV heads.</param>
/// <param name="HeadSize">Elements per head.</param>
/// <param name="Depth">Elements of a token's activations.</param>
/// <param name="Weights">Format of the weight.</param>
/// <param name="Activations">Format in which activations enter.</param>
/// <param name="Rotates">Whether keys are rotated.</param>
/// <param name="Normalises">Whether keys are normalised, head by head.</param>
public sealed record RecomputeOperation(
    int Sequences, Amount Tokens, int KeyValueHeads, int HeadSize, int Depth, Precision Weights, Precision Activations, bool Rotates, bool Normalises) : Operation
{
    /// <summary>Keys and values of a token, in elements.</summary>
    public int Columns => checked(2 * KeyValueHeads * HeadSize);

    /// <inheritdoc/>
    public override Amount Flops => Tokens * checked(2L * Sequences * Columns * Depth);
}

/// <summary>Normalises rows.</summary>
/// <param name="Norm">Which normalisation.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Width">Elements per row.</param>
public sealed record NormOperation(Norm Norm, int Rows, int Width) : Operation;

/// <summary>Computes each element on its own.</summary>
/// <param name="Function">What is computed.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Width">Elements of a row of the result.</param>
public sealed record ElementwiseOperation(ElementwiseFunction Function, int Rows, int Width) : Operation;

/// <summary>The functions of <see cref="ElementwiseOperation"/>.</summary>
public enum ElementwiseFunction
{
    /// <summary>Adds two values, and biases.</summary>
    Add,

    /// <summary>Multiplies with a constant.</summary>
    Scale,

    /// <summary>Adds the rows of the learned position table.</summary>
    Position,

    /// <summary>Rotates queries and keys by their positions.</summary>
    Rotary,

    /// <summary>Stores keys and values in the cache.</summary>
    Store,

    /// <summary>SiLU of the gate half times the up half.</summary>
    SwiGlu,

    /// <summary>GELU of the gate half times the up half.</summary>
    GeGlu,

    /// <summary>GELU.</summary>
    Gelu,

    /// <summary>ReLU.</summary>
    Relu,

    /// <summary>Bounds each element smoothly.</summary>
    SoftCap,
}

/// <summary>Exchanges values between the ranks of the tensor-parallel group.</summary>
/// <param name="Kind">Which collective.</param>
/// <param name="Bytes">Bytes per rank: of the message that is reduced, or of each rank's part that is gathered.</param>
/// <param name="Ranks">Ranks that take part, 2 or more.</param>
/// <param name="MatMul">The matmul that gives the message, in the same kernel; null where it has its own.</param>
/// <param name="Norm">What the kernel does to the sum before it ends; null where that has its own.</param>
public sealed record CollectiveOperation(
    CollectiveKind Kind, long Bytes, int Ranks, MatMulOperation? MatMul = null, FusedNorm? Norm = null) : Operation
{
    /// <inheritdoc/>
    public override Amount Flops => MatMul?.Flops ?? 0;

    /// <summary>Whether the kernel does more than exchange.</summary>
    public bool IsFused => MatMul is not null || Norm is not null;
}

/// <summary>A norm at the end of a collective's kernel.</summary>
/// <param name="Norm">Which normalisation.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Width">Elements per row.</param>
/// <param name="Adds">Whether the sum is added to the residual stream first.</param>
public sealed record FusedNorm(Norm Norm, int Rows, int Width, bool Adds);

/// <summary>The collectives.</summary>
public enum CollectiveKind
{
    /// <summary>Every rank ends with the sum.</summary>
    AllReduce,

    /// <summary>Every rank ends with all parts.</summary>
    AllGather,

    /// <summary>Every rank ends with its part of the sum.</summary>
    ReduceScatter,
}

/// <summary>Reads tensors from HBM into the L2. A hint: nothing waits for it, and it changes no value.</summary>
public sealed record PrefetchOperation : Operation;

/// <summary>Copies between host and device memory, over the host link. Its bytes are those of the tensors that it reads, and of those
/// that it writes.</summary>
/// <param name="Direction">Where to.</param>
/// <param name="Pinned">Whether the host's memory is pinned, so that the copy engine reads or writes it itself.</param>
public sealed record TransferOperation(TransferDirection Direction, bool Pinned) : Operation;

/// <summary>The directions of the host link.</summary>
public enum TransferDirection
{
    /// <summary>From host memory to the device.</summary>
    HostToDevice,

    /// <summary>From the device to host memory.</summary>
    DeviceToHost,
}

/// <summary>Does nothing but wait: orders what comes later on its stream.</summary>
public sealed record JoinOperation : Operation;

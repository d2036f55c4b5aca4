namespace Preserve;

/// <summary>What a tensor is for.</summary>
public enum TensorRole
{
    /// <summary>Trained parameters: read only, prefetchable at any time.</summary>
    Weight,

    /// <summary>A layer's KV-cache: entries [0, context) stand from earlier steps, the new ones are written in this step.</summary>
    KeyValues,

    /// <summary>A value computed in the step, at a fixed place in the arena.</summary>
    Value,

    /// <summary>Where the blocks of a paged KV-cache lie, by sequence: written by the host before the step.</summary>
    BlockTable,

    /// <summary>A layer's stored activations: of the prompt's tokens, what their keys and values were projected from.</summary>
    Activations,
}

/// <summary>The memory that holds a tensor.</summary>
public enum TensorMemory
{
    /// <summary>The device's. Kernels touch nothing else.</summary>
    Device,

    /// <summary>Pinned memory of the host: the device's copy engines read and write it.</summary>
    PinnedHost,

    /// <summary>Other memory of the host: a copy passes through a pinned buffer.</summary>
    PageableHost,
}

/// <summary>A tensor of one rank, as a plan declares it.</summary>
/// <param name="Name">Its name, unique in the plan.</param>
/// <param name="Role">What it is for.</param>
/// <param name="PerLayer">Whether every layer has its own. The layers' values share one place, and their layer says which of them is
/// meant: the value that enters a layer carries that layer's number, so the last layer hands on one numbered after it.</param>
/// <param name="Format">Its number format; of a table, whose 32-bit numbers are counted in bytes, int8.</param>
/// <param name="Units">Its length: bytes of a weight or value, attended tokens of a KV-cache.</param>
/// <param name="UnitBytes">Bytes per unit: 1, or of one token's keys and values in all sequences for a KV-cache.</param>
/// <param name="Offset">Where a value of the device lies in the arena, in bytes; -1 for all else.</param>
/// <param name="Memory">The memory that holds it. Only copies touch what is not the device's.</param>
public sealed record TensorDeclaration(
    string Name, TensorRole Role, bool PerLayer, Precision Format, Amount Units, long UnitBytes, long Offset, TensorMemory Memory = TensorMemory.Device)
{
    /// <summary>Units of the blocks that it lies in, wherever each of them is; 0 where it lies in one piece. Only a KV-cache may lie in
    /// blocks: its unit counts a token of every sequence, and each sequence has blocks of its own.</summary>
    public long BlockUnits { get; init; }

    /// <summary>Whether host memory holds it.</summary>
    public bool OnHost => Memory != TensorMemory.Device;

    /// <summary>Bytes of the whole tensor.</summary>
    public Amount Bytes => Units * UnitBytes;
}

/// <summary>Which layer's tensor is meant: none, a layer of the stack, or one counted from the layer of the repeat.</summary>
/// <param name="Kind">How <paramref name="Value"/> is counted.</param>
/// <param name="Value">The layer, or the distance from the repeat's layer i.</param>
public readonly record struct LayerIndex(LayerIndexKind Kind, int Value)
{
    /// <summary>The tensor belongs to no layer.</summary>
    public static LayerIndex None => default;

    /// <summary>A layer of the stack, counted from 0.</summary>
    /// <param name="layer">The layer.</param>
    public static LayerIndex Of(int layer) => new(LayerIndexKind.Absolute, layer);

    /// <summary>A layer counted from the repeat's layer i.</summary>
    /// <param name="distance">0 for layer i, 1 for the next.</param>
    public static LayerIndex FromRepeat(int distance) => new(LayerIndexKind.Relative, distance);

    /// <summary>The layer in the stack, or -1 for none.</summary>
    /// <param name="repeatLayer">The layer i of the repeat around.</param>
    public int Resolve(int repeatLayer) => Kind switch
    {
        LayerIndexKind.None => -1,
        LayerIndexKind.Absolute => Value,
        _ => repeatLayer + Value,
    };
}

/// <summary>How a <see cref="LayerIndex"/> is counted.</summary>
public enum LayerIndexKind
{
    /// <summary>No layer.</summary>
    None,

    /// <summary>From the first layer of the stack.</summary>
    Absolute,

    /// <summary>From the layer i of the repeat around.</summary>
    Relative,
}

/// <summary>A tensor, or a range of it, that an instruction reads, writes or prefetches.</summary>
/// <param name="Tensor">The name of its declaration.</param>
/// <param name="Layer">Which layer's.</param>
/// <param name="Range">The part that is meant; null for the whole.</param>
public sealed record TensorReference(string Tensor, LayerIndex Layer, UnitRange? Range = null);

/// <summary>Units [<paramref name="Begin"/>, <paramref name="End"/>) of a tensor: bytes, or tokens of a KV-cache.</summary>
/// <param name="Begin">The first unit.</param>
/// <param name="End">The unit after the last.</param>
public sealed record UnitRange(Amount Begin, Amount End)
{
    /// <summary>Number of units.</summary>
    public Amount Length => End - Begin;
}

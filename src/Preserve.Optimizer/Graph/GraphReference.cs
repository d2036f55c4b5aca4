namespace Preserve.Optimizer;

/// <summary>A tensor, or a range of it, that an operator of the graph reads or writes. Compared by the tensor's identity: a graph has each
/// name once.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Layer">Which layer's.</param>
/// <param name="Range">The part that is meant; null for the whole.</param>
internal readonly record struct GraphReference(GraphTensor Tensor, LayerIndex Layer, UnitRange? Range = null)
{
    /// <summary>Bytes of the part that is meant.</summary>
    public Amount Bytes => (Range?.Length ?? Tensor.Units) * Tensor.UnitBytes;

    /// <summary>The same as a plan writes it.</summary>
    public TensorReference ToReference() => new(Tensor.Name, Layer, Range);

    public bool Equals(GraphReference other) =>
        ReferenceEquals(Tensor, other.Tensor) && Layer.Kind == other.Layer.Kind && Layer.Value == other.Layer.Value && Equals(Range, other.Range);

    // The range is left out: of most tensors only one range is ever referred to.
    public override int GetHashCode() => unchecked((Layer.Value * 1021) + Tensor.Number);

    public override string ToString() => ReferenceText.Write(ToReference());
}

namespace Preserve;

/// <summary>A reference of an instruction: cuts of its tensor instead of amounts, so that ranges compare without names.</summary>
/// <param name="Tensor">Index of the tensor's declaration.</param>
/// <param name="BeginCut">The cut where it begins.</param>
/// <param name="EndCut">The cut where it ends.</param>
/// <param name="Layer">Which layer's.</param>
/// <param name="LookupBytes">Bytes that a lookup touches, wherever they lie: such reads are always cold. -1 for what is no lookup.</param>
internal readonly record struct CompiledReference(int Tensor, int BeginCut, int EndCut, LayerIndex Layer, long LookupBytes);

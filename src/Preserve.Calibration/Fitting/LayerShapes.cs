using System.Collections.Generic;

namespace Preserve;

/// <summary>Widths of the models that layer tables name.</summary>
/// <param name="Hidden">Elements of the residual stream.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">KV heads.</param>
/// <param name="Intermediate">Elements between the projections of the MLP.</param>
/// <param name="Gated">Whether the MLP has a gate.</param>
internal sealed record LayerShapes(int Hidden, int Heads, int KeyValueHeads, int Intermediate, bool Gated = true)
{
    private static readonly Dictionary<string, LayerShapes> s_models = new()
    {
        ["Llama-2-7b-hf"] = new(4096, 32, 32, 11008),
        ["Llama-2-13b-hf"] = new(5120, 40, 40, 13824),
        ["Llama-2-70b-hf"] = new(8192, 64, 8, 28672),
        ["CodeLlama-34b-Instruct-hf"] = new(8192, 64, 8, 22016),
        ["Meta-Llama-3-8B"] = new(4096, 32, 8, 14336),
        ["Meta-Llama-3-70B"] = new(8192, 64, 8, 28672),
        ["internlm-20b"] = new(5120, 40, 40, 13824),
        ["Qwen-72B"] = new(8192, 64, 64, 24576),
        ["phi-2"] = new(2560, 32, 32, 10240, Gated: false),
    };

    public static LayerShapes? Of(string model) => s_models.GetValueOrDefault(model[(model.LastIndexOf('/') + 1)..]);

    /// <summary>The operation of a column of the table, with the bytes that it reads and writes; null for the embedding.</summary>
    /// <param name="column">The column, as <see cref="LayerTable.Operators"/> has it.</param>
    /// <param name="ranks">Ranks that share the layer.</param>
    /// <param name="tokens">Rows in the batch.</param>
    public (Operation Operation, long Bytes)? Operation(string column, int ranks, int tokens)
    {
        const int headSize = 128, element = 2;
        int heads = Heads / ranks, keyValueHeads = System.Math.Max(KeyValueHeads / ranks, 1), intermediate = Intermediate / ranks;
        var size = Hidden / Heads == headSize ? headSize : Hidden / Heads;
        var rotated = (heads + keyValueHeads) * size;
        return column switch
        {
            "input_layernorm" or "post_attention_layernorm" => (new NormOperation(Norm.Rms, tokens, Hidden), 2L * element * tokens * Hidden),
            "attn_pre_proj" => MatMul((heads + (2 * keyValueHeads)) * size, Hidden),
            "attn_rope" => (new ElementwiseOperation(ElementwiseFunction.Rotary, tokens, rotated), 2L * element * tokens * rotated),
            "attn_post_proj" => MatMul(Hidden, heads * size),
            "mlp_up_proj" => MatMul((Gated ? 2 : 1) * intermediate, Hidden),
            "mlp_act" => (new ElementwiseOperation(ElementwiseFunction.SwiGlu, tokens, intermediate), (Gated ? 3L : 2L) * element * tokens * intermediate),
            "mlp_down_proj" => MatMul(Hidden, intermediate),
            "add" => (new ElementwiseOperation(ElementwiseFunction.Add, tokens, Hidden), 3L * element * tokens * Hidden),
            _ => null,
        };

        (Operation, long) MatMul(int columns, int depth)
        {
            var shape = new MatMulShape(tokens, columns, depth, Precision.Bf16.Bits());
            return (new MatMulOperation(tokens, columns, depth, Precision.Bf16, Precision.Bf16), (long)shape.Bytes);
        }
    }
}

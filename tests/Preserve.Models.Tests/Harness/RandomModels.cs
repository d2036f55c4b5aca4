using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Models.Tests;

/// <summary>A random model of an architecture: the keys of its file, and the specification that they mean, written down apart from
/// the importer.</summary>
internal sealed record RandomModel(string Text, ModelSpec Spec);

internal static class RandomModels
{
    /// <summary>What the models of all architectures choose from.</summary>
    private sealed record Choices(
        int Hidden, int Heads, int KeyValueHeads, int HeadSize, int Intermediate, int Vocabulary, int Layers, int Positions, int Window, bool[] Flags, bool[] Locals);

    public static Gen<RandomModel> Of(string architecture) =>
        from keyValueHeads in Gen.Choose(1, 16)
        from share in Gen.Choose(1, 8)
        from headSize in Gen.Choose(1, 256)
        from width in Gen.Choose(1, 512)
        from intermediate in Gen.Choose(1, 60_000)
        from vocabulary in Gen.Choose(1, 300_000)
        from layers in Gen.Choose(1, 130)
        from positions in Gen.Choose(1, 1_000_000)
        from window in Gen.Choose(1, 10_000)
        from flags in Gen.ArrayOf(Gen.Elements(true, false), 5)
        from locals in Gen.ArrayOf(Gen.Elements(true, false), layers)
        let heads = keyValueHeads * share
        let choices = new Choices(heads * width, heads, keyValueHeads, headSize, intermediate, vocabulary, layers, positions, window, flags, locals)
        select Model(architecture, choices);

    private static RandomModel Model(string architecture, Choices c)
    {
        var keys = new Dictionary<string, object?> { ["model_type"] = architecture };
        var spec = Describe(architecture, c, keys);
        return new RandomModel(System.Text.Json.JsonSerializer.Serialize(keys), spec);
    }

    private static ModelSpec Describe(string architecture, Choices c, Dictionary<string, object?> keys)
    {
        var quotient = c with { HeadSize = c.Hidden / c.Heads };
        var single = quotient with { KeyValueHeads = c.Heads };
        switch (architecture)
        {
            case "llama" or "granite":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["attention_bias"] = c.Flags[1];
                keys["mlp_bias"] = c.Flags[2];
                if (architecture == "granite")
                    keys["embedding_multiplier"] = c.Flags[3] ? 12.0 : 1.0;
                return Spec(c, Layer(c, Activation.SwiGlu, All(c.Flags[1]), c.Flags[2])) with { EmbeddingScale = architecture == "granite" && c.Flags[3] };
            case "mistral" or "phi3":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["sliding_window"] = c.Flags[1] ? c.Window : null;
                return Spec(c, Layer(c, Activation.SwiGlu, window: c.Flags[1] ? c.Window : 0));
            case "qwen2":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["use_sliding_window"] = c.Flags[1];
                keys["sliding_window"] = c.Window;
                keys["max_window_layers"] = c.Layers / 3;
                return Mixed(c, Layer(c, Activation.SwiGlu, ProjectionBias.QueryKeyValue), i => c.Flags[1] && i >= c.Layers / 3);
            case "qwen3":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["attention_bias"] = c.Flags[1];
                keys["use_sliding_window"] = true;
                keys["sliding_window"] = c.Window;
                keys["layer_types"] = Types(c);
                return Mixed(c, Layer(c, Activation.SwiGlu, All(c.Flags[1]), queryKeyNorm: true), i => c.Locals[i]);
            case "glm" or "glm4":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["attention_bias"] = c.Flags[1];
                return Spec(c, Layer(c, Activation.SwiGlu, c.Flags[1] ? ProjectionBias.QueryKeyValue : ProjectionBias.None) with { PostNorm = architecture == "glm4" });
            case "smollm3":
                Usual(keys, quotient);
                keys["no_rope_layers"] = c.Locals.Select(l => l ? 1 : 0);
                keys["layer_types"] = Types(c with { Locals = new bool[c.Layers] });
                return Stacked(quotient, Layer(quotient, Activation.SwiGlu), i => c.Locals[i] ? "Rotary" : "Unrotated", i => l => l with { Position = c.Locals[i] ? Position.Rotary : Position.None });
            case "gemma":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["attention_bias"] = c.Flags[1];
                keys["hidden_act"] = "gelu";
                return Spec(c, Layer(c, Activation.GeGlu, All(c.Flags[1]))) with { EmbeddingScale = true };
            case "gemma2" or "gemma3_text":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["sliding_window"] = c.Window;
                keys["attn_logit_softcapping"] = c.Flags[1] ? 50.0 : null;
                keys["final_logit_softcapping"] = c.Flags[2] ? 30 : null;
                if (c.Flags[3])
                    keys["layer_types"] = Types(c);
                var third = architecture == "gemma3_text";
                if (third)
                    keys["sliding_window_pattern"] = 5;
                var gemma = Layer(c, Activation.GeGlu, queryKeyNorm: third, softCap: c.Flags[1]) with { PostNorm = true };
                return Mixed(c, gemma, i => c.Flags[3] ? c.Locals[i] : third ? i % 5 != 4 : i % 2 == 0) with { EmbeddingScale = true, LogitSoftCap = c.Flags[2] };
            case "phi":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["hidden_act"] = "gelu_new";
                return Spec(c, Layer(c, Activation.Gelu, ProjectionBias.All, true) with { Norm = Norm.Layer, Parallel = true }) with { HeadBias = true };
            case "phi3small":
                Usual(keys, quotient, intermediate: "ff_intermediate_size");
                keys["mup_embedding_multiplier"] = c.Flags[1] ? 10.0 : null;
                return Spec(quotient, Layer(quotient, Activation.GeGlu, ProjectionBias.All, true) with { Norm = Norm.Layer }) with { EmbeddingScale = c.Flags[1] };
            case "opt":
                Usual(keys, single, intermediate: "ffn_dim");
                keys["activation_function"] = c.Flags[1] ? "relu" : "gelu";
                keys["enable_bias"] = c.Flags[2];
                return Learned(single, Layer(single, c.Flags[1] ? Activation.Relu : Activation.Gelu, All(c.Flags[2]), c.Flags[2]), c.Positions + 2);
            case "gpt2" or "gpt_bigcode":
                Gpt(keys, c);
                keys["multi_query"] = c.Flags[2];
                var one = architecture == "gpt_bigcode" && c.Flags[2] ? single with { KeyValueHeads = 1 } : single;
                one = one with { Intermediate = c.Flags[3] ? c.Intermediate : 4 * c.Hidden };
                return Learned(one, Layer(one, Activation.Gelu, ProjectionBias.All, true), c.Positions);
            case "gptj" or "codegen":
                Gpt(keys, c);
                var j = single with { Intermediate = c.Flags[3] ? c.Intermediate : 4 * c.Hidden };
                return Spec(j, Layer(j, Activation.Gelu, feedForwardBias: true) with { Norm = Norm.Layer, Parallel = true }) with { HeadBias = true };
            case "gpt_neox":
                Usual(keys, single);
                keys["use_parallel_residual"] = c.Flags[1];
                keys["attention_bias"] = c.Flags[2];
                return Spec(single, Layer(single, Activation.Gelu, All(c.Flags[2]), true) with { Norm = Norm.Layer, Parallel = c.Flags[1], SeparateNorms = c.Flags[1] });
            case "falcon":
                Usual(keys, c with { KeyValueHeads = c.Heads }, intermediate: "ffn_hidden_size", keyValueHeads: "num_kv_heads");
                keys["bias"] = c.Flags[1];
                keys["new_decoder_architecture"] = c.Flags[2];
                if (c.Flags[2])
                {
                    keys["num_kv_heads"] = c.KeyValueHeads;
                    keys["num_ln_in_parallel_attn"] = c.Flags[3] ? 2 : 1;
                    return Spec(quotient, Layer(quotient, Activation.Gelu, All(c.Flags[1]), c.Flags[1]) with { Norm = Norm.Layer, Parallel = true, SeparateNorms = c.Flags[3] });
                }
                keys["multi_query"] = c.Flags[3];
                keys["parallel_attn"] = c.Flags[4];
                var few = single with { KeyValueHeads = c.Flags[3] ? 1 : c.Heads };
                return Spec(few, Layer(few, Activation.Gelu, All(c.Flags[1]), c.Flags[1]) with { Norm = Norm.Layer, Parallel = c.Flags[4] });
            case "starcoder2":
                Usual(keys, c);
                keys["head_dim"] = c.HeadSize;
                keys["use_bias"] = c.Flags[1];
                keys["sliding_window"] = c.Flags[2] ? c.Window : null;
                return Spec(c, Layer(c, Activation.Gelu, All(c.Flags[1]), c.Flags[1], c.Flags[2] ? c.Window : 0) with { Norm = Norm.Layer });
            case "stablelm":
                Usual(keys, quotient);
                keys["use_qkv_bias"] = c.Flags[1];
                keys["use_parallel_residual"] = c.Flags[2];
                return Spec(quotient, Layer(quotient, Activation.SwiGlu, c.Flags[1] ? ProjectionBias.QueryKeyValue : ProjectionBias.None) with { Norm = Norm.Layer, Parallel = c.Flags[2] });
            default:
                throw new InvalidOperationException($"'{architecture}' has no random models");
        }
    }

    private static void Usual(Dictionary<string, object?> keys, Choices c, string intermediate = "intermediate_size", string keyValueHeads = "num_key_value_heads")
    {
        keys["hidden_size"] = c.Hidden;
        keys["num_attention_heads"] = c.Heads;
        keys[keyValueHeads] = c.KeyValueHeads;
        keys[intermediate] = c.Intermediate;
        keys["vocab_size"] = c.Vocabulary;
        keys["num_hidden_layers"] = c.Layers;
        keys["max_position_embeddings"] = c.Positions;
        keys["tie_word_embeddings"] = c.Flags[0];
    }

    /// <summary>The names of GPT-2, or the general ones.</summary>
    private static void Gpt(Dictionary<string, object?> keys, Choices c)
    {
        keys[c.Flags[4] ? "n_embd" : "hidden_size"] = c.Hidden;
        keys[c.Flags[4] ? "n_head" : "num_attention_heads"] = c.Heads;
        keys[c.Flags[4] ? "n_layer" : "num_hidden_layers"] = c.Layers;
        keys[c.Flags[4] ? "n_positions" : "max_position_embeddings"] = c.Positions;
        keys["n_inner"] = c.Flags[3] ? c.Intermediate : null;
        keys["vocab_size"] = c.Vocabulary;
        keys["tie_word_embeddings"] = c.Flags[0];
    }

    private static IEnumerable<string> Types(Choices c) => c.Locals.Select(l => l ? "sliding_attention" : "full_attention");

    private static ProjectionBias All(bool bias) => bias ? ProjectionBias.All : ProjectionBias.None;

    private static LayerSpec Layer(
        Choices c, Activation activation, ProjectionBias bias = ProjectionBias.None, bool feedForwardBias = false, int window = 0, bool queryKeyNorm = false, bool softCap = false) =>
        new("DecoderLayer", Norm.Rms, PostNorm: false, Position.Rotary, Parallel: false,
            new MultiHeadAttentionSpec(c.Heads, c.KeyValueHeads, c.HeadSize, bias, queryKeyNorm, window, softCap),
            new FeedForwardSpec[] { new DenseFeedForwardSpec(c.Intermediate, activation, feedForwardBias) });

    private static ModelSpec Spec(Choices c, LayerSpec layer) => new(
        "M", c.Hidden, c.Vocabulary, c.Positions, c.Flags[0], LearnedPositions: 0, EmbeddingScale: false, layer.Norm, LogitSoftCap: false, HeadBias: false,
        new[] { new LayerGroup(new[] { layer }, c.Layers) });

    private static ModelSpec Learned(Choices c, LayerSpec layer, int rows) =>
        Spec(c, layer with { Norm = Norm.Layer, Position = Position.Learned }) with { LearnedPositions = rows };

    private static ModelSpec Mixed(Choices c, LayerSpec layer, Func<int, bool> isLocal) =>
        Stacked(c, layer, i => isLocal(i) ? "Local" : "Global", i => l => isLocal(i) ? l with { Attention = (MultiHeadAttentionSpec)l.Attention with { Window = c.Window } } : l);

    /// <summary>One run for each layer: the importer's are fewer, and the same in canonical form once unrolled.</summary>
    private static ModelSpec Stacked(Choices c, LayerSpec layer, Func<int, string> kind, Func<int, Func<LayerSpec, LayerSpec>> change)
    {
        var kinds = Enumerable.Range(0, c.Layers).Select(kind).Distinct().Count();
        var stack = Enumerable.Range(0, c.Layers).Select(i => change(i)(kinds == 1 ? layer : layer with { Name = kind(i) + "Layer" })).Select(l => new LayerGroup(new[] { l }, 1));
        return Spec(c, layer) with { Stack = stack.ToArray() };
    }
}

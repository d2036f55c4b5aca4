using System;
using System.Collections.Generic;

namespace Preserve;

/// <summary>The architectures that can be expressed exactly, by the library's <c>model_type</c>.</summary>
internal static class SupportedArchitectures
{
    public static readonly IReadOnlyDictionary<string, Func<ConfigReader, Decoder>> All = new SortedDictionary<string, Func<ConfigReader, Decoder>>(StringComparer.Ordinal)
    {
        ["codegen"] = GptFamily.GptJ,
        ["falcon"] = Falcon.Read,
        ["gemma"] = GemmaFamily.Gemma,
        ["gemma2"] = GemmaFamily.Gemma2,
        ["gemma3_text"] = GemmaFamily.Gemma3Text,
        ["glm"] = LlamaFamily.Glm,
        ["glm4"] = LlamaFamily.Glm4,
        ["gpt2"] = GptFamily.Gpt2,
        ["gpt_bigcode"] = GptFamily.GptBigCode,
        ["gpt_neox"] = GptFamily.GptNeoX,
        ["gptj"] = GptFamily.GptJ,
        ["granite"] = LlamaFamily.Granite,
        ["llama"] = LlamaFamily.Llama,
        ["mistral"] = LlamaFamily.Mistral,
        ["opt"] = Opt.Read,
        ["phi"] = PhiFamily.Phi,
        ["phi3"] = LlamaFamily.Phi3,
        ["phi3small"] = PhiFamily.Phi3Small,
        ["qwen2"] = LlamaFamily.Qwen2,
        ["qwen3"] = LlamaFamily.Qwen3,
        ["smollm3"] = LlamaFamily.SmolLm3,
        ["stablelm"] = LayerNormFamily.StableLm,
        ["starcoder2"] = LayerNormFamily.Starcoder2,
    };
}

namespace Preserve;

/// <summary>Largest messages that libraries take themselves, from their sources.</summary>
internal static class LibraryLimits
{
    /// <summary>The largest message in bytes, or null where the library takes all or is not known.</summary>
    /// <remarks>vLLM: <c>CustomAllreduce</c> takes messages below <c>max_size</c>, 8 MiB (vllm/distributed/device_communicators/
    /// custom_all_reduce.py). TensorRT-LLM: <c>max_workspace_size_auto</c>, 16 MB for two ranks and 8 MB for more
    /// (tensorrt_llm/plugin/plugin.py). SGLang: <c>CustomAllreduce</c> takes messages up to 16 MiB
    /// (sglang/srt/distributed/device_communicators/custom_all_reduce.py).</remarks>
    public static long? LargestBytes(string library, int ranks) => library switch
    {
        "vLLM_custom" => (8 << 20) - 1,
        "TRTLLM" => ranks == 2 ? 16_000_000 : 8_000_000,
        "SGLang_CustomAllReduce" => 16 << 20,
        _ => null,
    };
}

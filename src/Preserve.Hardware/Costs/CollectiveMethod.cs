namespace Preserve;

/// <summary>How a collective of some size is done: the choice that its cost law makes.</summary>
/// <param name="Library">The library that takes it; null where only the device's own figures are known.</param>
/// <param name="Algorithm">Its algorithm; null where only a latency and the link's rate are known.</param>
public readonly record struct CollectiveMethod(string? Library, CollectiveAlgorithmName? Algorithm)
{
    /// <summary>The algorithm and the library, such as <c>two-shot, TRTLLM</c>.</summary>
    public override string ToString()
    {
        var algorithm = Algorithm switch
        {
            CollectiveAlgorithmName.OneShot => "one-shot",
            CollectiveAlgorithmName.TwoShot => "two-shot",
            CollectiveAlgorithmName.Ring => "ring",
            CollectiveAlgorithmName.Tree => "tree",
            CollectiveAlgorithmName.Multicast => "multicast",
            _ => "latency and link rate",
        };
        return Library is null ? algorithm : $"{algorithm}, {Library}";
    }
}

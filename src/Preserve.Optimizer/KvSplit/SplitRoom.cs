using System.Globalization;

namespace Preserve.Optimizer;

/// <summary>The most tokens whose activations a memory has room for.</summary>
/// <param name="Memory">Which, as reasons name it.</param>
/// <param name="Tokens">The tokens, 0 or more.</param>
internal sealed record SplitRoom(string Memory, int Tokens)
{
    /// <summary>That the memory has no room for more, as an addition to a reason; nothing of a split that leaves some of it.</summary>
    /// <param name="split">The split.</param>
    /// <param name="step">Its step.</param>
    public string ShortageOf(CacheSplit split, StepSpec step) =>
        split.IsNone || split.MostTokens(step) < Tokens
            ? ""
            : $"; {Memory} has room for the activations of {Tokens.ToString("#,0", CultureInfo.InvariantCulture)} token{(Tokens == 1 ? "" : "s")}";
}

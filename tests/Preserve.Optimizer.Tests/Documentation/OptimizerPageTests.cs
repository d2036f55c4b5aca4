using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Preserve.Optimizer.Tests.Documentation;

/// <summary>docs/optimizer.md names the passes in their order, and everything that a report can say.</summary>
public partial class OptimizerPageTests
{
    private static readonly string s_page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/optimizer.md"));

    [Fact]
    public void Its_passes_are_those_that_run_in_their_order()
    {
        var offload = new OffloadSpec(Home.Host, Home.Host, Objective.Latency, 1, Precision.Bf16, RecomputePolicy.Best);
        var pipeline = new PassPipeline(2, PublishedRule.Nothing) { Fusion = CollectiveFusion.Norm, Offload = new OffloadKeyValues(CacheSplit.None, offload), OffloadsWeights = true };
        Words("The passes").ShouldBe(pipeline.Names);
    }

    [Fact]
    public void Its_tables_have_every_word_of_a_report()
    {
        Words("The policy").ShouldBe(WordsOf<PrefetchPolicy>(), ignoreOrder: true);
        Words("The guard").ShouldBe(WordsOf<GuardOutcome>());
        Words("Reasons").ShouldBe(WordsOf<Verdict>(), ignoreOrder: true);
        Words("A KV-cache in host memory").ShouldBe(WordsOf<SplitOutcome>());
    }

    /// <summary>The first cells of the rows of a section's table.</summary>
    private static IEnumerable<string> Words(string section) =>
        s_page.Split("\n## ").Single(s => s.StartsWith(section + "\n", StringComparison.Ordinal)).Split('\n').Select(l => Row().Match(l)).Where(m => m.Success).Select(m => m.Groups[1].Value);

    /// <summary>Reports write a value in small letters, its words joined by hyphens.</summary>
    private static IEnumerable<string> WordsOf<T>()
        where T : struct, Enum =>
        Enum.GetValues<T>().Select(v => v is Verdict.WindowTooShort ? "too-short" : Capital().Replace(v.ToString(), "-$0").ToLowerInvariant());

    private static string ThisFile([CallerFilePath] string file = "") => file;

    [GeneratedRegex(@"^\| `([^`]+)` \|")]
    private static partial Regex Row();

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Capital();
}

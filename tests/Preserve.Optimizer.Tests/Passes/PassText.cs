namespace Preserve.Optimizer.Tests;

/// <summary>Runs a pass on a graph given as text and compares with the text that is expected.</summary>
internal static class PassText
{
    public static void ShouldBecome(this string before, IPass pass, string after, bool changed = true)
    {
        var graph = GraphText.Parse(before);
        pass.Run(graph).ShouldBe(changed);
        // Both through the writer, so that columns need not be aligned in a test.
        GraphText.Write(graph).ShouldBe(GraphText.Write(GraphText.Parse(after)));
    }
}

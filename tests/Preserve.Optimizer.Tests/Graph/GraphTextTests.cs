using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Optimizer.Tests;

public class GraphTextTests
{
    [Fact]
    public void A_graph_reads_back_as_it_was_written() => Prop.ForAll<DeploymentSpec>(deployment =>
    {
        foreach (var graph in new[] { ModelLowering.Lower(deployment, deployment.Steps[0], 3), StepPlanner.Plan(deployment, deployment.Steps[0], Specs.RuleOf(deployment, new Random(deployment.Model.Vocabulary))) })
        {
            var text = GraphText.Write(graph);
            GraphText.Write(GraphText.Parse(text)).ShouldBe(text);
        }
        return true;
    }).Check(RandomDeployments.Runs(60));
}

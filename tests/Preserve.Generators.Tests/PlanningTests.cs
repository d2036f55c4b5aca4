using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Preserve.Optimizer;

namespace Preserve.Generators.Tests;

/// <summary>On which threads plans are made, and what becomes of those that are not waited for.</summary>
public class PlanningTests
{
    private const string Two = """

        namespace App
        {
            [Preserve.Deployment(typeof(Small), Preserve.Devices.H100)] [Preserve.Decode(Batch = 1, Context = 64)] partial class First : Preserve.Deployment;
            [Preserve.Deployment(typeof(Small), Preserve.Devices.H100)] [Preserve.Decode(Batch = 2, Context = 64)] partial class Second : Preserve.Deployment;
        }
        """;

    [Fact]
    public void Deployments_are_planned_side_by_side()
    {
        // Neither is done before both have begun.
        using var both = new Barrier(2);
        var run = GeneratorRun.Of(
            new DeploymentGenerator((deployment, device, text, cancellation) =>
            {
                both.SignalAndWait(TimeSpan.FromMinutes(1), cancellation).ShouldBeTrue("one waits for the other");
                return Planner.Plan(deployment, device, text, cancellation);
            }),
            TestCompilation.Of(Declarations.Model, Two));
        run.Sources.Select(s => s.HintName).ShouldBe(["App.First.g.cs", "App.Second.g.cs"], ignoreOrder: true);
    }

    [Fact]
    public void A_run_that_is_given_up_leaves_nothing_behind()
    {
        using var givenUp = new CancellationTokenSource();
        var calls = 0;
        var generator = new DeploymentGenerator((deployment, device, text, cancellation) =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                givenUp.Cancel();
            cancellation.ThrowIfCancellationRequested();
            return Planner.Plan(deployment, device, text, cancellation);
        });
        var compilation = TestCompilation.Of(Declarations.Model, Two);
        GeneratorDriver driver = CSharpGeneratorDriver.Create([generator.AsSourceGenerator()], parseOptions: TestCompilation.Language);
        Should.Throw<OperationCanceledException>(() => driver.RunGenerators(compilation, givenUp.Token));

        var result = driver.RunGenerators(compilation, CancellationToken.None).GetRunResult();
        result.Diagnostics.ShouldBeEmpty();
        result.GeneratedTrees.Length.ShouldBe(2);
    }
}

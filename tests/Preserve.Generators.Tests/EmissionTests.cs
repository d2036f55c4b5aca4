using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Preserve.Optimizer;

namespace Preserve.Generators.Tests;

/// <summary>Every place that a deployment can stand at, and what is emitted there.</summary>
public class EmissionTests
{
    private const string Head = "[Preserve.Deployment(typeof(App.Small), Preserve.Devices.H100)] [Preserve.Decode(Batch = 1, Context = 64)] ";

    [Theory]
    [InlineData("", "partial class Plain : Preserve.Deployment;", "Plain")]
    [InlineData("namespace A.B { ", "partial class Plain : Preserve.Deployment; }", "A.B.Plain")]
    [InlineData("namespace @class.@new { ", "partial class @event : Preserve.Deployment; }", "class.new.event")]
    [InlineData("namespace A { partial class Outer { ", "partial class Inner : Preserve.Deployment; } }", "A.Outer+Inner")]
    [InlineData("static partial class Outer { ", "sealed partial class Inner : Preserve.Deployment; }", "Outer+Inner")]
    [InlineData("partial struct Outer { ", "partial class Inner : Preserve.Deployment; }", "Outer+Inner")]
    [InlineData("readonly ref partial struct Outer { ", "partial class Inner : Preserve.Deployment; }", "Outer+Inner")]
    [InlineData("partial record struct Outer { ", "partial class Inner : Preserve.Deployment; }", "Outer+Inner")]
    [InlineData("partial record Outer { ", "partial class Inner : Preserve.Deployment; }", "Outer+Inner")]
    [InlineData("partial interface IOuter { ", "partial class Inner : Preserve.Deployment; }", "IOuter+Inner")]
    [InlineData("partial class A { partial interface IOuter { ", "private partial class @record : Preserve.Deployment; } }", "A+IOuter+record")]
    [InlineData("abstract class Base : Preserve.Deployment { protected const string Text = \"\"; } ", "partial class Derived : Base { const int text = 1; }", "Derived")]
    [InlineData("namespace Preserve { ", "partial class Inside : Deployment; }", "Preserve.Inside")]
    [InlineData("namespace A { class Preserve; class System; ", "partial class Hiding : global::Preserve.Deployment; }", "A.Hiding")]
    public async Task A_type_anywhere_gets_its_plans(string before, string after, string name)
    {
        var head = before.Contains("class Preserve;", StringComparison.Ordinal) ? Head.Replace("Preserve.D", "global::Preserve.D", StringComparison.Ordinal) : Head;
        var run = GeneratorRun.Of(Declarations.Model, before + head + after);
        run.ShouldCompile();
        (await Analysis.DiagnosticsOf(run.Output)).ShouldBeEmpty();
        run.Sources.ShouldHaveSingleItem().HintName.ShouldBe(name + ".g.cs");
        Load(run).GetType(name, throwOnError: true);
        PlansOf(run, name).Steps.ShouldHaveSingleItem().Plan.Device.ShouldBe(Devices.H100);
    }

    [Fact]
    public void What_is_loaded_is_what_was_planned()
    {
        var run = GeneratorRun.Of(Declarations.Small);
        var optimized = (OptimizedDeployment)run.Result.TrackedSteps[StepNames.Optimize][0].Outputs[0].Value;
        var planned = optimized.Result.ShouldBeOfType<PlanningResult.Planned>().Plans;
        var loaded = PlansOf(run, "App.Deployed");
        PlanText.Write(loaded).ShouldBe(PlanText.Write(planned));
        loaded.Steps[0].Plan.ShouldBe(planned.Steps[0].Plan);
    }

    [Fact]
    public void Without_generation_plans_are_refused_by_name()
    {
        var thrown = Should.Throw<InvalidOperationException>(() => PlansOf(Load(TestCompilation.Of(Declarations.Small)), "App.Deployed"));
        thrown.Message.ShouldBe(
            "'App.Deployed' has no plans: the Preserve generator did not run on it. " +
            "Give it [Deployment], reference the package 'Preserve', make the class partial, and mend the errors that the build reports.");
    }

    [Fact]
    public void Several_deployments_get_a_file_each()
    {
        var run = GeneratorRun.Of(Declarations.Small, "namespace B { " + Head + "partial class Deployed : Preserve.Deployment; }", Head + "partial class Deployed : Preserve.Deployment;");
        run.ShouldCompile();
        run.Sources.Select(s => s.HintName).ShouldBe(["App.Deployed.g.cs", "B.Deployed.g.cs", "Deployed.g.cs"], ignoreOrder: true);
    }

    [Fact]
    public void Names_that_differ_only_in_case_get_a_file_each()
    {
        var run = GeneratorRun.Of(Declarations.Model, Head + "partial class Same : Preserve.Deployment;", Head + "partial class SAME : Preserve.Deployment;");
        run.ShouldCompile();
        run.Sources.Select(s => s.HintName).ShouldBe(["SAME-1.g.cs", "Same-2.g.cs"], ignoreOrder: true);
    }

    [Fact]
    public void Only_line_feeds_end_lines_and_no_line_ends_in_a_blank()
    {
        var source = GeneratorRun.Of(Declarations.Small.ReplaceLineEndings("\r\n")).Source;
        source.ShouldNotContain("\r");
        source.Split('\n').ShouldAllBe(l => !l.EndsWith(' '));
        source.ShouldBe(GeneratorRun.Of(Declarations.Small.ReplaceLineEndings("\n")).Source);
    }

    [Fact]
    public void The_text_stands_in_one_raw_string_literal()
    {
        var run = GeneratorRun.Of(Declarations.Small);
        run.Source.Split("\"\"\"").Length.ShouldBe(3);
    }

    [Fact]
    public void What_is_emitted_for_a_documented_type_is_documented()
    {
        var documented = TestCompilation.Of(Declarations.Small
            .With("[Model(", "/// <summary>A model.</summary>\n[Model(").With("    [Layer]", "    /// <summary>A layer.</summary>\n    [Layer]")
            .With("[Deployment(", "/// <summary>A deployment.</summary>\n[Deployment("));
        var output = GeneratorRun.Of(documented).Output;
        var strict = TestCompilation.Language.WithDocumentationMode(DocumentationMode.Diagnose);
        var trees = output.SyntaxTrees.Select(t => t.WithRootAndOptions(t.GetRoot(), strict));
        output.RemoveAllSyntaxTrees().AddSyntaxTrees(trees).GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).ShouldBeEmpty();
    }

    [Fact]
    public void A_deployment_declared_in_two_parts_is_emitted_once()
    {
        var run = GeneratorRun.Of(Declarations.Model, "using Preserve; namespace App; [Deployment(typeof(Small), Devices.H100)] partial class Parts : Deployment;", "using Preserve; namespace App; [Decode(Batch = 1, Context = 9)] partial class Parts;");
        run.ShouldCompile();
        run.Sources.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Another_compilation_error_does_not_break_the_generator()
    {
        foreach (var source in new[]
        {
            Declarations.Small.With("typeof(Small)", "typeof(Smal)"),
            Declarations.Small.With("Hidden = 512", "Hidden = \"512\""),
            Declarations.Small.With("Hidden = 512", "Hidden = 512, Hidden = 512"),
            Declarations.Small.With("Hidden = 512", "Hiden = 512"),
            Declarations.Small.With(", Devices.A100Sxm80, TensorParallel = 2", ""),
            Declarations.Small.With("Devices.A100Sxm80", "Devices.A100Sxm81"),
            Declarations.Small.With("typeof(DecoderLayer)", "typeof(Decoder)"),
            Declarations.Small.With("typeof(DecoderLayer)", "null"),
            Declarations.Small.With("[Deployment(", "[Deployment(typeof(Small), Devices.H100), Deployment("),
            Declarations.Small.With("Batch = 4", "Batch = 4f"),
            Declarations.Small.With("Repeat = 4", "Repeat = int.MaxValue + 1"),
            Declarations.Small[..^60],
        })
        {
            // That the generator does not throw, the run itself makes sure of.
            var run = GeneratorRun.Of(source);
            (await Analysis.DiagnosticsOf(run.Output)).ShouldNotContain(d => d.Id == "AD0001");
        }
    }

    [Fact]
    public void A_fault_of_the_optimizer_is_reported_with_the_specification()
    {
        var run = GeneratorRun.Of(new DeploymentGenerator((_, _, _, _) => throw new PlanningException("the reason")), TestCompilation.Of(Declarations.Small));
        run.Sources.ShouldBeEmpty();
        var diagnostic = run.Reported.ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV900");
        diagnostic.Severity.ShouldBe(DiagnosticSeverity.Error);
        var message = diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var part in new[] { "App.Deployed", "the reason", "hidden 512", "4 x [DecoderLayer: norm", "Heads = 8", "Intermediate = 2048", " on 2 x ", "decode batch 4 context 128" })
            message.ShouldContain(part);
    }

    private static Assembly Load(GeneratorRun run) => Load(run.Output);

    private static Assembly Load(Compilation compilation)
    {
        using var stream = new MemoryStream();
        var result = compilation.Emit(stream);
        result.Success.ShouldBeTrue(string.Join("\n", result.Diagnostics));
        stream.Position = 0;
        return new AssemblyLoadContext(null).LoadFromStream(stream);
    }

    private static PlanSet PlansOf(GeneratorRun run, string type) => PlansOf(Load(run), type);

    private static PlanSet PlansOf(Assembly assembly, string type) =>
        ((Deployment)Activator.CreateInstance(assembly.GetType(type, throwOnError: true)!, nonPublic: true)!).Plans;
}

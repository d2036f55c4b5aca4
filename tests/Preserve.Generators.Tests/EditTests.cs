using Microsoft.CodeAnalysis;
using static Microsoft.CodeAnalysis.IncrementalStepRunReason;

namespace Preserve.Generators.Tests;

/// <summary>What each kind of edit runs again.</summary>
public class EditTests
{
    private const string Other = "class Other;";

    /// <summary>The reason of each step's only output, and of the file.</summary>
    private sealed record Expected(
        IncrementalStepRunReason Extract, IncrementalStepRunReason Resolve, IncrementalStepRunReason Optimize, IncrementalStepRunReason Emit, IncrementalStepRunReason File)
    {
        /// <summary>The declaration is read again, and nothing came of it.</summary>
        public static Expected NothingNew { get; } = new(Unchanged, Cached, Cached, Cached, Cached);

        public static Expected NewPlans { get; } = new(Modified, Modified, Modified, Modified, Modified);
    }

    [Fact]
    public void An_edit_elsewhere_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.With(1, "class Other { int _x; }"));

    /// <summary>Most keystrokes are in a method: every deployment is read again, equal, and nothing that follows runs.</summary>
    [Fact]
    public void An_edit_of_a_method_body_leaves_every_step_of_every_deployment_cached()
    {
        const string second = "using Preserve; [Deployment(typeof(App.Small), Devices.H100)] [Prefill(Batch = 1, Tokens = 64)] public sealed partial class Second : Deployment;";
        const string other = "class Other { int Sum(int a, int b) { return a + b; } }";
        var file = new DeviceText("/own.device.json", DeviceText.Own);
        var run = GeneratorRun.Of(TestCompilation.Of(Declarations.Small, second, other), file);
        var edited = run.After(run.Compilation.With(2, other.With("a + b", "a - b")));
        edited.Reasons(StepNames.Extract).ShouldBe([Unchanged, Unchanged]);
        edited.Reasons(StepNames.DeviceFiles).ShouldBe([Cached]);
        foreach (var step in new[] { StepNames.Resolve, StepNames.Begin, StepNames.Optimize, StepNames.Emit })
            edited.Reasons(step).ShouldBe([Cached, Cached], step);
        edited.OutputReasons().ShouldBe([Cached, Cached]);
    }

    [Fact]
    public void A_new_file_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.AddSyntaxTrees(TestCompilation.Of("class Another;").SyntaxTrees.Select(t => t.WithFilePath("Another.cs"))));

    [Fact]
    public void A_moved_class_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.With(0, Declarations.Small.With("namespace App;", "namespace App;\n\n\nclass Before;\n")));

    /// <summary>Roslyn numbers the inputs of a step by file: a value that comes from another file is a new one, and equal.</summary>
    [Fact]
    public void A_class_moved_to_another_file_gives_the_same_output()
    {
        var run = GeneratorRun.Of(Declarations.Small, Other);
        run.After(run.Compilation.With(0, Declarations.Model).With(1, Declarations.Deployment)).Source.ShouldBe(run.Source);
    }

    [Fact]
    public void A_commented_class_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.With(0, Declarations.Small.With("[Deployment(", "// why\n[/* what */ Deployment(")));

    [Fact]
    public void A_member_of_the_class_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.With(0, Declarations.Small.With("Deployed : Deployment;", "Deployed : Deployment { public int X => 1; }")));

    [Fact]
    public void An_equal_declaration_leaves_every_output_cached() =>
        Check(Expected.NothingNew, c => c.With(0, Declarations.Small
            .With("[Layers(typeof(DecoderLayer), Repeat = 4)]", "[Layers(typeof(DecoderLayer), typeof(DecoderLayer))]\n[Layers(typeof(DecoderLayer), Repeat = 2)]")
            .With("Heads = 8", "Heads = 4 + 4, KeyValueHeads = 8, HeadSize = 64")));

    [Fact]
    public void An_edit_of_the_model_makes_new_plans() =>
        Check(Expected.NewPlans, c => c.With(0, Declarations.Small.With("Intermediate = 2048", "Intermediate = 4096")));

    [Fact]
    public void An_edit_of_the_deployment_makes_new_plans() =>
        Check(Expected.NewPlans, c => c.With(0, Declarations.Small.With("TensorParallel = 2", "TensorParallel = 4")));

    [Fact]
    public void A_fault_removes_every_output_and_its_repair_brings_them_back()
    {
        var run = GeneratorRun.Of(Declarations.Small);
        var faulty = run.After(run.Compilation.With(0, Declarations.Small.With("Heads = 8", "Heads = 0")));
        faulty.Sources.ShouldBeEmpty();
        faulty.Reported.ShouldBeEmpty();
        var mended = faulty.After(run.Compilation);
        mended.Source.ShouldBe(run.Source);
    }

    [Fact]
    public void An_edit_of_one_deployment_leaves_the_other_cached()
    {
        const string second = "[Deployment(typeof(App.Small), Devices.H100)] [Prefill(Batch = 1, Tokens = 64)] public sealed partial class Second : Deployment;";
        var run = GeneratorRun.Of(Declarations.Small, "using Preserve; " + second);
        var edited = run.After(run.Compilation.With(1, "using Preserve; " + second.With("Tokens = 64", "Tokens = 128")));
        edited.Reasons(StepNames.Begin).ShouldBe([Cached, Modified]);
        edited.Reasons(StepNames.Optimize).ShouldBe([Cached, Modified]);
        edited.Reasons(StepNames.Emit).ShouldBe([Cached, Modified]);
    }

    [Fact]
    public void An_edit_of_an_unrelated_device_file_leaves_every_output_cached()
    {
        var before = new DeviceText("/own.device.json", DeviceText.Own);
        var run = GeneratorRun.Of(TestCompilation.Of(Declarations.Small), before);
        var edited = run.After(before, new DeviceText("/own.device.json", DeviceText.Own.With("mebibytes\": 64", "mebibytes\": 32")));
        edited.Reasons(StepNames.DeviceFiles).ShouldBe([Modified]);
        edited.Reasons(StepNames.Extract).ShouldBe([Cached]);
        edited.Reasons(StepNames.Resolve).ShouldBe([Unchanged]);
        edited.Reasons(StepNames.Optimize).ShouldBe([Cached]);
        edited.OutputReasons().ShouldBe([Cached]);
    }

    [Fact]
    public void An_edit_of_its_own_device_file_makes_new_plans()
    {
        var before = new DeviceText("/own.device.json", DeviceText.Own);
        var run = GeneratorRun.Of(TestCompilation.Of(Declarations.Small.With("Devices.A100Sxm80", "\"own-1\"")), before);
        var edited = run.After(before, new DeviceText("/own.device.json", DeviceText.Own.With("mebibytes\": 64", "mebibytes\": 32")));
        edited.Reasons(StepNames.Extract).ShouldBe([Cached]);
        edited.Reasons(StepNames.Optimize).ShouldBe([Modified]);
        edited.OutputReasons().ShouldBe([Modified]);
    }

    private static void Check(Expected expected, Func<Microsoft.CodeAnalysis.CSharp.CSharpCompilation, Microsoft.CodeAnalysis.CSharp.CSharpCompilation> edit)
    {
        var run = GeneratorRun.Of(Declarations.Small, Other);
        var edited = run.After(edit(run.Compilation));
        edited.Reasons(StepNames.Extract).ShouldBe([expected.Extract]);
        edited.Reasons(StepNames.Resolve).ShouldBe([expected.Resolve]);
        edited.Reasons(StepNames.Optimize).ShouldBe([expected.Optimize]);
        edited.Reasons(StepNames.Emit).ShouldBe([expected.Emit]);
        edited.OutputReasons().ShouldBe([expected.File]);
    }
}

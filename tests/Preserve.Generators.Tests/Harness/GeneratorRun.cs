using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Preserve.Generators.Tests;

/// <summary>A run of the generator. Each runs twice, the second time over a copy of the compilation: all of it must then be
/// cached, and nothing that is cached may hold Roslyn's objects.</summary>
internal sealed class GeneratorRun
{
    public static readonly string[] Steps = [StepNames.Extract, StepNames.DeviceFiles, StepNames.Resolve, StepNames.Begin, StepNames.Optimize, StepNames.Emit];

    private readonly GeneratorDriver _driver;

    private GeneratorRun(GeneratorDriver driver, CSharpCompilation compilation)
    {
        _driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out var reported);
        Compilation = compilation;
        Output = (CSharpCompilation)output;
        Reported = reported;
        Result.Exception.ShouldBeNull();

        var again = _driver.RunGenerators(compilation.Clone()).GetRunResult().Results.Single();
        foreach (var step in again.TrackedSteps.Where(s => Steps.Contains(s.Key)).Concat(again.TrackedOutputSteps))
        {
            foreach (var (_, reason) in step.Value.SelectMany(s => s.Outputs))
                reason.ShouldBeOneOf([IncrementalStepRunReason.Cached, IncrementalStepRunReason.Unchanged], step.Key);
        }
        foreach (var (value, _) in Result.TrackedSteps.Where(s => Steps.Contains(s.Key)).SelectMany(s => s.Value).SelectMany(s => s.Outputs))
            value.ShouldBeFreeOfRoslyn();
    }

    public CSharpCompilation Compilation { get; }

    /// <summary>The compilation with what was generated.</summary>
    public CSharpCompilation Output { get; }

    public ImmutableArray<Diagnostic> Reported { get; }

    public GeneratorRunResult Result => _driver.GetRunResult().Results.Single();

    public ImmutableArray<GeneratedSourceResult> Sources => Result.GeneratedSources;

    public string Source => Sources.ShouldHaveSingleItem().SourceText.ToString();

    public static GeneratorRun Of(params string[] sources) => Of(TestCompilation.Of(sources));

    public static GeneratorRun Of(CSharpCompilation compilation, params AdditionalText[] files) => Of(new DeploymentGenerator(), compilation, files);

    public static GeneratorRun Of(DeploymentGenerator generator, CSharpCompilation compilation, params AdditionalText[] files) => new(
        CSharpGeneratorDriver.Create(
            [generator.AsSourceGenerator()],
            files,
            TestCompilation.Language,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true)),
        compilation);

    /// <summary>Runs again after an edit.</summary>
    public GeneratorRun After(CSharpCompilation compilation) => new(_driver, compilation);

    /// <summary>Runs again after an edit of a device file.</summary>
    public GeneratorRun After(AdditionalText before, AdditionalText after) => new(_driver.ReplaceAdditionalText(before, after), Compilation);

    /// <summary>Why each output of a step is what it is.</summary>
    public IncrementalStepRunReason[] Reasons(string step) =>
        Result.TrackedSteps.TryGetValue(step, out var runs) ? [.. runs.SelectMany(r => r.Outputs).Select(o => o.Reason)] : [];

    public IncrementalStepRunReason[] OutputReasons() =>
        [.. Result.TrackedOutputSteps.SelectMany(s => s.Value).SelectMany(s => s.Outputs).Select(o => o.Reason)];

    /// <summary>Compiler errors and warnings, of source and generated source alike.</summary>
    public void ShouldCompile() =>
        Output.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).Select(d => d.ToString()).ShouldBeEmpty();
}

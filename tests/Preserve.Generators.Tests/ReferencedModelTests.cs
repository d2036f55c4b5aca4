using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Preserve.Generators.Tests;

/// <summary>A model in another assembly: compiled, or a project that the editor has open.</summary>
public class ReferencedModelTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_planned_as_if_it_stood_here(bool compiled)
    {
        var run = GeneratorRun.Of(Referencing(Declarations.Model, compiled));
        run.ShouldCompile();
        (await Analysis.DiagnosticsOf(run.Output)).ShouldBeEmpty();
        run.Source.ShouldBe(GeneratorRun.Of(Declarations.Small).Source);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Its_faults_are_placed_on_the_deployment(bool compiled)
    {
        var run = GeneratorRun.Of(Referencing(Declarations.Model.With("Heads = 8", "Heads = 0, KeyValueHeads = 1").With("Hidden = 512, ", ""), compiled));
        run.Sources.ShouldBeEmpty();
        var diagnostics = await Analysis.DiagnosticsOf(run.Output);
        diagnostics.Select(d => d.GetMessage(CultureInfo.InvariantCulture)).ShouldBe(
            ["Heads of layer 'DecoderLayer' is 0, but must be 1 to 65,536", "Hidden of model 'Small' must be given"]);
        diagnostics.ShouldAllBe(d => Declarations.Deployment.Substring(d.Location.SourceSpan.Start, d.Location.SourceSpan.Length) == "typeof(Small)");
    }

    [Fact]
    public async Task A_layer_in_another_assembly_is_marked_where_the_model_names_it()
    {
        var library = TestCompilation.Of("Library", TestCompilation.References, "using Preserve; namespace App; [Layer, Attention(Heads = 0, KeyValueHeads = 1), FeedForward(Intermediate = 8)] public class Far;");
        var compilation = TestCompilation.Of("Tests", [.. TestCompilation.References, library.Compiled()], Declarations.Small.With("typeof(DecoderLayer)", "typeof(Far)"));
        var diagnostic = (await Analysis.DiagnosticsOf(compilation)).ShouldHaveSingleItem();
        diagnostic.GetMessage(CultureInfo.InvariantCulture).ShouldBe("Heads of layer 'Far' is 0, but must be 1 to 65,536");
        diagnostic.Location.SourceTree!.ToString().Substring(diagnostic.Location.SourceSpan.Start, diagnostic.Location.SourceSpan.Length).ShouldBe("typeof(Far)");
    }

    [Fact]
    public async Task The_faults_of_a_model_that_nobody_deploys_are_reported()
    {
        var diagnostic = (await Analysis.DiagnosticsOf(TestCompilation.Of(Declarations.Model.With("Hidden = 512", "Hidden = 0")))).ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe("PRSV008");
    }

    private static Microsoft.CodeAnalysis.CSharp.CSharpCompilation Referencing(string model, bool compiled)
    {
        var library = TestCompilation.Of("Library", TestCompilation.References, model);
        return TestCompilation.Of("Tests", [.. TestCompilation.References, compiled ? library.Compiled() : library.ToMetadataReference()], Declarations.Deployment);
    }
}

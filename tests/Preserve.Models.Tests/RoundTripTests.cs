using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Models.Tests;

public class RoundTripTests
{
    public static TheoryData<string> Architectures => [.. HuggingFaceConfig.Architectures];

    /// <summary>What a random file means is imported, or refused where the rules refuse the same declaration.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_random_model_is_what_its_file_says(string architecture) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100).WithReplay(20_251, 1),
        Prop.ForAll(RandomModels.Of(architecture).ToArbitrary(), random =>
        {
            var result = HuggingFaceConfig.Parse(random.Text, "M");
            var faults = ModelRules.Check(random.Spec);
            (result.Model is null).ShouldBe(faults.Count > 0, random.Text);
            if (result.Model is not { Spec: var spec })
                return;
            (spec with { Stack = default }).ShouldBe(random.Spec with { Stack = default }, random.Text);
            Unrolled(spec).ShouldBe(Unrolled(random.Spec), random.Text);
            LayerGroups.Canonical(spec.Stack).ShouldBe(spec.Stack);
            spec.ParameterCount.ShouldBe(random.Spec.ParameterCount);
        }));

    private static IEnumerable<LayerSpec> Unrolled(ModelSpec model) =>
        model.Stack.SelectMany(g => Enumerable.Repeat(g.Pattern, g.Repeat).SelectMany(p => p));
}

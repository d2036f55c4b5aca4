using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Core.Tests;

public class LayerGroupsTests
{
    private static readonly LayerSpec A = SampleSpecs.Of("A", SampleSpecs.Attention);
    private static readonly LayerSpec B = SampleSpecs.Of("B", SampleSpecs.Attention);

    [Fact]
    public void Neighbours_of_the_same_pattern_are_one() =>
        LayerGroups.Canonical([new(new[] { A }, 2), new(new[] { A }, 3), new(new[] { B }, 1), new(new[] { A }, 1)])
            .ShouldBe([new LayerGroup(new[] { A }, 5), new LayerGroup(new[] { B }, 1), new LayerGroup(new[] { A }, 1)]);

    [Fact]
    public void A_pattern_that_repeats_itself_is_shortened() =>
        LayerGroups.Canonical([new(new[] { A, B, A, B }, 3), new(new[] { A, B }, 1)]).ShouldBe([new LayerGroup(new[] { A, B }, 7)]);

    [Fact]
    public void The_layers_and_their_order_stay() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20_251, 1),
        Prop.ForAll(
            (from pattern in Gen.Elements(A, B).NonEmptyListOf()
             from repeat in Gen.Choose(1, 4)
             select new LayerGroup(pattern.ToArray(), repeat)).ListOf().ToArbitrary(),
            stack =>
            {
                var canonical = LayerGroups.Canonical(stack);
                return Unrolled(canonical).SequenceEqual(Unrolled(stack)) && LayerGroups.Canonical(canonical) == canonical;
            }));

    private static IEnumerable<LayerSpec> Unrolled(IEnumerable<LayerGroup> stack) =>
        stack.SelectMany(g => Enumerable.Repeat(g.Pattern, g.Repeat).SelectMany(p => p));
}

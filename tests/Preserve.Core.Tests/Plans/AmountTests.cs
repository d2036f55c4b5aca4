using FsCheck;
using FsCheck.Fluent;

namespace Preserve.Tests;

public class AmountTests
{
    private static readonly Config _config = Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20_250_108UL, 1_234_567UL);

    private static readonly Gen<Amount> _affine =
        from constant in Gen.Choose(-5_000, 5_000)
        from slope in Gen.Choose(-50, 50)
        select (Amount.Context * slope) + constant;

    private static readonly Arbitrary<Amount> _amounts = Arb.From(
        from a in _affine
        from b in _affine
        from c in _affine
        select Amount.WhereNotNegative(a, Amount.Max(b, c), a + b));

    [Fact]
    public void Arithmetic_holds_at_every_context() => Prop.ForAll(_amounts, _amounts, (a, b) =>
    {
        for (var context = 0; context < 400; context++)
        {
            (a + b).At(context).ShouldBe(a.At(context) + b.At(context));
            (a - b).At(context).ShouldBe(a.At(context) - b.At(context));
            (a * -3).At(context).ShouldBe(a.At(context) * -3);
            Amount.Min(a, b).At(context).ShouldBe(Math.Min(a.At(context), b.At(context)));
            Amount.Max(a, b).At(context).ShouldBe(Math.Max(a.At(context), b.At(context)));
            Amount.WhereNotNegative(a, b, a).At(context).ShouldBe(a.At(context) >= 0 ? b.At(context) : a.At(context));
        }
    }).Check(_config);

    [Fact]
    public void The_most_is_the_largest_value_of_a_range() => Prop.ForAll(_amounts, Arb.From(Gen.Choose(0, 200)), Arb.From(Gen.Choose(0, 200)), (a, first, more) =>
        a.Most(first, first + more).ShouldBe(Enumerable.Range(first, more + 1).Max(a.At))).Check(_config);

    [Fact]
    public void An_amount_reads_back_as_it_was_written() => Prop.ForAll(_amounts, a =>
    {
        Amount.Parse(a.ToString()).ShouldBe(a);
    }).Check(_config);

    [Fact]
    public void Within_a_range_nothing_changes_and_no_breakpoint_lies_outside() => Prop.ForAll(_amounts, a =>
    {
        var within = a.Within(50, 100);
        for (var context = 50; context <= 100; context++)
            within.At(context).ShouldBe(a.At(context));
        within.Pieces.Skip(1).ShouldAllBe(p => p.From > 50 && p.From <= 100);
    }).Check(_config);

    [Fact]
    public void Equal_functions_are_equal_values() =>
        Amount.Min(Amount.Max(Amount.Context, 5), Amount.Max(Amount.Context, 5) + 1).ShouldBe(Amount.Max(Amount.Context, 5));

    [Theory]
    [InlineData("512")]
    [InlineData("c")]
    [InlineData("-c+1")]
    [InlineData("2048c-512")]
    [InlineData("{2048c; c>=4096: 8388608}")]
    public void Text_is_kept(string text) => Amount.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("2 048c")]
    [InlineData("{1; 2}")]
    [InlineData("{1; c>=5: 2; c>=5: 3}")]
    [InlineData("{1; c>=5: 2")]
    [InlineData("99999999999999999999")]
    public void Bad_text_is_refused(string text) => Should.Throw<FormatException>(() => Amount.Parse(text));
}

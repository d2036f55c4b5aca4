using System.Numerics;

namespace Preserve.Optimizer.Tests;

public class RationalTests
{
    [Fact]
    public void Fractions_are_in_lowest_terms_and_exact()
    {
        new Rational(6, -4).ToString().ShouldBe("-3/2");
        default(Rational).ToString().ShouldBe("0");
        (new Rational(1, 3) + new Rational(1, 6)).ShouldBe(new Rational(1, 2));
        (new Rational(1, 3) - new Rational(1, 2)).ShouldBe(new Rational(-1, 6));
        (new Rational(2, 3) * new Rational(3, 4) / 2).ShouldBe(new Rational(1, 4));
        (new Rational(1, 3) < new Rational(34, 100)).ShouldBeTrue();
        new Rational(-7, 2).Floor().ShouldBe(-4);
        new Rational(-7, 2).Ceiling().ShouldBe(-3);
        new Rational(7, 2).Floor().ShouldBe(3);
        new Rational(7, 2).Ceiling().ShouldBe(4);
        Should.Throw<DivideByZeroException>(() => new Rational(1, 0)).Message.ShouldBe("the fraction 1/0 has no value");
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    [InlineData(-25.9e9)]
    [InlineData(5e-324)]
    [InlineData(double.MaxValue)]
    public void A_floating_point_number_is_taken_as_it_is(double value)
    {
        var exact = Rational.FromDouble(value);
        // A power of two below the line, and the same number back.
        (exact.Denominator & (exact.Denominator - 1)).ShouldBe(BigInteger.Zero);
        ((double)exact.Numerator / (double)BigInteger.Min(exact.Denominator, BigInteger.Pow(2, 1000))
            / (double)(exact.Denominator / BigInteger.Min(exact.Denominator, BigInteger.Pow(2, 1000)))).ShouldBe(value);
    }

    [Fact]
    public void No_number_and_infinity_are_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Rational.FromDouble(double.NaN));
        Should.Throw<ArgumentOutOfRangeException>(() => Rational.FromDouble(double.PositiveInfinity));
    }
}

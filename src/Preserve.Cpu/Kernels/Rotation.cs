using System.Numerics.Tensors;

namespace Preserve.Cpu;

/// <summary>Rotary positions (RoFormer, arXiv 2104.09864): of each head, element i is turned with element i + half its size, as Llama does it.</summary>
internal sealed class Rotation
{
    private readonly int _headSize;
    private readonly double[] _frequencies;
    private readonly float[] _cosines;
    private readonly float[] _sines;
    private readonly float[] _fromUpper;
    private readonly float[] _fromLower;
    private long _position = -1;

    public Rotation(int headSize, double rotaryBase)
    {
        _headSize = headSize;
        var half = headSize / 2;
        (_frequencies, _cosines, _sines, _fromUpper, _fromLower) = (new double[half], new float[half], new float[half], new float[half], new float[half]);
        for (var i = 0; i < half; i++)
            _frequencies[i] = Math.Pow(rotaryBase, -2.0 * i / headSize);
    }

    /// <summary>Turns the heads of one token; an odd last element stays.</summary>
    /// <param name="heads">The heads, beside each other.</param>
    /// <param name="position">The token's position.</param>
    public void Run(Span<float> heads, long position)
    {
        if (position != _position)
        {
            _position = position;
            for (var i = 0; i < _frequencies.Length; i++)
                (_sines[i], _cosines[i]) = ((float)Math.Sin(position * _frequencies[i]), (float)Math.Cos(position * _frequencies[i]));
        }
        var half = _headSize / 2;
        for (var head = 0; head < heads.Length; head += _headSize)
        {
            var lower = heads.Slice(head, half);
            var upper = heads.Slice(head + half, half);
            TensorPrimitives.Multiply(upper, _sines, _fromUpper);
            TensorPrimitives.Multiply(lower, _sines, _fromLower);
            TensorPrimitives.Multiply(lower, _cosines, lower);
            TensorPrimitives.Multiply(upper, _cosines, upper);
            TensorPrimitives.Subtract(lower, _fromUpper, lower);
            TensorPrimitives.Add(upper, _fromLower, upper);
        }
    }
}

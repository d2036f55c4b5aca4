namespace Preserve.Cpu;

/// <summary>A worker's own arrays, which grow to what its kernels ask for and stay.</summary>
internal sealed class Scratch
{
    private readonly float[][] _arrays = [[], [], [], []];

    /// <summary>One of four arrays, as long as is asked; what it holds is left from before.</summary>
    /// <inheritdoc cref="Array"/>
    public Span<float> Take(int index, long length) => Array(index, length).AsSpan(0, (int)length);

    /// <summary>The array itself, for several threads to share.</summary>
    /// <exception cref="InvalidOperationException">It would be longer than an array can be.</exception>
    public float[] Array(int index, long length)
    {
        if (length > System.Array.MaxLength)
            throw new InvalidOperationException($"{length} numbers are needed at once, and an array has {System.Array.MaxLength} at most");
        if (_arrays[index].Length < length)
            _arrays[index] = new float[Math.Max(length, Math.Min(2L * _arrays[index].Length, System.Array.MaxLength))];
        return _arrays[index];
    }
}

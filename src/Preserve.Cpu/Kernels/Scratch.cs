namespace Preserve.Cpu;

/// <summary>A worker's own arrays, which grow to what its kernels ask for and stay.</summary>
internal sealed class Scratch
{
    private readonly float[][] _arrays = [[], [], [], []];

    /// <summary>One of four arrays, as long as is asked; what it holds is left from before.</summary>
    public Span<float> Take(int index, long length) => Array(index, length).AsSpan(0, (int)length);

    /// <summary>The array itself, for several threads to share.</summary>
    public float[] Array(int index, long length)
    {
        if (_arrays[index].Length < length)
            _arrays[index] = new float[checked((int)Math.Max(length, 2L * _arrays[index].Length))];
        return _arrays[index];
    }
}

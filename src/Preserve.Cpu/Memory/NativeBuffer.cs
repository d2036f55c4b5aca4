using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>Memory that the garbage collector does not move, aligned to a page, zero at first.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 4096;

    private byte* _start;

    public NativeBuffer(long bytes)
    {
        Bytes = bytes;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        NativeMemory.Clear(_start, (nuint)bytes);
    }

    ~NativeBuffer() => Free();

    public long Bytes { get; }

    public byte* Start => _start;

    /// <summary>Sets every byte.</summary>
    public void Fill(byte value) => NativeMemory.Fill(_start, (nuint)Bytes, value);

    /// <summary>Copies as much of another buffer as both have.</summary>
    public void CopyFrom(NativeBuffer other) => NativeMemory.Copy(other._start, _start, (nuint)Math.Min(Bytes, other.Bytes));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}

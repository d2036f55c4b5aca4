using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>Memory that the garbage collector does not move, aligned to a page, zero at first.</summary>
/// <remarks>On Linux large buffers ask for pages of 2 MiB (madvise(2)): a weight that is read from end to end misses the address translation at every
/// small one.</remarks>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int PageBytes = 4096;
    private const int LargePageBytes = 2 << 20;
    private const int LargePages = 14; // MADV_HUGEPAGE

    private static long s_held;

    private byte* _start;

    public NativeBuffer(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        var large = bytes >= 2 * LargePageBytes && OperatingSystem.IsLinux();
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), (nuint)(large ? LargePageBytes : PageBytes));
        // Only a wish: where it is not granted, the memory is the same with small pages.
        if (large)
            _ = Advise(_start, (nuint)bytes, LargePages);
        NativeMemory.Clear(_start, (nuint)bytes);
        Interlocked.Add(ref s_held, bytes);
    }

    ~NativeBuffer() => Free();

    /// <summary>Memory for what a plan asks for.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="what">What for, as the message tells it.</param>
    /// <exception cref="InvalidOperationException">There is not as much.</exception>
    public static NativeBuffer Of(long bytes, string what)
    {
        try
        {
            return new NativeBuffer(bytes);
        }
        catch (OutOfMemoryException e)
        {
            throw new InvalidOperationException($"there is no memory for {what}", e);
        }
    }

    /// <summary>Bytes of all buffers that were not freed.</summary>
    public static long HeldBytes => Interlocked.Read(ref s_held);

    public long Bytes { get; }

    /// <summary>Its first byte.</summary>
    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public byte* Start => _start != null ? _start : throw new ObjectDisposedException(GetType().FullName);

    /// <summary>Sets every byte.</summary>
    public void Fill(byte value) => NativeMemory.Fill(Start, (nuint)Bytes, value);

    /// <summary>Copies as much of another buffer as both have.</summary>
    public void CopyFrom(NativeBuffer other) => NativeMemory.Copy(other.Start, Start, (nuint)Math.Min(Bytes, other.Bytes));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);

    private void Free()
    {
        if (_start == null)
            return;
        NativeMemory.AlignedFree(_start);
        _start = null;
        Interlocked.Add(ref s_held, -Bytes);
    }
}

using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Preserve.Cpu;

/// <summary>A safetensors file, mapped into memory: opening it reads its header, and a tensor's bytes come when they are read.</summary>
/// <remarks>Several threads may read at once, also while another disposes it: what is being read stays mapped until it has been read. Who makes the file shorter while
/// it is open ends the process, by the system's own signal (SIGBUS on Linux): what is mapped is then no longer there.</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, SafetensorsTensor> _tensors;
    private readonly byte* _data;
    private int _closed;

    private SafetensorsFile(MemoryMappedFile file, MemoryMappedViewAccessor view, byte* data, IReadOnlyList<SafetensorsTensor> tensors)
    {
        _file = file;
        _view = view;
        _data = data;
        _tensors = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        Tensors = tensors;
    }

    /// <summary>The tensors, by their place in the file.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SafetensorsException">The file is not sound; the message names the tensor.</exception>
    /// <exception cref="IOException">The file cannot be read, or not be mapped, as a folder, a device, a pipe and what the system makes up cannot.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            throw new IOException($"'{path}' cannot be mapped into memory: it is a folder");
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        byte* start = null;
        try
        {
            var bytes = stream.CanSeek ? stream.Length : throw NotMapped(path);
            // Read before anything is mapped, which an empty file cannot be.
            Span<byte> first = stackalloc byte[SafetensorsHeader.LengthBytes];
            first = first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
            if (bytes == 0 ? first.Length > 0 : RandomAccess.Read(stream.SafeFileHandle, stackalloc byte[1], bytes - 1) == 0)
                throw NotMapped(path);
            var header = SafetensorsHeader.LengthOf(first, bytes);
            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            start += view.PointerOffset;
            var tensors = SafetensorsHeader.Parse(
                new ReadOnlySpan<byte>(start + SafetensorsHeader.LengthBytes, header), bytes - SafetensorsHeader.LengthBytes - header);
            return new SafetensorsFile(file, view, start + SafetensorsHeader.LengthBytes + header, tensors);
        }
        catch
        {
            Close(file, view, start != null);
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of a name, or null.</summary>
    /// <param name="name">The name.</param>
    public SafetensorsTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Reads elements of a tensor.</summary>
    /// <param name="tensor">One of this file.</param>
    /// <param name="first">The first element that is wanted, as they lie: the innermost size goes fastest.</param>
    /// <param name="values">Takes as many as it is long.</param>
    /// <exception cref="ArgumentException">The tensor is not of this file.</exception>
    /// <exception cref="ArgumentOutOfRangeException">They are not all the tensor's.</exception>
    /// <exception cref="SafetensorsException">The tensor is of a type that is not read: only F32, F16 and BF16 are.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public void Read(SafetensorsTensor tensor, long first, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (Find(tensor.Name) != tensor)
            throw new ArgumentException($"tensor '{SafetensorsHeader.Printable(tensor.Name)}' is not of this file", nameof(tensor));
        if (first < 0 || values.Length > tensor.Elements - first)
            throw new ArgumentOutOfRangeException(nameof(first), first, $"tensor '{SafetensorsHeader.Printable(tensor.Name)}' has {tensor.Elements} elements");
        var handle = _view.SafeMemoryMappedViewHandle;
        var held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            ReadMapped(tensor, first, values);
        }
        catch (ObjectDisposedException) when (!held)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            Close(_file, _view, hasPointer: true);
    }

    private void ReadMapped(SafetensorsTensor tensor, long first, Span<float> values)
    {
        var bytes = SafetensorsHeader.ElementBits(tensor.Type)!.Value / 8;
        var from = new ReadOnlySpan<byte>(_data + tensor.Begin + (first * bytes), checked(values.Length * bytes));
        // A tensor may begin at any byte: its elements are not aligned.
        switch (tensor.Type)
        {
            case "F32":
                from.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case "BF16":
                for (var i = 0; i < values.Length; i++)
                    values[i] = Bfloat16.Widen(BitConverter.ToUInt16(from[(2 * i)..]));
                break;
            case "F16":
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)BitConverter.ToHalf(from[(2 * i)..]);
                break;
            default:
                throw new SafetensorsException($"tensor '{SafetensorsHeader.Printable(tensor.Name)}' is of type {tensor.Type}, and only F32, F16 and BF16 are read");
        }
    }

    /// <summary>Refuses what has other bytes than its length says: <c>/dev/zero</c> has none by it, a file of <c>/sys</c> a page.</summary>
    private static IOException NotMapped(string path) => new($"'{path}' cannot be mapped into memory: it is a device, a pipe or made up by the system");

    private static void Close(MemoryMappedFile? file, MemoryMappedViewAccessor? view, bool hasPointer)
    {
        if (hasPointer)
            view!.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        file?.Dispose();
    }
}

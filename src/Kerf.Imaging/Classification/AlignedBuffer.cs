using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>
/// Numbers that start at a cache line, so that no vector of a row that does lies across two of them: the speed of row loops is then the same in every run. Large ones ask
/// for large pages, of which the processor finds an address at once where it would have to look up small ones. All 0 at first.
/// </summary>
internal sealed unsafe class AlignedBuffer<T> where T : unmanaged
{
    private const int Line = 64;
    private T* _start;
    private int _length;

    public AlignedBuffer(int length = 0) => Ensure(length);

    ~AlignedBuffer() => NativeMemory.AlignedFree(_start);

    /// <summary>Numbers that there is room for.</summary>
    public int Length => _length;

    /// <summary>One number; as everywhere behind references, the rows after it are the caller's to keep inside.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)index >= (uint)_length) throw new ArgumentOutOfRangeException(nameof(index));
            return ref _start[index];
        }
    }

    /// <summary>Room for so many numbers; what was in it is lost when it grows.</summary>
    public void Ensure(int length)
    {
        if (length <= _length) return;
        NativeMemory.AlignedFree(_start);
        _start = null;
        _length = 0;
        var bytes = checked((nuint)length * (nuint)sizeof(T));
        _start = (T*)LargePages.Alloc(bytes, Line);
        NativeMemory.Clear(_start, bytes);
        _length = length;
    }

    /// <summary>A run of the numbers.</summary>
    public Span<T> Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(start + length), (uint)_length);
        return new(_start + start, length);
    }
}

/// <summary>Memory in pages of 2 MiB where Linux gives them on request, as most distributions have it.</summary>
internal static unsafe partial class LargePages
{
    private const nuint Page = 2 << 20;
    private const int Huge = 14;

    /// <summary>Memory to be freed by <see cref="NativeMemory.AlignedFree"/>.</summary>
    public static void* Alloc(nuint bytes, nuint alignment)
    {
        if (bytes < Page || !OperatingSystem.IsLinux()) return NativeMemory.AlignedAlloc(bytes, alignment);
        var start = NativeMemory.AlignedAlloc(bytes, Page);
        // a request; what it answers changes nothing
        _ = Advise(start, bytes / Page * Page, Huge);
        return start;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}

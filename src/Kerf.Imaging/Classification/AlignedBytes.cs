using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>Bytes that begin at a multiple of 64, as registers and cache lines do: an array never tells where it lies.</summary>
internal sealed class AlignedBytes
{
    private const int Line = 64;
    private readonly byte[] _array;
    private readonly int _offset;

    public AlignedBytes(int count)
    {
        _array = GC.AllocateArray<byte>(count + Line, pinned: true);
        _offset = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0) & (Line - 1));
    }

    public ref byte this[int i] => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_array), _offset + i);

    public void Copy(int from, int to, int count) => Array.Copy(_array, _offset + from, _array, _offset + to, count);
}

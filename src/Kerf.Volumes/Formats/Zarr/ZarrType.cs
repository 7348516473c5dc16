using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>How an array stores one item: b bool, u unsigned, i signed, f float, and its width.</summary>
internal readonly record struct ZarrType(char Kind, int Bytes, bool BigEndian)
{
    /// <summary>What a volume makes of it: types other than uint8, uint16 and float32 are read as float32, where that is exact.</summary>
    public PixelType Pixel => (Kind, Bytes) switch
    {
        ('b', 1) or ('u', 1) => PixelType.UInt8,
        ('u', 2) => PixelType.UInt16,
        _ => PixelType.Float32,
    };

    /// <summary>zarr v3's name.</summary>
    public string Name => Kind switch { 'b' => "bool", 'u' => $"uint{8 * Bytes}", 'i' => $"int{8 * Bytes}", _ => $"float{8 * Bytes}" };

    /// <summary>numpy's type string, as zarr v2 has it.</summary>
    public string Typestr => $"{(Bytes == 1 ? '|' : BigEndian ? '>' : '<')}{Kind}{Bytes}";

    /// <summary>The little-endian type that stores <paramref name="pixel"/>.</summary>
    public static ZarrType Of(PixelType pixel) => new(pixel == PixelType.Float32 ? 'f' : 'u', pixel.Bytes(), false);

    /// <summary>Reads a v3 name such as "uint16".</summary>
    public static ZarrType Parse3(ZarrMeta meta)
    {
        var at = Array.FindIndex(Known, type => type.Name == meta.Text);
        return at >= 0 ? Known[at] : throw Unknown(meta);
    }

    /// <summary>Reads a v2 type string such as "&lt;u2".</summary>
    public static ZarrType Parse2(ZarrMeta meta)
    {
        var text = meta.Text;
        var at = Array.FindIndex(Known, type => text.Length > 1 && type.Typestr[1..] == text[1..]);
        if (at < 0 || !(text[0] is '<' or '>' || (text[0] == '|' && Known[at].Bytes == 1))) throw Unknown(meta);
        return Known[at] with { BigEndian = text[0] == '>' && Known[at].Bytes > 1 };
    }

    /// <summary>Checks that a fill value is one of this type.</summary>
    public bool Holds(double fill) => Kind == 'f' || (fill == Math.Truncate(fill) && Kind switch
    {
        'b' => fill is 0 or 1,
        'u' => fill >= 0 && fill < Math.Pow(2, 8 * Bytes),
        _ => fill >= -Math.Pow(2, 8 * Bytes - 1) && fill < Math.Pow(2, 8 * Bytes - 1),
    });

    /// <summary>Turns big-endian items into the machine's.</summary>
    public void ToNative(Span<byte> items)
    {
        if (!BigEndian) return;
        if (Bytes == 2) Swap(MemoryMarshal.Cast<byte, ushort>(items), BinaryPrimitives.ReverseEndianness);
        if (Bytes == 4) Swap(MemoryMarshal.Cast<byte, uint>(items), BinaryPrimitives.ReverseEndianness);
        if (Bytes == 8) Swap(MemoryMarshal.Cast<byte, ulong>(items), BinaryPrimitives.ReverseEndianness);
    }

    private static void Swap<T>(Span<T> items, Func<T, T> reverse) where T : unmanaged
    {
        foreach (ref var item in items) item = reverse(item);
    }

    /// <summary>Widens native items to voxels.</summary>
    /// <exception cref="InputError">A value is no float32.</exception>
    public void Convert<T>(ReadOnlySpan<byte> items, Span<T> voxels, string file) where T : unmanaged
    {
        if (Kind == 'b')
        {
            var flags = MemoryMarshal.AsBytes(voxels);
            for (var i = 0; i < flags.Length; i++) flags[i] = items[i] == 0 ? (byte)0 : (byte)1;
            return;
        }
        if (Pixel != PixelType.Float32 || (Kind == 'f' && Bytes == 4))
        {
            items.CopyTo(MemoryMarshal.AsBytes(voxels));
            return;
        }
        var floats = MemoryMarshal.Cast<T, float>(voxels);
        switch (Kind, Bytes)
        {
            case ('i', 1): Widen<sbyte>(items, floats, file, v => v); break;
            case ('i', 2): Widen<short>(items, floats, file, v => v); break;
            case ('i', 4): Widen<int>(items, floats, file, v => v); break;
            case ('u', 4): Widen<uint>(items, floats, file, v => v); break;
            case ('f', 2): Widen<Half>(items, floats, file, v => (double)v); break;
            default: Widen<double>(items, floats, file, v => v); break;
        }
    }

    /// <summary>A value as float32.</summary>
    /// <exception cref="InputError">It is none.</exception>
    public float Exact(double value, string file) => (float)value is var narrow && (narrow == value || double.IsNaN(value)) ? narrow
        : throw new InputError(FormattableString.Invariant(
            $"{file}: the value {value} ({Name}) has no float32 equal to it, and volumes hold uint8, uint16 or float32. Convert the array first."));

    private void Widen<TItem>(ReadOnlySpan<byte> items, Span<float> voxels, string file, Func<TItem, double> widen) where TItem : unmanaged
    {
        var from = MemoryMarshal.Cast<byte, TItem>(items);
        for (var i = 0; i < voxels.Length; i++) voxels[i] = Exact(widen(from[i]), file);
    }

    private static readonly ZarrType[] Known =
    [
        new('b', 1, false), new('u', 1, false), new('u', 2, false), new('u', 4, false), new('i', 1, false),
        new('i', 2, false), new('i', 4, false), new('f', 2, false), new('f', 4, false), new('f', 8, false),
    ];

    private static InputError Unknown(ZarrMeta meta) =>
        meta.Fault($"\"{(meta.Text.Length > 40 ? meta.Text[..40] : meta.Text)}\" is not a voxel type that is read (bool, 8- to 32-bit integers, floats)");
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>What a PNG's pixels are made of; the values are those of the file format.</summary>
public enum PngColour
{
    /// <summary>One grey sample.</summary>
    Grey = 0,

    /// <summary>Red, green, blue.</summary>
    Rgb = 2,

    /// <summary>An index into a palette.</summary>
    Palette = 3,

    /// <summary>Grey and opacity.</summary>
    GreyAlpha = 4,

    /// <summary>Red, green, blue, opacity.</summary>
    Rgba = 6,
}

/// <summary>What a PNG says of itself before its pixels.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="BitDepth">Bits of a sample: 1, 2, 4, 8 or 16.</param>
/// <param name="Colour">What a pixel is made of.</param>
/// <param name="Interlaced">Stored in the seven passes of Adam7.</param>
public sealed record PngHeader(int Width, int Height, int BitDepth, PngColour Colour, bool Interlaced = false)
{
    /// <summary>Red, green and blue of each index; null without a palette.</summary>
    public IReadOnlyList<(byte R, byte G, byte B)>? Palette { get; init; }

    /// <summary>Writes palette entry 0 as transparent.</summary>
    public bool TransparentNone { get; init; }

    /// <summary>The phases when the indices of a palette are labels: with the names that Kerf wrote beside them, else "phase N".</summary>
    public IReadOnlyList<Phase>? Phases { get; init; }

    /// <summary>Voxel size in nanometres that Kerf wrote beside the pixels; null when it did not. A pixel density (pHYs) tells none.</summary>
    public VoxelSize? Voxel { get; init; }

    /// <summary>Samples of one pixel, 1 to 4.</summary>
    public int Channels => Colour switch { PngColour.Rgb => 3, PngColour.GreyAlpha => 2, PngColour.Rgba => 4, _ => 1 };

    /// <summary>Whole bytes of one pixel, at least 1: what the filters call the pixel before.</summary>
    internal int PixelBytes => Math.Max(1, Channels * BitDepth / 8);

    /// <summary>Bytes of a packed row of <paramref name="width"/> pixels.</summary>
    internal long RowBytes(int width) => ((long)width * Channels * BitDepth + 7) / 8;
}

/// <summary>A decoded PNG: the values as they are stored, never changed by gamma, sRGB, palette, opacity or bit depth.</summary>
/// <param name="header">Size and kind.</param>
/// <param name="samples">All samples, channel fastest, then x, then y: one byte each up to 8 bits, else two in the machine's byte order.</param>
public sealed class PngImage(PngHeader header, byte[] samples)
{
    /// <summary>Size and kind.</summary>
    public PngHeader Header { get; } = header;

    /// <summary>8-bit samples, channel fastest, then x, then y. Values of 1, 2 and 4 bits are 0 … 1, 3 and 15.</summary>
    public ReadOnlySpan<byte> Bytes => Header.BitDepth <= 8 ? samples : throw new InvalidOperationException("the samples have 16 bits");

    /// <summary>16-bit samples, channel fastest, then x, then y.</summary>
    public ReadOnlySpan<ushort> Words =>
        Header.BitDepth == 16 ? MemoryMarshal.Cast<byte, ushort>(samples) : throw new InvalidOperationException("the samples have 8 bits");

    /// <summary>One channel, x fastest: 0 is grey, index or red.</summary>
    /// <typeparam name="T">byte up to 8 bits, ushort for 16.</typeparam>
    public T[] Channel<T>(int channel) where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() != (Header.BitDepth == 16 ? 2 : 1))
            throw new InvalidOperationException($"{typeof(T).Name} does not hold {Header.BitDepth} bits");
        var from = MemoryMarshal.Cast<byte, T>(samples.AsSpan());
        var plane = new T[from.Length / Header.Channels];
        if (Header.Channels == 1) from.CopyTo(plane);
        else for (int i = 0, at = channel; i < plane.Length; i++, at += Header.Channels) plane[i] = from[at];
        return plane;
    }

    /// <summary>
    /// Red, green and blue mixed to one grey level: luma of Rec. 601 in thousandths, rounded; where they are equal it is that grey level exactly.
    /// </summary>
    /// <typeparam name="T">byte up to 8 bits, ushort for 16.</typeparam>
    public T[] Luma<T>() where T : unmanaged, IBinaryInteger<T>
    {
        if (Header.Channels < 3) return Channel<T>(0);
        var (red, green, blue) = (Channel<T>(0), Channel<T>(1), Channel<T>(2));
        for (var i = 0; i < red.Length; i++)
            red[i] = T.CreateTruncating((299 * Wide(red[i]) + 587 * Wide(green[i]) + 114 * Wide(blue[i]) + 500) / 1000);
        return red;
        static long Wide(T value) => long.CreateTruncating(value);
    }
}

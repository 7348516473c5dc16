using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// PNG images (ISO/IEC 15948), read and written value for value. Gamma, sRGB and colour profiles never change a grey level; a pixel density
/// is not taken for a voxel size.
/// </summary>
/// <remarks>
/// Reading allocates at most 2,100 times the file's size for 8 and 16 bits and 8,300 times for fewer (one byte a sample): deflate expands at
/// most 1,032-fold, and a header that declares more pixels than that is refused before anything is allocated for them.
/// </remarks>
public static class Png
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InputError">The file cannot be read, is no PNG, is damaged or cut off.</exception>
    public static PngImage Read(string path) => Decode(InputFile.ReadAllBytes(path), path);

    /// <summary>Decodes a PNG in memory.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InputError">It is no PNG, is damaged or cut off.</exception>
    public static PngImage Decode(ReadOnlySpan<byte> file, string name = "PNG") => PngReader.Decode(file, name);

    /// <summary>Reads size, kind, palette and phases without decoding pixels.</summary>
    /// <exception cref="InputError">The file cannot be read or its beginning is no PNG's.</exception>
    public static PngHeader ReadHeader(string path)
    {
        var start = InputFile.ReadStart(path, 1 << 16, out var whole);
        // a colour profile or a long text before the pixels: then the beginning alone does not do
        return PngReader.TryHeader(start, path, whole) ?? PngReader.TryHeader(InputFile.ReadAllBytes(path), path, true)!;
    }

    /// <summary>An 8-bit grey PNG. The same pixels always give the same filters and chunks.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> grey, int width, int height, VoxelSize? voxel = null) =>
        PngWriter.Encode(new(width, height, 8, PngColour.Grey) { Voxel = voxel }, grey, adaptive: true);

    /// <summary>A 16-bit grey PNG.</summary>
    public static byte[] Encode(ReadOnlySpan<ushort> grey, int width, int height, VoxelSize? voxel = null) =>
        PngWriter.Encode(new(width, height, 16, PngColour.Grey) { Voxel = voxel }, MemoryMarshal.AsBytes(grey), adaptive: true);

    /// <summary>An 8-bit colour PNG from red, green, blue, red, …</summary>
    public static byte[] EncodeRgb(ReadOnlySpan<byte> rgb, int width, int height) =>
        PngWriter.Encode(new(width, height, 8, PngColour.Rgb), rgb, adaptive: true);

    /// <summary>Labels as a palette PNG: the index is the label, 0 is black, the names lie beside it in a text chunk.</summary>
    /// <param name="labels">One label per pixel, x fastest.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="phases">Names and colours; a label without a phase gets a colour of the house palette.</param>
    /// <param name="voxel">Voxel size in nanometres, kept in a text chunk.</param>
    /// <param name="transparentNone">Makes label 0 transparent, for laying the phases over an image.</param>
    public static byte[] EncodeLabels(
        ReadOnlySpan<byte> labels, int width, int height, IReadOnlyList<Phase> phases, VoxelSize? voxel = null, bool transparentNone = false)
    {
        var last = phases.Count == 0 ? 0 : phases.Max(phase => phase.Label);
        foreach (var label in labels) if (label > last) last = label;
        var palette = new (byte R, byte G, byte B)[last + 1];
        for (var label = 1; label <= last; label++)
            palette[label] = (phases.FirstOrDefault(phase => phase.Label == label) ?? Phase.Unnamed(label)).Rgb;
        // the best filter for indices is none: differences of labels mean nothing
        return PngWriter.Encode(new(width, height, 8, PngColour.Palette) { Palette = palette, TransparentNone = transparentNone, Phases = phases, Voxel = voxel }, labels, adaptive: false);
    }
}

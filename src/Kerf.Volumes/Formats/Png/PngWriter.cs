using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Kerf.Volumes;

/// <summary>Samples → filtered rows → deflated → chunks.</summary>
internal static class PngWriter
{
    /// <summary>The whole file.</summary>
    /// <param name="header">8 or 16 bits; with a palette when indexed.</param>
    /// <param name="samples">As in <see cref="PngImage"/>.</param>
    /// <param name="adaptive">Each row takes the filter with the least sum of magnitudes, the first of equals; else none is filtered.</param>
    public static byte[] Encode(PngHeader header, ReadOnlySpan<byte> samples, bool adaptive)
    {
        if (header.Width < 1 || header.Height < 1 || samples.Length != header.RowBytes(header.Width) * header.Height)
            throw new ArgumentException($"{samples.Length} bytes do not fill {header.Width}×{header.Height} pixels", nameof(samples));
        using var file = new MemoryStream();
        file.Write([137, 80, 78, 71, 13, 10, 26, 10]);
        Span<byte> kind = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(kind, header.Width);
        BinaryPrimitives.WriteInt32BigEndian(kind[4..], header.Height);
        (kind[8], kind[9], kind[10], kind[11], kind[12]) = ((byte)header.BitDepth, (byte)header.Colour, 0, 0, 0);
        Chunk(file, "IHDR", kind);
        if (header.Palette is { } palette) Chunk(file, "PLTE", [.. palette.SelectMany(colour => new[] { colour.R, colour.G, colour.B })]);
        if (header.TransparentNone) Chunk(file, "tRNS", [0]);
        if (header.Phases is { Count: > 0 } phases) Chunk(file, "tEXt", PngTexts.Phases(phases));
        if (header.Voxel is { } voxel) Chunk(file, "tEXt", PngTexts.Voxel(voxel));
        using var pixels = new MemoryStream();
        using (var deflated = new ZLibStream(pixels, CompressionLevel.Optimal, leaveOpen: true)) Rows(deflated, header, samples, adaptive);
        Chunk(file, "IDAT", pixels.GetBuffer().AsSpan(0, (int)pixels.Length));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void Rows(Stream deflated, PngHeader header, ReadOnlySpan<byte> samples, bool adaptive)
    {
        var length = (int)header.RowBytes(header.Width);
        var (row, above, trial, best) = (new byte[length], new byte[length], new byte[length], new byte[length]);
        for (var y = 0; y < header.Height; y++)
        {
            samples.Slice(y * length, length).CopyTo(row);
            if (header.BitDepth == 16)
            {
                var words = MemoryMarshal.Cast<byte, ushort>(row.AsSpan());
                BinaryPrimitives.ReverseEndianness(words, words);
            }
            var filter = 0;
            row.CopyTo(best, 0);
            if (adaptive)
            {
                var least = PngFilters.Cost(best);
                for (var candidate = 1; candidate < PngFilters.Count; candidate++)
                {
                    PngFilters.Apply(candidate, row, above, header.PixelBytes, trial);
                    var cost = PngFilters.Cost(trial);
                    if (cost >= least) continue;
                    (least, filter) = (cost, candidate);
                    (best, trial) = (trial, best);
                }
            }
            deflated.WriteByte((byte)filter);
            deflated.Write(best);
            (row, above) = (above, row);
        }
    }

    private static void Chunk(MemoryStream file, string type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        file.Write(word);
        var start = (int)file.Position;
        file.Write(Encoding.Latin1.GetBytes(type));
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc32.Of(file.GetBuffer().AsSpan(start, data.Length + 4)));
        file.Write(word);
    }
}

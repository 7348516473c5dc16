using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Kerf.Volumes;

/// <summary>Chunks → header → inflated, unfiltered rows → samples.</summary>
internal static class PngReader
{
    // deflate cannot expand further: 258 bytes from 2 bits
    private const long MostExpansion = 1032;

    private static readonly (int Y, int X, int StepY, int StepX)[] WholePass = [(0, 0, 1, 1)];

    private static readonly (int Y, int X, int StepY, int StepX)[] Adam7 =
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)];

    public static PngImage Decode(ReadOnlySpan<byte> file, string name)
    {
        var chunks = new PngChunks(file, name);
        var header = Header(ref chunks) ?? throw chunks.CutOff();
        using var pixels = new MemoryStream();
        do pixels.Write(chunks.Data); while (chunks.Next() && chunks.Is("IDAT"));
        while (!chunks.Is("IEND"))
        {
            if (chunks.Is("IDAT")) throw new InputError($"{name}: its image data is not in one run (damaged). Export the image again.");
            chunks.RefuseUnknown();
            if (!chunks.Next()) throw chunks.CutOff();
        }
        var samples = Room(header, pixels.Length, name);
        pixels.Position = 0;
        try
        {
            using var inflated = new ZLibStream(pixels, CompressionMode.Decompress);
            foreach (var pass in header.Interlaced ? Adam7 : WholePass) ReadPass(inflated, header, pass, samples, name);
            // one byte further, so that the checksum behind the last row is looked at
            inflated.ReadByte();
        }
        catch (EndOfStreamException)
        {
            throw new InputError($"{name}: its image data ends before the last row (damaged). Export the image again.");
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            throw new InputError($"{name}: its image data cannot be inflated (damaged). Export the image again.", exception);
        }
        return new(header, samples);
    }

    /// <summary>The header when <paramref name="file"/> reaches the pixels; null when more of the file must be read.</summary>
    public static PngHeader? TryHeader(ReadOnlySpan<byte> file, string name, bool whole)
    {
        var chunks = new PngChunks(file, name, whole);
        return Header(ref chunks);
    }

    // leaves the chunks at the first IDAT
    private static PngHeader? Header(ref PngChunks chunks)
    {
        if (!chunks.Next()) return null;
        var header = Kind(chunks);
        string? names = null, voxel = null;
        while (chunks.Next())
        {
            if (chunks.Is("IDAT"))
            {
                if (header.Colour == PngColour.Palette && header.Palette is null)
                    throw new InputError($"{chunks.Name}: has indexed pixels but no palette (damaged). Export the image again.");
                return header with { Phases = PngTexts.ReadPhases(header, names), Voxel = PngTexts.ReadVoxel(voxel) };
            }
            if (chunks.Is("PLTE")) header = header with { Palette = Palette(chunks, header) };
            else if (chunks.Is("tEXt")) PngTexts.Read(chunks.Data, ref names, ref voxel);
            else if (chunks.Is("IEND")) throw new InputError($"{chunks.Name}: has no image data. Export the image again.");
            else chunks.RefuseUnknown();
        }
        return null;
    }

    private static PngHeader Kind(PngChunks chunks)
    {
        var data = chunks.Data;
        var name = chunks.Name;
        if (!chunks.Is("IHDR") || data.Length != 13)
            throw new InputError($"{name}: does not start with a PNG header (damaged). Export the image again.");
        var width = BinaryPrimitives.ReadUInt32BigEndian(data);
        var height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        var (depth, colour) = (data[8], (PngColour)data[9]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
        {
            throw new InputError(
                $"{name}: declares {width}×{height} pixels; a PNG has 1 to 2147483647 columns and rows (damaged). Export the image again.");
        }
        var allowed = colour switch
        {
            PngColour.Grey => depth is 1 or 2 or 4 or 8 or 16,
            PngColour.Palette => depth is 1 or 2 or 4 or 8,
            PngColour.Rgb or PngColour.GreyAlpha or PngColour.Rgba => depth is 8 or 16,
            _ => false,
        };
        if (!allowed || data[10] != 0 || data[11] != 0 || data[12] > 1)
            throw new InputError($"{name}: colour type {data[9]} with {depth} bits, compression {data[10]}, filter {data[11]}, interlace {data[12]} "
                + "is none that PNG allows (damaged). Export the image again.");
        return new((int)width, (int)height, depth, colour, data[12] == 1);
    }

    private static (byte, byte, byte)[] Palette(PngChunks chunks, PngHeader header)
    {
        var data = chunks.Data;
        var most = header.Colour == PngColour.Palette ? 1 << header.BitDepth : 256;
        if (data.Length == 0 || data.Length % 3 != 0 || data.Length / 3 > most)
            throw new InputError($"{chunks.Name}: its palette of {data.Length} bytes is not 1 to {most} colours (damaged). Export the image again.");
        var palette = new (byte, byte, byte)[data.Length / 3];
        for (var i = 0; i < palette.Length; i++) palette[i] = (data[3 * i], data[3 * i + 1], data[3 * i + 2]);
        return palette;
    }

    // nothing is allocated for pixels that the compressed bytes cannot hold
    private static byte[] Room(PngHeader header, long compressed, string name)
    {
        var packed = (header.RowBytes(header.Width) + 1) * (decimal)header.Height;
        if (packed > MostExpansion * (compressed + 1))
            throw new InputError($"{name}: declares {header.Width}×{header.Height} pixels, more than its {compressed} bytes of image data can hold "
                + "(damaged or cut off). Export the image again.");
        var bytes = (decimal)header.Width * header.Height * header.Channels * (header.BitDepth == 16 ? 2 : 1);
        return bytes <= Array.MaxLength ? new byte[(int)bytes] : throw new InputError(
            $"{name}: {header.Width}×{header.Height} pixels do not fit one array in memory. Cut the image into tiles.");
    }

    private static void ReadPass(Stream inflated, PngHeader header, (int Y, int X, int StepY, int StepX) pass, byte[] samples, string name)
    {
        var width = (int)(((long)header.Width - pass.X + pass.StepX - 1) / pass.StepX);
        if (width <= 0 || pass.Y >= header.Height) return;
        var row = new byte[checked((int)header.RowBytes(width))];
        var above = new byte[row.Length];
        for (long y = pass.Y; y < header.Height; y += pass.StepY)
        {
            var filter = inflated.ReadByte();
            if (filter < 0) throw new EndOfStreamException();
            inflated.ReadExactly(row);
            if (!PngFilters.Undo(filter, row, above, header.PixelBytes))
                throw new InputError($"{name}: row {y} has filter {filter}; PNG knows 0 to 4 (damaged). Export the image again.");
            Unpack(row, header, width, samples.AsSpan((int)(y * header.Width * header.Channels * Bytes(header))), pass.X, pass.StepX);
            (row, above) = (above, row);
        }
    }

    private static int Bytes(PngHeader header) => header.BitDepth == 16 ? 2 : 1;

    // packed row of one pass → its places in the row of samples
    private static void Unpack(ReadOnlySpan<byte> row, PngHeader header, int width, Span<byte> target, int start, int step)
    {
        var (channels, depth) = (header.Channels, header.BitDepth);
        if (depth == 16)
        {
            var from = MemoryMarshal.Cast<byte, ushort>(row);
            var to = MemoryMarshal.Cast<byte, ushort>(target);
            for (var x = 0; x < width; x++)
                for (var c = 0; c < channels; c++) to[(start + x * step) * channels + c] = BinaryPrimitives.ReverseEndianness(from[x * channels + c]);
        }
        else if (depth == 8)
        {
            if (step == 1) row.CopyTo(target);
            else for (var x = 0; x < width; x++) row.Slice(x * channels, channels).CopyTo(target[((start + x * step) * channels)..]);
        }
        else
        {
            var mask = (1 << depth) - 1;
            for (var x = 0; x < width; x++)
            {
                var bit = (long)x * depth;
                target[start + x * step] = (byte)(row[(int)(bit >> 3)] >> 8 - depth - (int)(bit & 7) & mask);
            }
        }
    }
}

/// <summary>Walks the chunks of a PNG, each with its checksum looked at.</summary>
internal ref struct PngChunks
{
    private static ReadOnlySpan<byte> Signature => [137, 80, 78, 71, 13, 10, 26, 10];

    private readonly ReadOnlySpan<byte> _file;
    private readonly bool _whole;
    private int _next;
    private int _start;

    public PngChunks(ReadOnlySpan<byte> file, string name, bool whole = true)
    {
        _file = file;
        (Name, _whole, _next) = (name, whole, Signature.Length);
        if (file.Length == 0) throw new InputError($"{name}: is empty. Copy or export the image again.");
        if (!file.StartsWith(Signature))
            throw new InputError($"{name}: is no PNG image (its first bytes are others). Give its true ending, or export it again.");
    }

    public string Name { get; }

    public ReadOnlySpan<byte> Data { get; private set; }

    public readonly bool Is(string type) => Encoding.Latin1.GetString(_file.Slice(_start + 4, 4)) == type;

    /// <summary>Goes to the next chunk; false where a part of the file ends. A whole file that ends within a chunk is refused.</summary>
    public bool Next()
    {
        if (_file.Length - _next < 12) return _whole ? throw CutOff() : false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(_file[_next..]);
        if (length > _file.Length - _next - 12) return _whole ? throw CutOff() : false;
        (_start, _next) = (_next, _next + 12 + (int)length);
        Data = _file.Slice(_start + 8, (int)length);
        return Crc32.Of(_file.Slice(_start + 4, (int)length + 4)) == BinaryPrimitives.ReadUInt32BigEndian(_file[(_next - 4)..]) ? true
            : throw new InputError($"{Name}: the checksum of its part at byte {_start} is wrong (damaged). Copy or export the image again.");
    }

    /// <summary>A chunk that a reader must understand (capital first letter) but this one does not.</summary>
    public readonly void RefuseUnknown()
    {
        if ((_file[_start + 4] & 32) == 0 && !Is("PLTE"))
            throw new InputError($"{Name}: has a part at byte {_start} that no PNG reader of this version knows (damaged). Export the image again.");
    }

    public readonly InputError CutOff() => new($"{Name}: is cut off after {_file.Length} bytes. Copy or export the image again.");
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Kerf.App;

/// <summary>The least of a PNG encoder, until <c>Formats/Png</c> is there: 8-bit grey, RGB and palette.</summary>
internal static class SmallPng
{
    public static byte[] Grey(int width, int height, ReadOnlySpan<byte> pixels) => Encode(width, height, 1, 0, pixels, []);

    public static byte[] Rgb(int width, int height, ReadOnlySpan<byte> pixels) => Encode(width, height, 3, 2, pixels, []);

    /// <summary>Palette image; entry 0 is transparent.</summary>
    public static byte[] Palette(int width, int height, ReadOnlySpan<byte> pixels, byte[] palette) => Encode(width, height, 1, 3, pixels, palette);

    private static byte[] Encode(int width, int height, int channels, byte colour, ReadOnlySpan<byte> pixels, byte[] palette)
    {
        var file = new MemoryStream();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, colour);
        Chunk(file, "IHDR", header);
        if (palette.Length > 0)
        {
            Chunk(file, "PLTE", palette);
            Chunk(file, "tRNS", [0]);
        }
        var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var stride = width * channels;
            var row = new byte[stride + 1];
            // "up" suits photographs, "none" suits labels
            row[0] = (byte)(palette.Length > 0 ? 0 : 2);
            for (var y = 0; y < height; y++)
            {
                for (var i = 0; i < stride; i++)
                    row[i + 1] = (byte)(pixels[y * stride + i] - (row[0] == 2 && y > 0 ? pixels[(y - 1) * stride + i] : 0));
                deflate.Write(row);
            }
        }
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, string type, byte[] data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        file.Write(word);
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc(body));
        file.Write(word);
    }

    private static uint Crc(byte[] data)
    {
        var crc = ~0u;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}

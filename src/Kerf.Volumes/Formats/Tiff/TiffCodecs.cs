using System.IO.Compression;

namespace Kerf.Volumes;

/// <summary>The decompressors. Each fills its target from the start and returns how far it came; none writes or reads outside its spans.</summary>
internal static class TiffCodecs
{
    /// <summary>LZW as TIFF 6.0 has it: codes from the highest bit on, widened one code early.</summary>
    /// <exception cref="InvalidDataException">A code names a string that is not there yet.</exception>
    public static int Lzw(ReadOnlySpan<byte> source, Span<byte> target)
    {
        const int Clear = 256, End = 257, Most = 4096;
        // a string of the table is a place in the output that already holds it
        Span<int> starts = stackalloc int[Most];
        Span<int> lengths = stackalloc int[Most];
        int written = 0, next = End + 1, width = 9, previousStart = 0, previousLength = 0, read = 0, held = 0;
        uint bits = 0;
        while (written < target.Length)
        {
            while (held < width)
            {
                if (read == source.Length) return written;
                bits = bits << 8 | source[read++];
                held += 8;
            }
            held -= width;
            var code = (int)(bits >> held) & ((1 << width) - 1);
            if (code == End) break;
            if (code == Clear)
            {
                (next, width, previousLength) = (End + 1, 9, 0);
                continue;
            }
            if (code > next || (code == next && previousLength == 0)) throw new InvalidDataException("a code of its LZW data has no meaning");
            // the string that this code completes: the one before and one byte more, which this code is about to write
            if (previousLength > 0 && next < Most)
            {
                starts[next] = previousStart;
                lengths[next++] = previousLength + 1;
            }
            else if (code >= next)
            {
                throw new InvalidDataException("a code of its LZW data has no meaning");
            }
            var start = written;
            if (code < Clear)
            {
                target[written++] = (byte)code;
            }
            else
            {
                var length = Math.Min(lengths[code], target.Length - written);
                var from = starts[code];
                for (var i = 0; i < length; i++) target[written++] = target[from + i]; // may overlap itself: byte by byte
            }
            (previousStart, previousLength) = (start, written - start);
            if (next >= (1 << width) - 1 && width < 12) width++;
        }
        return written;
    }

    /// <summary>PackBits: runs of one byte and of different bytes.</summary>
    public static int PackBits(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int read = 0, written = 0;
        while (read < source.Length && written < target.Length)
        {
            var count = (sbyte)source[read++];
            if (count == -128) continue;
            if (count >= 0)
            {
                var length = Math.Min(Math.Min(count + 1, source.Length - read), target.Length - written);
                source.Slice(read, length).CopyTo(target[written..]);
                read += length;
                written += length;
            }
            else if (read < source.Length)
            {
                var length = Math.Min(1 - count, target.Length - written);
                target.Slice(written, length).Fill(source[read++]);
                written += length;
            }
        }
        return written;
    }

    /// <summary>Deflate within a zlib wrapper.</summary>
    /// <exception cref="InvalidDataException">The data are damaged.</exception>
    public static int Deflate(byte[] source, int length, Span<byte> target)
    {
        using var inflater = new ZLibStream(new MemoryStream(source, 0, length, writable: false), CompressionMode.Decompress);
        return inflater.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// Segments (strips, tiles) to voxels: read, decompress, bring to the machine's byte order, undo the predictor, pick the sample, convert.
/// Before anything is allocated, the decompressed length is held against what the compressed bytes can possibly give
/// (<see cref="TiffPage.MostExpansion"/>).
/// </summary>
internal static class TiffSegments
{
    /// <summary>The luma of an RGB image, as a channel.</summary>
    public const int Luma = -1;

    /// <summary>Decodes segment (<paramref name="down"/>, <paramref name="across"/>) of a page.</summary>
    /// <param name="file">The file.</param>
    /// <param name="page">The page; T must be that of its <see cref="TiffPage.Type"/>.</param>
    /// <param name="shift">Bytes by which the image lies behind that of the page: ImageJ's stacks of one directory.</param>
    /// <param name="down">Row of the segment.</param>
    /// <param name="across">Column of the segment.</param>
    /// <param name="sample">Sample of the pixel, or <see cref="Luma"/>.</param>
    /// <returns><see cref="TiffPage.SegmentWidth"/> × <see cref="TiffPage.RowsOf"/> values.</returns>
    public static T[] Decode<T>(TiffBytes file, TiffPage page, long shift, int down, int across, int sample) where T : unmanaged
    {
        if (sample == Luma && page.Planar)
        {
            T[][] planes = [Plane(0), Plane(1), Plane(2)];
            T[] Plane(int colour) => Decode<T>(file, page, shift, down, across, colour);
            Mix(Bytes(0), Bytes(1), Bytes(2), page.SampleBytes);
            return planes[0];
            Span<byte> Bytes(int colour) => MemoryMarshal.AsBytes(planes[colour].AsSpan());
        }
        var rows = page.RowsOf(down);
        var place = $"page {page.Number}, {(page.Tiled ? "tile" : "strip")} {(long)down * page.Across + across + 1}";
        var bytes = page.RowBytes * rows;
        var pixels = (long)page.SegmentWidth * rows;
        if (Math.Max(bytes, pixels * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()) > Array.MaxLength)
            throw file.Wrong($"{place}: {bytes} bytes in one piece is too much", "save it in smaller strips or tiles.");
        var index = ((long)(page.Planar ? sample : 0) * page.Down + down) * page.Across + across;
        var data = page.Compression == 1 ? Plain(file, page, shift, place, index, down, (int)bytes)
            : Decompressed(file, page, place, index, (int)bytes);
        try
        {
            var span = data.AsSpan(0, (int)bytes);
            if (page.LowBitFirst) ReverseBits(span);
            Unpredict(span, page, file.BigEndian);
            if (page.SegmentSamples > 1) Isolate(span, page, sample);
            var values = new T[pixels];
            Convert(span, page, rows, values, file, place);
            return values;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    private static byte[] Plain(TiffBytes file, TiffPage page, long shift, string place, long index, int down, int bytes)
    {
        // segments of a page that is read in parts all lie in the one strip of their plane
        var strip = page.Recut ? index / page.Down : index;
        var offset = file.Value(page.Offsets, strip, $"{place}: its offset");
        if (page.Recut) offset += down * page.RowBytes * page.SegmentHeight;
        offset += shift;
        if (offset < 0 || offset > file.Length - bytes)
            throw file.Wrong($"{place}: {bytes} bytes at {offset} would end behind the file of {file.Length} bytes");
        var data = ArrayPool<byte>.Shared.Rent(bytes);
        file.Read(offset, data.AsSpan(0, bytes), place);
        return data;
    }

    private static byte[] Decompressed(TiffBytes file, TiffPage page, string place, long index, int bytes)
    {
        var offset = file.Value(page.Offsets, index, $"{place}: its offset");
        var length = file.Value(page.ByteCounts, index, $"{place}: its length");
        if (length < 0 || offset < 0 || length > file.Length || offset > file.Length - length)
            throw file.Wrong($"{place}: {length} bytes at {offset} would end behind the file of {file.Length} bytes");
        if (bytes > (Int128)length * page.MostExpansion || length > Array.MaxLength)
            throw file.Wrong($"{place}: {length} compressed bytes at {offset} cannot hold {bytes}");
        var packed = ArrayPool<byte>.Shared.Rent((int)length);
        var data = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            file.Read(offset, packed.AsSpan(0, (int)length), place);
            var source = packed.AsSpan(0, (int)length);
            if (page.Compression == 5 && length >= 2 && source[0] == 0 && (source[1] & 1) != 0)
                throw file.Wrong($"{place}: holds LZW data of the kind from before TIFF 6.0", "open and save it in another program.");
            var written = page.Compression switch
            {
                5 => TiffCodecs.Lzw(source, data.AsSpan(0, bytes)),
                32773 => TiffCodecs.PackBits(source, data.AsSpan(0, bytes)),
                _ => TiffCodecs.Deflate(packed, (int)length, data.AsSpan(0, bytes)),
            };
            if (written < bytes) throw file.Wrong($"{place}: {length} compressed bytes at {offset} end after {written} of {bytes} bytes");
            return data;
        }
        catch (Exception exception)
        {
            ArrayPool<byte>.Shared.Return(data);
            if (exception is InvalidDataException)
                throw file.Wrong($"{place}: the compressed bytes at {offset} are damaged ({exception.Message})", inner: exception);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    // to the machine's byte order, then predictors 2 (differences along the row) and 3 (differences of bytes, most significant plane first)
    private static void Unpredict(Span<byte> data, TiffPage page, bool bigEndian)
    {
        var predictor = page.Compression == 1 ? 1 : page.Predictor;
        var size = page.SampleBytes;
        if (predictor == 3)
        {
            var row = new byte[(int)page.RowBytes];
            for (var y = 0; y < data.Length; y += row.Length) UnpredictFloats(data.Slice(y, row.Length), row, size, page.SegmentSamples);
            return;
        }
        if (bigEndian) SwapBytes(data, size);
        if (predictor != 2) return;
        for (var y = 0; y < data.Length; y += (int)page.RowBytes)
        {
            var row = data.Slice(y, (int)page.RowBytes);
            switch (size)
            {
                case 1: Accumulate(row, page.SegmentSamples); break;
                case 2: Accumulate(MemoryMarshal.Cast<byte, ushort>(row), page.SegmentSamples); break;
                case 4: Accumulate(MemoryMarshal.Cast<byte, uint>(row), page.SegmentSamples); break;
                default: Accumulate(MemoryMarshal.Cast<byte, ulong>(row), page.SegmentSamples); break;
            }
        }
    }

    private static void Accumulate<T>(Span<T> row, int samples) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        for (var i = samples; i < row.Length; i++) row[i] = unchecked(row[i] + row[i - samples]);
    }

    private static void UnpredictFloats(Span<byte> row, Span<byte> scratch, int size, int samples)
    {
        Accumulate(row, samples);
        row.CopyTo(scratch);
        var count = row.Length / size;
        for (var i = 0; i < count; i++)
        {
            for (var b = 0; b < size; b++) row[i * size + (BitConverter.IsLittleEndian ? size - 1 - b : b)] = scratch[b * count + i];
        }
    }

    private static void SwapBytes(Span<byte> data, int size)
    {
        switch (size)
        {
            case 2: { var words = MemoryMarshal.Cast<byte, ushort>(data); BinaryPrimitives.ReverseEndianness(words, words); break; }
            case 4: { var words = MemoryMarshal.Cast<byte, uint>(data); BinaryPrimitives.ReverseEndianness(words, words); break; }
            case 8: { var words = MemoryMarshal.Cast<byte, ulong>(data); BinaryPrimitives.ReverseEndianness(words, words); break; }
        }
    }

    private static void ReverseBits(Span<byte> data)
    {
        foreach (ref var value in data)
        {
            var v = (uint)value;
            v = (v & 0xF0) >> 4 | (v & 0x0F) << 4;
            v = (v & 0xCC) >> 2 | (v & 0x33) << 2;
            value = (byte)((v & 0xAA) >> 1 | (v & 0x55) << 1);
        }
    }

    // moves the wanted sample of each pixel to the front: pixel after pixel, without a second buffer
    private static void Isolate(Span<byte> data, TiffPage page, int sample)
    {
        int size = page.SampleBytes, step = size * page.SegmentSamples, to = 0;
        for (var from = 0; from <= data.Length - step; from += step, to += size)
        {
            if (sample == Luma) Mix(data.Slice(from, size), data.Slice(from + size, size), data.Slice(from + 2 * size, size), size);
            data.Slice(from + Math.Max(0, sample) * size, size).CopyTo(data[to..]);
        }
    }

    // luma of Rec. 601 in thousandths, rounded; where R = G = B it is that grey level exactly
    private static void Mix(Span<byte> red, ReadOnlySpan<byte> green, ReadOnlySpan<byte> blue, int size)
    {
        if (size == 1)
        {
            for (var i = 0; i < red.Length; i++) red[i] = (byte)((299 * red[i] + 587 * green[i] + 114 * blue[i] + 500) / 1000);
            return;
        }
        var r = MemoryMarshal.Cast<byte, ushort>(red);
        var g = MemoryMarshal.Cast<byte, ushort>(green);
        var b = MemoryMarshal.Cast<byte, ushort>(blue);
        for (var i = 0; i < r.Length; i++) r[i] = (ushort)((299L * r[i] + 587L * g[i] + 114L * b[i] + 500) / 1000);
    }

    private static void Convert<T>(Span<byte> data, TiffPage page, int rows, T[] values, TiffBytes file, string place) where T : unmanaged
    {
        if ((object)values is byte[] bytes)
        {
            if (page.BitsPerSample == 8) data[..bytes.Length].CopyTo(bytes);
            else Unpack(data, page, rows, bytes);
            if (page.Photometric != 0) return;
            var white = (byte)((1 << page.BitsPerSample) - 1);
            for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(white - bytes[i]);
        }
        else if ((object)values is ushort[] words)
        {
            MemoryMarshal.Cast<byte, ushort>(data)[..words.Length].CopyTo(words);
            if (page.Photometric != 0) return;
            for (var i = 0; i < words.Length; i++) words[i] = (ushort)(65535 - words[i]);
        }
        else if ((object)values is float[] floats)
        {
            TiffFloats.Convert(data, page, floats, file, place);
        }
        else
        {
            throw new NotSupportedException($"no volume holds {typeof(T).Name}");
        }
    }

    private static void Unpack(ReadOnlySpan<byte> data, TiffPage page, int rows, Span<byte> values)
    {
        int bits = page.BitsPerSample, mask = (1 << bits) - 1, rowBytes = (int)page.RowBytes, width = page.SegmentWidth;
        for (var y = 0; y < rows; y++)
        {
            var row = data.Slice(y * rowBytes, rowBytes);
            var target = values.Slice(y * width, width);
            for (var x = 0; x < width; x++)
            {
                var bit = (long)x * bits;
                target[x] = (byte)(row[(int)(bit >> 3)] >> (8 - bits - (int)(bit & 7)) & mask);
            }
        }
    }
}

/// <summary>Numbers that become float32 voxels.</summary>
internal static class TiffFloats
{
    /// <summary>Converts samples in the machine's byte order. Whole numbers must stay exact; 64-bit floats are rounded to nearest.</summary>
    public static void Convert(ReadOnlySpan<byte> data, TiffPage page, Span<float> to, TiffBytes file, string place)
    {
        switch (page.SampleFormat, page.BitsPerSample)
        {
            case (TiffSampleFormat.Float, 32):
                MemoryMarshal.Cast<byte, float>(data)[..to.Length].CopyTo(to);
                break;
            case (TiffSampleFormat.Float, 16):
                var halves = MemoryMarshal.Cast<byte, Half>(data);
                for (var i = 0; i < to.Length; i++) to[i] = (float)halves[i];
                break;
            case (TiffSampleFormat.Float, _):
                var doubles = MemoryMarshal.Cast<byte, double>(data);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = (float)doubles[i];
                    if (float.IsInfinity(to[i]) && double.IsFinite(doubles[i])) throw TooLarge(file, place, doubles[i].ToString("R"));
                }
                break;
            case (TiffSampleFormat.Signed, 8):
                for (var i = 0; i < to.Length; i++) to[i] = (sbyte)data[i];
                break;
            case (TiffSampleFormat.Signed, 16):
                var shorts = MemoryMarshal.Cast<byte, short>(data);
                for (var i = 0; i < to.Length; i++) to[i] = shorts[i];
                break;
            case (TiffSampleFormat.Signed, _):
                var ints = MemoryMarshal.Cast<byte, int>(data);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = ints[i];
                    if ((long)to[i] != ints[i]) throw TooLarge(file, place, ints[i].ToString());
                }
                break;
            default:
                var uints = MemoryMarshal.Cast<byte, uint>(data);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = uints[i];
                    if ((long)to[i] != uints[i]) throw TooLarge(file, place, uints[i].ToString());
                }
                break;
        }
    }

    private static InputError TooLarge(TiffBytes file, string place, string value) => file.Wrong(
        $"{place}: {value} cannot be held exactly as float32, which Kerf uses for such files",
            "scale or relabel the values below 16777216 and save it again.");
}

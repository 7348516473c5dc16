using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Kerf.Volumes;

/// <summary>Directories of a little-endian stack whose pages are alike: long values are written once and shared by all pages.</summary>
internal static class TiffDirectoryWriter
{
    /// <summary>A tag and its values as bytes, already in the file's order.</summary>
    public readonly record struct Tag(int Number, int Type, long Count, byte[] Values);

    public static Tag Short(int number, int value) => new(number, 3, 1, [(byte)value, (byte)(value >> 8)]);

    public static Tag Long(int number, long value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
        return new(number, 4, 1, bytes);
    }

    /// <summary>Seven-bit text with its closing zero.</summary>
    public static Tag Text(int number, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text + "\0");
        return new(number, 2, bytes.Length, bytes);
    }

    /// <summary>Pixels per nanometre as the fraction of 32-bit numbers next to 1/length.</summary>
    public static Tag PerNanometre(int number, double length)
    {
        var (over, under) = Fraction(1 / length);
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, over);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), under);
        return new(number, 5, 1, bytes);
    }

    /// <summary>768 levels of 16 bits: all reds, all greens, all blues. Labels without a phase are black.</summary>
    public static Tag Palette(IEnumerable<Phase> phases)
    {
        var levels = new byte[3 * 256 * 2];
        foreach (var phase in phases)
        {
            var (r, g, b) = phase.Rgb;
            // 257 times the 8-bit level: both bytes are that level
            levels.AsSpan(2 * phase.Label, 2).Fill(r);
            levels.AsSpan(2 * (256 + phase.Label), 2).Fill(g);
            levels.AsSpan(2 * (512 + phase.Label), 2).Fill(b);
        }
        return new(TiffTag.ColourMap, 3, 768, levels);
    }

    /// <summary>Writes one directory per page behind the pixels, and the place of the first into the header.</summary>
    public static void Write(
        FileStream stream, bool big, List<Tag> tags, int pages, List<long> offsets, List<long> counts, Action<ReadOnlySpan<byte>> put)
    {
        var (offsetBytes, entryBytes, countBytes) = big ? (8, 20, 8) : (4, 12, 2);
        var strips = offsets.Count / pages;
        byte[] Places(List<long> all, int page)
        {
            var bytes = new byte[strips * offsetBytes];
            for (var i = 0; i < strips; i++) Put(bytes.AsSpan(i * offsetBytes), all[page * strips + i], offsetBytes);
            return bytes;
        }
        var placeType = big ? 16 : 4;
        Align();
        var shared = new Dictionary<int, long>();
        foreach (var tag in tags.Where(tag => tag.Values.Length > offsetBytes)) shared.Add(tag.Number, Append(tag.Values));
        var previous = big ? 8L : 4L; // where the place of the next directory is to be filled in: first in the header
        for (var page = 0; page < pages; page++)
        {
            Tag offset = new(TiffTag.StripOffsets, placeType, strips, Places(offsets, page));
            Tag count = new(TiffTag.StripByteCounts, placeType, strips, Places(counts, page));
            var mine = new Dictionary<int, long>(shared);
            foreach (var tag in new[] { offset, count }.Where(tag => tag.Values.Length > offsetBytes)) mine.Add(tag.Number, Append(tag.Values));
            // ImageJ and libtiff need the description on the first page only
            var some = page == 0 ? tags : tags.Where(tag => tag.Number != TiffTag.Description);
            var entries = some.Concat([offset, count]).OrderBy(tag => tag.Number).ToList();
            var bytes = new byte[countBytes + entries.Count * entryBytes + offsetBytes];
            Put(bytes, entries.Count, countBytes);
            for (var i = 0; i < entries.Count; i++)
            {
                var entry = bytes.AsSpan(countBytes + i * entryBytes, entryBytes);
                Put(entry, entries[i].Number, 2);
                Put(entry[2..], entries[i].Type, 2);
                Put(entry[4..], entries[i].Count, offsetBytes);
                if (mine.TryGetValue(entries[i].Number, out var place)) Put(entry[(4 + offsetBytes)..], place, offsetBytes);
                else entries[i].Values.CopyTo(entry[(4 + offsetBytes)..]);
            }
            var at = stream.Position;
            // directories follow one another: the place of the next is known when the lists of the next page are in memory
            if (page + 1 < pages) Put(bytes.AsSpan(bytes.Length - offsetBytes), Next(at + bytes.Length), offsetBytes);
            put(bytes);
            Align();
            if (page == 0) Patch(previous, at);
        }

        long Next(long end) => Even(end) + (strips * offsetBytes > offsetBytes ? 2 * Even(strips * offsetBytes) : 0);
        long Append(byte[] values)
        {
            var at = stream.Position;
            put(values);
            Align();
            return at;
        }
        void Align()
        {
            if ((stream.Position & 1) != 0) put([0]);
        }
        void Patch(long where, long value)
        {
            var bytes = new byte[offsetBytes];
            Put(bytes, value, offsetBytes);
            var end = stream.Position;
            stream.Position = where;
            put(bytes);
            stream.Position = end;
        }
    }

    private static long Even(long position) => position + (position & 1);

    private static void Put(Span<byte> target, long value, int bytes)
    {
        for (var i = 0; i < bytes; i++) target[i] = (byte)(value >> (8 * i));
    }

    // continued fraction: the last convergent whose terms fit 32 bits; 1/5.43 becomes 100/543
    private static (uint, uint) Fraction(double value)
    {
        (double P, double Q) before = (0, 1), now = (1, 0);
        var rest = value;
        for (var i = 0; i < 40; i++)
        {
            var whole = Math.Floor(rest);
            (double P, double Q) next = (whole * now.P + before.P, whole * now.Q + before.Q);
            if (next.P > uint.MaxValue || next.Q > uint.MaxValue) break;
            (before, now) = (now, next);
            if (Math.Abs(now.P / now.Q - value) <= 1e-15 * value || rest == whole) break;
            rest = 1 / (rest - whole);
        }
        return now.P > 0 && now.Q > 0 ? ((uint)now.P, (uint)now.Q) : value < 1 ? (1u, uint.MaxValue) : (uint.MaxValue, 1u);
    }
}

/// <summary>The predictors, forwards.</summary>
internal static class TiffPredictor
{
    /// <summary>Replaces rows by their differences: 2 for whole numbers, 3 (bytes by significance, then differences) for float.</summary>
    public static void Apply(Span<byte> data, int rowBytes, PixelType type)
    {
        var scratch = type == PixelType.Float32 ? new byte[rowBytes] : [];
        for (var y = 0; y < data.Length; y += rowBytes)
        {
            var row = data.Slice(y, rowBytes);
            if (type == PixelType.UInt16)
            {
                var words = MemoryMarshal.Cast<byte, ushort>(row);
                for (var i = words.Length - 1; i > 0; i--) words[i] -= words[i - 1];
                continue;
            }
            if (type == PixelType.Float32)
            {
                row.CopyTo(scratch);
                var count = rowBytes / 4;
                for (var i = 0; i < rowBytes; i++) row[i] = scratch[i % count * 4 + 3 - i / count];
            }
            for (var i = rowBytes - 1; i > 0; i--) row[i] -= row[i - 1];
        }
    }
}

using System.Buffers;

namespace Kerf.Volumes;

/// <summary>What a kernel sees outside the volume.</summary>
public enum Border
{
    /// <summary>Mirrored without repeating the edge voxel: index −1 reads 1 (ilastik, vigra, scipy's "mirror").</summary>
    Mirror,

    /// <summary>The nearest voxel of the volume, repeated (scipy's "nearest").</summary>
    Nearest,

    /// <summary>Zero.</summary>
    Zero,
}

/// <summary>Reads boxes that reach outside a volume.</summary>
public static class Borders
{
    /// <summary>The index inside 0 … <paramref name="length"/> − 1 that stands for <paramref name="index"/>, or −1 for <see cref="Border.Zero"/> outside.</summary>
    public static int Map(Border border, int index, int length)
    {
        if ((uint)index < (uint)length) return index;
        switch (border)
        {
            case Border.Nearest:
                return index < 0 ? 0 : length - 1;
            case Border.Mirror when length == 1:
                return 0;
            case Border.Mirror:
                var period = 2 * (length - 1);
                var folded = ((index % period) + period) % period;
                return folded < length ? folded : period - folded;
            default:
                return -1;
        }
    }

    /// <summary>Slices of a box one by one, also those that lie outside the volume: what stands for slice <paramref name="z"/> of <paramref name="box"/>.</summary>
    public static void ReadSlice<T>(IVolume<T> volume, Box box, int z, Border border, Span<T> target) where T : unmanaged
    {
        var mapped = Map(border, box.Start.Z + z, volume.Info.Size.Z);
        if (mapped < 0) target[..(int)box.Size.SliceCount].Clear();
        else Read(volume, new(box.Start with { Z = mapped }, box.Size with { Z = 1 }), border, target);
    }

    /// <summary>Fills <paramref name="target"/> with <paramref name="box"/>, x fastest, by the border rule where it reaches outside the volume.</summary>
    public static void Read<T>(IVolume<T> volume, Box box, Border border, Span<T> target) where T : unmanaged
    {
        var inside = box.Intersect(Box.Whole(volume.Info.Size));
        if (inside == box)
        {
            volume.Read(box, target);
            return;
        }
        var count = checked((int)inside.Count);
        var buffer = ArrayPool<T>.Shared.Rent(Math.Max(1, count));
        volume.Read(inside, buffer);
        Spread<T>(buffer.AsSpan(0, count), inside, volume.Info.Size, box, border, target);
        ArrayPool<T>.Shared.Return(buffer);
    }

    // Mirror and Nearest only ever ask for voxels of the clipped box: a mirrored index −k is read only when the box spans −k … k or more
    private static void Spread<T>(ReadOnlySpan<T> buffer, Box inside, Size3 volume, Box box, Border border, Span<T> target) where T : unmanaged
    {
        var columns = new int[box.Size.X];
        for (var x = 0; x < columns.Length; x++)
        {
            var mapped = Map(border, box.Start.X + x, volume.X);
            columns[x] = mapped < 0 ? -1 : mapped - inside.Start.X;
        }
        var left = Math.Min(inside.Start.X - box.Start.X, box.Size.X);
        for (var z = 0; z < box.Size.Z; z++)
        {
            var fromZ = Map(border, box.Start.Z + z, volume.Z);
            for (var y = 0; y < box.Size.Y; y++)
            {
                var fromY = Map(border, box.Start.Y + y, volume.Y);
                var row = target.Slice((int)(((long)z * box.Size.Y + y) * box.Size.X), box.Size.X);
                if (fromZ < 0 || fromY < 0)
                {
                    row.Clear();
                    continue;
                }
                var source = buffer.Slice((int)(((long)(fromZ - inside.Start.Z) * inside.Size.Y + fromY - inside.Start.Y) * inside.Size.X), inside.Size.X);
                source.CopyTo(row[left..]);
                Outside(source, columns.AsSpan(0, left), row);
                Outside(source, columns.AsSpan(left + source.Length), row[(left + source.Length)..]);
            }
        }

        static void Outside(ReadOnlySpan<T> source, ReadOnlySpan<int> columns, Span<T> row)
        {
            for (var x = 0; x < columns.Length; x++) row[x] = columns[x] < 0 ? default : source[columns[x]];
        }
    }
}

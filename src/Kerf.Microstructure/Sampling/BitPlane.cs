using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>One plane of a mask, a bit per voxel, rows padded with zeros to whole words of 64; column c is bit c mod 64 of word c / 64.</summary>
internal sealed class BitPlane
{
    /// <summary>A plane of zeros.</summary>
    public BitPlane(int rows, int columns)
    {
        (Rows, Columns, Words) = (rows, columns, (columns + 63) / 64);
        Bits = new ulong[rows * Words];
    }

    /// <summary>Rows.</summary>
    public int Rows { get; }

    /// <summary>Columns.</summary>
    public int Columns { get; }

    /// <summary>Words of a row.</summary>
    public int Words { get; }

    /// <summary>All rows.</summary>
    public ulong[] Bits { get; }

    /// <summary>The words of a row.</summary>
    public Span<ulong> Row(int row) => Bits.AsSpan(row * Words, Words);

    /// <summary>Takes over voxels that are 0 or 1, row by row.</summary>
    public void Fill(ReadOnlySpan<byte> voxels)
    {
        for (var row = 0; row < Rows; row++) FillRow(row, voxels.Slice(row * Columns, Columns));
    }

    /// <summary>Takes over the voxels, 0 or 1, of one row.</summary>
    public void FillRow(int row, ReadOnlySpan<byte> voxels)
    {
        var to = Row(row);
        to.Clear();
        var eights = MemoryMarshal.Cast<byte, ulong>(voxels);
        // gathers the lowest bits of eight bytes in the highest byte
        for (var i = 0; i < eights.Length; i++) to[i >> 3] |= eights[i] * 0x0102040810204080 >> 56 << 8 * (i & 7);
        for (var column = eights.Length * 8; column < voxels.Length; column++) to[column >> 6] |= (ulong)voxels[column] << column;
    }

    /// <summary>Every bit of every row set.</summary>
    public void FillWhole()
    {
        for (var row = 0; row < Rows; row++)
        {
            Row(row).Fill(ulong.MaxValue);
            if (Columns % 64 != 0) Row(row)[^1] = (1UL << Columns) - 1;
        }
    }

    /// <summary>Rows become columns. Squares of 64×64 bits are turned by exchanging halves, quarters, … (Warren, Hacker's Delight, 7-3).</summary>
    public void TransposeTo(BitPlane target)
    {
        Span<ulong> square = stackalloc ulong[64];
        for (var word = 0; word < Words; word++)
        {
            for (var row = 0; row < Rows; row += 64)
            {
                for (var i = 0; i < 64; i++) square[i] = row + i < Rows ? Bits[(row + i) * Words + word] : 0;
                Turn(square);
                for (var i = 0; i < 64 && word * 64 + i < Columns; i++) target.Bits[(word * 64 + i) * target.Words + row / 64] = square[i];
            }
        }
    }

    private static void Turn(Span<ulong> square)
    {
        var mask = 0x00000000FFFFFFFFUL;
        for (var half = 32; half > 0; half >>= 1, mask ^= mask << half)
        {
            for (var i = 0; i < 64; i = (i + half + 1) & ~half)
            {
                var exchanged = (square[i] >> half ^ square[i + half]) & mask;
                square[i] ^= exchanged << half;
                square[i + half] ^= exchanged;
            }
        }
    }
}

/// <summary>Gets the voxels of a plane across an axis, row by row: rows run along z (y for z-planes), columns along x (y for x-planes).</summary>
internal delegate void PlaneWork(int plane, ReadOnlySpan<byte> voxels);

/// <summary>Walks the planes across any axis.</summary>
internal static class Planes
{
    /// <summary>Planes of a group, which one thread walks in ascending order: sums over a group do not depend on threads.</summary>
    public const int Group = 16;

    /// <summary>The axis that the rows of a plane are counted along.</summary>
    public static int RowAxis(int normal) => normal == 0 ? 1 : 0;

    /// <summary>The axis that the columns of a plane are counted along.</summary>
    public static int ColumnAxis(int normal) => normal == 2 ? 1 : 2;

    /// <summary>Calls <paramref name="begin"/> for each group of planes; it returns the work for each plane and what to do after the last one.</summary>
    /// <param name="volume">What is read.</param>
    /// <param name="normal">The axis across the planes; 0 is z.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="begin">Called with the number of the group.</param>
    /// <param name="scratchBytes">Bytes that the work of one group allocates.</param>
    /// <exception cref="InputError">A group of planes does not fit the memory budget.</exception>
    public static void ForEach(IVolume<byte> volume, int normal, Traversal walk, Func<int, (PlaneWork Plane, Action End)> begin, long scratchBytes = 0)
    {
        var size = volume.Info.Size;
        long plane = size.Count / size[normal];
        var affordable = walk.MemoryBytes / 2 / (plane * (Group + 4) + scratchBytes);
        if (affordable < 1) throw new InputError(
            $"memory budget of {walk.MemoryBytes >> 20} MiB is too small: {Group} planes across {((Axis)normal).Letter()} need {2 * (plane * (Group + 4) + scratchBytes) >> 20} MiB. Raise --memory.");
        // used again from group to group: they are so large that garbage of them would fill the budget
        var kept = new ConcurrentBag<(byte[] Slab, byte[] Plane)>();
        walk.ForEach((size[normal] + Group - 1) / Group, group =>
        {
            var count = Math.Min(Group, size[normal] - group * Group);
            if (!kept.TryTake(out var buffers)) buffers = (new byte[plane * Math.Min(Group, size[normal])], normal == 0 ? [] : new byte[plane]);
            var (slab, voxels) = buffers;
            volume.Read(Slab(size, normal, group * Group, count), slab);
            var (work, end) = begin(group);
            for (var i = 0; i < count; i++)
            {
                if (normal == 0) work(group * Group + i, slab.AsSpan((int)(i * plane), (int)plane));
                else
                {
                    Extract(slab, size, normal, i, count, voxels);
                    work(group * Group + i, voxels);
                }
            }
            end();
            kept.Add(buffers);
        }, (int)Math.Min(affordable, walk.Threads));
    }

    private static Box Slab(Size3 size, int normal, int first, int count) => normal switch
    {
        0 => Box.Slices(size, first, count),
        1 => new(new(0, first, 0), new(size.Z, count, size.X)),
        _ => new(new(0, 0, first), new(size.Z, size.Y, count)),
    };

    private static void Extract(byte[] slab, Size3 size, int normal, int plane, int count, byte[] voxels)
    {
        if (normal == 1)
        {
            for (var z = 0; z < size.Z; z++) slab.AsSpan((z * count + plane) * size.X, size.X).CopyTo(voxels.AsSpan(z * size.X));
            return;
        }
        for (int i = 0, from = plane; i < voxels.Length; i++, from += count) voxels[i] = slab[from];
    }
}

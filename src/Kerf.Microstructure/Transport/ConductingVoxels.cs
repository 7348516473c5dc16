using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// The voxels that conduct, one bit each, seen along the flow: layers from inlet to outlet, rows in a layer, columns in a row. A voxel's number is
/// its rank among the conducting ones in this order, so vectors hold nothing for the others.
/// </summary>
internal sealed class ConductingVoxels
{
    private readonly ulong[] _bits;

    private ConductingVoxels(Size3 size, bool periodic)
    {
        (Size, IsPeriodic, Words) = (size, periodic, (size.X + 63) / 64);
        // one more row stays empty: it stands for what lies outside
        _bits = new ulong[((long)Rows + 1) * Words];
        Start = new int[Rows + 2];
    }

    /// <summary>Layers, rows, columns: the volume's axes with the flow's first.</summary>
    public Size3 Size { get; }

    /// <summary>The sides (not the inlet and the outlet) continue on the other side.</summary>
    public bool IsPeriodic { get; }

    /// <summary>64-bit words of a row.</summary>
    public int Words { get; }

    /// <summary>Rows of all layers.</summary>
    public int Rows => Size.Z * Size.Y;

    /// <summary>The number of the first voxel of each row; the last two entries are all there are.</summary>
    public int[] Start { get; }

    /// <summary>Conducting voxels.</summary>
    public int Count => Start[Rows];

    /// <summary>The bits of a row; row <see cref="Rows"/> is empty.</summary>
    public ReadOnlySpan<ulong> Row(int row) => _bits.AsSpan((int)((long)row * Words), Words);

    /// <summary>The row <paramref name="by"/> rows further in the same layer: the empty one outside, unless the sides are periodic.</summary>
    public int Beside(int layer, int y, int by)
    {
        var other = y + by;
        if ((uint)other < (uint)Size.Y) return layer * Size.Y + other;
        return IsPeriodic && Size.Y > 1 ? layer * Size.Y + (other + Size.Y) % Size.Y : Rows;
    }

    /// <summary>The same row of another layer; the empty one outside.</summary>
    public int Across(int layer, int y, int by) => (uint)(layer + by) < (uint)Size.Z ? (layer + by) * Size.Y + y : Rows;

    /// <summary>The size of the volume with the flow's axis first, the others in their order.</summary>
    public static Size3 Turned(Size3 size, int axis) => axis switch { 0 => size, 1 => new(size.Y, size.Z, size.X), _ => new(size.X, size.Z, size.Y) };

    /// <summary>The voxels whose label conducts. One pass over the volume.</summary>
    public static ConductingVoxels Of(IVolume<byte> labels, bool[] conducts, int axis, bool periodic, Traversal walk)
    {
        var source = labels.Info.Size;
        var voxels = new ConductingVoxels(Turned(source, axis), periodic);
        Blocks.ForEachSlice(labels, walk, (z, slice) =>
        {
            for (var y = 0; y < source.Y; y++)
            {
                var row = slice.AsSpan(y * source.X, source.X);
                if (axis == 2)
                {
                    for (var x = 0; x < source.X; x++) if (conducts[row[x]]) voxels._bits[((long)x * source.Z + z) * voxels.Words + y / 64] |= 1UL << y;
                }
                else
                {
                    var bits = voxels._bits.AsSpan((int)((axis == 0 ? (long)z * source.Y + y : (long)y * source.Z + z) * voxels.Words), voxels.Words);
                    for (var x = 0; x < source.X; x++) if (conducts[row[x]]) bits[x / 64] |= 1UL << x;
                }
            }
        });
        voxels.Number();
        return voxels;
    }

    /// <summary>For each conducting voxel what <paramref name="of"/> says of its label. One more pass over the volume.</summary>
    public byte[] Labelled(IVolume<byte> labels, byte[] of, int axis, Traversal walk)
    {
        var source = labels.Info.Size;
        var values = new byte[Count];
        Blocks.ForEachSlice(labels, walk, (z, slice) =>
        {
            for (var y = 0; y < source.Y; y++)
            {
                for (var x = 0; x < source.X; x++)
                {
                    var (layer, row, column) = axis switch { 0 => (z, y, x), 1 => (y, z, x), _ => (x, z, y) };
                    var number = NumberOf(layer * Size.Y + row, column);
                    if (number >= 0) values[number] = of[slice[y * source.X + x]];
                }
            }
        });
        return values;
    }

    /// <summary>The number of a voxel; −1 when it does not conduct.</summary>
    public int NumberOf(int row, int column)
    {
        var bits = Row(row);
        if ((bits[column / 64] >> column & 1) == 0) return -1;
        var number = Start[row] + BitOperations.PopCount(bits[column / 64] & ((1UL << column) - 1));
        for (var word = 0; word < column / 64; word++) number += BitOperations.PopCount(bits[word]);
        return number;
    }

    /// <summary>Keeps the voxels that hang together, face to face, with the inlet and with the outlet.</summary>
    public void KeepPercolating(Traversal walk)
    {
        var reached = new ulong[2][];
        walk.ForEach(2, end => reached[end] = ReachedFrom(end == 0 ? 0 : Size.Z - 1));
        for (long word = 0; word < _bits.LongLength; word++) _bits[word] = reached[0][word] & reached[1][word];
        Number();
    }

    private void Number()
    {
        for (var row = 0; row < Rows; row++)
        {
            var count = 0;
            foreach (var word in Row(row)) count += BitOperations.PopCount(word);
            Start[row + 1] = checked(Start[row] + count);
        }
        Start[Rows + 1] = Start[Rows];
    }

    // rows wait in a queue, each until its neighbours have nothing new for it; the order does not show in the result
    private ulong[] ReachedFrom(int layer)
    {
        var reached = new ulong[_bits.LongLength];
        var waits = new bool[Rows + 1];
        var queue = new Queue<int>();
        var fresh = new ulong[Words];
        for (var y = 0; y < Size.Y; y++)
        {
            Row(layer * Size.Y + y).CopyTo(reached.AsSpan((int)((long)(layer * Size.Y + y) * Words), Words));
            Push(layer * Size.Y + y);
        }
        while (queue.TryDequeue(out var row))
        {
            waits[row] = false;
            var (z, y) = (row / Size.Y, row % Size.Y);
            var from = reached.AsSpan((int)((long)row * Words), Words);
            foreach (var neighbour in (ReadOnlySpan<int>)[Across(z, y, -1), Beside(z, y, -1), Beside(z, y, 1), Across(z, y, 1)])
            {
                if (neighbour == Rows) continue;
                var own = Row(neighbour);
                var to = reached.AsSpan((int)((long)neighbour * Words), Words);
                var news = 0UL;
                for (var word = 0; word < Words; word++)
                {
                    fresh[word] = to[word] | (from[word] & own[word]);
                    news |= fresh[word] ^ to[word];
                }
                if (news == 0) continue;
                Spread(own, fresh);
                fresh.CopyTo(to);
                Push(neighbour);
            }
        }
        return reached;

        void Push(int row)
        {
            if (waits[row]) return;
            waits[row] = true;
            queue.Enqueue(row);
        }
    }

    // along the row, as far as its runs reach
    private void Spread(ReadOnlySpan<ulong> own, Span<ulong> seeds)
    {
        var last = (Size.X - 1) & 63;
        while (true)
        {
            var carry = 0UL;
            for (var word = 0; word < own.Length; word++)
            {
                seeds[word] = Upwards(own[word], seeds[word] | (carry & own[word]));
                carry = seeds[word] >> 63;
            }
            carry = 0;
            for (var word = own.Length - 1; word >= 0; word--)
            {
                seeds[word] = Downwards(own[word], seeds[word] | (carry & own[word]));
                carry = seeds[word] << 63;
            }
            if (!IsPeriodic || Size.X < 2) return;
            var (first, end) = (seeds[0] & 1, seeds[^1] >> last & 1);
            if (first == end || (own[0] & 1) == 0 || (own[^1] >> last & 1) == 0) return;
            seeds[0] |= 1;
            seeds[^1] |= 1UL << last;
        }

        static ulong Upwards(ulong open, ulong seed)
        {
            for (var step = 1; step < 64; step *= 2)
            {
                seed |= open & (seed << step);
                open &= open << step;
            }
            return seed;
        }

        static ulong Downwards(ulong open, ulong seed)
        {
            for (var step = 1; step < 64; step *= 2)
            {
                seed |= open & (seed >> step);
                open &= open >> step;
            }
            return seed;
        }
    }
}

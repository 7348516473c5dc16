using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// How often two labels are neighbours, for each of the 13 directions and each tile: whole numbers, 64 voxels at a time. Also the voxels of each label.
/// </summary>
internal sealed class PairTally
{
    private const int Most = 16;
    private readonly int[] _labels;
    private readonly Size3 _size;

    private PairTally(int[] labels, TileGrid grid)
    {
        (_labels, _size) = (labels, grid.Volume);
        Pairs = [.. Enumerable.Range(0, labels.Length).SelectMany(a => Enumerable.Range(a + 1, labels.Length - a - 1).Select(b => (labels[a], labels[b])))];
        Counts = [.. Enumerable.Range(0, grid.Count).Select(_ => new long[Pairs.Length * CroftonDirections.Steps.Length])];
        Voxels = [.. Enumerable.Range(0, grid.Count).Select(_ => new long[labels.Length])];
    }

    /// <summary>The pairs of labels, the lower first.</summary>
    public (int A, int B)[] Pairs { get; }

    /// <summary>By tile, at pair · 13 + direction.</summary>
    public long[][] Counts { get; }

    /// <summary>By tile and label.</summary>
    public long[][] Voxels { get; }

    /// <summary>Counts a segmentation, in one pass.</summary>
    /// <exception cref="InputError">More than 16 labels.</exception>
    public static PairTally Of(IVolume<byte> volume, int[] labels, TileGrid grid, Traversal walk)
    {
        if (labels.Length > Most) throw new InputError(
            $"surface: the source holds {labels.Length} different values; at most {Most} phases are measured at once. Segment it first, or merge phases.");
        var result = new PairTally(labels, grid);
        SlicePairs.ForEach(volume, walk, () =>
        {
            var (here, after) = (result.Planes(), result.Planes());
            var own = new SortedDictionary<int, (long[] Counts, long[] Voxels)>();
            var last = -1;
            return (Pair, () =>
            {
                lock (result)
                {
                    foreach (var (tile, (counts, voxels)) in own)
                    {
                        for (var i = 0; i < counts.Length; i++) result.Counts[tile][i] += counts[i];
                        for (var i = 0; i < voxels.Length; i++) result.Voxels[tile][i] += voxels[i];
                    }
                }
            }
            );

            void Pair(int z, ReadOnlySpan<byte> slice, ReadOnlySpan<byte> next)
            {
                if (last == z) (here, after) = (after, here);
                else result.Fill(here, slice);
                if (next.Length > 0) result.Fill(after, next);
                last = z + 1;
                for (var y = 0; y < grid.Volume.Y; y++)
                {
                    for (var word = 0; word < here[0].Words; word++)
                    {
                        var tile = grid.Of(z, y, word * 64);
                        if (!own.TryGetValue(tile, out var tally)) own[tile] = tally = (new long[result.Counts[0].Length], new long[labels.Length]);
                        result.Count(here, next.Length > 0 ? after : null, y, word, tally.Counts, tally.Voxels);
                    }
                }
            }
        }, (long)labels.Length * grid.Volume.SliceCount / 4);
        return result;
    }

    private BitPlane[] Planes() => [.. _labels.Select(_ => new BitPlane(_size.Y, _size.X))];

    private void Fill(BitPlane[] planes, ReadOnlySpan<byte> slice)
    {
        var mask = new byte[_size.X];
        for (var label = 0; label < planes.Length; label++)
        {
            for (var y = 0; y < _size.Y; y++)
            {
                slice.Slice(y * _size.X, _size.X).CopyTo(mask);
                PhaseMask.Mark(mask, (byte)_labels[label]);
                planes[label].FillRow(y, mask);
            }
        }
    }

    private void Count(BitPlane[] here, BitPlane[]? after, int y, int word, long[] counts, long[] voxels)
    {
        for (var a = 0; a < here.Length; a++)
        {
            var mine = here[a].Row(y)[word];
            if (mine == 0) continue;
            voxels[a] += BitOperations.PopCount(mine);
            for (var b = 0; b < here.Length; b++)
            {
                if (a == b) continue;
                var at = PairOf(Math.Min(a, b), Math.Max(a, b)) * CroftonDirections.Steps.Length;
                for (var i = 0; i < CroftonDirections.Steps.Length; i++)
                {
                    var (dz, dy, dx) = CroftonDirections.Steps[i];
                    if ((dz == 1 && after is null) || (uint)(y + dy) >= (uint)_size.Y) continue;
                    counts[at + i] += BitOperations.PopCount(mine & Moved((dz == 0 ? here : after!)[b].Row(y + dy), word, dx));
                }
            }
        }
    }

    // number of the pair (a, b), a < b, in the order of Pairs
    private int PairOf(int a, int b) => a * (2 * _labels.Length - a - 1) / 2 + b - a - 1;

    // bit x holds the voxel at x + dx
    private static ulong Moved(ReadOnlySpan<ulong> row, int word, int dx) => dx switch
    {
        0 => row[word],
        1 => row[word] >> 1 | (word + 1 < row.Length ? row[word + 1] << 63 : 0),
        _ => row[word] << 1 | (word > 0 ? row[word - 1] >> 63 : 0),
    };
}

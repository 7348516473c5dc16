using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// How many pairs of voxels at a distance of 0, 1, 2 … voxels along an axis both lie in a mask, per tile of the volume: whole numbers, 64 pairs at
/// a time. A pair belongs to the tile of the 64-voxel word that holds its first voxel.
/// </summary>
/// <param name="grid">The tiles.</param>
/// <param name="periodic">Pairs reach across the border to the opposite side.</param>
internal sealed class PairCounts(TileGrid grid, bool periodic)
{
    private readonly long[][]?[] _counts = new long[3][][];

    /// <summary>The counts along an axis, by tile and lag.</summary>
    public long[][] this[Axis axis] => _counts[(int)axis] ?? throw new InvalidOperationException($"{axis} was not counted");

    /// <summary>Sum over the tiles.</summary>
    public long Total(Axis axis, int lag) => this[axis].Sum(tile => tile[lag]);

    /// <summary>Pairs that the volume has room for.</summary>
    public double Room(Axis axis, int lag)
    {
        var size = grid.Volume;
        return (double)size.Count / size[(int)axis] * (periodic ? size[(int)axis] : Math.Max(0, size[(int)axis] - lag));
    }

    /// <summary>Counts along one axis, in planes that hold it.</summary>
    /// <param name="mask">0 or 1 per voxel.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="lags">Distances 0 … lags.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public void Count(IVolume<byte> mask, Axis axis, int lags, Traversal walk)
    {
        var counts = new long[grid.Count][];
        for (var tile = 0; tile < counts.Length; tile++) counts[tile] = new long[lags + 1];
        var normal = axis == Axis.Z ? 1 : 0;
        var (rowAxis, columnAxis) = (Planes.RowAxis(normal), Planes.ColumnAxis(normal));
        Planes.ForEach(mask, normal, walk, _ =>
        {
            var bits = new BitPlane(mask.Info.Size[rowAxis], mask.Info.Size[columnAxis]);
            var longer = new ulong[bits.Words + (lags >> 6) + 2];
            var own = new Dictionary<int, int[]>();
            return ((plane, voxels) =>
            {
                bits.Fill(voxels);
                for (var row = 0; row < bits.Rows; row++)
                {
                    var words = bits.Row(row);
                    if (axis == Axis.X) Lengthen(words, bits.Columns, longer);
                    for (var word = 0; word < words.Length; word++)
                    {
                        if (words[word] == 0) continue;
                        var tile = normal == 0 ? grid.Of(plane, row, word * 64) : grid.Of(row, plane, word * 64);
                        if (!own.TryGetValue(tile, out var tally)) own[tile] = tally = new int[lags + 1];
                        if (axis == Axis.X) Along(words[word], longer.AsSpan(word), tally);
                        else Across(words[word], bits, row, word, tally);
                    }
                }
            }, () =>
            {
                lock (counts)
                {
                    foreach (var (tile, tally) in own)
                    {
                        for (var lag = 0; lag <= lags; lag++) counts[tile][lag] += tally[lag];
                    }
                }
            }
            );
        });
        _counts[(int)axis] = counts;
    }

    // the row, then zeros or, in periodic data, its beginning again
    private void Lengthen(ReadOnlySpan<ulong> words, int columns, ulong[] longer)
    {
        longer.AsSpan().Clear();
        words.CopyTo(longer);
        if (!periodic) return;
        for (var column = columns; column < longer.Length * 64; column++)
        {
            var from = column - columns;
            longer[column >> 6] |= (longer[from >> 6] >> from & 1) << column;
        }
    }

    private static void Along(ulong word, ReadOnlySpan<ulong> row, int[] tally)
    {
        for (int first = 0, at = 0; first < tally.Length; first += 64, at++)
        {
            var (low, high) = (row[at], row[at + 1] << 1);
            var last = Math.Min(64, tally.Length - first);
            for (var shift = 0; shift < last; shift++)
                tally[first + shift] += BitOperations.PopCount(word & (low >> shift | high << (63 - shift)));
        }
    }

    private void Across(ulong word, BitPlane bits, int row, int at, int[] tally)
    {
        var inside = Math.Min(tally.Length, bits.Rows - row);
        var from = row * bits.Words + at;
        for (var lag = 0; lag < inside; lag++, from += bits.Words) tally[lag] += BitOperations.PopCount(word & bits.Bits[from]);
        if (!periodic) return;
        for (var lag = inside; lag < tally.Length; lag++) tally[lag] += BitOperations.PopCount(word & bits.Bits[(row + lag) % bits.Rows * bits.Words + at]);
    }
}

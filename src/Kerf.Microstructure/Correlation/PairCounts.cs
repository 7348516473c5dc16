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
    private readonly double[][]?[] _linear = new double[3][][];

    /// <summary>The counts along an axis, by tile and lag.</summary>
    public long[][] this[Axis axis] => _counts[(int)axis] ?? throw new InvalidOperationException($"{axis} was not counted");

    /// <summary>Sum over the tiles.</summary>
    public long Total(Axis axis, int lag) => this[axis].Sum(tile => tile[lag]);

    /// <summary>Pairs that there is room for, by tile.</summary>
    public double[] Room(Axis axis, int lag) => [.. Enumerable.Range(0, grid.Count).Select(tile =>
    {
        var (box, at, extent) = (grid[tile], (int)axis, grid.Volume[(int)axis]);
        var positions = periodic ? box.Size[at] : Math.Max(0, Math.Min(box.End[at], extent - lag) - box.Start[at]);
        return (double)(box.Count / Math.Max(1, box.Size[at])) * positions;
    })];

    /// <summary>
    /// By tile and lag, how many voxels of the mask stand in the pairs' first place, plus how many in the second. What of a tile's pairs follows
    /// from the amount of the phase around it, and not from how it is arranged, is the fraction times this.
    /// </summary>
    public double[][] Linear(Axis axis) => _linear[(int)axis] ?? throw new InvalidOperationException($"{axis} was not counted");

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
        // voxels of the mask by position along the axis, in each column of tiles
        var profiles = new Dictionary<int, long[]>();
        Planes.ForEach(mask, normal, walk, _ =>
        {
            var profile = new Dictionary<int, long[]>();
            var bits = new BitPlane(mask.Info.Size[rowAxis], mask.Info.Size[columnAxis]);
            var longer = new ulong[bits.Words + (lags >> 6) + 2];
            var own = new Dictionary<int, int[]>();
            return ((plane, voxels) =>
            {
                bits.Fill(voxels);
                AddProfile(profile, voxels, plane, axis);
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
                    foreach (var (column, values) in profile) Add(profiles, column, values);
                    foreach (var (tile, tally) in own)
                    {
                        for (var lag = 0; lag <= lags; lag++) counts[tile][lag] += tally[lag];
                    }
                }
            }
            );
        });
        _counts[(int)axis] = counts;
        _linear[(int)axis] = [.. Enumerable.Range(0, grid.Count).Select(tile => Linear(axis, tile, profiles, lags))];
    }

    private static void Add(Dictionary<int, long[]> to, int column, long[] values)
    {
        if (!to.TryGetValue(column, out var sum)) to[column] = sum = new long[values.Length];
        for (var i = 0; i < sum.Length; i++) sum[i] += values[i];
    }

    // a column of tiles along the axis has the number of its first tile
    private void AddProfile(Dictionary<int, long[]> profile, ReadOnlySpan<byte> voxels, int plane, Axis axis)
    {
        var size = grid.Volume;
        for (int row = 0, i = 0; i < voxels.Length; row++)
        {
            var line = voxels.Slice(i, size.X);
            i += size.X;
            if (axis == Axis.X)
            {
                if (!profile.TryGetValue(grid.Of(plane, row, 0), out var along)) profile[grid.Of(plane, row, 0)] = along = new long[size.X];
                for (var x = 0; x < line.Length; x++) along[x] += line[x];
                continue;
            }
            for (var tile = 0; tile < grid.Tiles.X; tile++)
            {
                var part = grid[tile];
                var column = axis == Axis.Y ? grid.Of(plane, 0, part.Start.X) : grid.Of(0, plane, part.Start.X);
                if (!profile.TryGetValue(column, out var along)) profile[column] = along = new long[size[(int)axis]];
                foreach (var voxel in line.Slice(part.Start.X, part.Size.X)) along[row] += voxel;
            }
        }
    }

    private double[] Linear(Axis axis, int tile, Dictionary<int, long[]> profiles, int lags)
    {
        var (box, extent) = (grid[tile], grid.Volume[(int)axis]);
        var first = axis switch { Axis.Z => grid.Of(0, box.Start.Y, box.Start.X), Axis.Y => grid.Of(box.Start.Z, 0, box.Start.X), _ => grid.Of(box.Start.Z, box.Start.Y, 0) };
        var before = new long[2 * extent + 1];
        for (var i = 0; i < 2 * extent; i++) before[i + 1] = before[i] + (i < extent || periodic ? profiles[first][i % extent] : 0);
        var (start, end) = (box.Start[(int)axis], box.End[(int)axis]);
        return [.. Enumerable.Range(0, lags + 1).Select(lag =>
        {
            var last = periodic ? extent : extent - lag;
            return (double)(before[Math.Min(end, last)] - before[Math.Min(start, last)] + before[end + lag] - before[start + lag]);
        })];
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

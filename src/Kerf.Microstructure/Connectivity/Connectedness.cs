using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Euler number, parts and percolation of a phase: see <c>docs/methods/connectivity.md</c>.</summary>
[Operation("connectivity", "Euler number of a phase and per volume, its number of parts, and the share of it that connects opposite faces along each axis.")]
public sealed record Connectedness : PhaseMeasure
{
    // offsets of the 8 voxels of a cell: bit 2 is z, bit 1 is y, bit 0 is x
    private static readonly int[] Cells = [.. Enumerable.Range(0, 8)];

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "connectivity", walk).AtLeast(Size3.Cube(2), "connectivity");
        var (info, name) = (mask.Info, mask.Phase.Name);
        var grid = TileGrid.Of(info, 512, grain: 64);
        var counts = Count(mask, grid, walk.Part(0, 0.5));
        var parts = Parts.Of(mask, walk.Part(0.5, 1));
        var total = new double[9];
        foreach (var tile in counts)
        {
            for (var i = 0; i < 9; i++) total[i] += tile[i];
        }
        // places that each kind of cell has in a whole volume, as shares of the voxels: the tiles' sums are corrected by them
        var room = Cells.Select(cell => Room(info.Size, cell)).ToArray();
        var voxel = Lengths.Voxel(info).Volume;
        double Density(double[] sums) => Cells.Sum(cell => Sign(cell) * sums[cell] / room[cell]) * info.Size.Count / sums[8] / voxel;
        var (density, number) = (Density(total), Cells.Sum(cell => Sign(cell) * total[cell]));
        var interval = BlockBootstrap.Of(counts, grid, Density, seed, walk);
        // of the number, by as much as the density would change it
        double? End(double? end) => number + (end - density) * info.Size.Count * voxel;
        const string Method = "connectivity/block-bootstrap-95";
        List<Measurement> measurements =
        [
            new("eulerNumber", name, null, number, "1", End(interval?.Low), End(interval?.High), Method),
            new("eulerDensity", name, null, density, Lengths.Unit(info, -3), interval?.Low, interval?.High, Method),
            new("partCount", name, null, parts.Count, "1", null, null, "connectivity/count"),
            new("largestPart", name, null, parts.Largest, "1", null, null, "connectivity/count"),
        ];
        measurements.AddRange(Axes.Select(axis => new Measurement("percolatingFraction", name, axis.Letter(), parts.Percolating[(int)axis], "1", null, null, "connectivity/count")));
        return new(measurements, []);
    }

    private static int Sign(int cell) => BitOperations.PopCount((uint)cell) % 2 == 0 ? 1 : -1;

    private static double Room(Size3 size, int cell) => (double)(size.Z - (cell >> 2)) * (size.Y - (cell >> 1 & 1)) * (size.X - (cell & 1));

    // by tile: cells whose voxels are all of the phase, for single voxels, pairs, squares and cubes (number = bits of their extent); then all voxels
    private static double[][] Count(PhaseMask mask, TileGrid grid, Traversal walk)
    {
        var size = mask.Info.Size;
        double[][] tiles = [.. Enumerable.Range(0, grid.Count).Select(tile => (double[])[0, 0, 0, 0, 0, 0, 0, 0, grid[tile].Count])];
        SlicePairs.ForEach(mask, walk, () =>
        {
            var (here, after) = (new BitPlane(size.Y, size.X), new BitPlane(size.Y, size.X));
            var own = new SortedDictionary<int, long[]>();
            return ((z, slice, next) =>
            {
                here.Fill(slice);
                if (next.Length > 0) after.Fill(next);
                else after.Bits.AsSpan().Clear();
                for (var y = 0; y < size.Y; y++)
                {
                    for (var word = 0; word < here.Words; word++)
                    {
                        if (here.Row(y)[word] == 0) continue;
                        if (!own.TryGetValue(grid.Of(z, y, word * 64), out var tally)) own[grid.Of(z, y, word * 64)] = tally = new long[8];
                        Tally(here, after, y, word, tally);
                    }
                }
            }, () =>
            {
                lock (tiles)
                {
                    // whole numbers: the order does not show
                    foreach (var (tile, tally) in own)
                    {
                        for (var cell = 0; cell < 8; cell++) tiles[tile][cell] += tally[cell];
                    }
                }
            }
            );
        });
        return tiles;
    }

    private static void Tally(BitPlane here, BitPlane after, int y, int word, long[] tally)
    {
        Span<ulong> voxels = stackalloc ulong[8];
        for (var at = 0; at < 8; at++)
        {
            var plane = (at & 4) == 0 ? here : after;
            if (y + (at >> 1 & 1) >= plane.Rows) continue;
            var row = plane.Row(y + (at >> 1 & 1));
            voxels[at] = (at & 1) == 0 ? row[word] : row[word] >> 1 | (word + 1 < row.Length ? row[word + 1] << 63 : 0);
        }
        for (var cell = 0; cell < 8; cell++)
        {
            var all = ulong.MaxValue;
            for (var at = 0; at < 8; at++)
            {
                if ((at & ~cell) == 0) all &= voxels[at];
            }
            tally[cell] += BitOperations.PopCount(all);
        }
    }
}

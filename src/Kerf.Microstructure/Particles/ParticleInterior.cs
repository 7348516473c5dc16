using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Solid fraction of a porous particle: global, against the depth below its boundary, and on cross-sections. See <see cref="RollingBall"/> and
/// <c>docs/methods/particle-interior.md</c>.
/// </summary>
[Operation("particle-interior", "Finds the inner pores of a particle with a rolling ball; its solid fraction, by depth and on cross-sections.")]
public sealed record ParticleInterior : PhaseMeasure
{
    private const string Method = "particle-interior/block-bootstrap-95";

    /// <summary>Radius of the rolling ball.</summary>
    [Parameter("Radius of the ball that rolls in from outside; void that it cannot reach belongs to the particle. Larger than its pores, smaller than its dents.",
        Unit = "nm", Min = 0)]
    public double Radius { get; init; } = 150;

    /// <summary>Thickness of a shell.</summary>
    [Parameter("Thickness of a shell of equal depth.", Unit = "nm", Min = 0.001)]
    public double Shell { get; init; } = 10;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed) => Of(Mask(source, "particle-interior", walk), walk, seed);

    // what is counted of a slice: particle and solid voxels, per tile, per shell, per row and per column
    private sealed record Slice(long[] Tiles, long[] Shells, long[] Rows, long[] Columns);

    private Measured Of(PhaseMask mask, Traversal walk, ulong seed)
    {
        mask.Info.RequireVoxel("particle-interior");
        var regions = RollingBall.Of(mask, Radius, walk.Part(0, 0.6));
        // 1 and 2 are the particle
        var depth = DistanceMap.Squared(regions, walk.Part(0.6, 0.9));
        var (size, voxel, grid) = (mask.Info.Size, mask.Voxel, TileGrid.Of(mask.Info));
        var deepest = Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.Max<float>(depth)) * voxel.X;
        var slices = new Slice[size.Z];
        walk.Part(0.9, 1).ForEach(size.Z, z => slices[z] = Count(regions, depth, z, grid, (int)(deepest / Shell) + 1));
        var tiles = Tiles(slices, grid);
        var (all, solid) = (tiles.Sum(tile => tile[0]), tiles.Sum(tile => tile[1]));
        var interval = BlockBootstrap.Intervals(tiles, grid, sums => [sums[1] / sums[0], 1 - sums[1] / sums[0]], seed, walk);
        var pore = all - solid;
        Measurement Number(string name, double value, string unit, Interval? ends = null, string? axis = null, string method = "particle-interior") =>
            new(name, mask.Phase.Name, axis, value, unit, ends?.Low, ends?.High, method);
        var sections = Axes.Select(axis => (Axis: axis, Curve: Section(slices, axis, voxel))).ToArray();
        return new(
            [
                Number("solidFraction", solid / all, "1", interval[0], method: Method), Number("innerPorosity", pore / all, "1", interval[1], method: Method),
                Number("particleVolume", all * voxel.Volume, "nm³"), Number("innerPoreVolume", pore * voxel.Volume, "nm³"), Number("particleDepth", deepest, "nm"),
                .. sections.Select(section => Number("crossSectionDeviation", Deviation(section.Curve.Y), "1", axis: section.Axis.Letter())),
            ],
            [.. Depths(slices), .. sections.Select(section => section.Curve)]);
    }

    private Slice Count(Volume<byte> regions, float[] depth, int z, TileGrid grid, int shells)
    {
        var size = regions.Info.Size;
        var slice = new Slice(new long[2 * grid.Tiles.Y * grid.Tiles.X], new long[2 * shells], new long[2 * size.Y], new long[2 * size.X]);
        var voxels = regions.Slice(z);
        var squared = depth.AsSpan((int)(z * size.SliceCount), (int)size.SliceCount);
        var edge = Lengths.Voxel(regions.Info).X;
        for (int y = 0, i = 0; y < size.Y; y++)
        {
            var row = grid.Along(1, y) * grid.Tiles.X;
            for (var x = 0; x < size.X; x++, i++)
            {
                if (voxels[i] == RollingBall.Outside) continue;
                var solid = voxels[i] == RollingBall.Solid ? 1 : 0;
                var shell = Math.Min((int)(Math.Sqrt(squared[i]) * edge / Shell), shells - 1);
                Add(slice.Tiles, row + grid.Along(2, x), solid);
                Add(slice.Shells, shell, solid);
                Add(slice.Rows, y, solid);
                Add(slice.Columns, x, solid);
            }
        }
        return slice;

        static void Add(long[] counts, int at, int solid)
        {
            counts[2 * at]++;
            counts[2 * at + 1] += solid;
        }
    }

    private static double[][] Tiles(Slice[] slices, TileGrid grid)
    {
        var tiles = new double[grid.Count][];
        for (var tile = 0; tile < tiles.Length; tile++) tiles[tile] = new double[2];
        for (var z = 0; z < slices.Length; z++)
        {
            var first = grid.Along(0, z) * grid.Tiles.Y * grid.Tiles.X;
            for (var i = 0; i < slices[z].Tiles.Length; i++) tiles[first + i / 2][i % 2] += slices[z].Tiles[i];
        }
        return tiles;
    }

    private Curve[] Depths(Slice[] slices)
    {
        var counts = Total(slices.Select(slice => slice.Shells));
        var (all, solid) = (0.0, 0.0);
        List<double> at = [], local = [], upTo = [], cumulative = [];
        for (var shell = 0; shell < counts.Length / 2; shell++)
        {
            (all, solid) = (all + counts[2 * shell], solid + counts[2 * shell + 1]);
            // no voxel lies at a depth that falls between those of the lattice
            if (counts[2 * shell] == 0) continue;
            at.Add((shell + 0.5) * Shell);
            local.Add((double)counts[2 * shell + 1] / counts[2 * shell]);
            upTo.Add((shell + 1) * Shell);
            cumulative.Add(solid / all);
        }
        return [new("solid-depth-local", [.. at], [.. local], "nm"), new("solid-depth-cumulative", [.. upTo], [.. cumulative], "nm")];
    }

    private static long[] Total(IEnumerable<long[]> parts)
    {
        long[]? total = null;
        foreach (var part in parts)
        {
            total ??= new long[part.Length];
            for (var i = 0; i < total.Length; i++) total[i] += part[i];
        }
        return total!;
    }

    // solid share of the particle on each cross-section that it touches
    private static Curve Section(Slice[] slices, Axis axis, VoxelSize voxel)
    {
        var counts = (int)axis switch
        {
            0 => [.. slices.SelectMany(slice => (long[])[slice.Columns.Where((_, i) => i % 2 == 0).Sum(), slice.Columns.Where((_, i) => i % 2 == 1).Sum()])],
            1 => Total(slices.Select(slice => slice.Rows)),
            _ => Total(slices.Select(slice => slice.Columns)),
        };
        int[] there = [.. Enumerable.Range(0, counts.Length / 2).Where(i => counts[2 * i] > 0)];
        return new($"solid-{axis.Letter()}", [.. there.Select(i => i * voxel[(int)axis])], [.. there.Select(i => (double)counts[2 * i + 1] / counts[2 * i])], "nm");
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}

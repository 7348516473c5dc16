using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Whether a volume was large enough for its phase fraction: see <c>docs/methods/representativeness.md</c>.</summary>
[Operation("representativeness", "Phase fraction and its spread against subvolume size, the size that a wanted accuracy needs, and whether this volume has it.")]
public sealed record Representativeness : PhaseMeasure
{
    private const int FewestSubvolumes = 8;

    /// <summary>Wanted accuracy.</summary>
    [Parameter("Half the 95 % interval of the fraction that is good enough, relative to the fraction.", Min = 1e-6, Max = 1)]
    public double Tolerance { get; init; } = 0.05;

    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "representativeness", walk).AtLeast(Size3.Cube(8), "representativeness");
        var (info, voxel) = (mask.Info, mask.Voxel);
        var grid = TileGrid.Of(info, 4096);
        var (phase, room) = (Count(mask, grid, walk.Part(0, 0.5)), mask.Specimen(walk) is { } specimen ? Count(specimen, grid, walk.Part(0.5, 1)) : null);
        double[][] tiles = [.. phase.Select((count, tile) => (double[])[count, room?[tile] ?? grid[tile].Count])];
        var fraction = tiles.Sum(tile => tile[0]) / tiles.Sum(tile => tile[1]);
        var edge = Math.Cbrt(tiles.Sum(tile => tile[1]) / grid.Count * voxel.Volume);
        var levels = new List<(double Edge, double Mean, double Spread)>();
        for (var level = 0; ; level++)
        {
            var blocks = BlockBootstrap.Merge(tiles, grid, level);
            if (blocks.Length < FewestSubvolumes) break;
            var fractions = blocks.Where(block => block[1] > 0).Select(block => block[0] / block[1]).ToArray();
            var mean = fractions.Average();
            levels.Add((edge * (1 << level), mean, Math.Sqrt(fractions.Sum(f => (f - mean) * (f - mean)) / (fractions.Length - 1))));
        }
        if (levels.Count == 0) throw new InputError(
            $"representativeness: the volume of {info.Size} voxels gives fewer than {FewestSubvolumes} subvolumes. Measure a larger one.");
        var whole = Math.Cbrt(tiles.Sum(tile => tile[1]) * voxel.Volume);
        // σ² falls as 1/volume once subvolumes are longer than the structure; the largest integral range that a level shows is the careful one
        var range = levels.Max(l => l.Spread * l.Spread * Math.Pow(l.Edge, 3));
        var half = 1.96 * Math.Sqrt(range / Math.Pow(whole, 3)) / fraction;
        var needed = Math.Cbrt(range * Math.Pow(1.96 / (Tolerance * fraction), 2));
        var (name, unit) = (mask.Phase.Name, Lengths.Unit(info));
        const string Method = "representativeness/integral-range";
        return new(
            [
                new("fraction", name, null, fraction, "1", fraction * (1 - half), fraction * (1 + half), Method),
                new("relativeError", name, null, half, "1", null, null, Method),
                new("sampleEdge", name, null, whole, unit, null, null, Method),
                new("representativeEdge", name, null, needed, unit, null, null, Method),
                new("representative", name, null, half <= Tolerance ? 1 : 0, "1", null, null, Method),
            ],
            [
                new("representativeness-mean", [.. levels.Select(l => l.Edge)], [.. levels.Select(l => l.Mean)], unit),
                new("representativeness-spread", [.. levels.Select(l => l.Edge)], [.. levels.Select(l => l.Spread)], unit),
            ]);
    }

    private static double[] Count(IVolume<byte> mask, TileGrid grid, Traversal walk)
    {
        var size = mask.Info.Size;
        var tiles = new long[grid.Count];
        var columns = Enumerable.Range(0, size.X).Select(x => grid.Along(2, x)).ToArray();
        Blocks.ForEachSlice(mask, walk, (z, slice) =>
        {
            var own = new long[grid.Tiles.Y * grid.Tiles.X];
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = grid.Along(1, y) * grid.Tiles.X;
                for (var x = 0; x < size.X; x++, i++) own[row + columns[x]] += slice[i];
            }
            lock (tiles)
            {
                for (var tile = 0; tile < own.Length; tile++) tiles[grid.Along(0, z) * own.Length + tile] += own[tile];
            }
        });
        return Array.ConvertAll(tiles, count => (double)count);
    }
}

using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Phase fractions of the volume and of each slice: see <c>docs/methods/fractions.md</c>.</summary>
[Operation("fractions", "Volume fraction of each phase, with a 95 % interval by block bootstrap, and its course along z.")]
public sealed record Fractions : Measure
{
    private const int Tiles = 512;
    private const int FewestBlocks = 27;
    private const int Resamples = 1000;

    /// <inheritdoc/>
    public override Measured Run(IVolume source, Traversal walk, ulong seed) => Of(source.AsLabels("fractions: the source"), walk, seed);

    /// <summary>
    /// Fractions of the labelled voxels (label 0 counts as outside the specimen). One pass. The interval holds the fraction of the material that
    /// the volume was cut from, as far as the volume can tell: blocks are drawn with replacement, for block edges from 1/8 and 1/4 of
    /// the volume's, and the widest of the intervals is given (Lahiri 2003, doi:10.1007/978-1-4757-3803-2). No interval below 27 blocks.
    /// </summary>
    /// <exception cref="InputError">Every voxel is 0.</exception>
    public static Measured Of(IVolume<byte> labels, Traversal walk, ulong seed)
    {
        var grid = TileGrid(labels.Info);
        var (slices, tiles) = Count(labels, grid, walk);
        var totals = new long[256];
        foreach (var slice in slices)
        {
            for (var label = 1; label < 256; label++) totals[label] += slice[label];
        }
        var all = totals.Sum();
        if (all == 0) throw new InputError("fractions: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first.");
        var named = labels.Info.Phases ?? [];
        var unnamed = Enumerable.Range(1, 255).Where(label => totals[label] > 0 && named.All(phase => phase.Label != label));
        Phase[] phases = [.. named, .. unnamed.Select(Phase.Unnamed)];
        var intervals = Intervals(tiles, grid, phases, seed, walk);
        var measurements = phases.Select((phase, i) => new Measurement(
            "fraction", phase.Name, null, (double)totals[phase.Label] / all, "1", intervals?[i].Low, intervals?[i].High,
            "fractions/block-bootstrap-95"));
        return new([.. measurements], [.. phases.Select(phase => AlongZ(phase, slices, labels.Info.Voxel))]);
    }

    private static Curve AlongZ(Phase phase, long[][] slices, VoxelSize? voxel)
    {
        var (x, y) = (new List<double>(), new List<double>());
        for (var z = 0; z < slices.Length; z++)
        {
            var all = slices[z].AsSpan(1);
            var sum = 0L;
            foreach (var count in all) sum += count;
            // a slice without labels has no fraction
            if (sum == 0) continue;
            x.Add(z * (voxel?.Z ?? 1));
            y.Add((double)slices[z][phase.Label] / sum);
        }
        return new($"fraction-z-{phase.Name.Replace(' ', '-')}", [.. x], [.. y], voxel is null ? "slice" : "nm");
    }

    // about 512 equal tiles, as near to cubes in nanometres as the extent allows
    private static Size3 TileGrid(VolumeInfo info)
    {
        var voxel = info.Voxel ?? VoxelSize.Cube(1);
        var edge = Math.Cbrt(info.Size.Count * voxel.Volume / Tiles);
        int Along(int voxels, double length) => (int)Math.Clamp(Math.Round(voxels * length / edge), 1, Math.Min(voxels, 256));
        return new(Along(info.Size.Z, voxel.Z), Along(info.Size.Y, voxel.Y), Along(info.Size.X, voxel.X));
    }

    private static (long[][] Slices, long[][] Tiles) Count(IVolume<byte> labels, Size3 grid, Traversal walk)
    {
        var size = labels.Info.Size;
        var slices = new long[size.Z][];
        var tiles = new long[grid.Count][];
        for (var tile = 0; tile < tiles.Length; tile++) tiles[tile] = new long[256];
        var columns = Enumerable.Range(0, size.X).Select(x => Tile(x, grid.X, size.X)).ToArray();
        Blocks.ForEachSlice(labels, walk, (z, voxels) =>
        {
            var own = new int[grid.Y * grid.X][];
            for (var tile = 0; tile < own.Length; tile++) own[tile] = new int[256];
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = Tile(y, grid.Y, size.Y) * grid.X;
                for (var x = 0; x < size.X; x++, i++) own[row + columns[x]][voxels[i]]++;
            }
            var slice = new long[256];
            foreach (var tile in own)
            {
                for (var label = 0; label < 256; label++) slice[label] += tile[label];
            }
            slices[z] = slice;
            // whole numbers: the order of the slices does not show
            lock (tiles)
            {
                var first = Tile(z, grid.Z, size.Z) * own.Length;
                for (var tile = 0; tile < own.Length; tile++)
                {
                    for (var label = 0; label < 256; label++) tiles[first + tile][label] += own[tile][label];
                }
            }
        });
        return (slices, tiles);

        static int Tile(int voxel, int count, int voxels) => (int)((long)voxel * count / voxels);
    }

    private static (double Low, double High)[]? Intervals(long[][] tiles, Size3 grid, Phase[] phases, ulong seed, Traversal walk)
    {
        (double Low, double High)[]? widest = null;
        for (var level = 0; ; level++)
        {
            var blocks = Merge(tiles, grid, level, phases);
            if (blocks.Length < FewestBlocks) return widest;
            var intervals = Bootstrap(blocks, phases.Length, seed, walk with { Progress = null });
            widest = widest is null ? intervals : [.. widest.Zip(intervals, (a, b) => b.High - b.Low > a.High - a.Low ? b : a)];
        }
    }

    // per block: voxels of each phase, then of all phases; blocks without labels are left out
    private static long[][] Merge(long[][] tiles, Size3 grid, int level, Phase[] phases)
    {
        var blocks = new SortedDictionary<(int, int, int), long[]>();
        for (var tile = 0; tile < tiles.Length; tile++)
        {
            var key = (tile / (grid.Y * grid.X) >> level, tile / grid.X % grid.Y >> level, tile % grid.X >> level);
            if (!blocks.TryGetValue(key, out var block)) blocks[key] = block = new long[phases.Length + 1];
            for (var i = 0; i < phases.Length; i++) block[i] += tiles[tile][phases[i].Label];
            for (var label = 1; label < 256; label++) block[^1] += tiles[tile][label];
        }
        return [.. blocks.Values.Where(block => block[^1] > 0)];
    }

    private static (double Low, double High)[] Bootstrap(long[][] blocks, int phases, ulong seed, Traversal walk)
    {
        var fractions = new double[phases][];
        for (var phase = 0; phase < phases; phase++) fractions[phase] = new double[Resamples];
        walk.ForEach(Resamples, resample =>
        {
            var random = new CounterRandom(seed, (ulong)resample);
            var sums = new long[phases + 1];
            for (var draw = 0; draw < blocks.Length; draw++)
            {
                var block = blocks[random.NextInt(blocks.Length)];
                for (var i = 0; i < sums.Length; i++) sums[i] += block[i];
            }
            for (var phase = 0; phase < phases; phase++) fractions[phase][resample] = (double)sums[phase] / sums[^1];
        });
        return Array.ConvertAll(fractions, sample =>
        {
            Array.Sort(sample);
            return (sample[(int)(0.025 * Resamples)], sample[(int)(0.975 * Resamples) - 1]);
        });
    }
}

using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Ligaments of a phase from its curve skeleton: see <c>docs/methods/skeleton.md</c>.</summary>
[Operation("skeleton", "Thins a phase to its curve skeleton; number, length and junctions of its ligaments, with 95 % intervals.")]
public sealed record Skeleton : PhaseMeasure
{
    private const int BytesPerVoxel = 9;
    private const string Method = "skeleton/block-bootstrap-95";

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed) => Of(Mask(source, "skeleton", walk), walk, seed);

    /// <summary>Measures the ligaments of a phase. In memory: 9 bytes per voxel.</summary>
    /// <exception cref="InputError">The phase fills the volume, or the budget is too small.</exception>
    public static Measured Of(PhaseMask mask, Traversal walk, ulong seed)
    {
        var (info, size) = (mask.Info, mask.Info.Size);
        if (size.Count > Array.MaxLength || size.Count > walk.MemoryBytes / BytesPerVoxel) throw new InputError(
            $"skeleton: {size} voxels need {(BytesPerVoxel * size.Count >> 20) + 1} MiB, the memory budget is {walk.MemoryBytes >> 20} MiB. "
            + "Raise --memory (2³¹ voxels at most), or resample the volume.");
        var thinned = Volume<byte>.Load(mask);
        var squared = DistanceMap.Squared(thinned, walk.Part(0, 0.2));
        var graph = new SkeletonGraph(Thinning.Thin(thinned.Data, squared, size, walk.Part(0.2, 1)), squared, size, mask.Voxel);
        string Unit(int power = 1) => Lengths.Unit(info, power);
        var (grid, tiles) = Tiles(graph, mask);
        var totals = new double[tiles[0].Length];
        foreach (var tile in tiles)
        {
            for (var i = 0; i < totals.Length; i++) totals[i] += tile[i];
        }
        var (values, intervals) = (Numbers(totals), BlockBootstrap.Intervals(tiles, grid, Numbers, seed, walk));
        (string Name, string Unit)[] names =
        [
            ("meanLigamentLength", Unit()), ("ligamentDensity", Unit(-3)), ("junctionDensity", Unit(-3)), ("skeletonLengthDensity", Unit(-2)), ("junctionCoordination", "1"),
        ];
        double[] lengths = [.. graph.Branches.Where(branch => branch.Ends == 2).Select(branch => branch.Length).Order()];
        return new(
            [.. names.Select((name, i) => new Measurement(name.Name, mask.Phase.Name, null, values[i], name.Unit, intervals[i]?.Low, intervals[i]?.High, Method))],
            [new("ligament-length-cumulative", lengths, [.. lengths.Select((_, i) => (i + 1.0) / lengths.Length)], Unit())])
        {
            Tables = [new("branches", [$"length [{Unit()}]", "junctions", $"radius [{Unit()}]"], [.. graph.Branches.Select(b => (double[])[b.Length, b.Ends, b.Radius])])],
        };
    }

    // of a tile: its volume, ligaments, their length, junctions, length of all branches, branches' ends at junctions
    private static (TileGrid, double[][]) Tiles(SkeletonGraph graph, PhaseMask mask)
    {
        var (grid, size) = (TileGrid.Of(mask.Info), mask.Info.Size);
        var tiles = new double[grid.Count][];
        for (var tile = 0; tile < tiles.Length; tile++) tiles[tile] = [grid[tile].Count * mask.Voxel.Volume, 0, 0, 0, 0, 0];
        double[] At(int voxel) => tiles[grid.Of(voxel / (size.Y * size.X), voxel / size.X % size.Y, voxel % size.X)];
        foreach (var branch in graph.Branches)
        {
            var sums = At(branch.Voxel);
            if (branch.Ends == 2) (sums[1], sums[2]) = (sums[1] + 1, sums[2] + branch.Length);
            (sums[4], sums[5]) = (sums[4] + branch.Length, sums[5] + branch.Ends);
        }
        foreach (var node in graph.Nodes) At(node)[3]++;
        return (grid, tiles);
    }

    private static double[] Numbers(double[] sums) => [sums[2] / sums[1], sums[1] / sums[0], sums[3] / sums[0], sums[4] / sums[0], sums[5] / sums[3]];
}

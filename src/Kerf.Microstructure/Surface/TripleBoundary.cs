using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Length of the lines where three phases meet: see <c>docs/methods/triple-boundary.md</c>.</summary>
[Operation("triple-boundary", "Length of the lines where three phases meet, in all and per volume.")]
public sealed record TripleBoundary : PhaseMeasure
{
    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var labels = source.AsLabels("triple-boundary: the source");
        return Of(labels, Phase is null ? null : Mask(source, "triple-boundary", walk).Phase, walk, seed);
    }

    /// <summary>
    /// Lines of length L per volume meet planes at L/2 points per area when they run in all directions alike (Underwood 1970). The points are counted on
    /// planes across z, y and x: voxel edges around which three or more labels lie. So L = 2/3 of the length of these edges.
    /// </summary>
    /// <param name="labels">A segmentation; 0 is outside when it names its phases, else a value like others.</param>
    /// <param name="only">Only lines that this phase takes part in; null for all.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="InputError">Fewer than three phases.</exception>
    public static Measured Of(IVolume<byte> labels, Phase? only, Traversal walk, ulong seed)
    {
        var (info, voxel) = (labels.Info, Lengths.Voxel(labels.Info));
        var outside = info.Phases is { Count: > 0 } && only?.Label != 0;
        var present = PhaseMask.Present(labels, walk).Where(label => label != 0 || !outside).ToArray();
        for (var axis = 0; axis < 3; axis++)
        {
            if (info.Size[axis] < 2) throw new InputError($"triple-boundary: the volume is 1 voxel thick along {((Axis)axis).Letter()}; it must be 2 or more. Measure a thicker one.");
        }
        if (present.Length < 3) throw new InputError(
            $"triple-boundary: the source holds {present.Length} phases; a boundary of three needs 3 or more. Segment it into more phases.");
        var grid = TileGrid.Of(info);
        var counts = Count(labels, grid, outside, only is null ? -1 : only.Label, walk);
        double[] edges = [voxel.Z * 2 / 3, voxel.Y * 2 / 3, voxel.X * 2 / 3];
        // edges that there could be, per voxel: those on the border have no four voxels around them
        var (z, y, x) = (1 - 1.0 / info.Size.Z, 1 - 1.0 / info.Size.Y, 1 - 1.0 / info.Size.X);
        double[] seen = [y * x, z * x, z * y];
        double[][] sums = [.. counts.Select(tile => (double[])
            [Enumerable.Range(0, 3).Sum(axis => tile[axis] * edges[axis]), Enumerable.Range(0, 3).Sum(axis => tile[axis] * edges[axis] / seen[axis]), tile[3] * voxel.Volume])];
        var (length, corrected, volume) = (sums.Sum(tile => tile[0]), sums.Sum(tile => tile[1]), sums.Sum(tile => tile[2]));
        var interval = BlockBootstrap.Of(sums, grid, drawn => drawn[1] / drawn[2], seed, walk);
        var scale = corrected > 0 ? volume * length / corrected : 0;
        const string Method = "triple-boundary/block-bootstrap-95";
        return new(
            [
                new("tripleBoundaryLength", only?.Name, null, length, Lengths.Unit(info), interval?.Low * scale, interval?.High * scale, Method),
                new("tripleBoundaryDensity", only?.Name, null, corrected / volume, Lengths.Unit(info, -2), interval?.Low, interval?.High, Method),
            ], []);
    }

    // by tile: edges along z, y and x where three phases meet, then voxels of the specimen
    private static long[][] Count(IVolume<byte> labels, TileGrid grid, bool outside, int only, Traversal walk)
    {
        var size = labels.Info.Size;
        var tiles = new long[grid.Count][];
        for (var tile = 0; tile < tiles.Length; tile++) tiles[tile] = new long[4];
        var columns = Enumerable.Range(0, size.X).Select(x => grid.Along(2, x)).ToArray();
        SlicePairs.ForEach(labels, walk, () =>
        {
            var own = new SortedDictionary<int, long[]>();
            return ((z, slice, next) =>
            {
                for (var y = 0; y < size.Y; y++)
                {
                    var first = grid.Of(z, y, 0);
                    if (!own.TryGetValue(first, out var tally)) own[first] = tally = new long[4 * grid.Tiles.X];
                    var here = slice.Slice(y * size.X, size.X);
                    var below = y + 1 < size.Y ? slice.Slice((y + 1) * size.X, size.X) : [];
                    var after = next.Length > 0 ? next.Slice(y * size.X, size.X) : [];
                    var belowAfter = below.Length > 0 && after.Length > 0 ? next.Slice((y + 1) * size.X, size.X) : [];
                    for (var x = 0; x < here.Length; x++)
                    {
                        var at = 4 * columns[x];
                        var right = x + 1 < here.Length;
                        if (right && below.Length > 0 && Meet(here[x], here[x + 1], below[x], below[x + 1], outside, only)) tally[at]++;
                        if (right && after.Length > 0 && Meet(here[x], here[x + 1], after[x], after[x + 1], outside, only)) tally[at + 1]++;
                        if (belowAfter.Length > 0 && Meet(here[x], below[x], after[x], belowAfter[x], outside, only)) tally[at + 2]++;
                        if (!outside || here[x] != 0) tally[at + 3]++;
                    }
                }
            }, () =>
            {
                lock (tiles)
                {
                    foreach (var (first, tally) in own)
                    {
                        for (var i = 0; i < tally.Length; i++) tiles[first + i / 4][i % 4] += tally[i];
                    }
                }
            }
            );
        });
        return tiles;
    }

    // three different phases among the four voxels around an edge, one of them the one that is asked for
    private static bool Meet(byte a, byte b, byte c, byte d, bool outside, int only)
    {
        if ((a == b && c == d) || (a == c && b == d) || (a == d && b == c)) return false;
        var different = 1 + (b != a ? 1 : 0) + (c != a && c != b ? 1 : 0) + (d != a && d != b && d != c ? 1 : 0);
        if (outside && (a == 0 || b == 0 || c == 0 || d == 0)) different--;
        return different >= 3 && (only < 0 || a == only || b == only || c == only || d == only);
    }
}

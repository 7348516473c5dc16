using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Size distribution of a phase by its local thickness: see <see cref="LocalThickness"/> and <c>docs/methods/thickness.md</c>.</summary>
[Operation("thickness", "Local thickness of a phase (diameter): mean, median, spread and size distribution by volume, with 95 % intervals.")]
public sealed record Thickness : PhaseMeasure
{
    // of the finest voxel edge: how finely the median is found, and how finely curves are drawn
    private const int FinePerEdge = 8;
    private const string Method = "thickness/block-bootstrap-95";

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed) => Of(Mask(source, "thickness", walk), walk, seed);

    /// <summary>
    /// Mean, median and standard deviation of the local thickness over the volume of the phase; the curves <c>thickness-volume</c> (share of the
    /// phase's volume in bins one finest voxel edge wide) and <c>thickness-cumulative</c> (share of the volume no thicker than x).
    /// </summary>
    /// <exception cref="InputError">As <see cref="LocalThickness.Write"/>.</exception>
    public static Measured Of(PhaseMask mask, Traversal walk, ulong seed)
    {
        var (info, grid) = (mask.Info, TileGrid.Of(mask.Info));
        var fine = mask.Voxel.Finest / FinePerEdge;
        var (tiles, bins) = Count(mask, grid, fine, walk);
        var totals = Sum(tiles);
        double[] All(double[] sums) => [.. Numbers(sums, fine), .. Curves(sums.AsSpan(3), bins, fine, "").SelectMany(curve => curve.Y)];
        var intervals = BlockBootstrap.Intervals(tiles, grid, All, seed, walk);
        var values = Numbers(totals, fine);
        string[] names = ["meanThickness", "medianThickness", "thicknessDeviation"];
        var measurements = names.Select((name, i) =>
            new Measurement(name, mask.Phase.Name, null, values[i], Lengths.Unit(info), intervals[i]?.Low, intervals[i]?.High, Method));
        var curves = Curves(totals.AsSpan(3), bins, fine, Lengths.Unit(info));
        return new([.. measurements], [.. curves.Select((curve, i) => curve.With(intervals.AsSpan(names.Length + i * curve.Y.Length, curve.Y.Length).ToArray()))]);
    }

    // sums of a tile: voxels, thickness, its square, then the fine histogram
    private static (double[][] Tiles, int Bins) Count(PhaseMask mask, TileGrid grid, double fine, Traversal walk)
    {
        var size = mask.Info.Size;
        var columns = Enumerable.Range(0, size.X).Select(x => grid.Along(2, x)).ToArray();
        var (flat, rows) = (grid.Tiles.Y * grid.Tiles.X, new (double Voxels, double Sum, double Square)[size.Z][]);
        var histograms = new Dictionary<int, long>[grid.Count];
        for (var tile = 0; tile < histograms.Length; tile++) histograms[tile] = [];
        LocalThickness.ForEachSlice(mask, walk, (z, thickness) =>
        {
            var sums = rows[z] = new (double, double, double)[flat];
            var bins = (int)(TensorPrimitives.Max(thickness) / fine) + 1;
            var counts = new int[flat * bins];
            for (var y = 0; y < size.Y; y++)
            {
                var row = grid.Along(1, y) * grid.Tiles.X;
                for (var x = 0; x < size.X; x++)
                {
                    double value = thickness[y * size.X + x];
                    if (value == 0) continue;
                    ref var sum = ref sums[row + columns[x]];
                    sum = (sum.Voxels + 1, sum.Sum + value, sum.Square + value * value);
                    counts[(row + columns[x]) * bins + (int)(value / fine)]++;
                }
            }
            // whole numbers: the order of the slices does not show
            lock (histograms)
            {
                for (var i = 0; i < counts.Length; i++)
                {
                    if (counts[i] == 0) continue;
                    var histogram = histograms[grid.Along(0, z) * flat + i / bins];
                    histogram[i % bins] = histogram.GetValueOrDefault(i % bins) + counts[i];
                }
            }
        });
        var bins = histograms.Max(histogram => histogram.Keys.DefaultIfEmpty(0).Max()) + 1;
        var tiles = Array.ConvertAll(histograms, histogram =>
        {
            var sums = new double[3 + bins];
            foreach (var (bin, count) in histogram) sums[3 + bin] = count;
            return sums;
        });
        for (var z = 0; z < size.Z; z++)
        {
            for (var i = 0; i < flat; i++)
            {
                var tile = tiles[grid.Along(0, z) * flat + i];
                (tile[0], tile[1], tile[2]) = (tile[0] + rows[z][i].Voxels, tile[1] + rows[z][i].Sum, tile[2] + rows[z][i].Square);
            }
        }
        return (tiles, bins);
    }

    private static double[] Sum(double[][] tiles)
    {
        var totals = new double[tiles[0].Length];
        foreach (var tile in tiles)
        {
            for (var i = 0; i < totals.Length; i++) totals[i] += tile[i];
        }
        return totals;
    }

    private static double[] Numbers(double[] sums, double fine)
    {
        var mean = sums[1] / sums[0];
        return [mean, Median(sums.AsSpan(3), sums[0], fine), Math.Sqrt(Math.Max(0, sums[2] / sums[0] - mean * mean))];
    }

    // the middle of the bin that half the volume is reached in
    private static double Median(ReadOnlySpan<double> histogram, double voxels, double fine)
    {
        var seen = 0.0;
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            seen += histogram[bin];
            if (2 * seen >= voxels) return (bin + 0.5) * fine;
        }
        return double.NaN;
    }

    private static Curve[] Curves(ReadOnlySpan<double> histogram, int bins, double fine, string unit)
    {
        var wide = (bins + FinePerEdge - 1) / FinePerEdge;
        var (x, share, edge, upTo) = (new double[wide], new double[wide], new double[wide], new double[wide]);
        var all = 0.0;
        foreach (var count in histogram) all += count;
        var seen = 0.0;
        for (var bin = 0; bin < wide; bin++)
        {
            foreach (var count in histogram[(bin * FinePerEdge)..Math.Min(bins, (bin + 1) * FinePerEdge)]) share[bin] += count;
            seen += share[bin];
            (x[bin], share[bin]) = ((bin + 0.5) * FinePerEdge * fine, share[bin] / all);
            (edge[bin], upTo[bin]) = ((bin + 1) * FinePerEdge * fine, seen / all);
        }
        return [new("thickness-volume", x, share, unit), new("thickness-cumulative", edge, upTo, unit)];
    }
}

using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Estimates the drift of the slices of a stack: see docs/methods/align.md.</summary>
internal static class Drift
{
    private const double CoarsePixels = 320 * 320;

    // votes of tiles that are held at once, for the whole stack: some 60 MB
    private const int Votes = 1_000_000;

    /// <summary>
    /// Positions of all slices against slice 0, the residual, and the phase coherence of each slice with its neighbours. First whole slices,
    /// binned; then tiles at full resolution, cut where the first pass put them.
    /// </summary>
    public static ((double Y, double X)[] Positions, double Residual, double[] Coherence) Estimate(IVolume<float> source, Box region, Align how, Traversal walk)
    {
        var size = source.Info.Size;
        var lags = Enumerable.Range(0, how.Neighbours).Select(i => 1 << i).Where(lag => lag < size.Z).ToArray();
        var shorter = Math.Min(region.Size.Y, region.Size.X);
        var binning = Binning(region);
        var whole = new TileSpectra(Box.Whole(new(1, region.Size.Y / binning, region.Size.X / binning)), int.MaxValue);
        var rough = new (double Y, double X)[size.Z];
        if (binning > 1 || how.MaxShift > 4)
        {
            var pairs = Pairs(source, whole, lags, (int)Math.Ceiling((double)how.MaxShift / binning), walk.Part(0, 0.3),
                (slice, _) => whole.Of(Bin(slice, size.X, region, binning), region.Size.X / binning, 0, 0), null, out _);
            rough = [.. Trajectory.Solve(pairs, size.Z).Positions.Select(p => (p.Y * binning, p.X * binning))];
        }
        // at least two by two tiles, or there is no vote; within a box of marks none is needed
        var tiles = new TileSpectra(region, how.Box is null ? Math.Min(how.Tile, Math.Max(16, shorter * 2 / 3)) : how.Tile, Math.Max(64, Votes / (size.Z * lags.Length)));
        var cut = rough.Select(p => (Y: (int)Math.Round(p.Y), X: (int)Math.Round(p.X))).ToArray();
        var fine = Pairs(source, tiles, lags, Math.Min(how.MaxShift, Math.Max(4, 2 * binning)), walk.Part(0.3, 1),
            (slice, z) => tiles.Of(slice.AsSpan(0, (int)size.SliceCount), size.X, cut[z].Y, cut[z].X), cut, out var coherence);
        var (positions, residual) = Trajectory.Solve(fine, size.Z);
        return (positions, residual, coherence);
    }

    // walks the stack once, some slices at a time, and keeps the spectra of the last few slices only
    private static List<Displacement> Pairs(
        IVolume<float> source, TileSpectra tiles, int[] lags, int reach, Traversal walk, Func<float[], int, Tile?[]> spectra,
        (int Y, int X)[]? cut, out double[] coherence)
    {
        var size = source.Info.Size;
        var measure = new PairShift(tiles);
        var kept = new Tile?[size.Z][];
        var chunk = 2 * walk.Threads;
        var (found, quality) = (new List<Displacement>(), new double[size.Z]);
        var quiet = walk with { Progress = null };
        for (var start = 0; start < size.Z; start += chunk)
        {
            var (from, count) = (start, Math.Min(chunk, size.Z - start));
            quiet.ForEach(count, i =>
            {
                var slice = ArrayPool<float>.Shared.Rent((int)size.SliceCount);
                source.Read(Box.Slice(size, from + i), slice);
                kept[from + i] = spectra(slice, from + i);
                ArrayPool<float>.Shared.Return(slice);
            });
            var results = new (List<(double Y, double X, double WeightY, double WeightX)> Tiles, double Coherence)?[count * lags.Length];
            quiet.ForEach(results.Length, i =>
            {
                var (slice, lag) = (from + i / lags.Length, lags[i % lags.Length]);
                if (slice < lag) return;
                var offset = cut is null ? (0, 0) : (cut[slice].Y - cut[slice - lag].Y, cut[slice].X - cut[slice - lag].X);
                results[i] = (measure.Measure(kept[slice], kept[slice - lag], offset, reach, out var agreement), agreement);
            });
            for (var i = 0; i < results.Length; i++)
            {
                if (results[i] is not { } pair) continue;
                var (slice, lag) = (from + i / lags.Length, lags[i % lags.Length]);
                foreach (var (y, x, wy, wx) in pair.Tiles) found.Add(new(slice, lag, y, x, wy, wx));
                quality[slice] = Math.Max(quality[slice], pair.Coherence);
            }
            for (var z = Math.Max(0, from - chunk); z <= from + count - 1 - lags.DefaultIfEmpty(0).Max(); z++) kept[z] = null!;
            walk.Progress?.Report((double)(from + count) / size.Z);
        }
        coherence = quality;
        return found;
    }

    /// <summary>Pixels that become one along each axis in the rough pass over whole slices.</summary>
    public static int Binning(Box region) =>
        Math.Clamp((int)Math.Ceiling(Math.Sqrt(region.Count / CoarsePixels)), 1, Math.Min(region.Size.Y, region.Size.X) / 16);

    /// <summary>The region of a slice, <paramref name="binning"/>² pixels summed to one.</summary>
    public static float[] Bin(float[] slice, int width, Box region, int binning)
    {
        var (height, columns) = (region.Size.Y / binning, region.Size.X / binning);
        var binned = new float[height * columns];
        for (var y = 0; y < height * binning; y++)
        {
            var row = slice.AsSpan((region.Start.Y + y) * width + region.Start.X, columns * binning);
            var to = binned.AsSpan(y / binning * columns, columns);
            for (int x = 0, i = 0; x < columns; x++)
                for (var b = 0; b < binning; b++, i++) to[x] += row[i];
        }
        return binned;
    }
}

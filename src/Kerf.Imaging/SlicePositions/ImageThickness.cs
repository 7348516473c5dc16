using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Thickness from nothing but the images: how alike two slices are tells how far apart they lie, once it is known how likeness falls with distance within a slice. After
/// Sporring et al. 2014 (doi:10.1016/j.ultramic.2014.08.001) and Hanslovsky et al. 2017 (doi:10.1093/bioinformatics/btw794); the structure must look alike in all directions.
/// </summary>
public static class ImageThickness
{
    // the largest shift at which likeness is calibrated, pixels
    private const int Farthest = 24;

    /// <summary>Measures. Reads the stack once.</summary>
    /// <param name="source">Grey slices, aligned, with a pixel size.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">Slices too small, no pixel size, or likeness that does not fall with distance.</exception>
    public static SliceThickness Measure(IVolume<float> source, Traversal walk)
    {
        var (size, voxel) = (source.Info.Size, source.Info.RequireVoxel("thickness"));
        if (size.Z < 2) throw new InputError("thickness: a single slice has no distance to the next; give a stack.");
        if (size.Y < 4 * Farthest || size.X < 4 * Farthest)
            throw new InputError($"thickness: slices of {size.Y}×{size.X} pixels are too small to estimate from images; at least {4 * Farthest}×{4 * Farthest} are needed.");
        var within = new double[size.Z][];
        var between = new double[size.Z - 1];
        walk.ForEach(size.Z, z =>
        {
            var (here, next) = (new float[size.SliceCount], new float[size.SliceCount]);
            source.Read(Box.Slice(size, z), here);
            within[z] = Enumerable.Range(0, 2 * Farthest).Select(i => i < Farthest ? Likeness(here, here, size, i + 1, 0) : Likeness(here, here, size, 0, i - Farthest + 1)).ToArray();
            if (z + 1 == size.Z) return;
            source.Read(Box.Slice(size, z + 1), next);
            between[z] = Likeness(here, next, size, 0, 0);
        });
        // medians over slices: a bad slice does not tilt the calibration
        double Typical(int i) => Median(within.Select(w => w[i]));
        var curve = Enumerable.Range(0, Farthest).SelectMany(i => new[] { (Distance: (i + 1) * voxel.Y, Value: Typical(i)), (Distance: (i + 1) * voxel.X, Value: Typical(Farthest + i)) })
            .GroupBy(p => p.Distance).OrderBy(g => g.Key).Select(g => (Distance: g.Key, Value: g.Average(p => p.Value))).ToList();
        // likeness falls with distance: pool what rises, and stop where it levels out
        for (var i = 1; i < curve.Count; i++)
            if (curve[i].Value >= curve[i - 1].Value) curve.RemoveRange(i, curve.Count - i);
        if (curve.Count < 2) throw new InputError("thickness: slices look alike at any distance; the images cannot tell it. Use --method ruler or --method csv.");
        var thickness = Array.ConvertAll(between, value => Distance(curve, value));
        // the standard error is what calibrating slice by slice would change
        var spread = Enumerable.Range(0, between.Length).Select(k => Math.Abs(Slope(curve, between[k])) * Spread(within.Select(w => (w[0] + w[Farthest]) / 2))).ToArray();
        return SliceThickness.Of(thickness, spread, null,
            "estimated from the images alone: true only if the structure looks alike in all directions, and after align and brightness. A ruler or the microscope's log is better.");
    }

    // correlation coefficient of a and b shifted by (dy, dx) ≥ 0
    private static double Likeness(float[] a, float[] b, Size3 size, int dy, int dx)
    {
        double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
        for (var y = 0; y + dy < size.Y; y++)
        {
            double ra = 0, rb = 0, raa = 0, rbb = 0, rab = 0;
            for (int i = y * size.X, j = (y + dy) * size.X + dx, end = i + size.X - dx; i < end; i++, j++)
            {
                double p = a[i], q = b[j];
                ra += p; rb += q; raa += p * p; rbb += q * q; rab += p * q;
            }
            sa += ra; sb += rb; saa += raa; sbb += rbb; sab += rab;
        }
        var n = (double)(size.Y - dy) * (size.X - dx);
        var scale = Math.Sqrt((saa - sa * sa / n) * (sbb - sb * sb / n));
        return scale > 0 ? (sab - sa * sb / n) / scale : 0;
    }

    private static double Distance(List<(double Distance, double Value)> curve, double value)
    {
        var i = Segment(curve, value);
        var t = (value - curve[i].Value) / (curve[i + 1].Value - curve[i].Value);
        return Math.Max(0.1 * curve[0].Distance, curve[i].Distance + t * (curve[i + 1].Distance - curve[i].Distance));
    }

    private static double Slope(List<(double Distance, double Value)> curve, double value)
    {
        var i = Segment(curve, value);
        return (curve[i + 1].Distance - curve[i].Distance) / (curve[i + 1].Value - curve[i].Value);
    }

    private static int Segment(List<(double Distance, double Value)> curve, double value)
    {
        var i = curve.FindIndex(1, p => p.Value <= value);
        return i < 0 ? curve.Count - 2 : i - 1;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }

    private static double Spread(IEnumerable<double> values)
    {
        double[] all = [.. values];
        var median = Median(all);
        return 1.4826 * Median(all.Select(v => Math.Abs(v - median)));
    }
}

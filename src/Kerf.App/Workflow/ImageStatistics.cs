using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// What a microscopist sees of a stack before any structure: noise against grey, noise of neighbouring pixels, likeness over distance, histogram.
/// Noise is the difference of a pixel from the mean of the two above and below, times √⅔; local greys are means over 7×7 pixels.
/// </summary>
public sealed record ImageStatistics
{
    /// <summary>Distances of <see cref="Likeness"/> in pixels.</summary>
    public static readonly int[] Lags = [1, 2, 4, 8, 16, 32, 64];

    private const int Levels = 256, Reach = 3;

    /// <summary>Share of pixels at each grey.</summary>
    public required double[] Histogram { get; init; }

    /// <summary>Share of pixels whose local grey is so, rounded.</summary>
    public required double[] LocalGreys { get; init; }

    /// <summary>Noise variance at each local grey, by the median of the magnitudes; NaN where fewer than 500 pixels are.</summary>
    public required double[] NoiseVariance { get; init; }

    /// <summary>Correlation of the noise of horizontal neighbours, where the grey is the most frequent.</summary>
    public required double NoiseAlongRow { get; init; }

    /// <summary>Covariance at <see cref="Lags"/> over the variance, along x and along y.</summary>
    public required double[][] Likeness { get; init; }

    /// <summary>Covariance with the next slice over the variance.</summary>
    public required double NextSlice { get; init; }

    /// <summary>Mean of each slice.</summary>
    public required double[] Means { get; init; }

    /// <summary>The median of the slices' noise, as <c>kerf measure noise</c> has it.</summary>
    public required double Noise { get; init; }

    /// <summary>The most frequent local grey.</summary>
    public int Matrix => Array.IndexOf(LocalGreys, LocalGreys.Max());

    /// <summary>The local grey that a share of the pixels stays below.</summary>
    public int Quantile(double share)
    {
        var sum = 0.0;
        for (var g = 0; g < Levels; g++) if ((sum += LocalGreys[g]) >= share) return g;
        return Levels - 1;
    }

    /// <summary>Measures a stack in memory.</summary>
    public static ImageStatistics Of(Volume<byte> stack, Traversal walk)
    {
        var size = stack.Info.Size;
        var local = new float[size.Z][];
        walk.ForEach(size.Z, z => local[z] = Local(stack.Slice(z), size));
        var (greys, magnitudes) = (new double[Levels], new int[Levels][]);
        for (var g = 0; g < Levels; g++) magnitudes[g] = new int[1024];
        for (var z = 0; z < size.Z; z++)
        {
            var slice = stack.Slice(z);
            for (var y = Reach; y < size.Y - Reach; y++)
                for (var x = Reach; x < size.X - Reach; x++)
                {
                    var at = y * size.X + x;
                    var g = (int)Math.Round(local[z][at]);
                    greys[g]++;
                    // halves: |2a − b − c| / 2
                    magnitudes[g][Math.Abs(2 * slice[at] - slice[at - size.X] - slice[at + size.X])]++;
                }
        }
        var total = greys.Sum();
        var likeness = new double[][] { new double[Lags.Length], new double[Lags.Length] };
        double[] means = [.. Enumerable.Range(0, size.Z).Select(z => Mean(stack.Slice(z)))];
        var variance = Covariance(stack, means, 0, 0, 0);
        walk.ForEach(2 * Lags.Length, i => likeness[i / Lags.Length][i % Lags.Length] =
            Covariance(stack, means, 0, i < Lags.Length ? 0 : Lags[i % Lags.Length], i < Lags.Length ? Lags[i] : 0) / variance);
        var result = new ImageStatistics
        {
            Histogram = Shares(stack.Data),
            LocalGreys = [.. greys.Select(n => n / total)],
            NoiseVariance = [.. Enumerable.Range(0, Levels).Select(g => Variance(magnitudes, g))],
            NoiseAlongRow = double.NaN,
            Likeness = likeness,
            NextSlice = size.Z > 1 ? Covariance(stack, means, 1, 0, 0) / variance : double.NaN,
            Means = means,
            Noise = NoiseLevel.OfStack(stack, walk with { Progress = null }),
        };
        return result with { NoiseAlongRow = AlongRow(stack, local, result.Matrix) };
    }

    private static double Mean(ReadOnlySpan<byte> slice)
    {
        long sum = 0;
        foreach (var v in slice) sum += v;
        return (double)sum / slice.Length;
    }

    private static double[] Shares(byte[] data)
    {
        var counts = new double[Levels];
        foreach (var v in data) counts[v] += 1.0 / data.Length;
        return counts;
    }

    // means over 7×7 pixels; the rim keeps 0
    private static float[] Local(ReadOnlySpan<byte> slice, Size3 size)
    {
        var local = new float[size.SliceCount];
        var columns = new int[size.X];
        const int width = 2 * Reach + 1;
        for (var y = 0; y < size.Y; y++)
        {
            for (var x = 0; x < size.X; x++) columns[x] += slice[y * size.X + x] - (y >= width ? slice[(y - width) * size.X + x] : 0);
            if (y < width - 1) continue;
            var sum = 0;
            for (var x = 0; x < size.X; x++)
            {
                sum += columns[x] - (x >= width ? columns[x - width] : 0);
                if (x >= width - 1) local[(y - Reach) * size.X + x - Reach] = sum / (float)(width * width);
            }
        }
        return local;
    }

    // over the bin and its two neighbours; magnitudes are twice the difference, whose variance is 1.5 times the noise's. Medians of whole numbers lie within their step
    private static double Variance(int[][] magnitudes, int g)
    {
        var counts = new double[1024];
        for (var k = Math.Max(0, g - 2); k <= Math.Min(Levels - 1, g + 2); k++) for (var i = 0; i < counts.Length; i++) counts[i] += magnitudes[k][i];
        var total = counts.Sum();
        if (total < 500) return double.NaN;
        double sum = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            if (2 * (sum + counts[i]) < total) sum += counts[i];
            else
            {
                var sigma = 1.4826 * (i - 0.5 + (total / 2 - sum) / counts[i]) / 2 / Math.Sqrt(1.5);
                return sigma * sigma;
            }
        }
        return double.NaN;
    }

    private static double AlongRow(Volume<byte> stack, float[][] local, int grey)
    {
        var size = stack.Info.Size;
        double products = 0, squares = 0;
        for (var z = 0; z < size.Z; z++)
        {
            var slice = stack.Slice(z);
            for (var y = Reach; y < size.Y - Reach; y++)
                for (var x = Reach; x < size.X - Reach - 1; x++)
                {
                    var at = y * size.X + x;
                    if (Math.Abs(local[z][at] - grey) > 5 || Math.Abs(local[z][at + 1] - grey) > 5) continue;
                    double a = 2 * slice[at] - slice[at - size.X] - slice[at + size.X], b = 2 * slice[at + 1] - slice[at + 1 - size.X] - slice[at + 1 + size.X];
                    (products, squares) = (products + a * b, squares + (a * a + b * b) / 2);
                }
        }
        return products / squares;
    }

    private static double Covariance(Volume<byte> stack, double[] means, int dz, int dy, int dx)
    {
        var size = stack.Info.Size;
        double sum = 0;
        for (var z = 0; z < size.Z - dz; z++)
        {
            var a = stack.Slice(z);
            var b = stack.Slice(z + dz);
            for (var y = 0; y < size.Y - dy; y++)
            {
                double row = 0;
                for (var x = 0; x < size.X - dx; x++) row += (a[y * size.X + x] - means[z]) * (b[(y + dy) * size.X + x + dx] - means[z + dz]);
                sum += row;
            }
        }
        return sum / ((long)(size.Z - dz) * (size.Y - dy) * (size.X - dx));
    }
}

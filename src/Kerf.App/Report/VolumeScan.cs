using System.Buffers;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Counts of grey values in equal bins; the first starts at <paramref name="Low"/>.</summary>
internal sealed record GreyHistogram(double Low, double Width, long[] Counts)
{
    /// <summary>The value below which <paramref name="share"/> (0 to 1) of the voxels lie, as the middle of its bin.</summary>
    public double Quantile(double share)
    {
        var wanted = share * Counts.Sum();
        long seen = 0;
        for (var i = 0; i < Counts.Length; i++)
        {
            seen += Counts[i];
            if (seen >= wanted && seen > 0) return Low + i * Width;
        }
        return Low + (Counts.Length - 1) * Width;
    }

    /// <summary>Density per grey level in <paramref name="bins"/> bins from low to high.</summary>
    public double[] Density(double low, double high, int bins)
    {
        var density = new double[bins];
        var total = Math.Max(1, Counts.Sum());
        for (var i = 0; i < Counts.Length; i++)
        {
            var bin = (int)Math.Floor((Low + i * Width - low) / (high - low) * bins);
            if (bin >= 0 && bin < bins) density[bin] += Counts[i] / (double)total * bins / (high - low);
        }
        return density;
    }
}

/// <summary>
/// What one streaming pass tells of a volume: per slice the mean, the spread, the noise, the likeness to the next slice and the phase
/// fractions; the histogram; the two central reslices. At most <see cref="MostSlices"/> slices are read, evenly spread.
/// </summary>
internal sealed class VolumeScan
{
    private const int MostSlices = 512;
    private const int Tiles = 8;
    private const int ThumbWidth = 128;

    private VolumeScan(VolumeInfo info)
    {
        Info = info;
        // about 10⁹ voxels at most, but never so few slices that a curve would lose its shape
        var count = (int)Math.Min(info.Size.Z, Math.Clamp((1L << 30) / Math.Max(1, info.Size.SliceCount), 24, MostSlices));
        Slices = [.. Enumerable.Range(0, count).Select(i => (int)((i + 0.5) * info.Size.Z / count))];
        (Mean, Sigma, Noise, Similarity) = (new double[count], new double[count], new double[count], new double[count]);
        Fractions = [.. (info.Phases ?? []).Select(_ => new double[count])];
        Errors = [.. (info.Phases ?? []).Select(_ => new double[count])];
        Xz = new float[count * info.Size.X];
        Yz = new float[count * info.Size.Y];
    }

    public VolumeInfo Info { get; }

    /// <summary>The slices that were read, ascending.</summary>
    public int[] Slices { get; }

    /// <summary>Mean grey value per slice read.</summary>
    public double[] Mean { get; }

    /// <summary>Standard deviation of the grey values per slice read.</summary>
    public double[] Sigma { get; }

    /// <summary>Standard deviation of the noise per slice read: Immerkær 1996, doi:10.1006/cviu.1996.0060.</summary>
    public double[] Noise { get; }

    /// <summary>
    /// Correlation of each slice with the next one, both averaged down to 128 columns so that shot noise hides no shift; NaN for the last.
    /// </summary>
    public double[] Similarity { get; }

    /// <summary>Per phase and slice: its share of the slice's voxels.</summary>
    public double[][] Fractions { get; }

    /// <summary>Standard errors of <see cref="Fractions"/>, from the spread over 8 × 8 tiles of the slice.</summary>
    public double[][] Errors { get; }

    /// <summary>Central row of each slice read.</summary>
    public float[] Xz { get; }

    /// <summary>Central column of each slice read.</summary>
    public float[] Yz { get; }

    public GreyHistogram Histogram { get; private set; } = new(0, 1, [0]);

    /// <summary>True when every slice was read.</summary>
    public bool Complete => Slices.Length == Info.Size.Z;

    /// <summary>Share of a phase in the slices read.</summary>
    public double Fraction(int phase) => Fractions[phase].Average();

    public static VolumeScan Of(IVolume volume, Traversal walk)
    {
        var scan = new VolumeScan(volume.Info);
        var source = volume.AsFloat();
        var size = volume.Info.Size;
        var (low, width, bins) = volume.Info.Type switch
        {
            PixelType.UInt8 => (0.0, 1.0, 256),
            PixelType.UInt16 => (0.0, 1.0, 65536),
            _ => Range(source, scan.Slices),
        };
        var counts = new long[bins];
        var thumbs = new float[scan.Slices.Length][];
        var affordable = (int)Math.Clamp(walk.MemoryBytes / 2 / Math.Max(1, size.SliceCount * 8), 1, 64);
        walk.ForEach(scan.Slices.Length, item =>
        {
            var voxels = ArrayPool<float>.Shared.Rent(checked((int)size.SliceCount));
            var slice = voxels.AsSpan(0, (int)size.SliceCount);
            source.Read(Box.Slice(size, scan.Slices[item]), slice);
            scan.Brightness(item, slice);
            if (volume.Info.Phases is { } phases) scan.Share(item, slice, phases);
            else
            {
                scan.Noise[item] = NoiseOf(slice, size.X);
                thumbs[item] = Thumb(slice, size);
            }
            slice.Slice(size.Y / 2 * size.X, size.X).CopyTo(scan.Xz.AsSpan(item * size.X));
            for (var y = 0; y < size.Y; y++) scan.Yz[item * size.Y + y] = slice[y * size.X + size.X / 2];
            Count(slice, low, width, counts);
            ArrayPool<float>.Shared.Return(voxels);
        }, affordable);
        Array.Fill(scan.Similarity, double.NaN);
        if (scan.Complete && volume.Info.Phases is null)
            for (var z = 0; z + 1 < size.Z; z++) scan.Similarity[z] = Correlation(thumbs[z], thumbs[z + 1]);
        scan.Histogram = new(low, width, counts);
        return scan;
    }

    private void Brightness(int item, ReadOnlySpan<float> slice)
    {
        double sum = 0, squares = 0;
        foreach (var value in slice) sum += value;
        var mean = sum / slice.Length;
        foreach (var value in slice) squares += (value - mean) * (value - mean);
        (Mean[item], Sigma[item]) = (mean, Math.Sqrt(squares / slice.Length));
    }

    private void Share(int item, ReadOnlySpan<float> slice, IReadOnlyList<Phase> phases)
    {
        var (rows, columns) = (Info.Size.Y, Info.Size.X);
        var counts = new long[Tiles * Tiles, 256];
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
            {
                var tile = y * Tiles / rows * Tiles + x * Tiles / columns;
                counts[tile, (byte)slice[y * columns + x]]++;
            }
        }
        for (var p = 0; p < phases.Count; p++)
        {
            var shares = new List<double>();
            long all = 0;
            for (var tile = 0; tile < Tiles * Tiles; tile++)
            {
                long area = 0;
                for (var label = 0; label < 256; label++) area += counts[tile, label];
                if (area == 0) continue;
                all += counts[tile, phases[p].Label];
                shares.Add(counts[tile, phases[p].Label] / (double)area);
            }
            var mean = shares.Average();
            Fractions[p][item] = all / (double)slice.Length;
            Errors[p][item] = shares.Count < 2 ? 0 : Math.Sqrt(shares.Sum(s => (s - mean) * (s - mean)) / (shares.Count - 1) / shares.Count);
        }
    }

    private static double NoiseOf(ReadOnlySpan<float> v, int columns)
    {
        var rows = v.Length / columns;
        if (rows < 3 || columns < 3) return double.NaN;
        double sum = 0;
        for (var y = 1; y < rows - 1; y++)
        {
            for (int i = y * columns + 1, end = i + columns - 2; i < end; i++)
            {
                sum += Math.Abs(v[i - columns - 1] + v[i - columns + 1] + v[i + columns - 1] + v[i + columns + 1]
                    - 2 * (v[i - columns] + v[i - 1] + v[i + 1] + v[i + columns]) + 4 * v[i]);
            }
        }
        return Math.Sqrt(Math.PI / 2) * sum / (6.0 * (columns - 2) * (rows - 2));
    }

    private static float[] Thumb(ReadOnlySpan<float> slice, Size3 size)
    {
        var factor = Math.Max(1, (size.X + ThumbWidth - 1) / ThumbWidth);
        return Plane.Average(slice, size.X, size.Y, factor).Values;
    }

    private static double Correlation(float[] a, float[] b)
    {
        double meanA = a.Average(), meanB = b.Average(), ab = 0, aa = 0, bb = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var (p, q) = (a[i] - meanA, b[i] - meanB);
            (ab, aa, bb) = (ab + p * q, aa + p * p, bb + q * q);
        }
        return aa > 0 && bb > 0 ? ab / Math.Sqrt(aa * bb) : double.NaN;
    }

    // integer counts: their sum does not depend on the order of the slices
    private static void Count(ReadOnlySpan<float> slice, double low, double width, long[] counts)
    {
        var own = new int[counts.Length];
        foreach (var value in slice)
            if (float.IsFinite(value)) own[(int)Math.Clamp((value - low) / width, 0, own.Length - 1)]++;
        lock (counts)
        {
            for (var i = 0; i < own.Length; i++) counts[i] += own[i];
        }
    }

    private static (double Low, double Width, int Bins) Range(IVolume<float> source, int[] slices)
    {
        var size = source.Info.Size;
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        var slice = new float[size.SliceCount];
        for (var i = 0; i < slices.Length; i += Math.Max(1, slices.Length / 5))
        {
            source.Read(Box.Slice(size, slices[i]), slice);
            foreach (var value in slice)
                if (float.IsFinite(value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }
        return low < high ? (low, ((double)high - low) / 4095, 4096) : (float.IsFinite(low) ? low : 0, 1, 2);
    }
}

namespace Kerf.Volumes;

/// <summary>Noise of one slice.</summary>
/// <param name="Noise">Standard deviation of the noise in grey levels.</param>
/// <param name="Signal">Standard deviation of what is left when the noise is taken from the slice's variance, in grey levels.</param>
/// <param name="Mean">Mean grey level.</param>
public readonly record struct SliceNoise(double Noise, double Signal, double Mean)
{
    /// <summary>Signal over noise, both standard deviations; infinite without noise.</summary>
    public double Ratio => Noise > 0 ? Signal / Noise : double.PositiveInfinity;
}

/// <summary>
/// The noise of a slice without a flat field: the image is filtered by the difference of two Laplacians (1 −2 1, −2 4 −2, 1 −2 1), which planes
/// and straight edges along an axis do not pass (Immerkær 1996, doi:10.1006/cviu.1996.0060), and σ is 1.4826/6 times the median of the
/// magnitudes, which the few structures that do pass cannot move (Donoho and Johnstone 1994, doi:10.1093/biomet/81.3.425).
/// </summary>
/// <remarks>
/// It is the noise of the typical pixel where noise depends on the signal, and noise that is correlated between pixels (after smoothing,
/// interpolation or lossy compression) is underestimated. Pixels next to clipped ones (0 or the top level of an integer type) do not count
/// as long as 1 % of the slice is left. Medians of integers are interpolated within the level, so coarse grey levels do no harm.
/// </remarks>
public static class NoiseLevel
{
    /// <summary>The noise of each slice, in slice order.</summary>
    /// <exception cref="InputError">Slices are smaller than 3×3 pixels.</exception>
    public static SliceNoise[] OfSlices(IVolume source, Traversal walk)
    {
        var size = source.Info.Size;
        var top = source.Info.Type == PixelType.Float32 ? float.PositiveInfinity : source.Info.Type.TopLevel();
        var noise = new SliceNoise[size.Z];
        Blocks.ForEachSlice(source.AsFloat(), walk, (z, slice) => noise[z] = OfSlice(slice.AsSpan(0, (int)size.SliceCount), size.Y, size.X, top));
        return noise;
    }

    /// <summary>The median of the slices' noise, in grey levels: what a filter takes when it is told nothing.</summary>
    public static double OfStack(IVolume source, Traversal walk)
    {
        var noise = OfSlices(source, walk).Select(slice => slice.Noise).Order().ToArray();
        return (noise[(noise.Length - 1) / 2] + noise[noise.Length / 2]) / 2;
    }

    /// <summary>The noise of one slice.</summary>
    /// <param name="slice">Pixels, x fastest.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="top">The highest level of an integer type, at which pixels are clipped; infinity for floats, which are not.</param>
    public static SliceNoise OfSlice(ReadOnlySpan<float> slice, int height, int width, float top)
    {
        if (height < 3 || width < 3)
            throw new InputError($"slices of {height}×{width} pixels are too small to estimate noise; they must be 3×3 or larger.");
        var integers = float.IsFinite(top);
        var response = new float[(height - 2) * (width - 2)];
        var count = Responses(slice, height, width, integers ? 0 : float.NegativeInfinity, top, response);
        if (count < response.Length / 100 || count == 0)
            count = Responses(slice, height, width, float.NegativeInfinity, float.PositiveInfinity, response);
        var noise = 1.4826 / 6 * Median(response.AsSpan(0, count), integers);
        var (sum, squares) = (0.0, 0.0);
        foreach (var level in slice) sum += level;
        var mean = sum / slice.Length;
        foreach (var level in slice) squares += (level - mean) * (level - mean);
        return new(noise, Math.Sqrt(Math.Max(0, squares / slice.Length - noise * noise)), mean);
    }

    private static int Responses(ReadOnlySpan<float> slice, int height, int width, float low, float high, Span<float> to)
    {
        var count = 0;
        for (var y = 1; y < height - 1; y++)
        {
            var above = slice.Slice((y - 1) * width, width);
            var row = slice.Slice(y * width, width);
            var below = slice.Slice((y + 1) * width, width);
            for (var x = 1; x < width - 1; x++)
            {
                var least = Math.Min(Math.Min(Least(above, x), Least(row, x)), Least(below, x));
                var greatest = Math.Max(Math.Max(Greatest(above, x), Greatest(row, x)), Greatest(below, x));
                if (!(least > low && greatest < high)) continue;
                to[count++] = Math.Abs(Bend(above, x) - 2 * Bend(row, x) + Bend(below, x));
            }
        }
        return count;
    }

    private static float Bend(ReadOnlySpan<float> row, int x) => row[x - 1] - 2 * row[x] + row[x + 1];

    private static float Least(ReadOnlySpan<float> row, int x) => Math.Min(Math.Min(row[x - 1], row[x]), row[x + 1]);

    private static float Greatest(ReadOnlySpan<float> row, int x) => Math.Max(Math.Max(row[x - 1], row[x]), row[x + 1]);

    // of magnitudes; an integer n stands for n − ½ … n + ½, and 0 for 0 … ½
    private static double Median(Span<float> values, bool integers)
    {
        values.Sort();
        if (values.Length == 0 || values[^1] == 0) return 0;
        var median = values[(values.Length - 1) / 2];
        if (!integers) return median;
        var below = 0;
        var equal = 0;
        foreach (var value in values)
        {
            if (value < median) below++;
            else if (value == median) equal++;
        }
        var share = (values.Length / 2.0 - below) / equal;
        return median == 0 ? share / 2 : median - 0.5 + share;
    }
}

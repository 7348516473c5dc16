namespace Kerf.Imaging;

/// <summary>Signed distance to a phase's outline within a plane.</summary>
internal static class PlaneDistance
{
    /// <summary>
    /// d/√(d² + s²) with d the distance in nanometres to the nearest pixel of the other kind less half a pixel, positive inside the phase and negative outside: −1 … 1. Exact
    /// Euclidean distances (Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019). A plane without an outline is ±1.
    /// </summary>
    public static float[] Saturated(byte[] slice, byte label, int height, int width, double pixelY, double pixelX, double saturation)
    {
        var field = new float[slice.Length];
        var (inside, outside) = (Squared(slice, label, false, height, width, pixelY, pixelX), Squared(slice, label, true, height, width, pixelY, pixelX));
        var half = Math.Min(pixelY, pixelX) / 2;
        for (var i = 0; i < field.Length; i++)
        {
            var isIn = slice[i] == label;
            var distance = Math.Sqrt(isIn ? inside[i] : outside[i]) - half;
            var saturated = double.IsInfinity(distance) ? 1 : distance / Math.Sqrt(distance * distance + saturation * saturation);
            field[i] = (float)(isIn ? saturated : -saturated);
        }
        return field;
    }

    // squared distance of each pixel to the nearest one whose being of the label equals sought
    private static double[] Squared(byte[] slice, byte label, bool sought, int height, int width, double pixelY, double pixelX)
    {
        var distance = new double[slice.Length];
        for (var y = 0; y < height; y++)
        {
            var row = distance.AsSpan(y * width, width);
            var last = double.PositiveInfinity;
            for (var x = 0; x < width; x++) row[x] = last = (slice[y * width + x] == label) == sought ? 0 : last + pixelX;
            last = double.PositiveInfinity;
            for (var x = width - 1; x >= 0; x--)
            {
                last = Math.Min(row[x], last + pixelX);
                row[x] = last * last;
            }
        }
        var (column, at, from) = (new double[height], new int[height], new double[height + 1]);
        for (var x = 0; x < width; x++)
        {
            for (var y = 0; y < height; y++) column[y] = distance[y * width + x];
            LowerEnvelope(column, pixelY * pixelY, at, from, distance.AsSpan(x), width);
        }
        return distance;
    }

    // min over j of f(j) + (i − j)²·scale for each i
    private static void LowerEnvelope(double[] f, double scale, int[] at, double[] from, Span<double> to, int stride)
    {
        var n = f.Length;
        var top = -1;
        for (var j = 0; j < n; j++)
        {
            if (double.IsInfinity(f[j])) continue;
            var start = double.NegativeInfinity;
            while (top >= 0)
            {
                start = ((f[j] - f[at[top]]) / scale + (double)j * j - (double)at[top] * at[top]) / (2.0 * (j - at[top]));
                if (start > from[top]) break;
                top--;
            }
            top++;
            (at[top], from[top]) = (j, top == 0 ? double.NegativeInfinity : start);
        }
        if (top < 0) return;
        from[top + 1] = double.PositiveInfinity;
        var k = 0;
        for (var i = 0; i < n; i++)
        {
            while (from[k + 1] < i) k++;
            to[i * stride] = (double)(i - at[k]) * (i - at[k]) * scale + f[at[k]];
        }
    }
}

namespace Kerf.Imaging;

/// <summary>
/// Robust local regression (LOWESS, Cleveland 1979, doi:10.1080/01621459.1979.10481038) of a series: at each point a straight line through the
/// nearest points of a window, weighted by distance (tricube) and, in three more rounds, by how well they fit (bisquare). Lines are reproduced
/// up to both ends; lone outliers do not count.
/// </summary>
public static class Lowess
{
    /// <summary>The smooth series.</summary>
    /// <param name="values">One value a slice.</param>
    /// <param name="window">Points in a window; at most all are taken.</param>
    public static double[] Smooth(double[] values, int window)
    {
        var count = Math.Min(window, values.Length);
        var smooth = Fit(values, count, [.. Enumerable.Repeat(1.0, values.Length)], values);
        for (var round = 0; round < 3; round++)
        {
            double[] residuals = [.. values.Zip(smooth, (value, fit) => Math.Abs(value - fit))];
            var robust = new double[values.Length];
            for (var i = 0; i < robust.Length; i++)
            {
                // the scale is that of the window: elsewhere the series may be quiet
                var scale = Math.Max(1e-9, 6 * residuals.Skip(Start(i, count, values.Length)).Take(count).Order().ElementAt(count / 2));
                robust[i] = Math.Pow(Math.Max(0, 1 - Math.Pow(residuals[i] / scale, 2)), 2);
            }
            smooth = Fit(values, count, robust, smooth);
        }
        return smooth;
    }

    private static int Start(int i, int count, int length) => Math.Clamp(i - count / 2, 0, length - count);

    private static double[] Fit(double[] values, int count, double[] robust, double[] before)
    {
        var fit = new double[values.Length];
        for (var i = 0; i < fit.Length; i++)
        {
            var start = Start(i, count, values.Length);
            var reach = Math.Max(i - start, start + count - 1 - i) + 1.0;
            var (s0, s1, s2, t0, t1) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (var j = start; j < start + count; j++)
            {
                double x = j - i;
                var weight = robust[j] * Math.Pow(1 - Math.Pow(Math.Abs(x) / reach, 3), 3);
                (s0, s1, s2, t0, t1) = (s0 + weight, s1 + weight * x, s2 + weight * x * x, t0 + weight * values[j], t1 + weight * x * values[j]);
            }
            var determinant = s0 * s2 - s1 * s1;
            fit[i] = s0 < 1e-9 ? before[i] : determinant > 1e-9 * s0 * s0 ? (s2 * t0 - s1 * t1) / determinant : t0 / s0;
        }
        return fit;
    }
}

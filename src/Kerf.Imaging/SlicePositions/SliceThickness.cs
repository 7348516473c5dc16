namespace Kerf.Imaging;

/// <summary>The law of thicknesses.</summary>
/// <param name="Shape">Of the gamma distribution; NaN when it cannot be told.</param>
/// <param name="Scale">In nanometres.</param>
public sealed record GammaLaw(double Shape, double Scale);

/// <summary>How thick each slice is: the distance from slice k to slice k + 1, so one value fewer than slices. See docs/methods/slice-thickness.md.</summary>
/// <param name="Thickness">In nanometres.</param>
/// <param name="Uncertainty">Standard error of each, in nanometres; NaN where the source tells none.</param>
/// <param name="Outliers">Which of them lie more than 1.5 standard deviations from the mean of all, or could not be measured; in ascending order.</param>
/// <param name="Mean">Of those that are no outliers.</param>
/// <param name="Sd">Of those that are no outliers (n − 1).</param>
/// <param name="Gamma">Fitted to those that are no outliers, by greatest likelihood.</param>
/// <param name="Warnings">What the user should know.</param>
public sealed record SliceThickness(
    double[] Thickness, double[] Uncertainty, int[] Outliers, double Mean, double Sd, GammaLaw Gamma, IReadOnlyList<string> Warnings)
{
    /// <summary>T-II's rule.</summary>
    private const double OutlierScore = 1.5;

    /// <summary>Depth of each slice in nanometres from the first.</summary>
    public double[] Depths
    {
        get
        {
            var depths = new double[Thickness.Length + 1];
            for (var k = 0; k < Thickness.Length; k++) depths[k + 1] = depths[k] + Thickness[k];
            return depths;
        }
    }

    /// <summary>The statistics of measured thicknesses, outliers flagged.</summary>
    /// <param name="thickness">In nanometres.</param>
    /// <param name="uncertainty">Standard errors.</param>
    /// <param name="unmeasured">Thicknesses that were only interpolated: outliers in any case.</param>
    /// <param name="warnings">To be passed on.</param>
    public static SliceThickness Of(double[] thickness, double[] uncertainty, IReadOnlySet<int>? unmeasured = null, params IEnumerable<string> warnings)
    {
        var measured = Enumerable.Range(0, thickness.Length).Where(k => unmeasured?.Contains(k) != true).ToArray();
        var (mean, sd) = Moments([.. measured.Select(k => thickness[k])]);
        int[] outliers = [.. Enumerable.Range(0, thickness.Length).Where(k => unmeasured?.Contains(k) == true || Math.Abs(thickness[k] - mean) > OutlierScore * sd)];
        double[] kept = [.. Enumerable.Range(0, thickness.Length).Except(outliers).Select(k => thickness[k])];
        (mean, sd) = Moments(kept);
        var (shape, scale) = Imaging.Gamma.Fit(kept);
        var told = warnings.ToList();
        var thin = thickness.Count(t => t <= 1);
        if (thin > 0) told.Add($"{thin} of {thickness.Length} slices are 1 nm thick or less: that is seldom true; look at how they were measured.");
        return new(thickness, uncertainty, outliers, mean, sd, new(shape, scale), told);
    }

    /// <summary>Thicknesses that a table tells (see <see cref="SliceDepths.Read"/>).</summary>
    public static SliceThickness FromDepths(double[] depths)
    {
        double[] thickness = [.. depths.Zip(depths.Skip(1), (a, b) => b - a)];
        return Of(thickness, [.. thickness.Select(_ => double.NaN)]);
    }

    private static (double Mean, double Sd) Moments(double[] values)
    {
        if (values.Length == 0) return (double.NaN, double.NaN);
        var mean = values.Average();
        return (mean, values.Length > 1 ? Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)) : 0);
    }
}

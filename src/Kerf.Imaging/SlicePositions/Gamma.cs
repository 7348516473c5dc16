namespace Kerf.Imaging;

/// <summary>The gamma distribution, the law of slice thicknesses (T-II).</summary>
public static class Gamma
{
    /// <summary>
    /// Shape and scale of greatest likelihood: Newton's method on ln k − ψ(k) = ln mean − mean of ln, started as in Minka 2002 ("Estimating a Gamma distribution"). Both are NaN below
    /// two different positive numbers.
    /// </summary>
    public static (double Shape, double Scale) Fit(IReadOnlyCollection<double> values)
    {
        var positive = values.Where(value => value > 0).ToArray();
        if (positive.Length < 2) return (double.NaN, double.NaN);
        var mean = positive.Average();
        var s = Math.Log(mean) - positive.Average(Math.Log);
        if (!(s > 1e-12)) return (double.NaN, double.NaN);
        var k = (3 - s + Math.Sqrt((s - 3) * (s - 3) + 24 * s)) / (12 * s);
        for (var i = 0; i < 20; i++)
        {
            var step = (Math.Log(k) - Digamma(k) - s) / (1 / k - Trigamma(k));
            k -= step;
            if (Math.Abs(step) < 1e-12 * k) break;
        }
        return (k, mean / k);
    }

    /// <summary>Probability density at a value, per unit of <paramref name="scale"/>; 0 where the value is not positive.</summary>
    public static double Density(double value, double shape, double scale) =>
        value > 0 ? Math.Exp((shape - 1) * Math.Log(value / scale) - value / scale - LogGamma(shape)) / scale : 0;

    private static double LogGamma(double x)
    {
        var product = 0.0;
        for (; x < 10; x++) product += Math.Log(x);
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + 1 / x * (1.0 / 12 - 1 / (x * x) * (1.0 / 360 - 1 / (x * x) / 1260)) - product;
    }

    // both by recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18, 6.4.12; above 6.1.41)
    private static double Digamma(double x)
    {
        var sum = 0.0;
        for (; x < 10; x++) sum -= 1 / x;
        var r = 1 / (x * x);
        return sum + Math.Log(x) - 0.5 / x - r * (1.0 / 12 - r * (1.0 / 120 - r / 252));
    }

    private static double Trigamma(double x)
    {
        var sum = 0.0;
        for (; x < 10; x++) sum += 1 / (x * x);
        var r = 1 / (x * x);
        return sum + 1 / x + r / 2 + r / x * (1.0 / 6 - r * (1.0 / 30 - r / 42));
    }
}

namespace Kerf.Imaging;

/// <summary>
/// Sampled Gaussian kernels and their derivatives as ilastik's engine builds them: order 0 sums to 1; order 1 answers 1 to a unit ramp;
/// order 2 has no mean and answers 1 to x²/2. Only the half from the centre outwards is kept: taps[k] belongs to offsets ±k.
/// </summary>
public static class GaussianTaps
{
    /// <summary>⌊ratio·σ + ½⌋.</summary>
    public static int Radius(double sigma, double ratio) => (int)Math.Floor(ratio * sigma + 0.5);

    /// <summary>Smoothing taps, k = 0 … radius.</summary>
    public static double[] Smooth(double sigma, int radius)
    {
        var taps = new double[radius + 1];
        for (var k = 0; k <= radius; k++) taps[k] = Gaussian(sigma, k);
        var sum = taps[0] + 2 * taps[1..].Sum();
        for (var k = 0; k <= radius; k++) taps[k] /= sum;
        return taps;
    }

    /// <summary>First-derivative taps for the forward offsets, in correlation form: result = Σ taps[k]·(f(x+k) − f(x−k)); taps[0] is 0.</summary>
    /// <param name="sigma">Scale in samples.</param>
    /// <param name="radius">At least 1.</param>
    public static double[] First(double sigma, int radius)
    {
        var taps = new double[radius + 1];
        for (var k = 1; k <= radius; k++) taps[k] = k * Gaussian(sigma, k);
        var ramp = 0.0;
        for (var k = 1; k <= radius; k++) ramp += 2 * k * taps[k];
        // a Gaussian so narrow that its first sample underflows is a central difference in the limit
        if (ramp == 0) (taps[1], ramp) = (1, 2);
        for (var k = 1; k <= radius; k++) taps[k] /= ramp;
        return taps;
    }

    /// <summary>Second-derivative taps: result = taps[0]·f(x) + Σ taps[k]·(f(x+k) + f(x−k)).</summary>
    /// <param name="sigma">Scale in samples.</param>
    /// <param name="radius">At least 1.</param>
    public static double[] Second(double sigma, int radius)
    {
        var taps = new double[radius + 1];
        for (var k = 0; k <= radius; k++) taps[k] = (k * k / (sigma * sigma) - 1) * Gaussian(sigma, k);
        var mean = (taps[0] + 2 * taps[1..].Sum()) / (2 * radius + 1);
        for (var k = 0; k <= radius; k++) taps[k] -= mean;
        var parabola = 0.0;
        for (var k = 1; k <= radius; k++) parabola += k * k * taps[k];
        for (var k = 0; k <= radius; k++) taps[k] /= parabola;
        return taps;
    }

    private static double Gaussian(double sigma, int k) => sigma > 0 ? Math.Exp(-k * (double)k / (2 * sigma * sigma)) : k == 0 ? 1 : 0;
}

using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Noise and signal-to-noise ratio of a grey stack, slice by slice and overall. The estimator is <see cref="NoiseLevel"/>.</summary>
[Operation("noise", "Measures the noise and the signal-to-noise ratio of each slice, without a flat field.")]
public sealed record Noise : Measure
{
    private const int Resamples = 1000;

    /// <inheritdoc/>
    public override Measured Run(IVolume source, Traversal walk, ulong seed)
    {
        var slices = NoiseLevel.OfSlices(source, walk);
        var z = Enumerable.Range(0, slices.Length).Select(slice => (double)slice).ToArray();
        double[] noise = [.. slices.Select(slice => slice.Noise)];
        double[] ratio = [.. slices.Select(slice => slice.Ratio)];
        return new(
            [Overall("noise", noise, "grey levels", seed), Overall("signalToNoise", ratio, "1", seed)],
            [new("noise-z", z, noise, "slices"), new("signal-to-noise-z", z, ratio, "slices")]);
    }

    // Mean over the slices; neighbours resemble each other, so the interval comes from resampling runs of slices (moving blocks of length n^⅓,
    // Künsch 1989, doi:10.1214/aos/1176347265)
    private static Measurement Overall(string name, double[] values, string unit, ulong seed)
    {
        const string method = "noise/block-bootstrap-95";
        var mean = values.Average();
        if (values.Length < 5 || !double.IsFinite(mean)) return new(name, null, null, mean, unit, null, null, method);
        var length = (int)Math.Ceiling(Math.Cbrt(values.Length));
        var means = new double[Resamples];
        for (var resample = 0; resample < Resamples; resample++)
        {
            var random = new CounterRandom(seed, (ulong)resample);
            var start = 0;
            for (var i = 0; i < values.Length; i++)
            {
                if (i % length == 0) start = random.NextInt(values.Length - length + 1);
                means[resample] += values[start + i % length] / values.Length;
            }
        }
        Array.Sort(means);
        return new(name, null, null, mean, unit, means[Resamples / 40], means[Resamples - 1 - Resamples / 40], method);
    }
}

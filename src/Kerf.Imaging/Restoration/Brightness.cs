using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What the brightness of a slice is matched to.</summary>
public enum BrightnessMethod
{
    /// <summary>Mean and σ of all slices take their median over the stack.</summary>
    MeanSigma,

    /// <summary>The distribution of grey levels takes its median over the stack.</summary>
    Histogram,

    /// <summary>Mean and σ follow a smooth, robust course along the stack.</summary>
    Running,
}

/// <summary>Brightness and contrast of each slice, and how they are changed: g = offset + gain · f, or a bent line through knots.</summary>
/// <param name="Offsets">Offset of each slice in grey levels.</param>
/// <param name="Gains">Gain of each slice.</param>
/// <param name="MeanBefore">Mean grey level of each slice.</param>
/// <param name="MeanAfter">The same after the change.</param>
/// <param name="From">Knots for <see cref="BrightnessMethod.Histogram"/>: grey levels of each slice …</param>
/// <param name="To">… and what they become; offset and gain then describe the change on average.</param>
public sealed record BrightnessCorrection(
    double[] Offsets, double[] Gains, double[] MeanBefore, double[] MeanAfter, double[][]? From = null, double[][]? To = null)
{
    /// <summary>The new level of a grey level of slice <paramref name="z"/>.</summary>
    public double Apply(int z, double level)
    {
        if (From is null || To is null) return Offsets[z] + Gains[z] * level;
        var (from, to) = (From[z], To[z]);
        if (level <= from[0]) return to[0] + level - from[0];
        if (level >= from[^1]) return to[^1] + level - from[^1];
        var right = Array.BinarySearch(from, level);
        if (right < 0) right = ~right;
        return to[right - 1] + (to[right] - to[right - 1]) * (level - from[right - 1]) / (from[right] - from[right - 1]);
    }
}

/// <summary>Takes jumps of brightness and contrast from slice to slice out of a stack.</summary>
[Operation("brightness", "Evens out jumps of brightness and contrast between slices, without inventing contrast.")]
public sealed record Brightness : Step
{
    /// <summary>What a slice is matched to.</summary>
    [Parameter("running (a robust smooth course along the stack: real gradual changes stay), mean-sigma or histogram (the whole stack's).")]
    public BrightnessMethod Method { get; init; } = BrightnessMethod.Running;

    /// <summary>Running: slices that the reference looks at.</summary>
    [Parameter("running: how many slices the reference spans; changes slower than this stay.", Unit = "slices", Min = 5)]
    public int Window { get; init; } = 31;

    /// <summary>Limit of the gain.</summary>
    [Parameter("Contrast is changed by this factor at most, up or down; 1 shifts brightness only.", Min = 1, Max = 4)]
    public double MaxGain { get; init; } = 1.25;

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var correction = run.Remember("brightness", () => Estimate(run.Source, Method, Window, MaxGain, run.Walk.Part(0, 0.5)));
        Apply(run.Source, run.Create(run.Source.Info), correction, run.Walk.Part(0.5, 1));
    }

    // 5 % to 95 % of the voxels: what lies beyond counts as if it lay there
    private const double Tail = 5;
    private const int Knots = 33;

    /// <summary>
    /// Finds what to do to each slice. Its centre and spread are the mean and σ with the lowest and the highest 5 % of the grey levels pulled in
    /// to these percentiles (winsorised), so a charging spot does not matter. The running reference is their robust local regression along z
    /// (<see cref="Lowess"/>): a jump does not move it, a trend does.
    /// </summary>
    /// <param name="source">Grey values.</param>
    /// <param name="method">What a slice is matched to.</param>
    /// <param name="window">Slices that the running reference spans, 5 or more.</param>
    /// <param name="maxGain">Limit of the gain (and of its inverse), 1 or more.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError"><paramref name="window"/> or <paramref name="maxGain"/> is too small.</exception>
    public static BrightnessCorrection Estimate(IVolume source, BrightnessMethod method, int window, double maxGain, Traversal walk)
    {
        if (window < 5) throw new InputError($"window is {window} slices; it must be 5 or more.");
        if (!(maxGain >= 1)) throw new InputError($"max-gain is {maxGain}; it must be 1 or more.");
        var count = source.Info.Size.Z;
        var (centres, spreads, quantiles) = (new double[count], new double[count], new double[count][]);
        walk.Part(0, 0.5).ForEach(count, z =>
        {
            var histogram = Histogram.OfSlice(source, z);
            (centres[z], spreads[z]) = Winsorised(histogram);
            quantiles[z] = [.. Enumerable.Range(0, Knots).Select(k => Quantile(histogram, (k + 0.5) / Knots))];
        });
        var (centre, spread) = method == BrightnessMethod.Running
            ? (Lowess.Smooth(centres, window), Lowess.Smooth(spreads, window))
            : (Constant(Median(centres), count), Constant(Median(spreads), count));
        double Limited(double gain) => double.IsFinite(gain) && gain > 0 ? Math.Clamp(gain, 1 / maxGain, maxGain) : 1;
        double[] gains = [.. Enumerable.Range(0, count).Select(z => Limited(spread[z] / spreads[z]))];
        double[] offsets = [.. Enumerable.Range(0, count).Select(z => centre[z] - gains[z] * centres[z])];
        var correction = new BrightnessCorrection(offsets, gains, new double[count], new double[count]);
        if (method == BrightnessMethod.Histogram) correction = Match(correction, quantiles, Limited);
        walk.Part(0.5, 1).ForEach(count, z => Means(Histogram.OfSlice(source, z), source.Info.Type, correction, z));
        return correction;
    }

    /// <summary>Writes the corrected stack, rounded and clamped to its type.</summary>
    public static void Apply(IVolume source, IVolume target, BrightnessCorrection correction, Traversal walk)
    {
        if (correction.Offsets.Length != source.Info.Size.Z)
        {
            throw new InputError(
                $"brightness.json: holds {correction.Offsets.Length} slices, the stack {source.Info.Size.Z}. Delete it to have it estimated again.");
        }
        Blocks.MapSlices<float, float>(source.AsFloat(), target.AsFloatTarget(), 0, Border.Nearest, walk, (block, output) =>
        {
            for (var i = 0; i < output.Length; i++) output[i] = (float)correction.Apply(block.Inner.Start.Z, block.Voxels[i]);
        });
    }

    // slopes between knots are limited like gains; then the whole is moved so that the mean over the knots is the reference's
    private static BrightnessCorrection Match(BrightnessCorrection affine, double[][] quantiles, Func<double, double> limited)
    {
        double[] reference = [.. Enumerable.Range(0, Knots).Select(k => Median([.. quantiles.Select(q => q[k])]))];
        var (gains, offsets) = (new double[quantiles.Length], new double[quantiles.Length]);
        var to = quantiles.Select((from, z) =>
        {
            var levels = new double[Knots];
            for (var k = 0; k < Knots - 1; k++)
                levels[k + 1] = levels[k] + limited((reference[k + 1] - reference[k]) / (from[k + 1] - from[k])) * (from[k + 1] - from[k]);
            var shift = reference.Average() - levels.Average();
            gains[z] = limited((levels[^1] - levels[0]) / (from[^1] - from[0]));
            offsets[z] = reference.Average() - gains[z] * from.Average();
            return levels.Select(level => level + shift).ToArray();
        }).ToArray();
        return affine with { Offsets = offsets, Gains = gains, From = quantiles, To = to };
    }

    private static void Means(Histogram histogram, PixelType type, BrightnessCorrection correction, int z)
    {
        var (before, after) = (0.0, 0.0);
        for (var bin = 0; bin < histogram.Bins; bin++)
        {
            if (histogram.Counts[bin] == 0) continue;
            var level = correction.Apply(z, histogram.LevelOf(bin));
            before += histogram.Counts[bin] * histogram.LevelOf(bin);
            after += histogram.Counts[bin] * (type == PixelType.Float32 ? level : Math.Round(Math.Clamp(level, 0, type.TopLevel())));
        }
        (correction.MeanBefore[z], correction.MeanAfter[z]) = (before / histogram.Total, after / histogram.Total);
    }

    private static (double Centre, double Spread) Winsorised(Histogram histogram)
    {
        var (low, high) = (histogram.Percentile(Tail), histogram.Percentile(100 - Tail));
        var (sum, squares) = (0.0, 0.0);
        for (var bin = 0; bin < histogram.Bins; bin++) sum += histogram.Counts[bin] * Math.Clamp(histogram.LevelOf(bin), low, high);
        var mean = sum / histogram.Total;
        for (var bin = 0; bin < histogram.Bins; bin++)
            squares += histogram.Counts[bin] * Math.Pow(Math.Clamp(histogram.LevelOf(bin), low, high) - mean, 2);
        return (mean, Math.Sqrt(squares / histogram.Total));
    }

    // a bin is spread evenly over its width: the quantiles of 8-bit slices then differ by fractions of a level
    private static double Quantile(Histogram histogram, double share)
    {
        var wanted = share * histogram.Total;
        long below = 0;
        for (var bin = 0; bin < histogram.Bins; bin++)
        {
            var count = histogram.Counts[bin];
            var width = histogram.LevelOf(1) - histogram.LevelOf(0);
            if (count > 0 && below + count >= wanted) return histogram.LevelOf(bin) + width * ((wanted - below) / count - 0.5);
            below += count;
        }
        return double.NaN;
    }

    private static double[] Constant(double value, int count) => [.. Enumerable.Repeat(value, count)];

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

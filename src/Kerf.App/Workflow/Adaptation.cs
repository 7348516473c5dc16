using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Microstructure;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What is measured of a stack before a specimen like it is simulated; see <c>docs/methods/adapt.md</c>.</summary>
/// <param name="Dark">Mean grey level of the darker phase.</param>
/// <param name="Bright">Mean grey level of the brighter phase.</param>
/// <param name="Noise">Standard deviation of the noise, grey levels.</param>
/// <param name="Blur">Standard deviation of the blur in the slice, pixels.</param>
/// <param name="Fraction">Share of the brighter phase.</param>
/// <param name="Chord">Mean chord of the rarer phase, nm.</param>
/// <param name="Wavelength">Of the levelled wave that has this chord, nm.</param>
/// <param name="Threshold">Grey level that divides the smoothed stack.</param>
public sealed record StackTraits(double Dark, double Bright, double Noise, double Blur, double Fraction, double Chord, double Wavelength, double Threshold)
{
    /// <summary>Grey step between the phases over the noise.</summary>
    public double Contrast => (Bright - Dark) / Math.Max(Noise, 1e-9);
}

/// <summary>A network for a new material without a label: measure the stack, simulate one like it, train on that, segment, and say how far to trust it.</summary>
public sealed class Adaptation(IVolume stack, string name, Traversal walk, ulong seed)
{
    private static readonly double[] Blurs = [0, 0.4, 0.7, 1, 1.4, 2];
    private readonly Traversal _quiet = walk with { Progress = null };
    private readonly VoxelSize _voxel = stack.Info.RequireVoxel("adapt");

    // what is measured, from the middle: wide, since a phase may be rare and far between
    private Size3 Measured => Size3.Min(stack.Info.Size, new(24, 1024, 1024));

    // what is simulated: never less for a small stack, since a training needs its patches
    private static Size3 Sample => new(48, 192, 192);

    /// <summary>Refuses stacks that are too small to measure.</summary>
    /// <exception cref="InputError">Fewer than 12 slices of 48×48.</exception>
    public void Check()
    {
        if (stack.Info.Size is { Z: < 12 } or { Y: < 48 } or { X: < 48 })
            throw new InputError($"{name}: is {stack.Info.Size} voxels; adapt needs 12 slices of 48×48 or more to measure it. Give a larger stack, or train on labels.");
    }

    /// <summary>Measures the stack.</summary>
    /// <exception cref="InputError">The two phases cannot be told apart.</exception>
    public StackTraits Measure()
    {
        var part = Middle();
        var noise = NoiseLevel.OfStack(part, _quiet);
        var smooth = Smoothed(part);
        var threshold = GreyClasses.Thresholds(Histogram.OfStack(smooth, _quiet), 2, name)[0];
        var labels = new Volume<byte>(part.Info with { Phases = [new(1, "dark", "#2b2b33"), new(2, "bright", "#e8b23a")] });
        for (var i = 0; i < labels.Data.Length; i++) labels.Data[i] = (byte)(smooth.Data[i] >= threshold ? 2 : 1);
        var (dark, bright) = (Core(smooth, threshold, above: false), Core(smooth, threshold, above: true));
        if (bright - dark < 0.5 * noise) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"{name}: its two phases differ by {bright - dark:0.0} grey levels under a noise of {noise:0.0}; they cannot be told apart. Denoise the stack first, or train on labels."));
        var fraction = labels.Data.Count(l => l == 2) / (double)labels.Data.Length;
        if (fraction is < 0.01 or > 0.99) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"{name}: one phase fills {Math.Max(fraction, 1 - fraction):P0} of it; adapt needs two phases. Crop the stack to the specimen."));
        // of the rarer phase: what lies between its pieces may be longer than the stack
        var rarer = fraction < 0.5 ? "2" : "1";
        var chord = Chord(labels, rarer);
        // a wave of a guessed length tells how long one of the wanted chord is
        var guess = Math.Clamp(2 * chord, 4 * _voxel.Finest, 100 * _voxel.Finest);
        var trial = VirtualStructure.Make("levelled-wave", Size3.Min(stack.Info.Size, Sample), _voxel, fraction, guess, seed, _quiet);
        var wavelength = Math.Clamp(guess * chord / Chord(Volume<byte>.Load(trial), rarer), 4 * _voxel.Finest, 200 * _voxel.Finest);
        var traits = new StackTraits(dark, bright, noise, 0, fraction, chord, wavelength, threshold);
        // the blur whose image has the stack's histogram
        var wanted = Shares(part);
        var structure = Volume<byte>.Load(VirtualStructure.Make("levelled-wave", Size3.Min(part.Info.Size, new(12, 128, 128)), _voxel, fraction, wavelength, seed, _quiet));
        return traits with { Blur = Blurs.MinBy(blur => Shares(Image(structure, traits with { Blur = blur })).Zip(wanted, (a, b) => Math.Abs(a - b)).Sum()) };
    }

    /// <summary>A specimen with the stack's traits, as the microscope would show it, and its truth.</summary>
    public (Volume<byte> Image, Volume<byte> Truth) Simulate(StackTraits traits, ulong which)
    {
        var truth = Volume<byte>.Load(VirtualStructure.Make("levelled-wave", Sample, _voxel, traits.Fraction, traits.Wavelength, seed + which, _quiet));
        return (Image(truth, traits), truth);
    }

    private Volume<byte> Image(Volume<byte> truth, StackTraits traits)
    {
        var size = truth.Info.Size;
        var image = new Volume<byte>(truth.Info with { Phases = null });
        double[] taps = traits.Blur < 0.1 ? [1] : [.. Enumerable.Range(-4, 9).Select(k => Math.Exp(-0.5 * k * k / (traits.Blur * traits.Blur)))];
        var (sum, reach) = (taps.Sum(), taps.Length / 2);
        _quiet.ForEach(size.Z, z =>
        {
            var random = new CounterRandom(seed, 0x4144_0000UL + (ulong)z);
            var from = truth.Slice(z);
            var rows = new double[size.SliceCount];
            for (var i = 0; i < rows.Length; i++) rows[i] = from[i] == 2 ? traits.Bright : traits.Dark;
            var turned = new double[rows.Length];
            foreach (var (step, length, other) in new[] { (1, size.X, size.X), (size.X, size.Y, 1) })
            {
                for (var i = 0; i < rows.Length; i++)
                {
                    var at = step == 1 ? i % size.X : i / size.X;
                    var value = 0.0;
                    for (var k = -reach; k <= reach; k++) value += taps[k + reach] * rows[i + (Borders.Map(Border.Mirror, at + k, length) - at) * step];
                    turned[i] = value / sum;
                }
                (rows, turned) = (turned, rows);
            }
            var to = image.Slice(z);
            for (var i = 0; i < to.Length; i++) to[i] = (byte)Math.Clamp(Math.Round((rows[i] + traits.Noise * random.NextNormal()) * Gain), 0, 255);
        });
        return image;
    }

    // images of 16 bits or float are simulated in 8
    private double Gain => stack.Info.Type == PixelType.UInt8 ? 1 : 255 / Math.Max(1e-9, Top);

    private double Top { get; } = stack.Info.Type == PixelType.UInt8 ? 255 : Histogram.OfStack(stack, walk with { Progress = null }).Percentile(99.9);

    private Volume<float> Middle()
    {
        var size = stack.Info.Size;
        var start = new Size3((size.Z - Measured.Z) / 2, (size.Y - Measured.Y) / 2, (size.X - Measured.X) / 2);
        var part = new Volume<float>(stack.Info with { Size = Measured, Phases = null });
        stack.AsFloat().Read(new(start, Measured), part.Data);
        return part;
    }

    // mean of 3×3 in the slice and its neighbours
    private Volume<float> Smoothed(Volume<float> part)
    {
        var smooth = new Volume<float>(part.Info);
        Blocks.Map(part, smooth, Size3.Cube(1), Border.Mirror, _quiet, (block, output) =>
        {
            var (outer, inner) = (block.Outer.Size, block.Inner.Size);
            for (var i = 0; i < output.Length; i++)
            {
                var (z, y, x) = (i / (inner.Y * inner.X), i / inner.X % inner.Y, i % inner.X);
                var sum = 0f;
                for (var dz = 0; dz < 3; dz++)
                    for (var dy = 0; dy < 3; dy++)
                        for (var dx = 0; dx < 3; dx++) sum += block.Voxels[((z + dz) * outer.Y + y + dy) * outer.X + x + dx];
                output[i] = sum / 27;
            }
        });
        return smooth;
    }

    // the median of a side of the threshold: rims of the other phase do not move it
    private static double Core(Volume<float> smooth, double threshold, bool above)
    {
        float[] side = [.. smooth.Data.Where(v => v >= threshold == above).Order()];
        return side.Length == 0 ? threshold : side[side.Length / 2];
    }

    private double Chord(Volume<byte> labels, string phase) =>
        new LinealPath { Phase = phase }.Run(labels, _quiet, seed).Measurements.Where(m => m.Name == "meanChord").Average(m => m.Value);

    private double[] Shares(IVolume image)
    {
        var counts = new double[64];
        foreach (var value in Volume<float>.Load(image.AsFloat()).Data) counts[Math.Clamp((int)(value * (image.Info.Type == PixelType.UInt8 ? 1 : Gain) / 4), 0, 63)]++;
        var total = counts.Sum();
        return [.. counts.Select(c => c / total)];
    }

    /// <summary>How far the phases may be trusted.</summary>
    /// <param name="phases">What the network found.</param>
    /// <param name="uncertainty">1 − (p₁ − p₂).</param>
    /// <param name="traits">What was measured.</param>
    public JsonObject Trust(IVolume<byte> phases, IVolume<float> uncertainty, StackTraits traits)
    {
        var part = Measured;
        var start = new Size3((stack.Info.Size.Z - part.Z) / 2, (stack.Info.Size.Y - part.Y) / 2, (stack.Info.Size.X - part.X) / 2);
        var found = new Volume<byte>(phases.Info with { Size = part });
        phases.Read(new(start, part), found.Data);
        var doubt = new float[part.Count];
        uncertainty.Read(new(start, part), doubt);
        var smooth = Smoothed(Middle());
        var classic = new Volume<byte>(found.Info.Size, null, Array.ConvertAll(smooth.Data, v => (byte)(v >= traits.Threshold ? 2 : 1)));
        var agreement = Confusion.Of(found, classic, _quiet).Score();
        var anisotropy = new Anisotropy { Phase = traits.Fraction < 0.5 ? "2" : "1" }.Run(found, _quiet, seed).Measurements;
        double? Value(string of) => anisotropy.FirstOrDefault(m => m.Name == of)?.Value is { } v && double.IsFinite(v) ? v : null;
        return new()
        {
            ["agreementWithThreshold"] = agreement.Accuracy,
            ["meanUncertainty"] = doubt.Average(v => (double)v),
            ["uncertainShare"] = doubt.Count(v => v > 0.5f) / (double)doubt.Length,
            ["anisotropyTwoPoint"] = Value("eL2TwoPoint"),
            ["anisotropyLinealPath"] = Value("eL2LinealPath"),
            ["anisotropyDiameter"] = Value("eDiameter"),
            ["fraction"] = found.Data.Count(l => l == 2) / (double)found.Data.Length,
        };
    }
}

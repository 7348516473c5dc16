using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// The solid-state electrode recipe: active material by Otsu, pores by a Gabor filter on the reversed rest, electrolyte by exclusion. See
/// <c>docs/methods/segment-electrode.md</c>.
/// </summary>
[Operation("segment-electrode", "Solid-state electrodes: active material by Otsu, pores by a Gabor filter on the rest, electrolyte by exclusion.")]
public sealed record SegmentElectrode : Step
{
    private const int SampledSlices = 32;

    /// <summary>Threshold of the active material.</summary>
    [Parameter("Grey level at or above which there is active material. Left out: Otsu's threshold.", Unit = "grey levels")]
    public double? ActiveThreshold { get; init; }

    /// <summary>Whole stack or slice by slice.</summary>
    [Parameter("Whether automatic thresholds are found once for the whole stack or anew in each slice.")]
    public ThresholdScope Scope { get; init; }

    /// <summary>Smoothing before the first threshold.</summary>
    [Parameter("Width σ of a Gaussian that smooths the slice before the active material is thresholded. 0 = none, as in the "
        + "paper.", Unit = "pixels or nm", Min = 0)]
    public double Smoothing { get; init; } = 0.7;

    /// <summary>λ.</summary>
    [Parameter("Wavelength λ of the Gabor filter. Long against sigma it averages; short, it brings out pores of about half its "
        + "length.", Unit = "pixels or nm", Min = 0)]
    public double Wavelength { get; init; } = 12;

    /// <summary>θ.</summary>
    [Parameter("Orientations θ of the Gabor filter, from +x towards +y (down); several are averaged.", Unit = "degrees")]
    public double[] Theta { get; init; } = [0, 45, 90, 135];

    /// <summary>ψ.</summary>
    [Parameter("Phase ψ of the Gabor filter.", Unit = "degrees")]
    public double Psi { get; init; }

    /// <summary>σ.</summary>
    [Parameter("Width σ of the Gabor filter's envelope: about the noise that must go; larger rounds the pores "
        + "off.", Unit = "pixels or nm", Min = 0)]
    public double Sigma { get; init; } = 1.5;

    /// <summary>γ.</summary>
    [Parameter("Aspect γ of the Gabor filter's envelope.", Min = 0)]
    public double Gamma { get; init; } = 1;

    /// <summary>Threshold of the pores.</summary>
    [Parameter("Grey level below which there is pore; with edge-width 0 the response of the reversed image from which on there is "
        + "pore. Left out: by Otsu.", Unit = "grey levels")]
    public double? PoreThreshold { get; init; }

    /// <summary>Width of the blurred edge of the active material.</summary>
    [Parameter("Pixels this near to active material are blurred: unless darker than the pore threshold they have no say, and follow "
        + "those further away. 0 = the paper's own rule.", Unit = "pixels or nm", Min = 0)]
    public double EdgeWidth { get; init; } = 2;

    /// <summary>Pixels or nanometres.</summary>
    [Parameter("The unit of smoothing, wavelength, sigma and edge-width: voxels (pixels of the slice) or nm.")]
    public LengthsIn Unit { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of pore, solid electrolyte and active material, with a colour if wanted.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var plane = Filter(run.Source.Info);
        var target = run.CreateLabels(PhaseNames.Of(3, Phases, PhaseNames.Electrode));
        var histogram = Histogram.OfStack(run.Source, run.Walk.Part(0, 0.1));
        var top = run.Source.Info.Type == PixelType.Float32 ? histogram.Max : run.Source.Info.Type.TopLevel();
        var estimate = run.Walk.Part(0.1, 0.3);
        var isStack = Scope == ThresholdScope.Stack;
        ElectrodeLevels[] levels = isStack
            ? [run.Remember("levels", () => Estimate(run.Source, plane, histogram, Sample(run.Source.Info.Size.Z), top, "the stack", estimate))]
            : run.Remember("levelsPerSlice", () => EstimatePerSlice(run.Source, plane, top, estimate));
        var thresholds = Array.ConvertAll(levels, level => new[] { level.Pore, level.Active });
        if (isStack) run.Fact("thresholds", thresholds[0]);
        else run.Fact("thresholdsPerSlice", thresholds);
        run.FactHistogram(histogram);
        Apply(run.Source, target, plane, z => levels[isStack ? 0 : z], top, run.Walk.Part(0.3, 1));
    }

    /// <summary>Labels 1 = pore, 2 = solid electrolyte, 3 = active material, with this step's parameters.</summary>
    public void Apply(IVolume source, IWritableVolume<byte> target, Traversal walk) => Run(new(source, _ => target) { Walk = walk });

    private ElectrodePlane Filter(VolumeInfo info)
    {
        var pixel = Unit == LengthsIn.Nm ? Gabor.SquarePixel(info) : 1;
        var kernel = new GaborKernel(Wavelength / pixel, Theta, Psi, Sigma / pixel, Gamma);
        return new(kernel, Sigma / pixel, Checked(Smoothing / pixel, "smoothing"), Checked(EdgeWidth / pixel, "edge-width"));

        static double Checked(double pixels, string name) => pixels is >= 0 and <= 16 ? pixels : throw new InputError(
            FormattableString.Invariant($"{name} is {pixels} pixels; it must be 0 to 16."));
    }

    private static void Apply(
        IVolume source, IWritableVolume<byte> target, ElectrodePlane plane, Func<int, ElectrodeLevels> levels, double top, Traversal walk) =>
        Blocks.Map<float, byte>(source.AsFloat(), target, new(0, plane.Halo, plane.Halo), Border.Mirror, walk, (block, labels) =>
        {
            var (inner, outer) = (block.Inner.Size, block.Outer.Size);
            for (var z = 0; z < inner.Z; z++)
            {
                plane.Label(block.Voxels.Slice((int)(z * outer.SliceCount), (int)outer.SliceCount), inner.Y, inner.X,
                    levels(block.Inner.Start.Z + z), top, labels.Slice((int)(z * inner.SliceCount), (int)inner.SliceCount));
            }
        }, 4);

    private ElectrodeLevels[] EstimatePerSlice(IVolume source, ElectrodePlane plane, double top, Traversal walk)
    {
        var levels = new ElectrodeLevels[source.Info.Size.Z];
        var alone = walk with { Threads = 1, Progress = null };
        walk.ForEach(levels.Length, z => levels[z] = Estimate(source, plane, Histogram.OfSlice(source, z), [z], top, $"slice {z}", alone));
        return levels;
    }

    private ElectrodeLevels Estimate(IVolume source, ElectrodePlane plane, Histogram histogram, int[] slices, double top, string what, Traversal walk)
    {
        var active = ActiveThreshold ?? GreyClasses.Thresholds(histogram, 2, what)[0];
        var isByHand = ActiveThreshold is not null || !plane.KeepsEdges;
        if (PoreThreshold is { } given && isByHand) return new(given, active, active, active);
        var rest = Array.FindAll([.. Enumerable.Range(0, histogram.Bins)], bin => histogram.LevelOf(bin) < active).Length;
        var darker = $"what is darker than the active material in {what}";
        var step = histogram.LevelOf(1) - histogram.LevelOf(0);
        var start = GreyClasses.Thresholds(new(histogram.Counts[..rest], histogram.LevelOf(0), step), 2, darker)[0];
        var range = plane.KeepsEdges ? (histogram.Min, active) : (-Math.Abs(top), Math.Abs(top));
        var evidence = Evidence(source, plane, slices, active, start, top, range, walk);
        var pore = PoreThreshold ?? GreyClasses.Thresholds(evidence, 2, darker)[0];
        if (isByHand) return new(pore, active, active, active);
        // a blurred edge lies half-way between its two phases, and Otsu's threshold only between the active material and the mean of both others
        var bright = Median(histogram, active, double.PositiveInfinity);
        var (dark, middle) = (Median(evidence, double.NegativeInfinity, pore), Median(evidence, pore, double.PositiveInfinity));
        return new(pore, active, (dark + bright) / 2, (middle + bright) / 2);
    }

    private static double Median(Histogram histogram, double low, double high)
    {
        var counts = new long[histogram.Bins];
        for (var bin = 0; bin < counts.Length; bin++)
            counts[bin] = histogram.LevelOf(bin) >= low && histogram.LevelOf(bin) < high ? histogram.Counts[bin] : 0;
        return new Histogram(counts, histogram.LevelOf(0), histogram.LevelOf(1) - histogram.LevelOf(0)).Percentile(50);
    }

    // grey means lie in [min, active), responses within ± the grey range
    private static Histogram Evidence(
        IVolume source, ElectrodePlane plane, int[] slices, double active, double start, double top, (double Low, double High) range, Traversal walk)
    {
        const int Bins = 4096;
        var (low, high) = range;
        var grey = source.AsFloat();
        var (height, width) = (source.Info.Size.Y, source.Info.Size.X);
        var counts = new long[Bins];
        walk.ForEach(slices.Length, item =>
        {
            var box = Box.Slice(source.Info.Size, slices[item]).Grow(new(0, plane.Halo, plane.Halo));
            var padded = ArrayPool<float>.Shared.Rent((int)box.Count);
            var evidence = ArrayPool<float>.Shared.Rent(height * width);
            Borders.Read(grey, box, Border.Mirror, padded);
            plane.Evidence(padded.AsSpan(0, (int)box.Count), height, width, active, start, top, evidence);
            var own = new long[Bins];
            foreach (var value in evidence.AsSpan(0, height * width))
            {
                if (!float.IsNaN(value)) own[(int)Math.Clamp((value - low) / (high - low) * Bins, 0, Bins - 1)]++;
            }
            lock (counts)
            {
                for (var bin = 0; bin < Bins; bin++) counts[bin] += own[bin];
            }
            ArrayPool<float>.Shared.Return(padded);
            ArrayPool<float>.Shared.Return(evidence);
        });
        return new(counts, low + (high - low) / Bins / 2, (high - low) / Bins);
    }

    // evenly spread slices: enough for a threshold, whatever the length of the stack
    private static int[] Sample(int slices)
    {
        var count = Math.Min(slices, SampledSlices);
        return [.. Enumerable.Range(0, count).Select(i => (int)((2 * i + 1L) * slices / (2 * count)))];
    }
}

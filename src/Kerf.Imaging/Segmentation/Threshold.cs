using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Where thresholds come from.</summary>
public enum ThresholdMethod
{
    /// <summary>Given by hand.</summary>
    Manual,

    /// <summary>One threshold by Otsu's criterion.</summary>
    Otsu,

    /// <summary>Several thresholds by Otsu's criterion.</summary>
    MultiOtsu,
}

/// <summary>Which voxels an automatic threshold looks at.</summary>
public enum ThresholdScope
{
    /// <summary>All slices share the thresholds of the whole stack.</summary>
    Stack,

    /// <summary>Each slice gets its own.</summary>
    Slice,
}

/// <summary>Grey values to phases by thresholds: see <c>docs/methods/threshold.md</c>.</summary>
[Operation("threshold", "Splits grey values into phases: by hand (also several ranges per phase), by Otsu or by multi-Otsu.")]
public sealed record Threshold : Step
{
    /// <summary>Where the thresholds come from.</summary>
    [Parameter("manual, otsu or multi-otsu. Left out: manual when thresholds or ranges are given, else otsu.")]
    public ThresholdMethod? Method { get; init; }

    /// <summary>Manual grey ranges.</summary>
    [Parameter("Grey ranges LABEL=low..high, high not included, several per phase allowed: 1=0..28, 2=28..49, 3=49..77, 1=77..256. "
        + "Grey values in no range get label 0.")]
    public string[] Ranges { get; init; } = [];

    /// <summary>Manual thresholds.</summary>
    [Parameter("Ascending thresholds: label 1 lies below the first, label 2 from it up to the second, and so on.", Unit = "grey levels")]
    public double[] Thresholds { get; init; } = [];

    /// <summary>Classes of multi-Otsu.</summary>
    [Parameter("Number of phases that multi-otsu looks for.", Min = 2, Max = 5)]
    public int Classes { get; init; } = 3;

    /// <summary>Whole stack or slice by slice.</summary>
    [Parameter("Whether an automatic threshold is found once for the whole stack or anew in each slice.")]
    public ThresholdScope Scope { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var method = Method ?? (Ranges.Length > 0 || Thresholds.Length > 0 ? ThresholdMethod.Manual : ThresholdMethod.Otsu);
        if (method == ThresholdMethod.Manual) RunByHand(run);
        else RunAutomatically(run, method == ThresholdMethod.Otsu ? 2 : Classes);
    }

    /// <summary>The thresholds that Otsu's criterion finds in the whole stack; see <see cref="GreyClasses.Thresholds"/>.</summary>
    public static double[] Otsu(IVolume source, Traversal walk, int classes = 2) => GreyClasses.Thresholds(Histogram.OfStack(source, walk), classes);

    /// <summary>The thresholds of each slice by itself.</summary>
    public static double[][] OtsuPerSlice(IVolume source, Traversal walk, int classes = 2)
    {
        var thresholds = new double[source.Info.Size.Z][];
        walk.ForEach(thresholds.Length, z => thresholds[z] = GreyClasses.Thresholds(Histogram.OfSlice(source, z), classes, $"slice {z}"));
        return thresholds;
    }

    /// <summary>Labels a volume by one set of ranges; voxels in none get 0.</summary>
    public static void Apply(IVolume source, IWritableVolume<byte> target, GreyRanges ranges, Traversal walk) =>
        GreyRanges.Apply(source, target, _ => ranges, walk);

    private void RunByHand(StepRun run)
    {
        if (Ranges.Length > 0 == Thresholds.Length > 0)
            throw new InputError(Ranges.Length > 0 ? "thresholds and ranges are both given; keep one of them."
                : "method is manual but neither thresholds nor ranges are given; add thresholds: [120] or ranges: [1=0..120, 2=120..256].");
        if (Thresholds.Length > 254) throw new InputError($"thresholds: {Thresholds.Length} given; at most 254 are possible.");
        var parsed = Array.ConvertAll(Ranges, GreyRange.Parse);
        var ranges = parsed.Length > 0 ? new GreyRanges(parsed) : GreyRanges.Between(Thresholds);
        var count = parsed.Length > 0 ? parsed.Max(range => range.Label) : Thresholds.Length + 1;
        var target = run.CreateLabels(PhaseNames.Of(count, Phases, count == 2 ? PhaseNames.PoreSolid : []));
        run.Fact("thresholds", parsed.Length > 0
            ? [.. parsed.SelectMany(range => new[] { range.Low, range.High }).Where(double.IsFinite).Distinct().Order()] : Thresholds);
        run.FactHistogram(Histogram.OfStack(run.Source, run.Walk.Part(0, 0.4)));
        Apply(run.Source, target, ranges, run.Walk.Part(0.4, 1));
    }

    private void RunAutomatically(StepRun run, int classes)
    {
        if (Ranges.Length > 0 || Thresholds.Length > 0)
            throw new InputError("method is automatic but thresholds or ranges are given; drop them, or set method to manual.");
        var target = run.CreateLabels(PhaseNames.Of(classes, Phases, classes == 2 ? PhaseNames.PoreSolid : []));
        var histogram = Histogram.OfStack(run.Source, run.Walk.Part(0, 0.3));
        var stack = run.Remember("thresholds", () => GreyClasses.Thresholds(histogram, classes));
        run.FactHistogram(histogram);
        var apply = run.Walk.Part(0.5, 1);
        if (Scope == ThresholdScope.Stack)
        {
            Apply(run.Source, target, GreyRanges.Between(stack), apply);
            return;
        }
        var slices = run.Remember("thresholdsPerSlice", () => OtsuPerSlice(run.Source, run.Walk.Part(0.3, 0.5), classes));
        var ranges = Array.ConvertAll(slices, thresholds => GreyRanges.Between(thresholds));
        GreyRanges.Apply(run.Source, target, z => ranges[z], apply);
    }
}

internal static class HistogramFact
{
    /// <summary>Keeps the fact "histogram": at most 256 bins, from the lowest to the highest level that occurs.</summary>
    public static void FactHistogram(this StepRun run, Histogram histogram)
    {
        var first = Math.Max(0, Array.FindIndex(histogram.Counts, count => count > 0));
        var last = Array.FindLastIndex(histogram.Counts, count => count > 0);
        var width = Math.Max(1, (last - first) / 256 + 1);
        var bins = last < first ? 0 : (last - first) / width + 1;
        var levels = new double[bins];
        var counts = new long[bins];
        for (var bin = 0; bin < bins; bin++)
            levels[bin] = (histogram.LevelOf(first + bin * width) + histogram.LevelOf(first + bin * width + width - 1)) / 2;
        for (var level = first; level <= last; level++) counts[(level - first) / width] += histogram.Counts[level];
        run.Fact("histogram", new { levels, counts });
    }
}

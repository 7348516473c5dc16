using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Sure voxels by their grey value: ranges per phase with windows between them that belong to none. They are labels to train on (one slice, a few, or
/// the whole volume), or markers for <see cref="Watershed"/>. See <c>docs/methods/seeds.md</c>.
/// </summary>
public static class GreySeeds
{
    /// <summary>Ranges around thresholds, with a window of grey levels left out at each: label 1 below the first, 2 above it, and so on.</summary>
    /// <param name="thresholds">Ascending.</param>
    /// <param name="window">Width of the window in grey levels; half of it lies on either side.</param>
    /// <exception cref="InputError">The thresholds do not ascend, or the windows leave a phase no grey.</exception>
    public static GreyRanges Around(IReadOnlyList<double> thresholds, double window)
    {
        if (!(window >= 0)) throw new InputError(FormattableString.Invariant($"window: {window} is out of range; give 0 grey levels or more."));
        var ranges = new GreyRange[thresholds.Count + 1];
        for (var i = 0; i < ranges.Length; i++)
        {
            var low = i == 0 ? double.NegativeInfinity : thresholds[i - 1] + window / 2;
            var high = i == thresholds.Count ? double.PositiveInfinity : thresholds[i] - window / 2;
            if (!(low < high))
                throw new InputError(FormattableString.Invariant($"window: {window} grey levels leave nothing between the thresholds {thresholds[i - 1]} and {thresholds[i]}; make it smaller."));
            ranges[i] = new(i + 1, low, high);
        }
        return new(ranges);
    }

    /// <summary>The slices that carry seeds: the first one, n equally spaced ones from the first to the last, or all.</summary>
    /// <param name="slices">Slices of the volume.</param>
    /// <param name="count">1, n, or 0 for all.</param>
    /// <exception cref="InputError">More than there are.</exception>
    public static int[] Slices(int slices, int count)
    {
        if (count < 0 || count > slices) throw new InputError($"slices: {count} is out of range; the volume has {slices}, and 0 takes all.");
        return count switch
        {
            0 => [.. Enumerable.Range(0, slices)],
            1 => [0],
            _ => [.. Enumerable.Range(0, count).Select(i => (int)((long)i * (slices - 1) / (count - 1)))],
        };
    }

    /// <summary>Labels the chosen slices by ranges; all else is 0.</summary>
    /// <param name="source">Grey values of any type.</param>
    /// <param name="target">Takes the seeds.</param>
    /// <param name="slices">Slices that get seeds.</param>
    /// <param name="ofSlice">Ranges of a slice.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static void Apply(IVolume source, IWritableVolume<byte> target, IEnumerable<int> slices, Func<int, GreyRanges> ofSlice, Traversal walk)
    {
        var chosen = slices.ToHashSet();
        GreyRanges none = new([]);
        GreyRanges.Apply(source, target, z => chosen.Contains(z) ? ofSlice(z) : none, walk);
    }
}

/// <summary>Seeds as a step: sparse labels for a forest.</summary>
[Operation("seeds", "Labels sure voxels by their grey value and leaves doubtful ones 0: sparse labels to train a forest on.")]
public sealed record Seeds : Step
{
    /// <summary>Grey ranges.</summary>
    [Parameter("Grey ranges LABEL=low..high, high not included: 1=0..80, 2=120..256. Left out: Otsu's thresholds with a window around each.")]
    public string[] Ranges { get; init; } = [];

    /// <summary>Phases of the automatic thresholds.</summary>
    [Parameter("Number of phases that Otsu's criterion looks for when no ranges are given.", Min = 2, Max = 5)]
    public int Classes { get; init; } = 2;

    /// <summary>Left out around automatic thresholds.</summary>
    [Parameter("Width of the window of grey levels around each automatic threshold that gets no seed.", Unit = "grey levels", Min = 0)]
    public double Window { get; init; } = 20;

    /// <summary>Slices with seeds.</summary>
    [Parameter("Slices that get seeds: 1 the first, n that many equally spaced, 0 all.", Min = 0)]
    public int Slices { get; init; } = 6;

    /// <summary>Whole stack or slice by slice.</summary>
    [Parameter("Whether automatic thresholds are found once for the whole stack or anew in each slice.")]
    public ThresholdScope Scope { get; init; } = ThresholdScope.Slice;

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var parsed = Array.ConvertAll(Ranges, GreyRange.Parse);
        var chosen = GreySeeds.Slices(run.Source.Info.Size.Z, Slices);
        Func<int, GreyRanges> ofSlice;
        if (parsed.Length > 0) ofSlice = Always(new(parsed));
        else if (Scope == ThresholdScope.Stack) ofSlice = Always(GreySeeds.Around(Threshold.Otsu(run.Source, run.Walk.Part(0, 0.4), Classes), Window));
        else
        {
            var perSlice = chosen.ToDictionary(z => z, z => GreySeeds.Around(GreyClasses.Thresholds(Histogram.OfSlice(run.Source, z), Classes, $"slice {z}"), Window));
            ofSlice = z => perSlice[z];
        }
        var count = parsed.Length > 0 ? parsed.Max(range => range.Label) : Classes;
        run.Fact("slices", chosen);
        GreySeeds.Apply(run.Source, run.CreateLabels(PhaseNames.Of(count, Phases, count == 2 ? PhaseNames.PoreSolid : [])), chosen, ofSlice, run.Walk.Part(0.4, 1));
        static Func<int, GreyRanges> Always(GreyRanges ranges) => _ => ranges;
    }
}

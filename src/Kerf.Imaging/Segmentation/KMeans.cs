using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>k-means on grey values: see <c>docs/methods/kmeans.md</c>.</summary>
[Operation("kmeans", "Clusters grey values by k-means (exact, no random start) and calls some clusters solid, the rest pore.")]
public sealed record KMeans : Step
{
    /// <summary>Number of clusters.</summary>
    [Parameter("Number of clusters. 3 stands for pore, shine-through artefact and solid.", Min = 2, Max = 16)]
    public int K { get; init; } = 3;

    /// <summary>The clusters that are solid.</summary>
    [Parameter("Which clusters are solid, counted from 1 = darkest. Left out: the brightest one.")]
    public int[] Solid { get; init; } = [];

    /// <summary>Each cluster becomes a phase.</summary>
    [Parameter("Makes each cluster a phase of its own, 1 = darkest, instead of pore and solid.")]
    public bool Each { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, solid=#777777.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Each && Solid.Length > 0) throw new InputError("solid and each are both given; each leaves no cluster to call solid. Keep one of them.");
        foreach (var cluster in Solid)
        {
            if (cluster < 1 || cluster > K)
                throw new InputError($"solid: there is no cluster {cluster}; clusters are 1 (darkest) to {K} (brightest).");
        }
        var target = run.CreateLabels(PhaseNames.Of(Each ? K : 2, Phases, Each ? [] : PhaseNames.PoreSolid));
        var histogram = Histogram.OfStack(run.Source, run.Walk.Part(0, 0.4));
        run.FactHistogram(histogram);
        var thresholds = run.Remember("thresholds", () => GreyClasses.Thresholds(histogram, K));
        run.Fact("centres", Centres(histogram, thresholds));
        Threshold.Apply(run.Source, target, Clusters(thresholds, Each ? null : Solid), run.Walk.Part(0.4, 1));
    }

    /// <summary>Grey ranges of the clusters: each its own label when <paramref name="solid"/> is null, else 2 for those and 1 for the rest.</summary>
    /// <param name="thresholds">Grey levels between neighbouring clusters, from <see cref="GreyClasses.Thresholds"/>.</param>
    /// <param name="solid">Clusters counted from 1; none means the brightest.</param>
    public static GreyRanges Clusters(double[] thresholds, int[]? solid)
    {
        int[] wanted = solid is [] ? [thresholds.Length + 1] : solid ?? [];
        return new(Enumerable.Range(0, thresholds.Length + 1).Select(i => new GreyRange(
            solid is null ? i + 1 : wanted.Contains(i + 1) ? 2 : 1,
            i == 0 ? double.NegativeInfinity : thresholds[i - 1], i == thresholds.Length ? double.PositiveInfinity : thresholds[i])));
    }

    private static double[] Centres(Histogram histogram, double[] thresholds)
    {
        var (sums, counts) = (new double[thresholds.Length + 1], new double[thresholds.Length + 1]);
        for (int bin = 0, cluster = 0; bin < histogram.Bins; bin++)
        {
            var level = histogram.LevelOf(bin);
            while (cluster < thresholds.Length && level >= thresholds[cluster]) cluster++;
            sums[cluster] += level * histogram.Counts[bin];
            counts[cluster] += histogram.Counts[bin];
        }
        return [.. sums.Zip(counts, (sum, count) => sum / count)];
    }
}

using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// What the z-evolution of a voxel tells. s(k) is the grey k slices deeper, smoothed in its plane; "ahead" looks at slices that are milled later,
/// k &gt; 0, "behind" at those that are gone.
/// </summary>
public enum MillingKind
{
    /// <summary>s(n) − s(0).</summary>
    AheadDifference,

    /// <summary>s(0) − s(−n).</summary>
    BehindDifference,

    /// <summary>Least of s(1) … s(n), less s(0).</summary>
    AheadMinimum,

    /// <summary>Greatest of s(1) … s(n), less s(0).</summary>
    AheadMaximum,

    /// <summary>Mean of s(1) … s(n), less s(0).</summary>
    AheadMean,

    /// <summary>Least of s(−1) … s(−n), less s(0).</summary>
    BehindMinimum,

    /// <summary>Greatest of s(−1) … s(−n), less s(0).</summary>
    BehindMaximum,

    /// <summary>Mean of s(−1) … s(−n), less s(0).</summary>
    BehindMean,

    /// <summary>The steepest fall ahead, greatest s(k − 1) − s(k + 1) for k = 1 … n: where a structure ends.</summary>
    NextFall,

    /// <summary>The k of the steepest fall ahead.</summary>
    NextFallDepth,

    /// <summary>The steepest rise ahead, greatest s(k + 1) − s(k − 1).</summary>
    NextRise,

    /// <summary>The k of the steepest rise ahead.</summary>
    NextRiseDepth,

    /// <summary>The steepest fall behind, greatest s(−k − 1) − s(−k + 1) for k = 0 … n − 1: where the structure before ended.</summary>
    LastFall,

    /// <summary>The k of the steepest fall behind.</summary>
    LastFallDepth,

    /// <summary>The steepest rise behind, greatest s(−k + 1) − s(−k − 1): where this structure began.</summary>
    LastRise,

    /// <summary>The k of the steepest rise behind.</summary>
    LastRiseDepth,

    /// <summary>Mean of s(0) … s(n): the grey smoothed by what comes alone.</summary>
    AheadLevel,

    /// <summary>Mean of s(−n) … s(0).</summary>
    BehindLevel,

    /// <summary>Mean of s(1) … s(n) and of s(−1) … s(−n), less s(0): where brightening sets in or ends.</summary>
    Bend,

    /// <summary>Greatest of s(0) … s(k) up to the steepest fall ahead, less s(0): how much darker than the structure that ends there.</summary>
    Shadow,
}

/// <summary>One z-evolution feature.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Sigma">Smoothing within the slice, voxels of the finest axis.</param>
/// <param name="Slices">The n of <see cref="MillingKind"/>, in lengths of the finest voxel edge.</param>
public sealed record MillingFeature(MillingKind Kind, double Sigma, int Slices)
{
    /// <summary>"milling-ahead-minimum 1 [8]".</summary>
    public override string ToString()
    {
        var name = string.Concat(Kind.ToString().Select(c => char.IsUpper(c) ? "-" + char.ToLowerInvariant(c) : c.ToString()));
        return FormattableString.Invariant($"milling{name} {Sigma} [{Slices}]");
    }
}

/// <summary>
/// The z-evolution features of one signal: how the grey of a pixel goes on while slice after slice is milled away. A pore that something shines
/// through brightens little by little and ends abruptly when the cut has passed the structure; the structure itself does not. See
/// <c>docs/methods/milling-features.md</c>.
/// </summary>
internal static class MillingFeatures
{
    /// <summary>Smoothing within the slice.</summary>
    public static readonly double[] Sigmas = [0.7];

    private static readonly int[] Lags = [1, 2, 4, 8], Windows = [4, 8, 16];

    /// <summary>All of them, scale by scale.</summary>
    public static readonly IReadOnlyList<MillingFeature> All = [.. Sigmas.SelectMany(OfScale)];

    /// <summary>Features per scale.</summary>
    public static int PerScale => All.Count / Sigmas.Length;

    private static IEnumerable<MillingFeature> OfScale(double sigma) =>
    [
        .. from lag in Lags from kind in (MillingKind[])[MillingKind.AheadDifference, MillingKind.BehindDifference] select new MillingFeature(kind, sigma, lag),
        .. from window in Windows from kind in Enumerable.Range((int)MillingKind.AheadMinimum, 6) select new MillingFeature((MillingKind)kind, sigma, window),
        .. from kind in Enumerable.Range((int)MillingKind.NextFall, 8) select new MillingFeature((MillingKind)kind, sigma, Windows[^1]),
        .. from lag in Lags from kind in (MillingKind[])[MillingKind.AheadLevel, MillingKind.BehindLevel, MillingKind.Bend] select new MillingFeature(kind, sigma, lag),
        new MillingFeature(MillingKind.Shadow, sigma, 8), new MillingFeature(MillingKind.Shadow, sigma, 16),
    ];

    /// <summary>A length along z in slices: at least one.</summary>
    public static int SlicesOf(int length, double spacing) => Math.Max(1, (int)Math.Round(length / spacing));

    /// <summary>Voxels that the features need around a region.</summary>
    public static Size3 Halo(FeatureSet set) => new(
        // one more for the slope at the window's end
        SlicesOf(Windows[^1], set.Spacing.Z) + 1, GaussianTaps.Radius(Sigmas[^1] / set.Spacing.Y, Window), GaussianTaps.Radius(Sigmas[^1] / set.Spacing.X, Window));

    /// <summary>Kernels end at so many σ.</summary>
    public const double Window = 3;
}

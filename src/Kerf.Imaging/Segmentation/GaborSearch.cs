using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>The parameters that a search tries in every combination. Lengths in pixels, angles in degrees.</summary>
public sealed record GaborGrid
{
    /// <summary>λ.</summary>
    public double[] Wavelengths { get; init; } = [4, 6, 8, 12, 16, 24];

    /// <summary>Sets of θ; the orientations of a set are averaged.</summary>
    public double[][] Thetas { get; init; } = [[0], [45], [90], [135], [0, 45, 90, 135]];

    /// <summary>ψ; the opposite phase ψ + 180 costs nothing and is tried as well.</summary>
    public double[] Psis { get; init; } = [0, 90];

    /// <summary>σ.</summary>
    public double[] Sigmas { get; init; } = [1, 1.5, 2, 3, 5];

    /// <summary>γ.</summary>
    public double[] Gammas { get; init; } = [0.5, 1];
}

/// <summary>One filter of a search and how well it tells the labelled pixels apart.</summary>
/// <param name="Wavelength">λ in pixels.</param>
/// <param name="Theta">θ in degrees; several are averaged.</param>
/// <param name="Psi">ψ in degrees.</param>
/// <param name="Sigma">σ in pixels.</param>
/// <param name="Gamma">γ.</param>
/// <param name="Threshold">The response from which on a pixel is the wanted phase; best over all labels.</param>
/// <param name="BalancedAccuracy">Mean of both classes' recall, each half of the labels judged by the threshold of the other half.</param>
/// <param name="F1">Of the wanted phase, judged likewise.</param>
public sealed record GaborCandidate(
    double Wavelength, double[] Theta, double Psi, double Sigma, double Gamma, double Threshold, double BalancedAccuracy, double F1)
{
    /// <summary>The step that does the same, to paste into a recipe.</summary>
    public Gabor ToStep() => new()
    {
        Wavelength = Wavelength,
        Theta = Theta,
        Psi = Psi,
        Sigma = Sigma,
        Gamma = Gamma,
        Combine = GaborCombination.Mean,
        Threshold = Threshold,
    };

    internal GaborKernel Kernel() => new(Wavelength, Theta, Psi, Sigma, Gamma);
}

/// <summary>What a search found.</summary>
/// <param name="Ranked">All filters, the best first.</param>
/// <param name="Sheet">The image, and the best responses and masks, to look at.</param>
public sealed record GaborSearchResult(IReadOnlyList<GaborCandidate> Ranked, ContactSheet Sheet);

/// <summary>
/// Finds λ, θ, ψ, σ, γ and threshold of a Gabor filter from a few labelled pixels: every combination of a grid is judged by balanced accuracy,
/// cross-validated over two halves of the labels. The halves are chequered 16-pixel tiles, so that neighbours are not judged by each other.
/// </summary>
public static class GaborSearch
{
    private const int MostPixels = 4000;
    private const int Tile = 16;

    /// <summary>Searches the grid.</summary>
    /// <param name="image">Grey values.</param>
    /// <param name="labels">Labels of the same size; 0 is unlabelled.</param>
    /// <param name="wanted">The label that the filter shall bring out; all others count against it.</param>
    /// <param name="grid">The combinations to try.</param>
    /// <param name="reverseAbove">When set, the filter sees the image reversed, and 0 from this grey level on (the rule of the paper).</param>
    /// <param name="shown">Filters on the contact sheet.</param>
    /// <param name="walk">Threads and progress. At most 4000 labelled pixels of each kind are used, evenly spread.</param>
    /// <exception cref="InputError">Sizes differ, or one of the two kinds has no labelled pixels.</exception>
    public static GaborSearchResult Run(
        IVolume image, IVolume<byte> labels, Traversal walk, int wanted = 1, GaborGrid? grid = null, double? reverseAbove = null, int shown = 12)
    {
        if (image.Info.Size != labels.Info.Size)
            throw new InputError($"labels are {labels.Info.Size} and the image {image.Info.Size}; draw the labels on the image itself.");
        double? top = image.Info.Type == PixelType.Float32 ? null : image.Info.Type.TopLevel();
        var grey = reverseAbove is { } level ? new Reversed(image.AsFloat(), level, top, walk) : image.AsFloat();
        var pixels = Labelled(labels, wanted, walk);
        var tried = Combinations(grid ?? new());
        var responses = Responses(grey, pixels, tried, walk.Part(0, 0.8));
        var judged = new GaborCandidate[tried.Count];
        walk.Part(0.8, 0.95).ForEach(tried.Count, i => judged[i] = Judge(tried[i], responses[i], pixels));
        var ranked = judged.OrderByDescending(c => c.BalancedAccuracy).ThenByDescending(c => c.F1).ThenBy(c => c.Sigma).ToArray();
        return new(ranked, ContactSheet.Of(grey, labels, wanted, pixels[pixels.Length / 2].Z, ranked[..Math.Min(shown, ranked.Length)]));
    }

    internal readonly record struct Pixel(int Z, int Y, int X, bool IsWanted)
    {
        public bool FirstHalf => (Y / Tile + X / Tile + Z) % 2 == 0;
    }

    private static Pixel[] Labelled(IVolume<byte> labels, int wanted, Traversal walk)
    {
        var size = labels.Info.Size;
        var slices = new List<Pixel>[size.Z];
        Blocks.ForEachSlice(labels, walk with { Progress = null }, (z, slice) =>
        {
            var found = slices[z] = [];
            for (var i = 0; i < (int)size.SliceCount; i++)
            {
                if (slice[i] != 0) found.Add(new(z, i / size.X, i % size.X, slice[i] == wanted));
            }
        });
        var all = slices.SelectMany(slice => slice).ToArray();
        var (these, others) = (Spread([.. all.Where(p => p.IsWanted)]), Spread([.. all.Where(p => !p.IsWanted)]));
        if (these.Length < 2 || others.Length < 2) throw new InputError(
            $"labels hold {these.Length} pixels of label {wanted} and {others.Length} of others; the search needs both, "
            + "some tens at least. Draw more, or set the label.");
        return [.. these.Concat(others).OrderBy(p => p.Z).ThenBy(p => p.Y).ThenBy(p => p.X)];

        static Pixel[] Spread(Pixel[] pixels)
        {
            var count = Math.Min(pixels.Length, MostPixels);
            return [.. Enumerable.Range(0, count).Select(i => pixels[(long)i * pixels.Length / count])];
        }
    }

    private static List<GaborCandidate> Combinations(GaborGrid grid)
    {
        var tried = (from sigma in grid.Sigmas
                     from gamma in grid.Gammas
                     from wavelength in grid.Wavelengths
                     from theta in grid.Thetas
                     from psi in grid.Psis
                     select new GaborCandidate(wavelength, theta, psi, sigma, gamma, 0, 0, 0)).ToList();
        return tried.Count > 0 ? tried : throw new InputError("the grid is empty; each of wavelength, theta, psi, sigma and gamma needs a value.");
    }

    // only the labelled pixels are filtered
    private static float[][] Responses(IVolume<float> grey, Pixel[] pixels, List<GaborCandidate> tried, Traversal walk)
    {
        var kernels = tried.ConvertAll(candidate => candidate.Kernel());
        var responses = kernels.ConvertAll(_ => new float[pixels.Length]);
        var margin = kernels.Max(kernel => kernel.Radius);
        for (var first = 0; first < pixels.Length;)
        {
            var z = pixels[first].Z;
            var end = first;
            while (end < pixels.Length && pixels[end].Z == z) end++;
            var here = pixels[first..end];
            var (top, left) = (here.Min(p => p.Y), here.Min(p => p.X));
            var box = new Box(new(z, top, left), new(1, here.Max(p => p.Y) - top + 1, here.Max(p => p.X) - left + 1)).Grow(new(0, margin, margin));
            var voxels = ArrayPool<float>.Shared.Rent(checked((int)box.Count));
            Borders.Read(grey, box, Border.Mirror, voxels);
            var start = first;
            walk.Part((double)first / pixels.Length, (double)end / pixels.Length).ForEach(kernels.Count, k =>
            {
                for (var i = 0; i < here.Length; i++)
                {
                    var corner = (here[i].Y - box.Start.Y - kernels[k].Radius) * box.Size.X + here[i].X - box.Start.X - kernels[k].Radius;
                    responses[k][start + i] = At(voxels.AsSpan(corner), box.Size.X, kernels[k]);
                }
            });
            ArrayPool<float>.Shared.Return(voxels);
            first = end;
        }
        return [.. responses];
    }

    private static float At(ReadOnlySpan<float> corner, int stride, GaborKernel kernel)
    {
        var side = 2 * kernel.Radius + 1;
        float even = 0, odd = 0;
        for (var v = 0; v < side; v++)
        {
            var weights = kernel.Weights.Slice(v * side, side);
            var row = corner.Slice(v * stride, side);
            var u = 0;
            for (; u < side - 1; u += 2)
            {
                even += weights[u] * row[u];
                odd += weights[u + 1] * row[u + 1];
            }
            even += weights[u] * row[u];
        }
        return even + odd;
    }

    // both signs of the response: the opposite sign is the phase ψ + 180
    private static GaborCandidate Judge(GaborCandidate candidate, float[] responses, Pixel[] pixels)
    {
        var plus = JudgeSign(candidate, responses, pixels);
        var minus = JudgeSign(candidate with { Psi = candidate.Psi + 180 }, Array.ConvertAll(responses, response => -response), pixels);
        return minus.BalancedAccuracy > plus.BalancedAccuracy ? minus : plus;
    }

    private static GaborCandidate JudgeSign(GaborCandidate candidate, float[] responses, Pixel[] pixels)
    {
        var half = Halves(pixels);
        var order = Enumerable.Range(0, pixels.Length).OrderBy(i => responses[i]).ToArray();
        long hits = 0, misses = 0, falseHits = 0;
        var balanced = 0.0;
        for (var judged = 0; judged < 2; judged++)
        {
            var threshold = Best([.. order.Where(i => half[i] != judged)], responses, pixels);
            long tp = 0, fn = 0, fp = 0, tn = 0;
            for (var i = 0; i < pixels.Length; i++)
            {
                if (half[i] != judged) continue;
                var isHit = responses[i] >= threshold;
                if (pixels[i].IsWanted) (tp, fn) = isHit ? (tp + 1, fn) : (tp, fn + 1);
                else (fp, tn) = isHit ? (fp + 1, tn) : (fp, tn + 1);
            }
            balanced += ((double)tp / (tp + fn) + (double)tn / (fp + tn)) / 4;
            (hits, misses, falseHits) = (hits + tp, misses + fn, falseHits + fp);
        }
        var f1 = 2.0 * hits / (2 * hits + misses + falseHits);
        return candidate with { Threshold = Best(order, responses, pixels), BalancedAccuracy = balanced, F1 = f1 };
    }

    // chequered tiles; every second pixel of each kind where a half would lack one kind
    private static int[] Halves(Pixel[] pixels)
    {
        var tiles = Array.ConvertAll(pixels, pixel => pixel.FirstHalf ? 0 : 1);
        if (pixels.Zip(tiles, (pixel, half) => (pixel.IsWanted, half)).Distinct().Count() == 4) return tiles;
        var seen = new int[2];
        return Array.ConvertAll(pixels, pixel => seen[pixel.IsWanted ? 1 : 0]++ % 2);
    }

    // the threshold of the highest balanced accuracy, half-way between two responses; pixels come in order of response
    private static double Best(int[] order, float[] responses, Pixel[] pixels)
    {
        long wanted = order.Count(i => pixels[i].IsWanted), others = order.Length - wanted;
        long wantedBelow = 0, othersBelow = 0;
        var (best, threshold) = (double.NegativeInfinity, 0.0);
        for (var k = 0; k < order.Length; k++)
        {
            if (k == 0 || responses[order[k]] > responses[order[k - 1]])
            {
                var score = (double)(wanted - wantedBelow) / wanted + (double)othersBelow / others;
                var between = k == 0 ? responses[order[0]] : ((double)responses[order[k - 1]] + responses[order[k]]) / 2;
                if (score > best) (best, threshold) = (score, between);
            }
            if (pixels[order[k]].IsWanted) wantedBelow++;
            else othersBelow++;
        }
        return threshold;
    }

    private sealed class Reversed(IVolume<float> grey, double active, double? top, Traversal walk) : IVolume<float>
    {
        private readonly float _top = (float)(top ?? Histogram.OfStack(grey, walk with { Progress = null }).Max);

        public VolumeInfo Info => grey.Info;

        public void Read(Box box, Span<float> target)
        {
            grey.Read(box, target);
            for (var i = 0; i < (int)box.Count; i++) target[i] = target[i] >= active ? 0 : _top - target[i];
        }
    }
}

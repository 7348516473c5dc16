using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SliceThicknessTests
{
    private const double Pixel = 3.26;

    [Theory]
    [InlineData(1, 45, true)]
    [InlineData(2, 30, true)]
    [InlineData(3, 50, false)]
    [InlineData(4, 45, false)]
    public void ARulerTellsEachThicknessAndPlantedOutliers(ulong seed, double angle, bool withBox)
    {
        var (stack, depths) = Ruled(seed, 60, angle, outliers: [12, 35, 50]);
        var reading = Ruler.Read(stack, angle, withBox ? [4, 44, 0, 1024] : null, Traversal.Default);
        double[] truth = [.. depths.Zip(depths.Skip(1), (a, b) => b - a)];
        var error = Math.Sqrt(truth.Zip(reading.Thickness.Thickness, (a, b) => (a - b) * (a - b)).Average());
        Assert.True(error < 0.5, $"{error:F2} nm; " + Worst(truth, reading));
        Assert.Subset(reading.Thickness.Outliers.ToHashSet(), new HashSet<int> { 12, 35, 50 });
        // the standard error is honest within a factor of two
        var told = Math.Sqrt(reading.Thickness.Uncertainty.Where(double.IsFinite).Average(u => u * u));
        Assert.InRange(told / error, 0.5, 2);
    }

    [Fact]
    public void MarksThatFadeAndCrossAreFollowed()
    {
        // moving marks that cross both staying ones, one of which fades for eight slices
        var marks = new VirtualRuler { Top = 4, Angle = 40, Columns = [0.30, 0.72, 0.24, 0.88] };
        var (stack, depths) = Ruled(5, 100, 40, [], marks, fading: (Mark: 1, First: 60, Count: 8));
        var reading = Ruler.Read(stack, 40, null, Traversal.Default);
        double[] truth = [.. depths.Zip(depths.Skip(1), (a, b) => b - a)];
        // slices in which two marks melt into one are interpolated, and flagged
        var kept = Enumerable.Range(0, truth.Length).Except(reading.Thickness.Outliers).ToArray();
        Assert.True(kept.Length > 75);
        var error = Math.Sqrt(kept.Average(k => Math.Pow(truth[k] - reading.Thickness.Thickness[k], 2)));
        Assert.True(error < 0.6, $"{error:F2} nm; " + Worst(truth, reading));
        Assert.Equal(truth.Sum(), reading.Thickness.Thickness.Sum(), 2.0);
    }

    [Fact]
    public void LostMarksAreNamedAndCanBeLookedAt()
    {
        var (stack, _) = Ruled(6, 60, 45, []);
        foreach (var z in Enumerable.Range(40, 3)) stack.Slice(z).Fill(128);
        RulerSight? sight = null;
        var reading = Ruler.Read(stack, 45, [4, 44, 0, 1024], Traversal.Default, seen => sight = seen);
        Assert.Equal([40, 41, 42], sight!.Lost);
        Assert.Equal("the marks were not found in slices 40, 41, 42; their thickness is interpolated and flagged.", Assert.Single(reading.Thickness.Warnings));
        Assert.Subset(reading.Thickness.Outliers.ToHashSet(), new HashSet<int> { 39, 40, 41, 42 });
        foreach (var z in Enumerable.Range(20, 19)) stack.Slice(z).Fill(128);
        sight = null;
        var fault = Assert.Throws<InputError>(() => Ruler.Read(stack, 45, [4, 44, 0, 1024], Traversal.Default, seen => sight = seen));
        Assert.Matches(@"^thickness: (the marks were not found in \d+ of 60 slices \(20, 21, 22, 23, 24, 25, 26, 27, …\)|no ruler was found)", fault.Message);
        Assert.NotNull(sight);
    }

    [Fact]
    public void TheGammaDensityIsOne()
    {
        foreach (var (shape, scale) in ((double, double)[])[(1.7, 2), (10.27, 0.9735), (40, 0.25)])
            Assert.Equal(1, Enumerable.Range(0, 40000).Sum(i => Gamma.Density((i + 0.5) * 0.005, shape, scale) * 0.005), 1e-4);
    }

    private static string Worst(double[] truth, RulerReading reading) => $"box {string.Join(',', reading.Sight.Box)}, residual {reading.Residual:F3} px; worst "
        + string.Join(", ", truth.Select((t, k) => (k, t, reading.Thickness.Thickness[k])).OrderByDescending(e => Math.Abs(e.t - e.Item3)).Take(8)
            .Select(e => $"slice {e.k}: {e.Item3:F1} not {e.t:F1}, marks {string.Join(' ', reading.Sight.Marks.Select(m => m[e.k].ToString("F1")))}"));

    [Fact]
    public void LikenessOfImagesTellsThicknessOfAnIsotropicStructure()
    {
        var (grey, depths) = Isotropic(7, 40);
        var found = ImageThickness.Measure(grey, Traversal.Default);
        double[] truth = [.. depths.Zip(depths.Skip(1), (a, b) => b - a)];
        Assert.InRange(found.Thickness.Average() / truth.Average(), 0.85, 1.15);
        Assert.InRange(Correlation(truth, found.Thickness), 0.85, 1);
        Assert.Contains("estimated from the images alone", Assert.Single(found.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void OutliersAreLeftOutOfTheStatistics()
    {
        var found = SliceThickness.FromDepths([0, 10, 20, 30, 40, 50, 90]);
        Assert.Equal([5], found.Outliers);
        Assert.Equal(10, found.Mean, 1e-9);
        Assert.Equal(0, found.Sd, 1e-9);
        Assert.Contains("1 of 3 slices are 1 nm thick or less", Assert.Single(SliceThickness.FromDepths([0, 10, 10.5, 20]).Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeMeasuredIsRefused()
    {
        var plain = new Volume<float>(new Size3(30, 120, 200), new VoxelSize(10, Pixel, Pixel));
        for (var i = 0; i < plain.Data.Length; i++) plain.Data[i] = 100 + (float)(i * 2654435761L % 17);
        Refused("no ruler was found", () => Ruler.Read(plain, 45, null, Traversal.Default));
        Refused("--angle is 90; allowed: 5 to 85", () => Ruler.Read(plain, 90, null, Traversal.Default));
        Refused("--box is 0,40,0,500", () => Ruler.Read(plain, 45, [0, 40, 0, 500], Traversal.Default));
        Refused("voxel size is unknown", () => Ruler.Read(new Volume<float>(new Size3(30, 120, 200), null), 45, null, Traversal.Default));
        Refused("are too small to estimate from images", () => ImageThickness.Measure(new Volume<float>(new Size3(3, 50, 50), VoxelSize.Cube(5)), Traversal.Default));
        static void Refused(string message, Action call) => Assert.Contains(message, Assert.Throws<InputError>(call).Message, StringComparison.Ordinal);
    }

    // slices with drift, brightness jumps and noise, a ruler on top of blobs
    private static (Volume<float> Stack, double[] Depths) Ruled(
        ulong seed, int slices, double angle, int[] outliers, VirtualRuler? marks = null, (int Mark, int First, int Count)? fading = null)
    {
        const int height = 96, width = 1024;
        marks ??= new VirtualRuler { Top = 4, Angle = angle, Columns = [0.04, 0.96, 0.10, 0.90] };
        var depths = new double[slices];
        var drift = (Y: 0.0, X: 0.0);
        var stack = new Volume<float>(new Size3(slices, height, width), new VoxelSize(10, Pixel, Pixel));
        var blobs = Phantoms.Stack(1, height, width, seed).Data;
        for (var z = 0; z < slices; z++)
        {
            var random = new CounterRandom(seed, (ulong)z + 1);
            if (z > 0)
            {
                var thickness = random.NextGamma(10.27, 0.9735);
                depths[z] = depths[z - 1] + (outliers.Contains(z - 1) ? 26 : thickness);
                drift = (drift.Y + 0.3 * random.NextNormal(), drift.X + 0.8 * random.NextNormal());
            }
            var image = stack.Slice(z);
            for (var i = 0; i < image.Length; i++) image[i] = blobs[i];
            var here = fading is { } f && z >= f.First && z < f.First + f.Count
                ? marks with { Columns = [.. marks.Columns.Select((c, m) => m == f.Mark ? -1 : c)] } : marks;
            here.Draw(image, height, width, depths[z], Pixel, drift);
            var jump = 12 * (2 * random.NextDouble() - 1);
            foreach (ref var grey in image) grey = (float)(grey + jump + 20 * random.NextNormal());
        }
        return (stack, depths);
    }

    private static (Volume<float> Grey, double[] Depths) Isotropic(ulong seed, int slices)
    {
        var random = new CounterRandom(seed, 0);
        var waves = Enumerable.Range(0, 60).Select(_ =>
        {
            var (a, b, c) = (random.NextNormal(), random.NextNormal(), random.NextNormal());
            var k = 2 * Math.PI / 120 / Math.Sqrt(a * a + b * b + c * c);
            return (Z: a * k, Y: b * k, X: c * k, P: 6.2832 * random.NextDouble());
        }).ToArray();
        var stack = new Volume<float>(new Size3(slices, 128, 128), new VoxelSize(10, 4, 4));
        var depths = new double[slices];
        for (var z = 0; z < slices; z++)
        {
            var noise = new CounterRandom(seed, (ulong)z + 1);
            if (z > 0) depths[z] = depths[z - 1] + noise.NextGamma(10.27, 0.9735);
            var slice = stack.Slice(z);
            for (var i = 0; i < slice.Length; i++)
                slice[i] = (float)(waves.Sum(w => Math.Cos(w.Z * depths[z] + 4 * w.Y * (i / 128) + 4 * w.X * (i % 128) + w.P)) * 10 + 8 * noise.NextNormal());
        }
        return (stack, depths);
    }

    private static double Correlation(double[] a, double[] b)
    {
        double ma = a.Average(), mb = b.Average();
        return a.Zip(b, (p, q) => (p - ma) * (q - mb)).Sum() / Math.Sqrt(a.Sum(p => (p - ma) * (p - ma)) * b.Sum(q => (q - mb) * (q - mb)));
    }
}

using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class FeatureTests
{
    private static Volume<float> Grey(int z, int y, int x)
    {
        var volume = new Volume<float>(new Size3(z, y, x));
        var random = new CounterRandom(5, 9);
        // 16-bit grey values with a large mean: what breaks single precision
        for (var i = 0; i < volume.Data.Length; i++)
            volume.Data[i] = (float)Math.Round(30000 + 4000 * Math.Sin(i * 0.013) + 5000 * Math.Cos(i / x * 0.21) + 3000 * random.NextNormal());
        return volume;
    }

    public static float[][] Compute(Volume<float> volume, FeatureSet set, Box inner)
    {
        var block = new FeatureBlock(set);
        block.Load(volume, inner, volume.Data.Average());
        var stride = FeatureBlock.RowStride(inner.Size.X);
        var plane = stride * inner.Size.Y;
        var planes = new float[plane * block.Count + 64];
        var result = Enumerable.Range(0, block.Count).Select(_ => new float[inner.Count]).ToArray();
        for (var z = 0; z < inner.Size.Z; z++)
        {
            block.Emit(z, planes, plane, stride);
            for (var f = 0; f < block.Count; f++)
                for (var y = 0; y < inner.Size.Y; y++)
                    planes.AsSpan(f * plane + y * stride, inner.Size.X).CopyTo(result[f].AsSpan((z * inner.Size.Y + y) * inner.Size.X));
        }
        return result;
    }

    [Theory]
    [InlineData(3, 61)]
    [InlineData(2, 49)]
    public void AgreesWithTheDoubleReferenceEverywhere(int dimensions, int count)
    {
        var volume = dimensions == 3 ? Grey(37, 40, 43) : Grey(3, 61, 57);
        var size = volume.Info.Size;
        var set = new FeatureSet { Dimensions = dimensions };
        Assert.Equal(count, set.Features.Count);
        var mine = Compute(volume, set, Box.Whole(size));
        var truth = new FeatureReference(size.Z, size.Y, size.X).All([.. volume.Data.Select(v => (double)v)], set);
        Assert.Empty(Wrong(set, truth, mine));
    }

    // features further than 10⁻⁵ relative RMS from the reference
    private static List<string> Wrong(FeatureSet set, List<double[]> truth, float[][] mine)
    {
        var wrong = new List<string>();
        for (var f = 0; f < truth.Count; f++)
        {
            var rms = Math.Sqrt(truth[f].Average(v => v * v));
            var error = Math.Sqrt(truth[f].Zip(mine[f], (t, m) => (t - m) * (t - m)).Average());
            if (!(error <= 1e-5 * rms)) wrong.Add($"{set.Features[f]}: relative error {error / rms:g3}");
        }
        return wrong;
    }

    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void WeakContrastOnALargeOffsetKeepsItsDigits(int dimensions)
    {
        var size = dimensions == 3 ? new Size3(37, 40, 43) : new Size3(3, 61, 57);
        var volume = new Volume<ushort>(size);
        var random = new CounterRandom(11, 2);
        for (var i = 0; i < volume.Data.Length; i++)
            volume.Data[i] = (ushort)Math.Clamp(Math.Round(40000 + 20 * Math.Sin(i * 0.17) + 15 * random.NextNormal()), 39950, 40050);
        var set = new FeatureSet { Dimensions = dimensions };
        var targets = set.Names.Select(_ => new Volume<float>(size)).ToArray();
        FeatureExtraction.Run([volume], set, targets, Traversal.Default);
        var truth = new FeatureReference(size.Z, size.Y, size.X).All([.. volume.Data.Select(v => (double)v)], set);
        Assert.Empty(Wrong(set, truth, [.. targets.Select(t => t.Data)]));
    }

    [Fact]
    public void AVoxelThatIsNoNumberSpoilsItsNeighboursAlone()
    {
        var volume = Grey(1, 90, 90);
        volume.Data[0] = float.NaN;
        var set = new FeatureSet { Dimensions = 2 };
        var targets = set.Names.Select(_ => new Volume<float>(volume.Info.Size)).ToArray();
        FeatureExtraction.Run([volume], set, targets, Traversal.Default);
        Assert.All(targets, t => Assert.True(float.IsFinite(t[0, 60, 60])));
    }

    [Fact]
    public void ABlockGivesTheSameBitsAsTheWhole()
    {
        var volume = Grey(40, 44, 51);
        var set = new FeatureSet();
        var whole = Compute(volume, set, Box.Whole(volume.Info.Size));
        var inner = new Box(new(11, 5, 19), new(13, 21, 17));
        var part = Compute(volume, set, inner);
        for (var f = 0; f < part.Length; f++)
        {
            var expected = new float[inner.Count];
            new Volume<float>(volume.Info.Size, null, whole[f]).Read(inner, expected);
            Assert.Equal(expected, part[f]);
        }
    }

    [Fact]
    public void NarrowKernelsAreCentralDifferences()
    {
        Assert.Equal([0, 0.5], GaussianTaps.First(0.7, 1));
        Assert.Equal([-2.0, 1.0], GaussianTaps.Second(0.35, 1).Select(t => Math.Round(t, 12)));
    }

    [Fact]
    public void AgreesWithVigraArrangedTheSameWay()
    {
        static string File(string name) => Path.Combine(AppContext.BaseDirectory, "References", "forest", name);
        var image = Volume<float>.Load(NpyVolume.Open(File("image.npy")).AsFloat());
        var theirs = Volume<float>.Load(NpyVolume.Open(File("features.npy")).AsFloat());
        var set = new FeatureSet();
        var size = image.Info.Size;
        var mine = Compute(image, set, Box.Whole(size));
        var wrong = new List<string>();
        double[] Points(int f, Func<int, int, double> value) => [.. Enumerable.Range(0, 400).Select(i => value((20 * size.Y + 4 + i / 20 * 2) * size.X + 4 + i % 20 * 2, f * 400 + i))];
        double Apart(IEnumerable<double> a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum() / b.Sum(y => y * y));
        for (var f = 0; f < mine.Length; f++)
        {
            var (ours, other) = (Points(f, (i, _) => mine[f][i]), Points(f, (_, i) => theirs.Data[i]));
            var error = Apart(ours, other);
            if (error <= 1e-4) continue;
            // vigra computes in single precision, whose digits are of the tensor's largest eigenvalue: the smallest at σ = 10 is as far from the truth as from Kerf
            var truth = new FeatureReference(size.Z, size.Y, size.X).All([.. image.Data.Select(v => (double)v)], set)[f];
            var exact = Points(f, (i, _) => truth[i]);
            if (set.Features[f] is not { Family: FeatureFamily.StructureTensorEigenvalues, Sigma: 10, Eigenvalue: 2 } || !(Apart(ours, exact) <= 1e-5 && Apart(other, exact) >= 0.9 * error))
                wrong.Add($"{set.Features[f]}: relative RMS {error:g3}");
        }
        Assert.Empty(wrong);
    }
}

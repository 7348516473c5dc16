using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class MillingFeatureTests
{
    private static readonly Size3 Size = new(40, 30, 37);

    private static Volume<float> Noise(ulong seed)
    {
        var volume = new Volume<float>(Size);
        var random = new CounterRandom(seed, 1);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = 100 * random.NextFloat();
        return volume;
    }

    private static float[][] Compute(Volume<float>[] channels, FeatureSet set, int edge, int threads = 1)
    {
        var names = FeatureExtraction.Names(set, [.. channels.Select((_, i) => $"c{i}")]);
        var targets = names.Select(_ => new Volume<float>(Size)).ToArray();
        FeatureExtraction.Run(channels, set, targets, Traversal.Default with { Threads = threads, BlockEdge = edge });
        return [.. targets.Select(t => t.Data)];
    }

    // the definition, voxel by voxel
    private static double Define(MillingFeature feature, Func<int, double> s)
    {
        var n = feature.Slices;
        var (ahead, behind) = (Enumerable.Range(1, n).Select(s).ToArray(), Enumerable.Range(1, n).Select(k => s(-k)).ToArray());
        double[] falls = [.. Enumerable.Range(1, n).Select(k => s(k - 1) - s(k + 1))], past = [.. Enumerable.Range(0, n).Select(k => s(-k - 1) - s(-k + 1))];
        return feature.Kind switch
        {
            MillingKind.AheadDifference => s(n) - s(0),
            MillingKind.BehindDifference => s(0) - s(-n),
            MillingKind.AheadMinimum => ahead.Min() - s(0),
            MillingKind.AheadMaximum => ahead.Max() - s(0),
            MillingKind.AheadMean => ahead.Average() - s(0),
            MillingKind.BehindMinimum => behind.Min() - s(0),
            MillingKind.BehindMaximum => behind.Max() - s(0),
            MillingKind.BehindMean => behind.Average() - s(0),
            MillingKind.NextFall => falls.Max(),
            MillingKind.NextFallDepth => Array.IndexOf(falls, falls.Max()) + 1,
            MillingKind.NextRise => -falls.Min(),
            MillingKind.NextRiseDepth => Array.IndexOf(falls, falls.Min()) + 1,
            MillingKind.LastFall => past.Max(),
            MillingKind.LastFallDepth => Array.IndexOf(past, past.Max()),
            MillingKind.LastRise => -past.Min(),
            MillingKind.LastRiseDepth => Array.IndexOf(past, past.Min()),
            MillingKind.AheadLevel => ahead.Append(s(0)).Average(),
            MillingKind.BehindLevel => behind.Append(s(0)).Average(),
            MillingKind.Bend => ahead.Concat(behind).Average() - s(0),
            _ => Enumerable.Range(0, Array.IndexOf(falls, falls.Max()) + 2).Max(s) - s(0),
        };
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void FollowTheirDefinition(int dimensions)
    {
        var volume = Noise(5);
        var set = new FeatureSet { Kind = FeatureKind.Milling, Dimensions = dimensions, Scales = [1], Families = [FeatureFamily.GaussianSmoothing] };
        var columns = Compute([volume], set, 128);
        Assert.Equal(set.Names.Count, columns.Length);
        foreach (var sigma in set.Milling.Select(f => f.Sigma).Distinct())
        {
            var radius = GaussianTaps.Radius(sigma, 3);
            var taps = GaussianTaps.Smooth(sigma, radius);
            foreach (var (z, y, x) in ((int, int, int)[])[(20, 15, 18), (0, 0, 0), (39, 29, 36), (3, 2, 30), (37, 28, 1)])
            {
                double S(int k)
                {
                    var sum = 0.0;
                    for (var dy = -radius; dy <= radius; dy++)
                    {
                        for (var dx = -radius; dx <= radius; dx++)
                        {
                            int Map(int i, int n) => Borders.Map(Border.Mirror, i, n);
                            sum += taps[Math.Abs(dy)] * taps[Math.Abs(dx)] * volume[Map(z + k, Size.Z), Map(y + dy, Size.Y), Map(x + dx, Size.X)];
                        }
                    }
                    return sum;
                }
                for (var f = 0; f < set.Milling.Count; f++)
                    if (set.Milling[f].Sigma == sigma)
                        Assert.Equal(Define(set.Milling[f], S), columns[set.Features.Count + f][(z * Size.Y + y) * Size.X + x], 3e-4);
            }
        }
    }

    [Fact]
    public void BlocksThreadsAndChannelsDoNotShow()
    {
        var (first, second) = (Noise(1), Noise(2));
        var set = new FeatureSet { Kind = FeatureKind.Milling, Scales = [1, 1.6], Families = [FeatureFamily.GaussianSmoothing] };
        var whole = Compute([first, second], set, 128);
        Assert.Equal(3 * set.Count, whole.Length);
        var blocks = Compute([first, second], set, 16, 2);
        for (var f = 0; f < whole.Length; f++) Assert.Equal(whole[f], blocks[f]);
        var alone = Compute([first], set, 128);
        for (var f = 0; f < alone.Length; f++) Assert.Equal(alone[f], whole[f]);
        var difference = new Volume<float>(Size, null, [.. first.Data.Zip(second.Data, (a, b) => a - b)]);
        var third = Compute([difference], set, 128);
        for (var f = 0; f < third.Length; f++) Assert.Equal(third[f], whole[2 * set.Count + f]);
    }

    [Fact]
    public void AModelKeepsThem()
    {
        using var folder = new TempFolder();
        var volume = Noise(3);
        var labels = new Volume<byte>(Size);
        for (var i = 0; i < 200; i++) labels.Data[i * 200] = (byte)(1 + (volume.Data[i * 200] > 50 ? 1 : 0));
        var set = new FeatureSet { Kind = FeatureKind.Milling, Scales = [1] };
        var model = ForestTraining.Run([("grey", volume)], labels, new() { Features = set, Forest = new() { Trees = 5 } }, Traversal.Default).Model;
        ForestFile.Save(model, folder["m.kerf"]);
        var loaded = ForestFile.Load(folder["m.kerf"]);
        Assert.Equal(FeatureKind.Milling, loaded.Features.Kind);
        Assert.Contains(loaded.FeatureNames, name => name.StartsWith("milling-next-fall", StringComparison.Ordinal));
        var (one, two) = (new Volume<byte>(Size), new Volume<byte>(Size));
        ForestPrediction.Run(model, [volume], one, new(), Traversal.Default);
        ForestPrediction.Run(loaded, [volume], two, new(), Traversal.Default with { Threads = 2, BlockEdge = 16 });
        Assert.Equal(one.Data, two.Data);
        Assert.Contains(FeatureGroup.Evolution, model.Features.Groups);
    }

    [Fact]
    public void CoarseSlicesShortenTheWindows()
    {
        var set = new FeatureSet { Kind = FeatureKind.Milling }.Scaled(new(40, 10, 10));
        Assert.Equal(38 - 38 + set.Halo.Z, new FeatureSet().Scaled(new(40, 10, 10)).Halo.Z);
        var flat = set with { Dimensions = 2 };
        Assert.Equal(16 / 4 + 1, flat.Halo.Z);
        Assert.Equal(0, new FeatureSet { Dimensions = 2 }.Halo.Z);
    }

    [Fact]
    public void AllIsWhatIsKnownToHelp()
    {
        var image = new VolumeInfo(new Size3(8, 32, 32), PixelType.UInt8, null);
        Assert.Equal(FeatureKind.Milling, new ForestSegmentation { Features = FeatureKind.All }.Selection(image).Kind);
    }
}

using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SegmentElectrodeTests
{
    private static readonly Size3 Size = new(10, 160, 160);
    private static readonly (byte[] Truth, Volume<byte> Image) Phantom = Make(1.0, 15);

    [Fact]
    public void ThePhasesOfAPhantomAreFound()
    {
        var (labels, run) = Reference.Run<byte>(new SegmentElectrode(), Phantom.Image);
        var dice = Dice(labels.Data, Phantom.Truth);
        Assert.True(dice.Average() > 0.955, string.Join(", ", dice));
        Assert.Equal(["pore", "solid electrolyte", "active material"], labels.Info.Phases!.Select(p => p.Name));
        var thresholds = run.Facts["thresholds"]!.AsArray().Select(t => t!.GetValue<double>()).ToArray();
        Assert.InRange(thresholds[0], 60, 75);
        Assert.InRange(thresholds[1], 115, 135);
    }

    [Fact]
    public void BlurredEdgesAreNoElectrolyte()
    {
        // pore against active material, nothing else: what is called electrolyte there is only blur
        var image = new Volume<byte>(new Size3(2, 48, 96));
        for (var i = 0; i < image.Data.Length; i++)
        {
            var x = i % 96;
            var blurred = x < 48 ? 40 + 130 / (1 + Math.Exp((40 - x) / 0.7)) : 170 - 80 / (1 + Math.Exp((64 - x) / 0.7));
            image.Data[i] = (byte)Math.Round(blurred);
        }
        var given = new SegmentElectrode { ActiveThreshold = 122, PoreThreshold = 65 };
        var (sharp, _) = Reference.Run<byte>(given, image);
        Assert.DoesNotContain((byte)2, Enumerable.Range(0, 48).Select(x => sharp[0, 20, x]));
        Assert.Contains((byte)2, Enumerable.Range(48, 48).Select(x => sharp[0, 20, x]));
        var (paper, _) = Reference.Run<byte>(given with { EdgeWidth = 0, PoreThreshold = 180 }, image);
        Assert.Contains((byte)2, Enumerable.Range(0, 48).Select(x => paper[0, 20, x]));
    }

    [Fact]
    public void TheEdgesOfThePaperAreWorse()
    {
        var (ours, _) = Reference.Run<byte>(new SegmentElectrode(), Phantom.Image);
        var (paper, _) = Reference.Run<byte>(new SegmentElectrode { EdgeWidth = 0, Smoothing = 0 }, Phantom.Image);
        Assert.True(Dice(ours.Data, Phantom.Truth).Average() > Dice(paper.Data, Phantom.Truth).Average() + 0.01);
        // and no threshold by hand would have made it better than the automatic one by much
        foreach (var threshold in new[] { 175, 180, 185, 190, 195 })
        {
            var (byHand, _) = Reference.Run<byte>(new SegmentElectrode { EdgeWidth = 0, Smoothing = 0, PoreThreshold = threshold }, Phantom.Image);
            Assert.True(Dice(byHand.Data, Phantom.Truth).Average() < Dice(paper.Data, Phantom.Truth).Average() + 0.01);
        }
    }

    [Fact]
    public void NeitherBlocksNorThreadsShowAndPicturesFlip()
    {
        var (whole, _) = Reference.Run<byte>(new SegmentElectrode(), Phantom.Image, new() { Threads = 1, BlockEdge = 200 });
        var (blocks, _) = Reference.Run<byte>(new SegmentElectrode(), Phantom.Image, new() { Threads = 3, BlockEdge = 33 });
        Assert.Equal(whole.Data, blocks.Data);
        var (flipped, _) = Reference.Run<byte>(new SegmentElectrode(), new Volume<byte>(Size, null, [.. Phantom.Image.Data.Reverse()]));
        // sums run the other way round: a pixel on the very threshold may change
        Assert.True(flipped.Data.Reverse().Zip(whole.Data, (a, b) => a != b ? 1 : 0).Sum() < 20);
    }

    [Fact]
    public void EachSliceMayHaveItsOwnBrightness()
    {
        var uneven = new Volume<byte>(Size, null, [.. Phantom.Image.Data.Select((v, i) => (byte)Math.Min(255, v + 6 * (i / 25600)))]);
        var (labels, run) = Reference.Run<byte>(new SegmentElectrode { Scope = ThresholdScope.Slice }, uneven);
        Assert.True(Dice(labels.Data, Phantom.Truth).Average() > 0.95);
        Assert.Equal(Size.Z, run.Facts["thresholdsPerSlice"]!.AsArray().Count);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        string Of(SegmentElectrode step) => Reference.Refusal(() => Reference.Run<byte>(step, Phantom.Image));
        Assert.Equal("edge-width is 17 pixels; it must be 0 to 16.", Of(new() { EdgeWidth = 17 }));
        Assert.Equal("smoothing is 17 pixels; it must be 0 to 16.", Of(new() { Smoothing = 17 }));
        Assert.StartsWith("what is darker than the active material in the stack holds 0 grey level(s)", Of(new() { ActiveThreshold = -1 }));
        Assert.StartsWith("voxel size is unknown", Of(new() { Unit = LengthsIn.Nm }));
    }

    internal static double[] Dice(byte[] labels, byte[] truth)
    {
        var dice = new double[3];
        for (var label = 1; label <= 3; label++)
        {
            long both = 0, sum = 0;
            for (var i = 0; i < truth.Length; i++)
            {
                if (labels[i] == label) sum++;
                if (truth[i] == label) sum++;
                if (labels[i] == label && truth[i] == label) both++;
            }
            dice[label - 1] = 2.0 * both / sum;
        }
        return dice;
    }

    // balls of active material, pores where a smooth random field is high, more of them along the balls; greys 170, 90, 40, blur, noise
    private static (byte[], Volume<byte>) Make(double blur, double noise)
    {
        var random = new CounterRandom(21, 0);
        var truth = new byte[Size.Count];
        var distance = new double[Size.Count];
        Array.Fill(distance, double.MaxValue);
        for (var ball = 0; ball < 26; ball++)
        {
            var (z, y, x, r) = (10 * random.NextDouble(), 160 * random.NextDouble(), 160 * random.NextDouble(), 12 + 14 * random.NextDouble());
            for (var i = 0; i < truth.Length; i++)
            {
                var (dz, dy, dx) = (i / 25600 - z, i / 160 % 160 - y, i % 160 - x);
                distance[i] = Math.Min(distance[i], Math.Sqrt(dz * dz + dy * dy + dx * dx) - r);
            }
        }
        var waves = Enumerable.Range(0, 60).Select(_ => (A: random.NextNormal() * 0.14, B: random.NextNormal() * 0.14, C: random.NextNormal() * 0.14, P: 6.28 * random.NextDouble())).ToArray();
        var grey = new double[truth.Length];
        for (var i = 0; i < truth.Length; i++)
        {
            var field = waves.Sum(w => Math.Cos(w.A * (i / 25600) + w.B * (i / 160 % 160) + w.C * (i % 160) + w.P)) / Math.Sqrt(30);
            truth[i] = (byte)(distance[i] <= 0 ? 3 : field + 0.6 * Math.Exp(-distance[i] / 4) > 0.9 ? 1 : 2);
            grey[i] = truth[i] switch { 1 => 40, 2 => 90, _ => 170 };
        }
        foreach (var stride in new[] { 1, 160, 25600 }) Blur(grey, stride, stride == 25600 ? 10 : 160, blur);
        return (truth, new(Size, null, [.. grey.Select(v => (byte)Math.Clamp(Math.Round(v + noise * random.NextNormal()), 0, 255))]));
    }

    private static void Blur(double[] grey, int stride, int length, double sigma)
    {
        var from = (double[])grey.Clone();
        for (var i = 0; i < grey.Length; i++)
        {
            var at = i / stride % length;
            double sum = 0, weights = 0;
            for (var t = -4; t <= 4; t++)
            {
                var weight = Math.Exp(-t * t / (2 * sigma * sigma));
                sum += weight * from[i + (Math.Clamp(at + t, 0, length - 1) - at) * stride];
                weights += weight;
            }
            grey[i] = sum / weights;
        }
    }
}

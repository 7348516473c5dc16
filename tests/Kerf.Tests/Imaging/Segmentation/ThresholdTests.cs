using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ThresholdTests
{
    private static Volume<byte> Levels => new(new(1, 1, 256), null, [.. Enumerable.Range(0, 256).Select(i => (byte)i)]);

    [Fact]
    public void RangesAreHalfOpenAndAPhaseMayOwnSeveral()
    {
        var (labels, run) = Reference.Run<byte>(new Threshold { Ranges = ["1=0..28", "2=28..49", "3=49..77", "1=77..256"], Phases = ["void", "carbon=#444444", "NMC"] }, Levels);
        for (var grey = 0; grey < 256; grey++) Assert.Equal(grey is < 28 or >= 77 ? 1 : grey < 49 ? 2 : 3, labels.Data[grey]);
        Assert.Equal(["void", "carbon", "NMC"], labels.Info.Phases!.Select(phase => phase.Name));
        Assert.Equal("#444444", labels.Info.Phases![1].Colour);
        Assert.Equal("[0,28,49,77,256]", run.Facts["thresholds"]!.ToJsonString());
        Assert.Equal(256, run.Facts["histogram"]!["levels"]!.AsArray().Count);
    }

    [Fact]
    public void GreyValuesInNoRangeGetLabelZero()
    {
        var (labels, _) = Reference.Run<byte>(new Threshold { Ranges = ["2=200..", "1=10..20"] }, Levels);
        for (var grey = 0; grey < 256; grey++) Assert.Equal(grey is >= 10 and < 20 ? 1 : grey >= 200 ? 2 : 0, labels.Data[grey]);
    }

    [Fact]
    public void EveryPixelTypeGetsTheSameLabels()
    {
        var step = new Threshold { Thresholds = [40, 100.5, 200] };
        var (bytes, _) = Reference.Run<byte>(step, Levels);
        var (words, _) = Reference.Run<byte>(step, new Volume<ushort>(Levels.Info.Size, null, [.. Levels.Data.Select(v => (ushort)v)]));
        var (floats, _) = Reference.Run<byte>(step, new Volume<float>(Levels.Info.Size, null, [.. Levels.Data.Select(v => (float)v)]));
        Assert.Equal(bytes.Data, words.Data);
        Assert.Equal(bytes.Data, floats.Data);
        Assert.Equal([1, 2, 2, 3, 4], [bytes.Data[39], bytes.Data[40], bytes.Data[100], bytes.Data[101], bytes.Data[200]]);
    }

    [Fact]
    public void OtsuIsThatOfScikitImage()
    {
        Assert.Equal(Reference.Json.GetProperty("otsu").GetInt32() + 0.5, Threshold.Otsu(Reference.Image, Traversal.Default)[0]);
        Assert.Equal(Reference.Json.GetProperty("otsuVolume").GetInt32() + 0.5, Threshold.Otsu(Reference.Grey, Traversal.Default)[0]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void MultiOtsuIsThatOfScikitImage(int classes)
    {
        var expected = Reference.Json.GetProperty("multi").GetProperty($"{classes}").EnumerateArray().Select(t => t.GetInt32() + 0.5);
        Assert.Equal(expected, Threshold.Otsu(Reference.Image, Traversal.Default, classes));
    }

    [Fact]
    public void TheCutsAreTheBestOfAll()
    {
        // every pair of cuts tried, on histograms with gaps
        for (ulong seed = 0; seed < 30; seed++)
        {
            var random = new CounterRandom(seed, 0);
            var counts = new long[24];
            for (var bin = 0; bin < counts.Length; bin++) counts[bin] = random.NextInt(3) == 0 ? 0 : random.NextInt(50);
            var best = double.PositiveInfinity;
            for (var a = 0; a < 23; a++)
            {
                for (var b = a + 1; b < 23; b++) best = Math.Min(best, Within(counts, a, b));
            }
            var cuts = GreyClasses.Cuts(counts, 3);
            Assert.Equal(best, Within(counts, cuts[0], cuts[1]), 1e-9 * best);
        }

        static double Within(long[] counts, int a, int b) => Spread(counts, 0, a) + Spread(counts, a + 1, b) + Spread(counts, b + 1, 23);
        static double Spread(long[] counts, int from, int to)
        {
            double n = 0, sum = 0, squares = 0;
            for (var i = from; i <= to; i++) (n, sum, squares) = (n + counts[i], sum + counts[i] * (double)i, squares + counts[i] * (double)i * i);
            return n == 0 ? 0 : squares - sum * sum / n;
        }
    }

    [Fact]
    public void SixteenBitHistogramsAreSplitExactlyAndQuickly()
    {
        var counts = new long[65536];
        var random = new CounterRandom(4, 4);
        for (var i = 0; i < 400000; i++) counts[(int)Math.Clamp((i % 3) switch { 0 => 10000, 1 => 30000, _ => 52000 } + 3000 * random.NextNormal(), 0, 65535)]++;
        var cuts = GreyClasses.Cuts(counts, 3);
        Assert.InRange(cuts[0], 19700, 20300);
        Assert.InRange(cuts[1], 40700, 41300);
    }

    [Fact]
    public void SliceScopeFollowsTheBrightnessOfEachSlice()
    {
        var volume = new Volume<byte>(new Size3(3, 4, 8));
        for (var z = 0; z < 3; z++)
        {
            for (var i = 0; i < 32; i++) volume.Slice(z)[i] = (byte)(40 * z + (i % 8 < 4 ? 10 : 50));
        }
        var (labels, run) = Reference.Run<byte>(new Threshold { Scope = ThresholdScope.Slice }, volume);
        for (var i = 0; i < 96; i++) Assert.Equal(i % 8 < 4 ? 1 : 2, labels.Data[i]);
        Assert.Equal("[[10.5],[50.5],[90.5]]", run.Facts["thresholdsPerSlice"]!.ToJsonString());
        Assert.Equal(["pore", "solid"], labels.Info.Phases!.Select(phase => phase.Name));
    }

    [Fact]
    public void NeitherThreadsNorBlocksNorFlipsShow()
    {
        var step = new Threshold { Method = ThresholdMethod.MultiOtsu };
        var grey = Reference.Grey;
        var (one, _) = Reference.Run<byte>(step, grey, new() { Threads = 1, BlockEdge = 128 });
        var (many, _) = Reference.Run<byte>(step, grey, new() { Threads = 4, BlockEdge = 7 });
        var (flipped, _) = Reference.Run<byte>(step, new Volume<byte>(grey.Info.Size, null, [.. grey.Data.Reverse()]));
        Assert.Equal(one.Data, many.Data);
        Assert.Equal(one.Data, flipped.Data.Reverse());
    }

    [Fact]
    public void AKeptThresholdMayBeEdited()
    {
        var folder = Directory.CreateTempSubdirectory("kerf").FullName;
        File.WriteAllText(Path.Combine(folder, "thresholds.json"), "[99.5]");
        var (labels, _) = Reference.Run<byte>(new Threshold(), Levels, folder: folder);
        Assert.Equal([1, 2], [labels.Data[99], labels.Data[100]]);
        Directory.Delete(folder, true);
    }

    [Fact]
    public void KMeansCallsTheBrightestClusterSolid()
    {
        var (labels, run) = Reference.Run<byte>(new KMeans(), Reference.Image);
        var multi = Threshold.Otsu(Reference.Image, Traversal.Default, 3);
        Assert.Equal(Reference.Image.Data.Select(v => v >= multi[1] ? 2 : 1), labels.Data.Select(v => (int)v));
        var centres = run.Facts["centres"]!.AsArray().Select(c => c!.GetValue<double>()).ToArray();
        // k-means' own condition: thresholds lie half-way between the centres, to the level
        for (var i = 0; i < 2; i++) Assert.InRange((centres[i] + centres[i + 1]) / 2 - multi[i], -0.5, 0.5);
        var (each, _) = Reference.Run<byte>(new KMeans { Each = true }, Reference.Image);
        Assert.Equal([1, 2, 3], each.Data.Select(v => (int)v).Distinct().Order());
        var (two, _) = Reference.Run<byte>(new KMeans { Solid = [2, 3] }, Reference.Image);
        Assert.Equal(each.Data.Select(v => v > 1 ? 2 : 1), two.Data.Select(v => (int)v));
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        string Of(Step step) => Reference.Refusal(() => Reference.Run<byte>(step, Levels));
        Assert.Equal("ranges: 1=0..30 and 2=28..49 overlap; a range ends below its high, so write 1=0..28 and 2=28..49.", Of(new Threshold { Ranges = ["1=0..30", "2=28..49"] }));
        foreach (var text in new[] { "1:0..3", "0=1..2", "256=1..2", "1=5..5", "1=a..3", "x" })
            Assert.Equal($"ranges: \"{text}\" is not a range; write LABEL=low..high with a label of 1 to 255 and low below high, like 1=0..28.", Of(new Threshold { Ranges = [text] }));
        Assert.Equal("thresholds: 90 is followed by 40; they must ascend.", Of(new Threshold { Thresholds = [90, 40] }));
        Assert.Equal("thresholds and ranges are both given; keep one of them.", Of(new Threshold { Thresholds = [9], Ranges = ["1=0..3"] }));
        Assert.StartsWith("method is manual but neither thresholds nor ranges are given", Of(new Threshold { Method = ThresholdMethod.Manual }));
        Assert.StartsWith("method is automatic but thresholds or ranges are given", Of(new Threshold { Method = ThresholdMethod.Otsu, Thresholds = [3] }));
        Assert.StartsWith("thresholds: 255 given; at most 254", Of(new Threshold { Thresholds = [.. Enumerable.Range(0, 255).Select(i => (double)i)] }));
        Assert.Equal("phases: 3 names for 2 phases; give at most 2.", Of(new Threshold { Phases = ["a", "b", "c"] }));
        Assert.Equal("phases: \"a\" names two phases; each needs a name of its own.", Of(new Threshold { Phases = ["a", "a"] }));
        Assert.Equal("phases: \"a=red\" is no phase; write a name, or a name and its colour like pore=#d9d9d9.", Of(new Threshold { Phases = ["a=red"] }));
        Assert.Equal("solid: there is no cluster 4; clusters are 1 (darkest) to 3 (brightest).", Of(new KMeans { Solid = [4] }));
        Assert.StartsWith("solid and each are both given", Of(new KMeans { Solid = [1], Each = true }));
        var flat = new Volume<byte>(new Size3(2, 3, 3));
        Assert.Equal("the stack holds 1 grey level(s), too few for 2 classes; ask for fewer classes or give thresholds by hand.",
            Reference.Refusal(() => Reference.Run<byte>(new Threshold(), flat)));
        flat.Data[0] = 1;
        Assert.StartsWith("slice 1 holds 1 grey level(s)", Reference.Refusal(() => Reference.Run<byte>(new Threshold { Scope = ThresholdScope.Slice }, flat)));
        Assert.Equal("classes is 1; it must be 2 or more.", Reference.Refusal(() => GreyClasses.Cuts([1, 2], 1)));
    }
}

using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class GreyLevelTests
{
    private static (IVolume Target, StepRun Run) Run(IVolume source, Step step, Traversal? walk = null)
    {
        var run = new StepRun(source, Create) { Walk = walk ?? Traversal.Default };
        step.Run(run);
        return (run.Target!, run);
    }

    private static IVolume Create(VolumeInfo info) => info.Type switch
    {
        PixelType.UInt8 => new Volume<byte>(info),
        PixelType.UInt16 => new Volume<ushort>(info),
        _ => new Volume<float>(info),
    };

    private static byte[] Bytes(IVolume source, Step step) => ((Volume<byte>)Run(source, step).Target).Data;

    private static readonly Volume<byte> Small = new(new(2, 1, 4), null, [50, 60, 90, 100, 100, 150, 150, 250]);

    [Fact]
    public void StretchReachesBothEnds()
    {
        Assert.Equal<byte[]>([0, 13, 51, 64, 64, 128, 128, 255], Bytes(Small, new Stretch()));
        Assert.Equal<byte[]>([0, 51, 204, 255, 0, 85, 85, 255], Bytes(Small, new Stretch { Scope = HistogramScope.Slice }));
        Assert.Equal<ushort[]>([0, 3277, 13107, 16384, 16384, 32768, 32768, 65535], ((Volume<ushort>)Run(Small, new Stretch { Bits = 16 }).Target).Data);
        Assert.Equal<byte[]>([0, 26, 102, 128, 128, 255, 255, 255], Bytes(Small, new Stretch { High = 80 }));
    }

    [Fact]
    public void StretchOfOneLevelIsBlack() => Assert.All(Bytes(new Volume<byte>(new(1, 1, 3), null, [7, 7, 7]), new Stretch()), level => Assert.Equal(0, level));

    [Fact]
    public void StretchTakesFloats() =>
        Assert.Equal<byte[]>([0, 128, 255], Bytes(new Volume<float>(new(1, 1, 3), null, [-1f, 0.001f, 1f]), new Stretch()));

    [Fact]
    public void EqualizeFollowsItsFormula()
    {
        // cdf 1 2 3 5 5 7 7 8, cdf_min 1, N 8: (cdf − 1)/7·255
        Assert.Equal<byte[]>([0, 36, 73, 146, 146, 219, 219, 255], Bytes(Small, new Equalize()));
        Assert.Equal<byte[]>([0, 85, 170, 255, 0, 170, 170, 255], Bytes(Small, new Equalize { Scope = HistogramScope.Slice }));
        var wide = (Volume<ushort>)Run(Restored.Words(new Volume<float>(new(1, 1, 4), null, [5, 5, 900, 65535])), new Equalize()).Target;
        Assert.Equal<ushort[]>([0, 0, 32768, 65535], wide.Data);
        Assert.Equal<byte[]>([0, 128, 255], Bytes(new Volume<float>(new(1, 1, 3), null, [-1f, 0.001f, 1f]), new Equalize()));
        Assert.All(Bytes(new Volume<byte>(new(1, 1, 3), null, [7, 7, 7]), new Equalize()), level => Assert.Equal(0, level));
    }

    [Fact]
    public void ClaheRaisesLocalContrastAndKnowsItsLimit()
    {
        // a faint chessboard on a ramp of brightness
        var source = new Volume<byte>(new Size3(1, 128, 128));
        for (var i = 0; i < source.Data.Length; i++) source.Data[i] = (byte)(40 + i % 128 + ((i % 128 / 4 + i / 128 / 4) % 2 * 6));
        double Contrast(byte[] data) => Enumerable.Range(0, 120).Average(y => Enumerable.Range(0, 120).Average(x => Math.Abs(data[y * 128 + x] - data[(y + 4) * 128 + x])));
        var strong = Contrast(Bytes(source, new Clahe { ClipLimit = 0.1 }));
        var weak = Contrast(Bytes(source, new Clahe { ClipLimit = 0.006 }));
        Assert.InRange(strong, 2 * Contrast(source.Data), 200);
        Assert.InRange(weak, Contrast(source.Data) * 0.8, strong / 1.5);
    }

    [Fact]
    public void ThreadsDoNotMatter()
    {
        var source = Restored.Words(Restored.Texture(new(5, 40, 50), 9), 37);
        foreach (var step in new Step[] { new Stretch { Low = 1, High = 99 }, new Equalize(), new Clahe(), new Brightness { Window = 5 } })
        {
            var one = (Volume<ushort>)Run(source, step, new() { Threads = 1 }).Target;
            Assert.Equal(one.Data, ((Volume<ushort>)Run(source, step, new() { Threads = 2, BlockEdge = 32 }).Target).Data);
        }
    }

    [Fact]
    public void Refuses()
    {
        static void Says(string message, Step step) => Assert.Equal(message, Assert.Throws<InputError>(() => Run(Small, step)).Message);
        Says("low is 60 % and high 40 %; low must be below high.", new Stretch { Low = 60, High = 40 });
        Says("bits is 12; it must be 8 or 16, or 0 for the depth of the input.", new Stretch { Bits = 12 });
        Says("tiles is 8; it must be 1 to 1, the pixels of a slice's shorter side.", new Clahe());
        Says("clip-limit is 2; it must be 0 to 1.", new Clahe { Tiles = 1, ClipLimit = 2 });
        Says("window is 3 slices; it must be 5 or more.", new Brightness { Window = 3 });
        Says("max-gain is 0.5; it must be 1 or more.", new Brightness { MaxGain = 0.5 });
        var correction = new BrightnessCorrection([0], [1], [0], [0]);
        Assert.Equal("brightness.json: holds 1 slices, the stack 2. Delete it to have it estimated again.",
            Assert.Throws<InputError>(() => Brightness.Apply(Small, Small, correction, Traversal.Default)).Message);
    }

    // slices of a texture whose bright share grows along z, each shifted by ±8 grey levels and scaled a little
    private static (Volume<byte> Stack, double[] True) Jumping(bool trend)
    {
        var (stack, means) = (new Volume<byte>(new Size3(60, 50, 50)), new double[60]);
        for (var z = 0; z < 60; z++)
        {
            var random = new CounterRandom(4, (ulong)z);
            var jump = random.NextInt(2) == 0 ? -8 : 8;
            for (var i = 0; i < 2500; i++)
            {
                var solid = random.NextDouble() < (trend ? 0.3 + 0.005 * z : 0.5);
                var level = (solid ? 150 : 80) + 5 * random.NextNormal();
                means[z] += level / 2500;
                stack.Slice(z)[i] = (byte)Math.Round(level + jump);
            }
        }
        return (stack, means);
    }

    [Theory]
    [InlineData(BrightnessMethod.MeanSigma)]
    [InlineData(BrightnessMethod.Histogram)]
    [InlineData(BrightnessMethod.Running)]
    public void JumpsGo(BrightnessMethod method)
    {
        var (stack, _) = Jumping(false);
        var facts = Run(stack, new Brightness { Method = method }).Run.Facts["brightness"]!;
        double[] Numbers(string name) => [.. facts[name]!.AsArray().Select(node => (double)node!)];
        var (before, after) = (Numbers("meanBefore"), Numbers("meanAfter"));
        Assert.InRange(Jump(before), 6, 20);
        Assert.InRange(Jump(after), 0, 1.5);
        Assert.All(Numbers("gains"), gain => Assert.InRange(gain, 0.8, 1.25));
        Assert.Equal(60, Numbers("offsets").Length);
        static double Jump(double[] means) => means.Skip(1).Zip(means, (a, b) => Math.Abs(a - b)).Average();
    }

    [Fact]
    public void TheRunningReferenceKeepsAChangeOfComposition()
    {
        var (stack, truth) = Jumping(true);
        var corrected = (Volume<byte>)Run(stack, new Brightness()).Target;
        var means = Enumerable.Range(0, 60).Select(z => { var sum = 0.0; foreach (var level in corrected.Slice(z)) sum += level; return sum / 2500; }).ToArray();
        var slope = (means[50..].Average() - means[..10].Average()) / (truth[50..].Average() - truth[..10].Average());
        Assert.InRange(slope, 0.6, 1.4);
        Assert.InRange(means.Skip(1).Zip(means, (a, b) => Math.Abs(a - b)).Max(), 0, 2.5);
    }

    [Fact]
    public void GainIsLimited()
    {
        // the middle slice has half the contrast: it is raised by the limit, no more
        var stack = new Volume<float>(new Size3(9, 10, 10));
        for (var z = 0; z < 9; z++)
            for (var i = 0; i < 100; i++) stack.Slice(z)[i] = 100 + (z == 4 ? 10 : 20) * (i % 2 == 0 ? 1 : -1);
        var correction = Brightness.Estimate(stack, BrightnessMethod.MeanSigma, 5, 1.25, Traversal.Default);
        Assert.Equal((1.25, 1.0), (correction.Gains[4], correction.Gains[3]));
        Assert.Equal(100, correction.MeanAfter[4], 0.01);
    }

    [Fact]
    public void LowessKeepsALineAndIgnoresAnOutlier()
    {
        double[] line = [.. Enumerable.Range(0, 30).Select(i => 3.0 * i + 2)];
        double[] broken = [.. line];
        broken[12] += 100;
        Assert.All(Lowess.Smooth(line, 9).Zip(line), pair => Assert.Equal(pair.Second, pair.First, 1e-9));
        Assert.All(Lowess.Smooth(broken, 9).Zip(line), pair => Assert.Equal(pair.Second, pair.First, 0.5));
    }
}

using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class HistogramTests
{
    [Fact]
    public void CountsEveryLevelExactly()
    {
        var volume = new Volume<byte>(new(2, 2, 3), null, [0, 1, 1, 255, 7, 7, 7, 0, 0, 0, 0, 255]);
        var histogram = Histogram.OfStack(volume, Traversal.Default);
        Assert.Equal((5L, 2L, 3L, 2L, 12L), (histogram.Counts[0], histogram.Counts[1], histogram.Counts[7], histogram.Counts[255], histogram.Total));
        Assert.Equal((0.0, 255.0, 256), (histogram.Min, histogram.Max, histogram.Bins));
        Assert.Equal((2 + 21 + 510) / 12.0, histogram.Mean, 12);
        var sum = Histogram.OfSlice(volume, 0);
        sum.Add(Histogram.OfSlice(volume, 1));
        Assert.Equal(histogram.Counts, sum.Counts);
    }

    [Fact]
    public void SixteenBitLevelsAreBins()
    {
        var histogram = Histogram.Of<ushort>([65535, 3, 3]);
        Assert.Equal((65536, 1L, 2L), (histogram.Bins, histogram.Counts[65535], histogram.Counts[3]));
    }

    [Fact]
    public void FloatLevelsRunFromTheSmallestToTheLargestAndSkipNaN()
    {
        var histogram = Histogram.Of<float>([-1f, float.NaN, 3f, 1f, float.PositiveInfinity]);
        Assert.Equal((3L, 1L, 1L), (histogram.Total, histogram.Counts[0], histogram.Counts[^1]));
        Assert.Equal((-1.0, 3.0), (histogram.LevelOf(0), histogram.LevelOf(65535)));
        Assert.Equal(1.0, histogram.LevelOf(histogram.BinOf(1)), 4);
        Assert.Equal(4, Histogram.Of<float>([2f, 2f, 2f, 2f]).Counts[0]);
        Assert.True(double.IsNaN(Histogram.Of<float>([float.NaN]).Percentile(50)));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(25, 10)]
    [InlineData(26, 20)]
    [InlineData(50, 20)]
    [InlineData(75, 30)]
    [InlineData(100, 40)]
    public void PercentileInvertsTheCumulativeDistribution(double percent, double level) =>
        Assert.Equal(level, Histogram.Of<byte>([10, 20, 30, 40]).Percentile(percent));

    [Fact]
    public void PercentileRefusesWhatIsNoPercentage() =>
        Assert.Equal("percentile is 101; it must be 0 to 100.", Assert.Throws<InputError>(() => Histogram.Of<byte>([1]).Percentile(101)).Message);

    [Fact]
    public void ThreadsDoNotMatter()
    {
        var random = new CounterRandom(1, 0);
        var volume = new Volume<float>(new Size3(9, 20, 30));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = random.NextFloat();
        var one = Histogram.OfStack(volume, Traversal.Default with { Threads = 1 });
        Assert.Equal(one.Counts, Histogram.OfStack(volume, Traversal.Default with { Threads = 4 }).Counts);
        Assert.Equal(volume.Data.Max(), one.Max, 6);
    }
}

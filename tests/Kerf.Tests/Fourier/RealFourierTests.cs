using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class RealFourierTests
{
    public static TheoryData<int, int> Sizes => new() { { 1, 1 }, { 2, 3 }, { 12, 10 }, { 45, 64 }, { 27, 25 }, { 40, 50 }, { 6, 96 } };

    [Theory, MemberData(nameof(Sizes))]
    public void EqualsTheSumThatDefinesIt(int height, int width)
    {
        var image = Noise(height, width, 1);
        var (plan, re, im) = Transform(image, height, width);
        for (var kx = 0; kx < width; kx++)
        {
            for (var ky = 0; ky <= height / 2; ky++)
            {
                double sumRe = 0, sumIm = 0;
                for (var y = 0; y < height; y++)
                {
                    for (var x = 0; x < width; x++)
                    {
                        var angle = -2 * Math.PI * ((double)kx * x / width + (double)ky * y / height);
                        sumRe += image[y * width + x] * Math.Cos(angle);
                        sumIm += image[y * width + x] * Math.Sin(angle);
                    }
                }
                Assert.Equal(sumRe, re[kx * plan.Pitch + ky], 1e-5 * height * width);
                Assert.Equal(sumIm, im[kx * plan.Pitch + ky], 1e-5 * height * width);
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(96, 125)]
    [InlineData(243, 128)]
    [InlineData(300, 81)]
    public void TheInverseBringsTheImageBackAndLeavesTheSpectrum(int height, int width)
    {
        var image = Noise(height, width, 2);
        var (plan, re, im) = Transform(image, height, width);
        var (keptRe, keptIm) = (re.ToArray(), im.ToArray());
        var back = new float[image.Length];
        plan.Inverse(re, im, back, new float[plan.ScratchLength]);
        for (var i = 0; i < image.Length; i++) Assert.Equal(image[i], back[i], 2e-6f);
        Assert.Equal(keptRe, re);
        Assert.Equal(keptIm, im);
    }

    [Fact]
    public void EnergyIsThatOfTheImage()
    {
        const int height = 90, width = 128;
        var image = Noise(height, width, 3);
        var (plan, re, im) = Transform(image, height, width);
        var sum = 0.0;
        for (var kx = 0; kx < width; kx++)
        {
            for (var ky = 0; ky <= height / 2; ky++)
            {
                var at = kx * plan.Pitch + ky;
                sum += ((double)re[at] * re[at] + (double)im[at] * im[at]) * (ky is 0 or height / 2 ? 1 : 2);
            }
        }
        Assert.Equal(image.Sum(v => (double)v * v), sum / (height * width), 1e-3);
    }

    [Fact]
    public void ShiftingTheImageTurnsThePhase()
    {
        const int height = 48, width = 60, dy = 5, dx = -7;
        var image = Noise(height, width, 4);
        var moved = new float[image.Length];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                moved[(y + dy) % height * width + (x + dx + width) % width] = image[y * width + x];
        var (plan, re, im) = Transform(image, height, width);
        var (_, movedRe, movedIm) = Transform(moved, height, width);
        for (var kx = 0; kx < width; kx++)
        {
            for (var ky = 0; ky <= height / 2; ky++)
            {
                var at = kx * plan.Pitch + ky;
                var (sin, cos) = Math.SinCos(-2 * Math.PI * ((double)kx * dx / width + (double)ky * dy / height));
                Assert.Equal(re[at] * cos - im[at] * sin, movedRe[at], 1e-3);
                Assert.Equal(re[at] * sin + im[at] * cos, movedIm[at], 1e-3);
            }
        }
    }

    [Fact]
    public void GoodSizesAreProductsOfTwoThreeAndFive()
    {
        Assert.Equal((1, 12, 15, 1024, 1080), (RealFourier.GoodSize(1), RealFourier.GoodSize(11), RealFourier.GoodSize(13), RealFourier.GoodSize(1001), RealFourier.GoodSize(1025)));
        Assert.Equal((10, 810, 1280), (RealFourier.GoodSizeWithin(11), RealFourier.GoodSizeWithin(832), RealFourier.GoodSizeWithin(1290)));
        Assert.Contains("no product of 2, 3 and 5", Assert.Throws<ArgumentException>(() => RealFourier.For(7, 8)).Message);
    }

    private static (RealFourier Plan, float[] Re, float[] Im) Transform(float[] image, int height, int width)
    {
        var plan = RealFourier.For(height, width);
        var (re, im) = (new float[plan.Length], new float[plan.Length]);
        plan.Forward(image, re, im, new float[plan.ScratchLength]);
        return (plan, re, im);
    }

    private static float[] Noise(int height, int width, ulong seed)
    {
        var random = new CounterRandom(seed, 0);
        return [.. Enumerable.Range(0, height * width).Select(_ => random.NextFloat() - 0.5f)];
    }
}

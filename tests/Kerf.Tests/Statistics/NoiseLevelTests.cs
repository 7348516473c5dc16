using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class NoiseLevelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(15)]
    public void FindsTheNoiseUnderATexture(double sigma)
    {
        var texture = Restored.Texture(new(2, 150, 150), sigma);
        Assert.InRange(NoiseLevel.OfStack(texture, Traversal.Default), 0.97 * sigma, 1.04 * sigma);
        Assert.InRange(NoiseLevel.OfStack(Restored.Bytes(texture), Traversal.Default), 0.95 * sigma, 1.06 * sigma);
    }

    [Fact]
    public void EdgesClippingAndGradientsDoNotCount()
    {
        var random = new CounterRandom(2, 0);
        var image = new Volume<byte>(new Size3(1, 200, 200));
        for (var i = 0; i < image.Data.Length; i++)
        {
            var (y, x) = (i / 200, i % 200);
            var level = (x - 60) * (x - 60) + (y - 90) * (y - 90) < 2500 ? -20 : x > 140 ? 290 : 80 + 0.3 * y;
            image.Data[i] = (byte)Math.Clamp(Math.Round(level + 6 * random.NextNormal()), 0, 255);
        }
        var noise = NoiseLevel.OfSlices(image, Traversal.Default)[0];
        Assert.InRange(noise.Noise, 5.7, 6.4);
        Assert.InRange(noise.Ratio, 10, 20);
    }

    [Fact]
    public void NoNoiseIsZero() => Assert.Equal(0, NoiseLevel.OfStack(new Volume<float>(new Size3(2, 5, 5)), Traversal.Default));

    [Fact]
    public void RefusesTinySlices() => Assert.Equal(
        "slices of 2×9 pixels are too small to estimate noise; they must be 3×3 or larger.",
        Assert.Throws<InputError>(() => NoiseLevel.OfStack(new Volume<byte>(new Size3(1, 2, 9)), Traversal.Default)).Message);
}

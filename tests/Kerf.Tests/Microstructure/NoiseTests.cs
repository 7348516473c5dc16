using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class NoiseTests
{
    [Fact]
    public void OverallHasTheTruthInItsIntervalAndSlicesHaveCurves()
    {
        var stack = Restored.Texture(new(20, 80, 80), 10);
        var measured = new Noise().Run(stack, Traversal.Default, 1);
        var noise = measured.Measurements[0];
        Assert.Equal(("noise", "grey levels"), (noise.Name, noise.Unit));
        Assert.InRange(noise.Value, 9.7, 10.5);
        Assert.True(noise.Low < noise.Value && noise.Value < noise.High && noise.High - noise.Low < 0.5);
        Assert.Equal(["noise-z", "signal-to-noise-z"], measured.Curves.Select(curve => curve.Name));
        Assert.Equal(20, measured.Curves[0].Y.Length);
        // texture 50·sin·cos: variance 2500/4
        Assert.InRange(measured.Measurements[1].Value, 2.2, 2.8);
        Assert.Equal(measured.Measurements, new Noise().Run(stack, Traversal.Default with { Threads = 1 }, 1).Measurements);
    }

    [Fact]
    public void FewSlicesHaveNoInterval() => Assert.Null(new Noise().Run(Restored.Texture(new(3, 20, 20), 5), Traversal.Default, 1).Measurements[0].Low);
}

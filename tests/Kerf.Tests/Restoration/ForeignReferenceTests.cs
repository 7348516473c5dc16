using System.Runtime.InteropServices;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Filters against scipy and scikit-image: References/restoration.</summary>
public class ForeignReferenceTests
{
    private static readonly Size3 Size = new(3, 64, 72);

    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "References", "restoration", name);

    private static Volume<byte> Image() => new(Size, new VoxelSize(20, 10, 5), System.IO.File.ReadAllBytes(File("image.u8")));

    private static float[] Reference(string name) => MemoryMarshal.Cast<byte, float>(System.IO.File.ReadAllBytes(File(name + ".f32"))).ToArray();

    private static float[] Run(Step step)
    {
        var run = new StepRun(Image(), info => new Volume<float>(info));
        step.Run(run);
        return ((Volume<float>)run.Target!).Data;
    }

    public static TheoryData<string, Denoise, double> Filters() => new()
    {
        { "gaussian", new() { Method = DenoiseMethod.Gaussian, Dimensions = 3, SigmaVoxels = 1.1 }, 1e-3 },
        { "gaussian-anisotropic", new() { Method = DenoiseMethod.Gaussian, Dimensions = 3, Sigma = 10 }, 1e-3 },
        { "median-5x5", new() { Method = DenoiseMethod.Median, Radius = 2 }, 0 },
        { "median-3x3x3", new() { Method = DenoiseMethod.Median, Radius = 1, Dimensions = 3 }, 0 },
        { "nlm", new() { PatchRadius = 2, SearchRadius = 5, H = 12, Noise = 12 }, 1e-3 },
        { "tv", new() { Method = DenoiseMethod.Tv, Lambda = 20, Iterations = 30 }, 1e-2 },
        { "tv-3d", new() { Method = DenoiseMethod.Tv, Lambda = 20, Iterations = 30, Dimensions = 3 }, 1e-2 },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void FiltersAgree(string name, Denoise step, double tolerance)
    {
        var (expected, actual) = (Reference(name), Run(step));
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }

    [Fact]
    public void NonLocalMeansIsNearScikitImagesFastMode()
    {
        var expected = Reference("nlm-skimage");
        var actual = Run(new Denoise { PatchRadius = 2, SearchRadius = 5, H = 12, Noise = 12 });
        Assert.InRange(Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Average()), 0, 2);
    }

    [Fact]
    public void WaveletStripesAgreeWithPyWavelets()
    {
        var (expected, actual) = (Reference("wavelet"), Run(new Destripe { Method = StripeFilter.Wavelet }));
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-3);
    }

    [Fact]
    public void ClaheIsNearScikitImages()
    {
        // theirs stretches the result to the full range, so levels are compared up to a straight line
        var expected = Reference("clahe").Select(v => (double)v).ToArray();
        var actual = Run(new Clahe { Tiles = 8, ClipLimit = 0.05 })[..expected.Length].Select(v => (double)v).ToArray();
        var (me, ma) = (expected.Average(), actual.Average());
        var covariance = expected.Zip(actual, (e, a) => (e - me) * (a - ma)).Sum();
        Assert.InRange(covariance / Math.Sqrt(expected.Sum(e => (e - me) * (e - me)) * actual.Sum(a => (a - ma) * (a - ma))), 0.99, 1);
    }

    [Fact]
    public void BitsAreTheSameForAnyInstructionSet()
    {
        // run the suite with DOTNET_EnableHWIntrinsic=0 or DOTNET_EnableAVX2=0: vectors of other widths, the same sums
        var hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(MemoryMarshal.AsBytes<float>(
        [
            .. Run(new Denoise { PatchRadius = 2, SearchRadius = 5, H = 12, Noise = 12 }),
            .. Run(new Denoise { PatchRadius = 1, SearchRadius = 2, Dimensions = 3, H = 9, Noise = 12 }),
            .. Run(new Denoise { PatchRadius = 3, SearchRadius = 2, H = 15, Noise = 0 }),
            .. Run(new Denoise { Method = DenoiseMethod.Gaussian, Dimensions = 3, Sigma = 10 }),
            .. Run(new Denoise { Method = DenoiseMethod.Median, Dimensions = 3 }),
            .. Run(new Denoise { Method = DenoiseMethod.Tv, Lambda = 20, Iterations = 10, Dimensions = 3 }),
            .. Run(new Resample { To = [7] }),
        ])));
        Assert.Equal("B0C22A00BD94D29A", hash[..16]);
    }
}

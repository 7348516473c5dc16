using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class GaborTests
{
    [Fact]
    public void ResponsesAreThoseOfAPlainConvolution()
    {
        var image = Reference.Image;
        foreach (var filter in Reference.Json.GetProperty("gabor").EnumerateArray())
        {
            double Number(string name) => filter.GetProperty(name).GetDouble();
            var step = new Gabor
            {
                Wavelength = Number("wavelength"),
                Theta = [.. filter.GetProperty("theta").EnumerateArray().Select(t => t.GetDouble())],
                Psi = Number("psi"),
                Sigma = Number("sigma"),
                Gamma = Number("gamma"),
                Combine = GaborCombination.Mean,
                Normalise = false,
            };
            var (response, run) = Reference.Run<float>(step, image, new() { BlockEdge = 17 });
            var expected = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Reference.Bytes(filter.GetProperty("response")));
            var i = 0;
            var scale = run.Facts["kernelSums"]![0]!.GetValue<double>() * 255;
            for (var y = 0; y < image.Info.Size.Y; y += 2)
            {
                for (var x = 0; x < image.Info.Size.X; x += 2) Assert.Equal(expected[i++], response[0, y, x], 2e-6 * scale);
            }
        }
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(37, 1, 4)]
    [InlineData(90, 0.5, 3)]
    public void TheSeparableShortcutEqualsThePlainSum(double theta, double gamma, double sigma)
    {
        var kernel = new GaborKernel(9, [theta], 30, sigma, gamma);
        var (height, width) = (21, 45);
        var padded = new float[(height + 2 * kernel.Radius) * (width + 2 * kernel.Radius)];
        var random = new CounterRandom(1, 1);
        for (var i = 0; i < padded.Length; i++) padded[i] = 255 * random.NextFloat();
        var (fast, plain) = (new float[height * width], new float[height * width]);
        kernel.Apply(padded, height, width, fast);
        kernel.ApplyPlainly(padded, height, width, plain);
        for (var i = 0; i < fast.Length; i++) Assert.Equal(plain[i], fast[i], 1e-3);
    }

    [Fact]
    public void AWaveAnswersOnlyItsOwnOrientation()
    {
        var wave = new Volume<float>(new Size3(1, 64, 64));
        for (var i = 0; i < 4096; i++) wave.Data[i] = (float)Math.Cos(2 * Math.PI * (i % 64 + i / 64) / (8 * Math.Sqrt(2)));
        // the middle only: the mirror at the border turns the wave
        double Energy(double theta) => Reference.Run<float>(new Gabor { Wavelength = 8, Theta = [theta], Sigma = 4 }, wave).Result.Data
            .Where((_, i) => i / 64 is >= 20 and < 44 && i % 64 is >= 20 and < 44).Sum(v => v * v);
        Assert.True(Energy(45) > 1000 * Energy(135));
        Assert.True(Energy(45) > 10 * Energy(0));
    }

    [Fact]
    public void NeitherBlocksNorThreadsShow()
    {
        foreach (var step in new[] { new Gabor { Sigma = 1.3 }, new Gabor { Sigma = 5, Theta = [0] }, new Gabor { Theta = [20, 80], Gamma = 0.7 } })
        {
            var (whole, _) = Reference.Run<float>(step, Reference.Grey, new() { Threads = 1 });
            var (blocks, _) = Reference.Run<float>(step, Reference.Grey, new() { Threads = 3, BlockEdge = 11 });
            Assert.Equal(whole.Data, blocks.Data);
        }
    }

    [Fact]
    public void NanometresAreDividedByThePixel()
    {
        var nm = new Volume<byte>(Reference.Image.Info.Size, new(20, 5, 5), Reference.Image.Data);
        var (inNm, _) = Reference.Run<float>(new Gabor { Wavelength = 40, Sigma = 10, Unit = LengthsIn.Nm }, nm);
        var (inPixels, _) = Reference.Run<float>(new Gabor { Wavelength = 8, Sigma = 2 }, nm);
        Assert.Equal(inPixels.Data, inNm.Data);
    }

    [Fact]
    public void AThresholdGivesTwoPhases()
    {
        var (response, _) = Reference.Run<float>(new Gabor(), Reference.Image);
        var (labels, _) = Reference.Run<byte>(new Gabor { Threshold = 30, Phases = ["rest", "pore"] }, Reference.Image);
        Assert.Equal(response.Data.Select(v => v >= 30 ? 2 : 1), labels.Data.Select(v => (int)v));
        Assert.Equal(["rest", "pore"], labels.Info.Phases!.Select(p => p.Name));
    }

    [Fact]
    public void TheSearchFindsTheFilterThatMadeTheLabels()
    {
        // wanted: stripes across x of period 8; others: stripes of period 16 and stripes across y
        var image = new Volume<byte>(new Size3(2, 96, 96));
        var labels = new Volume<byte>(image.Info.Size);
        for (var i = 0; i < image.Data.Length; i++)
        {
            var (y, x) = (i / 96 % 96, i % 96);
            var period = y < 32 ? 8 : 16;
            image.Data[i] = (byte)(128 + 60 * Math.Cos(2 * Math.PI * (y < 64 ? x : y / 2.0) / period));
            if (i < 9216 && y % 32 is > 8 and < 24 && x % 8 == 0) labels.Data[i] = (byte)(y < 32 ? 1 : 2);
        }
        var found = GaborSearch.Run(image, labels, new() { Threads = 2 }, grid: new() { Sigmas = [2, 4], Gammas = [1] });
        Assert.True(found.Ranked[0].BalancedAccuracy > 0.99);
        Assert.Contains(found.Ranked, c => c.BalancedAccuracy < 0.8);
        var (mask, _) = Reference.Run<byte>(found.Ranked[0].ToStep(), image);
        for (var i = 0; i < 9216; i++)
        {
            if (labels.Data[i] != 0) Assert.Equal(labels.Data[i] == 1 ? 2 : 1, mask.Data[i]);
        }
        Assert.Equal(found.Sheet.Width * found.Sheet.Height * 3, found.Sheet.Rgb.Length);
        Assert.True(found.Sheet.Rgb.Distinct().Count() > 50);
        var alone = GaborSearch.Run(image, labels, new() { Threads = 1 }, grid: new() { Sigmas = [2, 4], Gammas = [1] });
        Assert.Equal(found.Sheet.Rgb, alone.Sheet.Rgb);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        string Of(Gabor step, IVolume? volume = null) => Reference.Refusal(() => Reference.Run<float>(step, volume ?? Reference.Image));
        Assert.Equal("wavelength is 0; it must be above 0.", Of(new() { Wavelength = 0 }));
        Assert.Equal("sigma is -1; it must be above 0.", Of(new() { Sigma = -1 }));
        Assert.Equal("gamma is 0; it must be above 0.", Of(new() { Gamma = 0 }));
        Assert.StartsWith("theta is empty; give at least one orientation", Of(new() { Theta = [] }));
        Assert.StartsWith("sigma is 50 pixels at gamma 1: the kernel would span 301 pixels; at most 255.", Of(new() { Sigma = 50 }));
        Assert.StartsWith("voxel size is unknown, and a Gabor filter in nm needs it.", Of(new() { Unit = LengthsIn.Nm }));
        Assert.StartsWith("pixels are 4×5 nm, and a Gabor filter needs square ones.",
            Of(new() { Unit = LengthsIn.Nm }, new Volume<byte>(new Size3(1, 2, 2), new(1, 4, 5))));
        string Search(IVolume<byte> labels, GaborGrid? grid = null) => Reference.Refusal(() => GaborSearch.Run(Reference.Image, labels, Traversal.Default, grid: grid));
        Assert.Equal("labels are 1×2×2 and the image 1×40×48; draw the labels on the image itself.", Search(new Volume<byte>(new Size3(1, 2, 2))));
        var labels = new Volume<byte>(Reference.Image.Info.Size);
        Assert.StartsWith("labels hold 0 pixels of label 1 and 0 of others;", Search(labels));
        labels.Data.AsSpan(0, 4).Fill(1);
        labels.Data.AsSpan(8, 4).Fill(2);
        Assert.StartsWith("the grid is empty;", Search(labels, new() { Psis = [] }));
    }
}

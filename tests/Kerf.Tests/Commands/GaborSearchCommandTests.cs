using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf gabor-search on stripes of 8 pixels beside a flat field of the same mean.</summary>
public sealed class GaborSearchCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public GaborSearchCommandTests()
    {
        var (image, labels) = (new Volume<byte>(new Size3(1, 64, 96)), new Volume<byte>(new Size3(1, 64, 96)));
        var noise = new CounterRandom(5, 0);
        for (var i = 0; i < image.Slice(0).Length; i++)
        {
            var x = i % 96;
            var crest = x < 48 ? Math.Cos(2 * Math.PI * x / 8) : 0;
            image.Slice(0)[i] = (byte)(120 + 60 * crest + 5 * noise.NextNormal());
            // the crests are wanted; everything else counts against them
            if (i / 96 is > 16 and < 48) labels.Slice(0)[i] = (byte)(crest > 0.9 ? 1 : 2);
        }
        TiffWriter.Save(image, _folder["image.tif"], new Traversal { Threads = 1 });
        TiffWriter.Save(labels, _folder["labels.tif"], new Traversal { Threads = 1 });
        TiffWriter.Save(new Volume<byte>(new Size3(1, 8, 8)), _folder["small.tif"], new Traversal { Threads = 1 });
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FindsTheStripesAndDrawsTheSheet()
    {
        var result = KerfProcess.Run(_folder.Path, ["gabor-search", "image.tif", "labels.tif", "--out", "sheet.png", "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        var best = result.Json["filters"]![0]!;
        Assert.InRange((double)best["balancedAccuracy"]!, 0.97, 1);
        Assert.Equal(0, (double)best["theta"]![0]!);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(_folder["sheet.png"])[..4]);
    }

    [Theory]
    [InlineData("image.tif small.tif", "labels are 1×8×8 and the image 1×64×96; draw the labels on the image itself.")]
    [InlineData("image.tif labels.tif --label 3", "labels hold 0 pixels of label 3")]
    [InlineData("image.tif labels.tif --label 0", "--label is 0; allowed: 1 to 255.")]
    [InlineData("image.tif labels.tif --out sheet.gif", "--out is \"sheet.gif\"; the contact sheet is a picture: end it in .png.")]
    public void RefusesWithOneLine(string call, string message)
    {
        var result = KerfProcess.Run(_folder.Path, ["gabor-search", .. call.Split(' '), "--quiet"]);
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
    }
}

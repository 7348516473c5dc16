using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Patches: labels move with the grey values, nothing is drawn from outside the region, grey values are scaled as told.</summary>
public class AugmentationTests
{
    private static readonly Augmentation[] Geometric = [Augmentation.Flips, Augmentation.Rotations, Augmentation.Crops, Augmentation.Stretch];

    [Fact]
    public void LabelsMoveWithTheGreyValues()
    {
        // a smooth wave whose sign is the label
        var size = new Size3(3, 60, 50);
        var (grey, labels) = (new Volume<float>(size), new Volume<byte>(size));
        for (var i = 0; i < grey.Data.Length; i++)
        {
            grey.Data[i] = (float)(Math.Sin(0.2 * (i / 50 % 60)) + Math.Cos(0.15 * (i % 50)) + 0.1);
            labels.Data[i] = (byte)(grey.Data[i] > 0 ? 2 : 1);
        }
        var region = new Region([grey], labels, Classes, Box.Whole(size));
        var (image, target) = (new float[20 * 16], new long[20 * 16]);
        for (var item = 0; item < 200; item++)
        {
            region.Cut(new(1, 10, 12), new(1, 20, 16), 1, new(Geometric, new(1, 10, 8), 1, 5, 0, item), image, target);
            for (var i = 0; i < image.Length; i++)
                if (Math.Abs(image[i]) > 0.25) Assert.Equal(image[i] > 0 ? 1 : 0, target[i]);
        }
    }

    [Fact]
    public void FlipsAndQuarterTurnsOnlyReorder()
    {
        var (grey, labels) = NetworkPhantom.Make(1, new(1, 32, 32));
        var region = new Region([grey.AsFloat()], labels, Classes, Box.Whole(grey.Info.Size));
        var (image, target) = (new float[16 * 16], new long[16 * 16]);
        region.Cut(new(0, 8, 8), new(1, 16, 16), 1, PatchDraw.None, image, target);
        var sorted = image.Order().ToArray();
        for (var item = 0; item < 20; item++)
        {
            var turned = new float[image.Length];
            foreach (var augmentation in (Augmentation[])[Augmentation.Flips, Augmentation.Turns])
            {
                region.Cut(new(0, 8, 8), new(1, 16, 16), 1, new([augmentation], new(1, 8, 8), 1, 5, 0, item), turned, target);
                Assert.Equal(sorted, turned.Order());
            }
        }
    }

    [Fact]
    public void TheSameDrawGivesTheSamePatch()
    {
        var (grey, labels) = NetworkPhantom.Make(1, new(3, 32, 32));
        var region = new Region([grey.AsFloat()], labels, Classes, Box.Whole(grey.Info.Size));
        float[] Patch(int epoch)
        {
            var image = new float[3 * 16 * 16];
            region.Cut(new(1, 4, 4), new(1, 16, 16), 3, new(Enum.GetValues<Augmentation>(), new(1, 8, 8), 1, 5, epoch, 3), image, new long[256]);
            return image;
        }
        Assert.Equal(Patch(1), Patch(1));
        Assert.NotEqual(Patch(1), Patch(2));
    }

    [Fact]
    public void NoPatchSeesAnotherRegion()
    {
        // outside of the region all is NaN
        var size = new Size3(9, 40, 40);
        var grey = new Volume<float>(size);
        Array.Fill(grey.Data, float.NaN);
        var box = new Box(new(3, 0, 0), new(3, 40, 40));
        for (var z = 3; z < 6; z++) grey.Slice(z).Fill(z);
        var region = new Region([grey], new Volume<byte>(size), Classes, box);
        var image = new float[7 * 256];
        for (var item = 0; item < 50; item++)
        {
            region.Cut(new(item % 3, item % 24, 0), new(1, 16, 16), 7, new(Enum.GetValues<Augmentation>(), new(1, 8, 8), 1, 5, 0, item), image, new long[256]);
            Assert.DoesNotContain(image, float.IsNaN);
        }
    }

    [Fact]
    public void GreyValuesAreScaled()
    {
        var stack = new Volume<byte>(new Size3(2, 1, 4), null, [10, 10, 20, 20, 40, 40, 50, 50]);
        float[] Scaled(GreyRule rule, bool each = false) => Volume<float>.Load(new GreyScaling(rule, each).Of(stack, Traversal.Default)).Data;
        Assert.Equal(stack.Data.Select(v => v / 255f), Scaled(GreyRule.Raw), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(stack.Data.Select(v => (v - 30) / (float)Math.Sqrt(250)), Scaled(GreyRule.Standard), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal([-1, -1, 1, 1, -1, -1, 1, 1], Scaled(GreyRule.Standard, each: true));
        Assert.Equal([0.125f, 0.125f, 0.375f, 0.375f, 0.625f, 0.625f, 0.875f, 0.875f], Scaled(GreyRule.Equalised));
        Assert.InRange(Scaled(GreyRule.Stretched).Max(), 0.99f, 1.01f);
    }

    private static int[] Classes => [.. Enumerable.Range(0, 256).Select(l => l is 1 or 2 ? l - 1 : -1)];
}

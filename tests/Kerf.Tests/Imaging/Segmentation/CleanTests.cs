using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class CleanTests
{
    private static readonly Traversal Thin = new() { Threads = 3, MemoryBytes = 1 };

    private static byte[] Expected(string name, string? radius = null) =>
        [.. Reference.Mask(radius is null ? Reference.Json.GetProperty(name) : Reference.Json.GetProperty(name).GetProperty(radius), Reference.MaskSize).Select(bit => (byte)(bit + 1))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OpeningAndClosingAreThoseOfScikitImage(int radius)
    {
        var (opened, _) = Reference.Run<byte>(new Clean { Phase = 2, Open = radius }, Reference.Labels("mask"), Thin);
        Assert.Equal(Expected("opened", $"{radius}"), opened.Data);
        var (closed, _) = Reference.Run<byte>(new Clean { Phase = 2, Close = radius }, Reference.Labels("mask"), Thin);
        Assert.Equal(Expected("closed", $"{radius}"), closed.Data);
    }

    [Fact]
    public void SpecksAreThoseOfScikitImage()
    {
        var (faces, run) = Reference.Run<byte>(new Clean { Phase = 2, MinSize = 20 }, Reference.Labels("speckled"), Thin);
        Assert.Equal(Expected("big6"), faces.Data);
        Assert.True(run.Facts["specksRemoved"]!.GetValue<long>() > 10);
        var (full, _) = Reference.Run<byte>(new Clean { Phase = 2, MinSize = 20, Connectivity = Connectivity.Full }, Reference.Labels("speckled"));
        Assert.Equal(Expected("big26"), full.Data);
    }

    [Fact]
    public void FilledHolesAreThoseOfScipy()
    {
        var (volume, _) = Reference.Run<byte>(new Clean { Phase = 2, FillHoles = HoleFilling.Volume }, Reference.Labels("speckled"), Thin);
        Assert.Equal(Expected("filled"), volume.Data);
        var (slices, _) = Reference.Run<byte>(new Clean { Phase = 2, FillHoles = HoleFilling.Slices }, Reference.Labels("speckled"));
        Assert.Equal(Expected("filledSlices"), slices.Data);
    }

    [Fact]
    public void OnlySmallHolesAreFilledWhenAsked()
    {
        var volume = new Volume<byte>(new Size3(1, 12, 20), new(10, 5, 5));
        volume.Data.AsSpan().Fill(2);
        volume[0, 3, 3] = 1;
        for (var y = 3; y < 6; y++)
        {
            for (var x = 10; x < 13; x++) volume[0, y, x] = 1;
        }
        // one voxel is 250 nm³
        var (small, run) = Reference.Run<byte>(new Clean { Phase = 2, FillHoles = HoleFilling.Slices, MaxHole = 2249, Unit = LengthsIn.Nm }, volume);
        Assert.Equal(9, small.Data.Count(v => v == 1));
        Assert.Equal(1, run.Facts["holesFilled"]!.GetValue<long>());
        var (all, _) = Reference.Run<byte>(new Clean { Phase = 2, FillHoles = HoleFilling.Slices, MaxHole = 2250, Unit = LengthsIn.Nm }, volume);
        Assert.DoesNotContain((byte)1, all.Data);
    }

    [Fact]
    public void ABallInNanometresIsFlatOnFlatVoxels()
    {
        // 20 nm bridge a gap of two columns, whose voxels lie 10 nm from a wall, but not one of a single slice, 30 nm from both
        var volume = new Volume<byte>(new Size3(9, 9, 12), new(30, 10, 10));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)(i % 12 is 5 or 6 || i / 108 == 4 ? 1 : 2);
        var (closed, _) = Reference.Run<byte>(new Clean { Phase = 2, Close = 20, Unit = LengthsIn.Nm }, volume);
        for (var i = 0; i < volume.Data.Length; i++) Assert.Equal(i / 108 == 4 ? 1 : 2, closed.Data[i]);
    }

    [Fact]
    public void WhatIsRemovedBecomesWhatSurroundsIt()
    {
        var volume = new Volume<byte>(new Size3(8, 8, 16));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)(i % 16 < 8 ? 1 : 3);
        volume[3, 3, 3] = volume[4, 4, 12] = volume[4, 4, 13] = 2;
        foreach (var step in new[] { new Clean { MinSize = 3 }, new Clean { Phase = 2, Open = 1 } })
        {
            var (clean, _) = Reference.Run<byte>(step, volume, Thin);
            Assert.Equal(volume.Data.Select((_, i) => i % 16 < 8 ? 1 : 3), clean.Data.Select(v => (int)v));
        }
    }

    [Fact]
    public void NeitherSlabsNorThreadsShowAndLabelsFlip()
    {
        var noise = ComponentsTests.Noise(new(19, 17, 23), 5, 4);
        var step = new Clean { Phase = 1, Open = 1, Close = 1.5, FillHoles = HoleFilling.Volume, MinSize = 6 };
        var (thin, _) = Reference.Run<byte>(step, noise, Thin);
        var (whole, _) = Reference.Run<byte>(step, noise, new() { Threads = 1 });
        Assert.Equal(whole.Data, thin.Data);
        var (flipped, _) = Reference.Run<byte>(step, new Volume<byte>(noise.Info.Size, null, [.. noise.Data.Reverse()]));
        Assert.Equal(whole.Data, flipped.Data.Reverse());
        var (again, _) = Reference.Run<byte>(new Clean { MinSize = 6 }, whole);
        var (same, _) = Reference.Run<byte>(new Clean { Phase = 1, MinSize = 6 }, whole);
        Assert.Equal(whole.Data, same.Data);
        Assert.NotEqual(whole.Data, again.Data);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        string Of(Clean step, IVolume? volume = null) => Reference.Refusal(() => Reference.Run<byte>(step, volume ?? Reference.Labels("mask")));
        Assert.Equal("clean has nothing to do; give open, close, fill-holes or min-size.", Of(new()));
        Assert.Equal("phase is 0, but open, close and fill-holes work on one phase; give its label, like --phase 1.", Of(new() { Open = 1 }));
        Assert.StartsWith("open is 65, a ball of 65 voxels; it may span at most 64.", Of(new() { Open = 65, Phase = 1 }));
        Assert.StartsWith("voxel size is unknown, and clean in nm needs it.", Of(new() { MinSize = 65, Unit = LengthsIn.Nm }));
        Assert.StartsWith("clean: the source holds float32 voxels, not labels", Of(new() { MinSize = 3 }, new Volume<float>(new Size3(1, 1, 1))));
    }
}

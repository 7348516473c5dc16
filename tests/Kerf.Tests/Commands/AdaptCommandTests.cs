using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf adapt: a stack without labels is segmented, and refusals are one line.</summary>
public sealed class AdaptCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AStackIsSegmentedWithoutALabel()
    {
        LibTorch.Require();
        var (image, truth) = NetworkPhantom.Make(5, new(20, 64, 64));
        VolumeFile.Save(image, _folder["stack.zarr"], Traversal.Default);
        string[] call = ["adapt", "stack.zarr", "--project", "p", "--epochs", "3", "--json", "--quiet"];
        var result = KerfProcess.Run(_folder.Path, call);
        Assert.True(result.Status == 0, result.Error);
        var measured = result.Json["measured"]!;
        Assert.Equal(15, (double)measured["noise"]!, 2.0);
        Assert.Equal(90, (double)measured["dark"]!, 6.0);
        Assert.Equal(150, (double)measured["bright"]!, 6.0);
        Assert.True((double)result.Json["trust"]!["agreementWithThreshold"]! > 0.9);
        Assert.True((double)result.Json["simulated"]!["accuracy"]! > 0.9);
        var found = (IVolume<byte>)VolumeFile.Open(_folder["p/volumes/phases.zarr"]);
        Assert.True(Confusion.Of(found, truth, Traversal.Default).Score().Accuracy > 0.93);
        foreach (var text in (string[])["segmented without a label", "agree with a threshold on the smoothed stack"])
            Assert.Contains(text, File.ReadAllText(_folder["p/report.html"]), StringComparison.Ordinal);
        Assert.Contains("Learning rate", File.ReadAllText(_folder["p/models/adapted.kerf.html"]), StringComparison.Ordinal);
        // the same call takes up what is there
        Assert.True((double)KerfProcess.Run(_folder.Path, call).Json["simulated"]!["accuracy"]! == (double)result.Json["simulated"]!["accuracy"]!);
    }

    [Theory]
    [InlineData("small.zarr", "small.zarr: is 4×64×64 voxels; adapt needs 12 slices of 48×48 or more to measure it.")]
    [InlineData("noise.zarr", "they cannot be told apart. Denoise the stack first, or train on labels.")]
    [InlineData("unscaled.tif", "voxel size is unknown, and adapt needs it.")]
    public void WhatCannotBeMeasuredIsRefused(string stack, string message)
    {
        VolumeFile.Save(NetworkPhantom.Make(5, new(4, 64, 64)).Image, _folder["small.zarr"], Traversal.Default);
        var noise = new Volume<byte>(new Size3(14, 64, 64), VoxelSize.Cube(5));
        var random = new CounterRandom(1, 0);
        foreach (ref var value in noise.Data.AsSpan()) value = (byte)Math.Clamp(128 + 30 * random.NextNormal(), 0, 255);
        VolumeFile.Save(noise, _folder["noise.zarr"], Traversal.Default);
        VolumeFile.Save(new Volume<byte>(noise.Info.Size, null, noise.Data), _folder["unscaled.tif"], Traversal.Default);
        var result = KerfProcess.Run(_folder.Path, ["adapt", stack, "--project", "p", "--json", "--quiet"]);
        Assert.True(result.Status == 2, result.Error);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
    }
}

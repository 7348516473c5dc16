using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf train boosted and predict as a user calls them, with filters and with a network's first blocks.</summary>
public sealed class BoostedCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public BoostedCommandTests()
    {
        var (image, truth) = NetworkPhantom.Make(3, new(10, 48, 64));
        var labels = new Volume<byte>(truth.Info.Size);
        for (var i = 0; i < labels.Data.Length; i += 31) labels.Data[i] = truth.Data[i];
        foreach (var (volume, name) in new (IVolume, string)[] { (image, "image.zarr"), (truth, "truth.zarr"), (labels, "labels.tif") }) VolumeFile.Save(volume, _folder[name], Traversal.Default);
    }

    public void Dispose() => _folder.Dispose();

    private JsonObject Do(string call)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        return result.Json;
    }

    private byte[] Labels(string path) => Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(_folder[path])).Data;

    private double Right(string path)
    {
        var (found, truth) = (Labels(path), Labels("truth.zarr"));
        return found.Zip(truth, (a, b) => a == b ? 1.0 : 0).Average();
    }

    [Fact]
    public void TrainsOnTheFirstBlocksOfANetwork()
    {
        BoostedTests.RequireXgboost();
        var model = NetworkPhantom.Options.Of(1, 2) with { Slices = 3, Depth = 3 };
        NetworkFile.Save(new(model, model.Build().Initial(4), new(GreyRule.Standard, false)) { Channels = ["se"], Voxel = null, Phases = [Phase.Unnamed(1), Phase.Unnamed(2)], Training = new(new(), 1, [], null) }, _folder["net.kerf"]);
        var alone = Do("train boosted image.zarr labels.tif --out alone.kerf --network net.kerf --trees 30 --depth 4 --phases pore,solid");
        Assert.Equal((4 + 8, 2), ((int)alone["features"]!, (int)alone["classes"]!));
        Assert.StartsWith("network down", (string)alone["importance"]![0]!["feature"]!, StringComparison.Ordinal);
        var both = Do("train boosted image.zarr labels.tif --out both.kerf --network net.kerf --blocks 1 --features all --scales 1,1.6 --trees 30 --depth 4 --threads 1");
        Assert.True((int)both["features"]! > 4 + 20);
        // the network is in the model
        File.Delete(_folder["net.kerf"]);
        Assert.True((double)Do("predict both.kerf image.zarr both.zarr --probabilities p.zarr --uncertainty u.zarr --threads 1")["voxelsPerSecond"]! > 0);
        Assert.Equal(["1", "2"], VolumeFile.Channels(_folder["p.zarr"]).Select(c => c[^1..]));
        Do("predict both.kerf image.zarr two.zarr --threads 2 --block 16");
        Assert.Equal(Labels("both.zarr"), Labels("two.zarr"));
        Assert.InRange(Right("both.zarr"), 0.95, 1);
        // untrained filters see too little to be as good
        Do("predict alone.kerf image.zarr alone.zarr");
        Assert.InRange(Right("alone.zarr"), 0.85, 1);
        // and as a step of its own
        Do("boosted image.zarr step.zarr --model both.kerf");
        Assert.Equal(Labels("both.zarr"), Labels("step.zarr"));
    }

    [Theory]
    [InlineData("train boosted image.zarr one.tif --out m.kerf", "labels: only label 1 is used; boosting needs two or more. Paint strokes of a second phase.")]
    [InlineData("train boosted image.zarr none.tif --out m.kerf", "labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.")]
    [InlineData("train boosted image.zarr labels.tif --out m.kerf --network none.kerf", "none.kerf: cannot be read (")]
    [InlineData("train boosted image.zarr labels.tif --out m.kerf --network labels.tif", "labels.tif: is no network model. Give the file that kerf train network wrote.")]
    [InlineData("train boosted image.zarr labels.tif --out m.kerf --depth 99", "allowed: 1 to 12")]
    [InlineData("train boosted image.zarr labels.tif --out m.kerf --network cathode-particle-pores --physical", "with a network alone there are none. Add --features plain.")]
    [InlineData("boosted image.zarr out.zarr", "boosted: give a model, or labels to train on.")]
    public void WhatCannotBeTrainedIsRefused(string call, string message)
    {
        BoostedTests.RequireXgboost();
        var one = new Volume<byte>(new Size3(10, 48, 64));
        VolumeFile.Save(one, _folder["none.tif"], Traversal.Default);
        one.Data[100] = 1;
        VolumeFile.Save(one, _folder["one.tif"], Traversal.Default);
        Refused(call, message);
    }

    private void Refused(string call, string message, params (string, string)[] environment)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--json", "--quiet"], environment);
        Assert.True(result.Status == 2, result.Error);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
    }

    [Fact]
    public void WithoutXgboostItIsSaidHowToGetIt() =>
        Refused("train boosted image.zarr labels.tif --out m.kerf", "none.so cannot be loaded. Give the path of a libxgboost.so, or unset it to use Debian's.", ("KERF_XGBOOST", _folder["none.so"]));
}

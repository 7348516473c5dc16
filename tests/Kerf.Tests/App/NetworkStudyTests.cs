using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class NetworkStudyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--noise", "loud", "--noise is \"loud\"; choose thesis, gaussian, none.")]
    [InlineData("--voxel", "0.5", "study networks: edge 192, depth 64, electrons 400, epochs 40, windows 800, voxel 0.5 nm; allowed: 72 to 1024, 10 to 1024, 1 or more each, 1 to 20 nm.")]
    public void WhatCannotBeStudiedIsRefused(string option, string value, string message)
    {
        var result = KerfProcess.Run(_folder.Path, ["study", "networks", option, value, "--out", "page"]);
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["page"]));
    }

    // grey 128 everywhere: scikit-image's Poisson noise has a deviation of 255·√(0.502/256), the Gaussian one of 255·√0.001
    [Theory]
    [InlineData("thesis", 13.87)]
    [InlineData("gaussian", 8.06)]
    [InlineData("none", 0)]
    public void EachSessionHasItsNoise(string name, double deviation)
    {
        var grey = new Volume<byte>(new Size3(2, 128, 128));
        grey.Data.AsSpan().Fill(128);
        var spoilt = ThesisImage.Spoil(grey, new Volume<byte>(grey.Info.Size), ThesisImage.Sessions[name], 5, Traversal.Default).Data;
        var mean = spoilt.Average(v => v);
        Assert.Equal(128, mean, 0.3);
        Assert.InRange(Math.Sqrt(spoilt.Average(v => (v - mean) * (v - mean))), deviation * 0.98, deviation * 1.02 + 1e-9);
    }

    [Fact]
    public void EachConditionHasAPageAndModelsOfItsOwn()
    {
        var study = new NetworkStudy(72, 10, 1, 1, 1, 1);
        Assert.Equal(["networks", "gold-vacuum", "networks-vacuum-gaussian"],
            [study.Name("networks"), (study with { Vacuum = true }).Name("gold"), (study with { Vacuum = true, Noise = "gaussian" }).Name("networks")]);
    }
}

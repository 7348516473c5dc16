using System.IO.Compression;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Published tortuosity factors of published volumes: ../shared/data/reference-volumes.</summary>
public class ReferenceVolumeTests
{
    [Fact]
    public void TheThreePhaseElectrodeHasItsPublishedTortuosity()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        var path = SharedData.Path("reference-volumes/taufactor_electrode_256.tiff");
        Assert.SkipWhen(path is null, "../shared/data/reference-volumes is not there");
        Assert.Equal(2.0776, Tau(path!, "0", Axis.Z), 2.0776 * 0.001);
    }

    [Theory]
    [InlineData(Axis.Y, 1.1513)]
    [InlineData(Axis.X, 1.3905)]
    [InlineData(Axis.Z, 4.2431)]
    public void TheLargeVolumeHasItsOverconvergedTortuosities(Axis axis, double truth)
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        var path = SharedData.Path("reference-volumes/TF-500x500x500-1x2x6-v3.tiff.zip");
        Assert.SkipWhen(path is null, "../shared/data/reference-volumes is not there");
        using var scratch = new Scratch();
        using (var zip = ZipFile.OpenRead(path!)) zip.Entries[0].ExtractToFile(scratch["volume.tif"]);
        Assert.Equal(truth, Tau(scratch["volume.tif"], "255", axis), truth * 1e-4);
    }

    [Fact]
    public void BereaSandstoneHasItsPublishedPorosity()
    {
        var path = SharedData.Path("reference-volumes/openpnm_berea_200.npz");
        Assert.SkipWhen(path is null, "../shared/data/reference-volumes is not there");
        using var scratch = new Scratch();
        using (var zip = ZipFile.OpenRead(path!)) zip.GetEntry("im.npy")!.ExtractToFile(scratch["berea.npy"]);
        var measured = new Fractions { Phase = "1" }.Run(NpyVolume.Open(scratch["berea.npy"]), new() { Threads = 2 }, 1);
        Assert.Equal(0.1987, measured.Measurements.Single(m => m.Name == "fraction").Value, 5e-5);
    }

    private static double Tau(string path, string phase, Axis axis)
    {
        var source = VolumeFile.Open(path);
        var measured = new TortuosityFactor { Phase = phase, Axis = axis }.Run(source, new() { Threads = 2 }, 1);
        (source as IDisposable)?.Dispose();
        return measured.Measurements.Single(m => m.Name == "tortuosityFactor").Value;
    }
}

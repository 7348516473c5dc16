using Kerf.App;
using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>The models that come with the program: found by name, small, better than thresholds on a specimen that no training saw.</summary>
public sealed class PretrainedModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("nanoporous-gold", "hierarchical", 170, 5, 0.12, "epoxy", "Au")]
    [InlineData("cathode-particle-pores", "levelled-wave", 400, 15, 0.85, "vacuum", "NMC811")]
    public void AShippedModelSegmentsBetterThanThresholds(string name, string kind, double wavelength, double voxel, double solid, string medium, string material)
    {
        Assert.SkipUnless(PretrainedModels.Names.Contains(name), $"{name} is not trained yet: kerf study models");
        LibTorch.Require();
        Assert.InRange(new FileInfo(PretrainedModels.PathOf(name)).Length, 1, 5 << 20);
        var truth = Volume<byte>.Load(VirtualStructure.Make(kind, new(6, 64, 64), VoxelSize.Cube(voxel), solid, wavelength, 77, Traversal.Default));
        var (signal, error) = (new Volume<float>(truth.Info with { Phases = null }), new Volume<float>(truth.Info with { Phases = null }));
        var materials = new Dictionary<int, Material> { [1] = Material.Parse(medium), [2] = Material.Parse(material) };
        ElectronImage.Make(truth, materials, new() { KeV = 2, ElectronsPerPixel = 40 }, signal, error, 77, Traversal.Default);
        var image = ThesisImage.Spoil(ThesisImage.Grey(signal), truth, ThesisImage.Noise with { PointSpread = 0.7 }, 77, Traversal.Default);
        VolumeFile.Save(image, _folder["image.zarr"], Traversal.Default);
        var result = KerfProcess.Run(_folder.Path, ["predict", name, "image.zarr", "phases.zarr", "--json", "--quiet", "--threads", "1"]);
        Assert.True(result.Status == 0, result.Error);
        double Right(IVolume<byte> found) => Confusion.Of(found, truth, Traversal.Default).Score().Accuracy;
        var network = Right((IVolume<byte>)VolumeFile.Open(_folder["phases.zarr"]));
        var histogram = Histogram.OfStack(image, Traversal.Default);
        foreach (var threshold in (double[])[GreyClasses.Thresholds(histogram, 2)[0], GreyClasses.Thresholds(histogram, 3)[1]])
        {
            var classic = Right(new Volume<byte>(image.Info.Size, null, Array.ConvertAll(image.Data, v => (byte)(v >= threshold ? 2 : 1))));
            Assert.True(network > classic, $"network {network:P2}, threshold {classic:P2}");
        }
    }

    [Fact]
    public void AnUnknownNameIsRefused() =>
        Assert.Contains("nanoporous-silver: there is no such file, and no pretrained model of that name; there are ",
            Assert.Throws<InputError>(() => PretrainedModels.PathOf("nanoporous-silver")).Message, StringComparison.Ordinal);
}

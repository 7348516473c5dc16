using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>A model of the first format still loads and still segments as it did when it was trained; see References/PROVENANCE.md.</summary>
public class ForestCompatibilityTests
{
    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "References", "forest", name);

    [Fact]
    public void AModelOfVersion1GivesTheLabelsThatItGaveThen()
    {
        var model = ForestFile.Load(File("model-v1.kerf"));
        Assert.Equal(["se", "inlens"], model.Channels);
        Assert.Equal(["pore", "solid"], model.Phases.Select(p => p.Name));
        Assert.Equal([3, 8], model.Phases.Select(p => p.Label));
        Assert.Equal(new VoxelSize(10, 5, 5), model.Voxel);
        Assert.Equal((FeatureKind.Plain, 3, 7), (model.Features.Kind, model.Features.Dimensions, model.Forest.Trees.Count));
        var image = VolumeFile.Open(File("se.tif"));
        var labels = new Volume<byte>(image.Info.Size);
        ForestPrediction.Run(model, model.Arrange(image, [("inlens", VolumeFile.Open(File("inlens.tif")))]), labels, new(), new Traversal());
        var then = Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(File("labels.tif")));
        // another order of sums in the features may turn a tie, not more
        Assert.InRange(labels.Data.Zip(then.Data).Count(pair => pair.First != pair.Second), 0, labels.Data.Length / 1000);
    }
}

using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Against scipy and scikit-image: <c>References/shape/make.py</c>.</summary>
public class ShapeReferenceTests
{
    private static readonly VoxelSize Voxel = new(10, 5, 5);

    [Fact]
    public void DistancesAreThoseOfScipy()
    {
        var (truth, ours) = (Load<float>("distance", Voxel), DistanceMap.Of(Load<byte>("mask", Voxel), new()));
        for (var i = 0; i < truth.Data.Length; i++) Assert.Equal(truth.Data[i], ours.Data[i], 1e-6 * truth.Data[i]);
    }

    [Fact]
    public void ThicknessIsPoreSpysDefinitionOverAllRadii()
    {
        var (truth, ours) = (Load<float>("thickness", Voxel), LocalThickness.Of(Load<byte>("mask", Voxel), new()));
        for (var i = 0; i < truth.Data.Length; i++) Assert.Equal(truth.Data[i], ours.Data[i], 1e-6 * truth.Data[i]);
    }

    [Fact]
    public void ParticlesAreThoseOfScikitImageButForVoxelsAtTheNecks()
    {
        var (truth, balls) = (Load<ushort>("basins", VoxelSize.Cube(1)), Load<byte>("balls", VoxelSize.Cube(1)));
        var ours = Separation.Of(balls, 1, new());
        Assert.Equal(truth.Data.Max(), ours.Count);
        var pairs = truth.Data.Zip(ours.Labels).Where(pair => pair.First != 0).ToArray();
        var match = pairs.GroupBy(pair => pair.Second).ToDictionary(group => group.Key, group => group.CountBy(pair => pair.First).MaxBy(count => count.Value).Key);
        Assert.Equal(ours.Count, match.Values.Distinct().Count());
        Assert.InRange(pairs.Count(pair => match[pair.Second] == pair.First) / (double)pairs.Length, 0.99, 1);
    }

    private static Volume<T> Load<T>(string name, VoxelSize voxel) where T : unmanaged
    {
        var file = NpyVolume.Open(Path.Combine(AppContext.BaseDirectory, "References", "shape", name + ".npy"));
        return new Volume<T>(file.Info.Size, voxel, Volume<T>.Load((IVolume<T>)file).Data);
    }
}

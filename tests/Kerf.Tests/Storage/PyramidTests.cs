using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class PyramidTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-zarr-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void GreyIsTheMeanRoundedHalfToEven()
    {
        // z = 2, y = 1, x = 3: pairs along z and x, the last column is single
        Assert.Equal([2, 4], Coarse<byte>([1, 2, 3, 2, 5, 4], labels: false)); // 10/4 = 2.5 → 2; 7/2 = 3.5 → 4
        Assert.Equal([2.5f, 3.5f], Coarse<float>([1, 2, 3, 2, 5, 4], labels: false));
        Assert.Equal([65535, 65535], Coarse<ushort>([65535, 65535, 65535, 65535, 65535, 65535], labels: false));
    }

    [Fact]
    public void LabelsAreTheMostFrequentAndTheLowestOfEquals()
    {
        Assert.Equal([2, 3], Coarse<byte>([9, 2, 4, 2, 5, 3], labels: true));
        Assert.Equal([1, 7], Coarse<byte>([5, 1, 7, 1, 5, 7], labels: true));
    }

    private static T[] Coarse<T>(T[] fine, bool labels) where T : unmanaged
    {
        var coarse = new T[2];
        Pyramid.Halve(fine, new(2, 1, 3), new(2, 1, 2), labels, coarse, new(1, 1, 2));
        return coarse;
    }

    [Fact]
    public void FinerAxesAreHalvedFirst()
    {
        var levels = Pyramid.Levels(new(1000, 2001, 2000), new VoxelSize(20, 5, 5), wanted: true);
        Assert.Equal([new(1000, 2001, 2000), new(1000, 1001, 1000), new(1000, 501, 500), new(500, 251, 250), new(250, 126, 125)], levels.Select(level => level.Size));
        Assert.Equal(new Size3(4, 16, 16), levels[^1].Factor);
        Assert.Single(Pyramid.Levels(new(256, 256, 256), null, wanted: true));
        Assert.Equal(new Size3(1, 1, 250), Pyramid.Levels(new(1, 1, 1000), null, wanted: true)[^1].Size);
    }

    [Fact]
    public void StoredLevelsFollowFromEachOther()
    {
        var truth = ZarrVolumeTests.Noise<ushort>(new(11, 301, 523), 1);
        var path = Path.Combine(_folder, "v.zarr");
        using (var volume = (ZarrVolume<ushort>)ZarrVolume.Create(path, truth.Info))
        {
            ZarrVolumeTests.Fill(volume, truth, Size3.Cube(64), Enumerable.Range(0, new BlockGrid(truth.Info.Size, Size3.Cube(64)).Count));
            volume.Complete(Traversal.Default with { MemoryBytes = 1 << 20 });
        }
        using var second = (ZarrVolume<ushort>)ZarrVolume.Open(path, new() { Level = 1 });
        Assert.Equal(new Size3(11, 151, 262), second.Info.Size);
        var expected = new ushort[second.Info.Size.Count];
        Pyramid.Halve<ushort>(truth.Data, truth.Info.Size, new(1, 2, 2), labels: false, expected, second.Info.Size);
        Assert.Equal(expected, Volume<ushort>.Load(second).Data);
    }
}

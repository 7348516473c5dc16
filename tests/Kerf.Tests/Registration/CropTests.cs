using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class CropTests
{
    [Fact]
    public void KeepsTheGivenRanges()
    {
        var source = new Volume<ushort>(new Size3(3, 4, 5), VoxelSize.Cube(2), [.. Enumerable.Range(0, 60).Select(i => (ushort)i)]);
        Volume<ushort>? target = null;
        new Crop { Z = [1, 3], X = [2, 5] }.Run(new StepRun(source, info => target = new(info)));
        Assert.Equal((new Size3(2, 4, 3), VoxelSize.Cube(2)), (target!.Info.Size, target.Info.Voxel!.Value));
        Assert.Equal(source[2, 3, 4], target[1, 3, 2]);
        Assert.Equal(source[1, 0, 2], target[0, 0, 0]);
    }

    [Fact]
    public void SaysWhatIsWrong()
    {
        var info = new VolumeInfo(new Size3(3, 4, 5), PixelType.UInt8, null);
        Assert.Equal("crop: y is 2,9; it must be a first index and one past the last, inside 0,4.",
            Assert.Throws<InputError>(() => new Crop { Y = [2, 9] }.Region(info)).Message);
        Assert.Equal("crop: the volume does not know what its slices share. Run align first, or give --transforms, or --y and --x.",
            Assert.Throws<InputError>(() => new Crop { Shared = true }.Region(info)).Message);
    }
}

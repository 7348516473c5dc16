using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class GeometryTests
{
    [Fact]
    public void WritesTheTruePixelHeight()
    {
        var target = Run(Ramp(3, 20), new Geometry { TiltDegrees = 30 });
        Assert.Equal((new Size3(3, 20, 4), 10.0), (target.Info.Size, Math.Round(target.Info.Voxel!.Value.Y, 9)));
        Assert.Equal(Ramp(3, 20).Data, target.Data);
    }

    [Fact]
    public void MakesNewRows()
    {
        var target = Run(Ramp(1, 21), new Geometry { TiltDegrees = 30, Resample = true });
        Assert.Equal((new Size3(1, 41, 4), 5.0), (target.Info.Size, target.Info.Voxel!.Value.Y));
        for (var y = 4; y < 36; y++) Assert.Equal(10 * y / 2f, target[0, y, 1], 1e-4f);
    }

    [Fact]
    public void UndoesAShearThatGrowsWithDepth()
    {
        // 0.5 nm per nm at slices of 20 nm and pixels of 5 nm: two rows a slice
        var target = Run(Ramp(4, 30), new Geometry { TiltDegrees = 90, Shear = 0.5 });
        for (var z = 0; z < 4; z++) Assert.Equal(10f * (8 + 2 * z), target[z, 8, 2], 1e-3f);
    }

    [Fact]
    public void NeedsTheVoxelSize() => Assert.Contains("voxel size is unknown, and geometry needs it.",
        Assert.Throws<InputError>(() => new Geometry().Target(new VolumeInfo(Size3.Cube(4), PixelType.UInt8, null))).Message);

    private static Volume<float> Ramp(int slices, int rows)
    {
        var volume = new Volume<float>(new Size3(slices, rows, 4), new VoxelSize(20, 5, 5));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = 10 * (i / 4 % rows);
        return volume;
    }

    private static Volume<float> Run(Volume<float> source, Geometry how)
    {
        Volume<float>? target = null;
        how.Run(new StepRun(source, info => target = new(info)));
        return target!;
    }
}

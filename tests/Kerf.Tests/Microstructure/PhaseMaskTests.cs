using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class PhaseMaskTests
{
    private static readonly Volume<byte> Labels = Make(2, 2);

    [Theory]
    [InlineData("2", 2)]
    [InlineData("pore", 1)]
    [InlineData("0", 0)]
    public void APhaseIsFoundByNumberOrName(string phase, int label)
    {
        var mask = PhaseMask.Of(Labels, phase, "test", new());
        Assert.Equal(label, mask.Phase.Label);
        var voxels = new byte[Labels.Data.Length];
        mask.Read(Box.Whole(Labels.Info.Size), voxels);
        Assert.Equal(Labels.Data.Select(v => v == label ? (byte)1 : (byte)0), voxels);
    }

    [Fact]
    public void TheOnlyPhaseNeedsNoName()
    {
        var volume = new Volume<byte>(new Size3(1, 1, 3), null, [0, 7, 7]);
        Assert.Equal(7, PhaseMask.Of(volume, null, "test", new()).Phase.Label);
        Assert.Equal("voxels", Lengths.Unit(volume.Info));
        Assert.Equal("1/nm³", Lengths.Unit(Labels.Info, -3));
    }

    [Theory]
    [InlineData(null, "test: which phase? The volume holds 0, 1 (pore), 2. Choose one with --phase.")]
    [InlineData("9", "test: no voxel is of phase 9; the volume holds 0, 1 (pore), 2. Choose one of these with --phase.")]
    [InlineData("carbon", "test: no voxel is of phase 3 (carbon); the volume holds 0, 1 (pore), 2. Choose one of these with --phase.")]
    [InlineData("gold", "test: --phase is \"gold\"; the volume holds 0, 1 (pore), 2. Give one of these numbers or names.")]
    [InlineData("256", "test: --phase is \"256\"; the volume holds 0, 1 (pore), 2. Give one of these numbers or names.")]
    public void RefusalsListWhatIsThere(string? phase, string message) =>
        Assert.Equal(message, Assert.Throws<InputError>(() => PhaseMask.Of(Labels, phase, "test", new())).Message);

    [Fact]
    public void ThinVolumesAreRefused() => Assert.Equal(
        "test: the volume is 2 voxels thick along z; it must be 3 or more. Measure a thicker one.",
        Assert.Throws<InputError>(() => PhaseMask.Of(Labels, "1", "test", new()).AtLeast(Size3.Cube(3), "test")).Message);

    [Theory]
    [InlineData(100, 100, 100)]
    [InlineData(7, 300, 41)]
    [InlineData(1, 1, 3)]
    public void TilesCoverTheVolumeOnce(int z, int y, int x)
    {
        var grid = TileGrid.Of(new(new(z, y, x), PixelType.UInt8, new(10, 5, 5)));
        var boxes = Enumerable.Range(0, grid.Count).Select(tile => (Tile: tile, Box: grid[tile])).ToArray();
        Assert.Equal((long)z * y * x, boxes.Sum(b => b.Box.Count));
        Assert.All(boxes, b => Assert.Equal(b.Tile, grid.Of(b.Box.Start.Z, b.Box.Start.Y, b.Box.Start.X)));
        Assert.All(boxes, b => Assert.Equal(b.Tile, grid.Of(b.Box.End.Z - 1, b.Box.End.Y - 1, b.Box.End.X - 1)));
    }

    [Fact]
    public void AForeignFileHasNoOutside()
    {
        var volume = new Volume<byte>(new Size3(1, 2, 5), null, [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
        Assert.Equal([0.8, 0.2], Fractions.Of(volume, new(), 1).Measurements.Select(m => m.Value));
        var one = new Fractions { Phase = "1", Axis = Axis.X }.Run(volume, new(), 1);
        Assert.Equal([0.2], one.Measurements.Select(m => m.Value));
        Assert.Equal(("fraction-x-phase-1", "voxels"), (one.Curves[0].Name, one.Curves[0].Unit));
        Assert.Equal([0, 0, 0, 0.5, 0.5], one.Curves[0].Y);
        Assert.Equal([0.4, 0], new Fractions { Phase = "1", Axis = Axis.Y }.Run(volume, new(), 1).Curves[0].Y);
    }

    private static Volume<byte> Make(int z, int y)
    {
        var volume = new Volume<byte>(new VolumeInfo(new(z, y, 50), PixelType.UInt8, new VoxelSize(10, 5, 5)) { Phases = [new(1, "pore", "#ffffff"), new(3, "carbon", "#000000")] });
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)(i * 7 % 3);
        return volume;
    }
}

using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ResampleTests
{
    private static Volume<T> Run<T>(Volume<T> source, Resample step, Traversal? walk = null) where T : unmanaged
    {
        var run = new StepRun(source, info => new Volume<T>(info)) { Walk = walk ?? Traversal.Default };
        step.Run(run);
        return (Volume<T>)run.Target!;
    }

    private static Volume<float> Ramp() => Fill(new(12, 16, 20), new(20, 10, 5), (z, y, x) => (float)(20 * z + 30 * y - 7 * x));

    private static Volume<float> Fill(Size3 size, VoxelSize voxel, Func<int, int, int, float> level)
    {
        var volume = new Volume<float>(size, voxel);
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++) volume[z, y, x] = level(z, y, x);
        return volume;
    }

    [Theory]
    [InlineData(Interpolation.Linear, 5)]
    [InlineData(Interpolation.Linear, 14)]
    [InlineData(Interpolation.Linear, 40)]
    [InlineData(Interpolation.Cubic, 5)]
    [InlineData(Interpolation.Cubic, 14)]
    public void ARampStaysExactAwayFromTheBorder(Interpolation interpolation, double edge)
    {
        var source = Ramp();
        var result = Run(source, new Resample { To = [edge], Interpolation = interpolation });
        var inside = 0;
        for (var z = 0; z < result.Info.Size.Z; z++)
            for (var y = 0; y < result.Info.Size.Y; y++)
                for (var x = 0; x < result.Info.Size.X; x++)
                {
                    double[] at = [(z + 0.5) * edge / 20 - 0.5, (y + 0.5) * edge / 10 - 0.5, (x + 0.5) * edge / 5 - 0.5];
                    double[] reach = [2 + edge / 40, 2 + edge / 20, 2 + edge / 10];
                    if (at.Zip(reach).Where((p, axis) => p.First < p.Second || p.First > source.Info.Size[axis] - 1 - p.Second).Any()) continue;
                    Assert.Equal(20 * at[0] + 30 * at[1] - 7 * at[2], result[z, y, x], 2e-3);
                    inside++;
                }
        Assert.True(inside > 0);
    }

    [Fact]
    public void SizeKeepsTheExtentAndLeavesCubesOfTheFinestEdgeByDefault()
    {
        var result = Run(Ramp(), new Resample());
        Assert.Equal((new Size3(48, 32, 20), VoxelSize.Cube(5)), (result.Info.Size, result.Info.Voxel!.Value));
        Assert.Equal(new Size3(12, 8, 4), Resampling.SizeOf(Ramp().Info, new(20, 20, 25)));
    }

    [Theory]
    [InlineData(Interpolation.Linear)]
    [InlineData(Interpolation.Cubic)]
    public void SameSizeIsTheIdentity(Interpolation interpolation)
    {
        var source = Restored.Texture(new(5, 9, 11), 20);
        source = new Volume<float>(source.Info.Size, new VoxelSize(3, 2, 1), source.Data);
        Assert.Equal(source.Data, Run(source, new Resample { To = [3, 2, 1], Interpolation = interpolation }).Data);
    }

    [Fact]
    public void TwoToOneIsTheMeanAndAliasesStayOut()
    {
        var stripes = Fill(new(1, 1, 32), VoxelSize.Cube(1), (_, _, x) => x % 2 == 0 ? 0 : 100);
        Assert.All(Run(stripes, new Resample { To = [1, 1, 2] }).Data, level => Assert.Equal(50, level, 1e-3));
        Assert.All(Run(stripes, new Resample { To = [1, 1, 3] }).Data[1..^1], level => Assert.Equal(50, level, 1e-3));
    }

    private static Volume<byte> Labels(Size3 size, VoxelSize voxel, params byte[] labels)
    {
        var volume = new Volume<byte>(new VolumeInfo(size, PixelType.UInt8, voxel) { Phases = [Phase.Unnamed(1), Phase.Unnamed(2)] });
        labels.CopyTo(volume.Data, 0);
        return volume;
    }

    [Fact]
    public void TheLargestPartDecides()
    {
        // new voxels of 1½ old ones: [0, 1½) holds one 1 and half a 2; [1½, 3) half a 2 and one 1
        Assert.Equal<byte[]>([1, 1], Run(Labels(new(1, 1, 3), VoxelSize.Cube(2), 1, 2, 1), new Resample { To = [2, 2, 3] }).Data);
        // halves: the lower label wins
        Assert.Equal<byte[]>([1], Run(Labels(new(1, 1, 2), VoxelSize.Cube(1), 2, 1), new Resample { To = [1, 1, 2] }).Data);
        Assert.Equal<byte[]>([2], Run(Labels(new(1, 2, 2), VoxelSize.Cube(1), 2, 1, 2, 2), new Resample { To = [1, 2, 2] }).Data);
        // finer voxels: the nearest one
        Assert.Equal<byte[]>([1, 1, 1, 2, 2, 2], Run(Labels(new(1, 1, 2), VoxelSize.Cube(3), 1, 2), new Resample { To = [3, 3, 1] }).Data);
    }

    [Fact]
    public void BlocksAndThreadsDoNotMatter()
    {
        var grey = Restored.Texture(new(20, 70, 90), 20);
        grey = new Volume<float>(grey.Info.Size, new VoxelSize(10, 5, 4), grey.Data);
        var labels = Labels(grey.Info.Size, new(10, 5, 4), [.. grey.Data.Select(v => (byte)(v > 110 ? 2 : 1))]);
        foreach (var walk in new Traversal[] { new() { Threads = 1 }, new() { Threads = 2, BlockEdge = 32 } })
        {
            foreach (var interpolation in Enum.GetValues<Interpolation>())
            {
                var step = new Resample { To = [7], Interpolation = interpolation };
                Assert.Equal(Run(grey, step).Data, Run(grey, step, walk).Data);
            }
            Assert.Equal(Run(labels, new Resample { To = [7] }).Data, Run(labels, new Resample { To = [7] }, walk).Data);
        }
    }

    [Fact]
    public void FlipsCommute()
    {
        var source = Restored.Texture(new(6, 12, 18), 20);
        source = new Volume<float>(source.Info.Size, new VoxelSize(10, 5, 4), source.Data);
        var flipped = new Volume<float>(source.Info.Size, source.Info.Voxel, [.. source.Data.Reverse()]);
        // 60×60×72 nm are whole numbers of 6 nm voxels
        var (a, b) = (Run(source, new Resample { To = [6] }).Data, Run(flipped, new Resample { To = [6] }).Data);
        Assert.All(a.Zip(b.Reverse()), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
    }

    [Fact]
    public void Refuses()
    {
        Assert.Equal("to has 2 numbers; write z,y,x in nanometres, or one number for cubes.",
            Assert.Throws<InputError>(() => Run(Ramp(), new Resample { To = [1, 2] })).Message);
        Assert.StartsWith("voxel size is unknown, and resample needs it.",
            Assert.Throws<InputError>(() => Run(new Volume<float>(new Size3(1, 2, 2)), new Resample())).Message);
    }
}

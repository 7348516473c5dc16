using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class DistanceMapTests
{
    public static readonly TheoryData<string, double> Voxels = new() { { "1,1,1", 0.3 }, { "10,5,5", 0.5 }, { "10,5,5", 0.97 }, { "7.3,3.1,4.9", 0.9 }, { "2,3,5", 0.999 } };

    [Theory]
    [MemberData(nameof(Voxels))]
    public void EqualsTheSearchOverAllVoxels(string voxel, double share)
    {
        var mask = Random(new(9, 23, 34), VoxelSize.Parse(voxel), share, 5);
        var map = DistanceMap.Of(mask, Traversal.Default);
        var (size, edge) = (mask.Info.Size, mask.Info.Voxel!.Value);
        var outside = All(size).Where(p => mask[p.Z, p.Y, p.X] == 0).ToArray();
        foreach (var p in All(size))
        {
            var truth = mask[p.Z, p.Y, p.X] == 0 ? 0 : Math.Sqrt(outside.Min(q => Squared(p, q, edge)));
            Assert.Equal(truth, map[p.Z, p.Y, p.X], 1e-6 * truth);
        }
    }

    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    [InlineData("7,3.3,4.1")]
    public void SlabsThreadsAndAxesDoNotShow(string voxel)
    {
        var mask = Random(new(150, 31, 41), VoxelSize.Parse(voxel), 0.995, 3);
        var whole = DistanceMap.Of(mask, new() { Threads = 1 });
        var slabs = new Volume<float>(mask.Info);
        // 79 slices at a time
        DistanceMap.Write(mask, slabs, new() { Threads = 3, MemoryBytes = 79L * 31 * 41 * 10 });
        Assert.Equal(whole.Data, slabs.Data);
        var turned = Map(mask, (m, z, y, x) => m[150 - 1 - z, y, 41 - 1 - x]);
        Assert.Equal(Map(whole, (m, z, y, x) => m[150 - 1 - z, y, 41 - 1 - x]).Data, DistanceMap.Of(turned, new()).Data);
    }

    [Fact]
    public void CubicVoxelsAreExactToTheLastBit()
    {
        var mask = new Volume<byte>(new Size3(30, 40, 50), VoxelSize.Cube(4));
        mask.Data.AsSpan().Fill(1);
        mask[3, 5, 7] = 0;
        var map = DistanceMap.Of(mask, new());
        foreach (var p in All(mask.Info.Size))
        {
            var (z, y, x) = (p.Z - 3, p.Y - 5, p.X - 7);
            Assert.Equal(4 * MathF.Sqrt(z * z + y * y + x * x), map[p.Z, p.Y, p.X]);
        }
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var full = new Volume<byte>(new Size3(3, 3, 3));
        full.Data.AsSpan().Fill(1);
        Assert.Equal("distance: every voxel is of the phase; there is nothing to measure the distance to. Choose another with --phase.",
            Assert.Throws<InputError>(() => DistanceMap.Of(full, new())).Message);
        var one = new Volume<byte>(new Size3(400, 8, 8));
        one.Data.AsSpan().Fill(1);
        Assert.StartsWith("distance: every voxel is of the phase",
            Assert.Throws<InputError>(() => DistanceMap.Write(one, new Volume<float>(one.Info), new() { MemoryBytes = 100 * 64 * 10 })).Message);
        one.Data[0] = 0;
        Assert.Equal("distance: a memory budget of 0 MiB does not hold as many slices of 8×8 as the largest distance spans; 1 MiB hold the whole volume. Raise --memory.",
            Assert.Throws<InputError>(() => DistanceMap.Write(one, new Volume<float>(one.Info), new() { MemoryBytes = 100 * 64 * 10 })).Message);
    }

    [Fact]
    public void TheStepNamesPhaseAndUnit()
    {
        var labels = new Volume<byte>(new VolumeInfo(new(1, 1, 5), PixelType.UInt8, VoxelSize.Cube(5)) { Phases = [new(1, "pore", "#000000"), new(2, "solid", "#ffffff")] });
        ((byte[])[1, 2, 2, 2, 1]).CopyTo(labels.Data, 0);
        var run = new StepRun(labels, info => new Volume<float>(info));
        new Distance { Phase = "solid" }.Run(run);
        Assert.Equal([0, 5, 10, 5, 0], ((Volume<float>)run.Target!).Data);
        Assert.Equal(("solid", "nm"), ((string?)run.Facts["phase"], (string?)run.Facts["unit"]));
        Assert.Null(run.Target.Info.Phases);
    }

    private static Volume<byte> Random(Size3 size, VoxelSize voxel, double share, ulong seed)
    {
        var mask = new Volume<byte>(size, voxel);
        for (var i = 0; i < mask.Data.Length; i++) mask.Data[i] = (byte)(new CounterRandom(seed, (ulong)i).NextDouble() < share ? 1 : 0);
        return mask;
    }

    private static Volume<T> Map<T>(Volume<T> volume, Func<Volume<T>, int, int, int, T> at) where T : unmanaged
    {
        var mapped = new Volume<T>(volume.Info);
        foreach (var p in All(volume.Info.Size)) mapped[p.Z, p.Y, p.X] = at(volume, p.Z, p.Y, p.X);
        return mapped;
    }

    private static IEnumerable<Size3> All(Size3 size)
    {
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++) yield return new(z, y, x);
    }

    private static double Squared(Size3 p, Size3 q, VoxelSize edge)
    {
        var (z, y, x) = ((p.Z - q.Z) * edge.Z, (p.Y - q.Y) * edge.Y, (p.X - q.X) * edge.X);
        return z * z + y * y + x * x;
    }
}

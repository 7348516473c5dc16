using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ThicknessTests
{
    [Theory]
    [InlineData("1,1,1", 0.6)]
    [InlineData("10,5,5", 0.9)]
    [InlineData("5,10,5", 0.95)]
    [InlineData("7.3,3.1,4.9", 0.9)]
    [InlineData("2,3,5", 0.95)]
    public void EqualsTheDefinition(string voxel, double share)
    {
        var mask = new Volume<byte>(new Size3(11, 19, 23), VoxelSize.Parse(voxel));
        for (var i = 0; i < mask.Data.Length; i++) mask.Data[i] = (byte)(new CounterRandom(11, (ulong)i).NextDouble() < share ? 1 : 0);
        var distance = DistanceMap.Of(mask, new());
        var truth = Definition(distance);
        var thickness = LocalThickness.Of(mask, new());
        // radii that differ by float rounding only may include a voxel or not; nothing else may differ
        for (var i = 0; i < truth.Length; i++) Assert.Equal(truth[i], thickness.Data[i], 1e-5 * truth[i]);
    }

    [Fact]
    public void SlabsAndThreadsDoNotShow()
    {
        var mask = Phantom(new(120, 40, 44), new(10, 5, 5), (z, y, x) => Math.Sin(z / 40) + Math.Sin(y / 37) + Math.Sin(x / 31) > 0.2);
        var whole = LocalThickness.Of(mask, new() { Threads = 1 });
        var slabs = new Volume<float>(mask.Info);
        LocalThickness.Write(mask, slabs, new() { Threads = 3, MemoryBytes = 12L * 90 * 40 * 44 });
        Assert.Equal(whole.Data, slabs.Data);
    }

    // Balls are centred on voxels: up to half a voxel's diagonal off the true centre, the radius is that much too small, the diameter a diagonal;
    // and the radius runs to the centre of the nearest voxel outside, up to one edge beyond the wall.
    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    public void ABallIsAsThickAsItsDiameter(string voxel)
    {
        var edge = VoxelSize.Parse(voxel);
        var mask = Phantom(new((int)(260 / edge.Z), 52, 52), edge, (z, y, x) => (z - 130) * (z - 130) + (y - 131) * (y - 131) + (x - 129) * (x - 129) < 100 * 100);
        var measured = Thickness.Of(PhaseMask.Of(mask, "1", "thickness", new()), new(), 1);
        var diagonal = Math.Sqrt(edge.Z * edge.Z + edge.Y * edge.Y + edge.X * edge.X);
        Assert.InRange(measured.Measurements[0].Value, 200 - diagonal, 200 + 5);
        Assert.InRange(measured.Measurements[1].Value, 200 - diagonal, 200 + 5);
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(0, 9)]
    [InlineData(1, 20)]
    [InlineData(2, 21)]
    public void ASlabIsAsThickAsItIs(int axis, int voxels)
    {
        var edge = new VoxelSize(10, 5, 5);
        var mask = new Volume<byte>(new Size3(40, 40, 40), edge);
        for (var z = 0; z < 40; z++)
            for (var y = 0; y < 40; y++)
                for (var x = 0; x < 40; x++) mask[z, y, x] = (byte)(new Size3(z, y, x)[axis] is var at && at >= 6 && at < 6 + voxels ? 1 : 0);
        var measured = Thickness.Of(PhaseMask.Of(mask, "1", "thickness", new()), new(), 1);
        // an even number of voxels has no voxel in its middle: exact; an odd one is an edge too thick
        Assert.Equal(edge[axis] * (voxels + voxels % 2), measured.Measurements[0].Value, 1e-3);
        Assert.Equal(0, measured.Measurements[2].Value, 1e-3);
        Assert.Equal(1, measured.Curves[0].Y.Sum(), 1e-12);
        Assert.Equal(1, measured.Curves[1].Y[^1], 1e-12);
    }

    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    public void CylindersOfTwoSizesShowTwoPeaks(string voxel)
    {
        var edge = VoxelSize.Parse(voxel);
        static double Square(double a, double b) => a * a + b * b;
        // along y, diameters 100 and 60: volume shares 0.735 and 0.265
        var mask = Phantom(new((int)(200 / edge.Z), 40, 60), edge, (z, y, x) => Square(z - 92, x - 83) < 50 * 50 || Square(z - 101, x - 208) < 30 * 30);
        var measured = Thickness.Of(PhaseMask.Of(mask, "1", "thickness", new()), new(), 1);
        var cumulative = measured.Curves[1];
        Assert.InRange(cumulative.Y[Array.IndexOf(cumulative.X, 80)], 0.265 - 0.02, 0.265 + 0.02);
        Assert.InRange(measured.Measurements[1].Value, 95, 107.5);
        Assert.InRange(measured.Measurements[0].Value, 0.735 * 100 + 0.265 * 60 - 5, 0.735 * 100 + 0.265 * 60 + 7.5);
    }

    [Fact]
    public void TheIntervalIsThatOfTheMaterialAndThreadsDoNotShow()
    {
        var mask = Phantom(new(48, 48, 48), VoxelSize.Cube(5), (z, y, x) => Math.Sin(z / 7) + Math.Sin(y / 8) + Math.Sin(x / 9) > 0);
        var one = new Thickness { Phase = "1" }.Run(mask, new() { Threads = 1 }, 4);
        var many = new Thickness { Phase = "1" }.Run(mask, new() { Threads = 4, MemoryBytes = 12L * 48 * 48 * 46 }, 4);
        Assert.Equal(one.Measurements, many.Measurements);
        Assert.All(one.Measurements, m => Assert.Equal(("nm", "thickness/block-bootstrap-95", "phase 1"), (m.Unit, m.Method, m.Phase)));
        Assert.True(one.Measurements[0].Low < one.Measurements[0].Value && one.Measurements[0].Value < one.Measurements[0].High);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var one = new Volume<byte>(new Size3(200, 8, 8));
        one.Data.AsSpan().Fill(1);
        foreach (var wall in new[] { 50, 150 }) one.Slice(wall).Clear();
        Assert.Equal("local thickness: the largest ball reaches over 51 slices, and a memory budget of 0 MiB holds 166 slices of 8×8; it takes 205. Raise --memory to 1 MiB.",
            Assert.Throws<InputError>(() => LocalThickness.Write(one, new Volume<float>(one.Info), new() { MemoryBytes = 128_000 })).Message);
        one.Data.AsSpan().Fill(1);
        Assert.StartsWith("distance: every voxel is of the phase", Assert.Throws<InputError>(() => LocalThickness.Of(one, new())).Message);
        Assert.StartsWith("thickness: no voxel is of phase 3", Assert.Throws<InputError>(() => new Thickness { Phase = "3" }.Run(one, new(), 1)).Message);
    }

    internal static Volume<byte> Phantom(Size3 size, VoxelSize voxel, Func<double, double, double, bool> inside)
    {
        var mask = new Volume<byte>(size, voxel);
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++) mask[z, y, x] = (byte)(inside((z + 0.5) * voxel.Z, (y + 0.5) * voxel.Y, (x + 0.5) * voxel.X) ? 1 : 0);
        return mask;
    }

    private static float[] Definition(Volume<float> distance)
    {
        var (size, edge) = (distance.Info.Size, distance.Info.Voxel!.Value);
        var thickness = new float[distance.Data.Length];
        for (var q = 0; q < thickness.Length; q++)
        {
            var radius = distance.Data[q];
            if (radius == 0) continue;
            var (qz, qy, qx) = (q / (size.Y * size.X), q / size.X % size.Y, q % size.X);
            for (var p = 0; p < thickness.Length; p++)
            {
                if (distance.Data[p] == 0 || thickness[p] >= 2 * radius) continue;
                var (z, y, x) = ((p / (size.Y * size.X) - qz) * edge.Z, (p / size.X % size.Y - qy) * edge.Y, (p % size.X - qx) * edge.X);
                if (z * z + y * y + x * x < radius * (double)radius * (1 - 1e-6)) thickness[p] = 2 * radius;
            }
        }
        return thickness;
    }
}

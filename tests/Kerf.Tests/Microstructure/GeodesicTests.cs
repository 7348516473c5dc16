using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class GeodesicTests
{
    private static readonly Traversal Two = new() { Threads = 2 };

    [Theory]
    [InlineData(Metric.Eikonal)]
    [InlineData(Metric.Steps)]
    public void StraightChannelsAreStraight(Metric metric)
    {
        var volume = Made(new(12, 10, 11), new(10, 5, 4), (_, y, x) => y % 4 == 0 && x % 3 == 0 ? 2 : 1);
        var measured = new GeodesicTortuosity { Phase = "2", Metric = metric }.Run(volume, Two, 1);
        Assert.Equal(1, Value(measured, "geodesicTortuosity", "z"), 1e-6);
        Assert.Equal(0, Value(measured, "geodesicTortuositySpread", "z"), 1e-3);
        Assert.Equal(double.PositiveInfinity, Value(measured, "geodesicTortuosity", "x"));
        Assert.Equal("geodesic-tortuosity/not-percolating", measured.Measurements.Single(m => m.Axis == "y").Method);
        Assert.All(measured.Curves.Single(c => c.Name == "geodesicTortuosity-z").Y, ratio => Assert.Equal(1, ratio, 1e-6));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    public void ASlitSendsRoundWaves(double z, double y)
    {
        // a wall halfway with one slit at y = 0: behind it, ways are straight lines from the slit's edge
        const int Depth = 40, Width = 80;
        var volume = Made(new(Depth, Width, 3), new(z, y, 1), (k, j, _) => k == Depth / 2 && j > 0 ? 2 : 1);
        var eikonal = Value(new GeodesicTortuosity { Phase = "1", Axis = Axis.Z }.Run(volume, Two, 1), "geodesicTortuosity", "z");
        var steps = Value(new GeodesicTortuosity { Phase = "1", Axis = Axis.Z, Metric = Metric.Steps }.Run(volume, Two, 1), "geodesicTortuosity", "z");
        var (straight, octile) = (0.0, 0.0);
        for (var j = 0; j < Width; j++)
        {
            var (down, aside) = ((Depth / 2 - 1) * z, j * y);
            var to = (Depth / 2 + 0.5) * z;
            straight += to + Math.Sqrt(down * down + aside * aside) + z / 2;
            var diagonal = Math.Min(Depth / 2 - 1, j);
            octile += to + diagonal * Math.Sqrt(z * z + y * y) + (Depth / 2 - 1 - diagonal) * z + (j - diagonal) * y + z / 2;
        }
        Assert.Equal(octile / Width / (Depth * z), steps, 1e-5 * octile);
        Assert.InRange(eikonal / (straight / Width / (Depth * z)), 0.99, 1.025);
        Assert.True(Math.Abs(eikonal * Depth * z * Width - straight) < Math.Abs(octile - straight));
    }

    [Theory]
    [InlineData(Metric.Eikonal)]
    [InlineData(Metric.Steps)]
    public void TheBucketsDoNotShow(Metric metric)
    {
        // the same equations by sweeping over all voxels until nothing changes
        var volume = Made(new(9, 11, 10), new(3, 5, 4), (z, y, x) => new CounterRandom(4, (ulong)((z * 11 + y) * 10 + x)).NextDouble() < 0.6 ? 1 : 2);
        var mask = PhaseMask.Of(volume, "1", "test", Two);
        var map = Geodesic.In(mask, "test", Two);
        var seeds = Enumerable.Range(0, 110).Select(i => map.Index(0, i / 10, i % 10)).Where(i => map.Lengths[i] > 0).ToArray();
        var open = (float[])map.Lengths.Clone();
        map.Spread(seeds.Select(i => (i, 1.5f)), metric, Two);
        foreach (var seed in seeds) open[seed] = 1.5f;
        var steps = map.Steps();
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = 0; i < open.Length; i++)
            {
                if (open[i] < 0) continue;
                var way = metric == Metric.Steps ? steps.Min(step => open[i + step.Offset] < 0 ? float.PositiveInfinity : open[i + step.Offset] + step.Length)
                    : Upwind(open, i, [.. steps.Where(s => steps.Any(t => t.Offset == -s.Offset))], map);
                if (way >= open[i] * 0.9999999f) continue;
                open[i] = way;
                changed = true;
            }
        }
        for (var i = 0; i < open.Length; i++) Assert.Equal(open[i], map.Lengths[i], 2e-5f * Math.Max(1, float.IsFinite(open[i]) ? open[i] : 1));
        Assert.Contains(map.Lengths, length => length > 24 && float.IsFinite(length));
    }

    [Fact]
    public void DepthsAreReachedFromAParticlesBoundary()
    {
        // outside above, then a block with straight pores; one of them ends early
        var volume = Made(new(40, 6, 7), VoxelSize.Cube(5), (z, y, x) => z < 5 ? 0 : y == 2 && (x is 2 or 4) && (x == 2 || z < 20) ? 1 : 3);
        var measured = new GeodesicTortuosity { Phase = "1", Depth = [50, 100] }.Run(volume, Two, 1);
        Assert.Equal(1, Value(measured, "geodesicTortuosityDepth50", null), 1e-6);
        Assert.Equal(1, Value(measured, "geodesicTortuosityDepth100", null), 1e-6);
        Assert.Equal(1, Value(measured, "reachedFractionDepth50", null));
        Assert.Equal(0.5, Value(measured, "reachedFractionDepth100", null));
        Assert.Equal([50, 100], measured.Curves[0].X);
    }

    [Fact]
    public void WaysGoRoundCornersAndArePulledStraight()
    {
        var volume = Made(new(31, 31, 5), VoxelSize.Cube(2), (z, y, _) => z == 15 && y < 30 ? 2 : 1);
        var mask = PhaseMask.Of(volume, "1", "test", Two);
        var (paths, reached) = Paths.Between(mask, Axis.Z, null, null, 40, Two, 1);
        Assert.Equal((40, 1), (paths.Count, reached));
        foreach (var path in paths)
        {
            Assert.Equal((1, 61), (path.Points[0].Z, path.Points[^1].Z));
            // to the gap and straight down from it
            var aside = 61 - path.Points[0].Y;
            Assert.InRange(path.Length, Math.Sqrt(aside * aside + 900) + 28, Math.Sqrt(aside * aside + 900) + 34);
        }
        Assert.Contains(paths, path => path.Density.Max() > 0.1);
    }

    [Fact]
    public void LinesAreWrittenForOtherPrograms()
    {
        using var scratch = new Scratch();
        var volume = Made(new(6, 4, 3), VoxelSize.Cube(2), (z, _, _) => z == 0 ? 3 : z == 5 ? 4 : 1);
        foreach (var ending in (string[])["vtk", "ply", "json"])
        {
            var file = Path.Combine(scratch.Folder, "lines." + ending);
            var measured = new Paths { Phase = "1", From = "3", To = "4", Count = 5, Lines = file }.Run(volume, Two, 1);
            Assert.Equal(6, Value(measured, "pathLength", null));
            var text = File.ReadAllText(file);
            Assert.Contains(ending switch { "vtk" => "LINES 5 15\n2 0 1\n", "ply" => "element edge 5\n", _ => "\"length\":6" }, text);
        }
        Assert.StartsWith("paths: --lines is \"x.obj\"; its ending must be", Assert.Throws<InputError>(() => new Paths { Phase = "1", Lines = "x.obj" }.Run(volume, Two, 1)).Message);
    }

    [Fact]
    public void AnInkBottleIsFilledThroughItsNeck()
    {
        var volume = Made(new(40, 21, 9), VoxelSize.Cube(1), (z, y, _) => Math.Abs(y - 10) <= (z < 20 ? 2 : 7) ? 1 : 2);
        var measured = new Intrusion { Phase = "1", Radius = [1, 2.5, 2.6, 7.5, 7.6] }.Run(volume, Two, 1);
        Assert.InRange(Value(measured, "bulgeRadius", null), 7.5, 7.6);
        Assert.InRange(Value(measured, "bottleneckRadius", "z"), 2.5, 2.6);
        Assert.Equal(1 / 9.0, Value(measured, "constrictivity", "z"), 0.01);
        Assert.Equal(0, measured.Curves.Single(c => c.Name == "intrusion-z").Y[2]);
        Assert.All(measured.Measurements, m => Assert.InRange(m.Value, m.Low!.Value - 1e-9, m.High!.Value + 1e-9));
        Assert.All(measured.Curves, c => Assert.All(c.Y.Index(), y => Assert.InRange(y.Item, c.Low![y.Index] - 1e-9, c.High![y.Index] + 1e-9)));
        Assert.InRange(measured.Curves.Single(c => c.Name == "poreSize").Y[2], 0.73, 0.78);
        // from a layer of outside in front of the wide end
        for (var i = 39 * 21 * 9; i < volume.Data.Length; i++) volume.Data[i] = 0;
        measured = new Intrusion { Phase = "1", From = "0", Radius = [1, 2.5, 2.6, 7.5, 7.6] }.Run(volume, Two, 1);
        Assert.Equal(1, Value(measured, "constrictivity", null), 0.02);
    }

    [Fact]
    public void NeitherThreadsNorBlocksShow()
    {
        var volume = Made(new(20, 22, 24), new(10, 5, 5), (z, y, x) => new CounterRandom(9, (ulong)((z * 22 + y) * 24 + x)).NextDouble() < 0.7 ? 1 : 2);
        foreach (var measure in (Measure[])[new GeodesicTortuosity { Phase = "1" }, new GeodesicTortuosity { Phase = "1", Metric = Metric.Steps }, new Paths { Phase = "1" }, new Intrusion { Phase = "1" }])
        {
            var (one, many) = (measure.Run(volume, new() { Threads = 1 }, 2), measure.Run(volume, new() { Threads = 5, BlockEdge = 16 }, 2));
            Assert.Equal(one.Measurements, many.Measurements);
            Assert.Equal(one.Curves.SelectMany(c => c.Y), many.Curves.SelectMany(c => c.Y));
        }
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var volume = Made(new(1, 4, 4), VoxelSize.Cube(1), (_, y, _) => y < 2 ? 1 : 2);
        string Error(Measure measure, Traversal? walk = null) => Assert.Throws<InputError>(() => measure.Run(volume, walk ?? Two, 1)).Message;
        Assert.StartsWith("geodesic-tortuosity: the volume is 1 voxel thick along z; it must be 2 or more", Error(new GeodesicTortuosity { Phase = "1", Axis = Axis.Z }));
        Assert.StartsWith("intrusion: the volume is 1 voxel thick along z; it must be 2 or more", Error(new Intrusion { Phase = "1", Axis = Axis.Z }));
        Assert.StartsWith("paths: the volume is 1 voxel thick along z; it must be 2 or more", Error(new Paths { Phase = "1" }));
        Assert.StartsWith("geodesic-tortuosity: no voxel is of phase 3", Error(new GeodesicTortuosity { Phase = "3" }));
        Assert.Contains("budget is 0 MiB. Raise --memory", Error(new GeodesicTortuosity { Phase = "1", Axis = Axis.Y }, new() { MemoryBytes = 100 }));
        Assert.StartsWith("paths: phase 1 does not touch the last plane", Error(new Paths { Phase = "1", Axis = Axis.Y }));
        Assert.Contains("Raise --memory", Error(new Intrusion { Phase = "1" }, new() { MemoryBytes = 100 }));
    }

    // Godunov's upwind solution at one voxel, by bisection
    private static float Upwind(float[] lengths, int at, (int Offset, float Length)[] steps, Geodesic map)
    {
        double Early(int axis)
        {
            var one = map.Index(axis == 0 ? 1 : 0, axis == 1 ? 1 : 0, axis == 2 ? 1 : 0) - map.Index(0, 0, 0);
            return new[] { lengths[at - one], lengths[at + one] }.Where(length => length >= 0).Select(length => (double)length).DefaultIfEmpty(double.PositiveInfinity).Min();
        }
        var early = new[] { Early(0), Early(1), Early(2) };
        if (early.All(double.IsPositiveInfinity)) return float.PositiveInfinity;
        double Slope(double t) => Enumerable.Range(0, 3).Sum(axis => t > early[axis] ? (t - early[axis]) * (t - early[axis]) / (map.Voxel[axis] * map.Voxel[axis]) : 0);
        var (low, high) = (early.Min(), early.Min() + 10);
        for (var i = 0; i < 60; i++) (low, high) = Slope((low + high) / 2) > 1 ? (low, (low + high) / 2) : ((low + high) / 2, high);
        return (float)high;
    }

    private static double Value(Measured measured, string name, string? axis) => measured.Measurements.Single(m => m.Name == name && m.Axis == axis).Value;

    private static Volume<byte> Made(Size3 size, VoxelSize? voxel, Func<int, int, int, int> label)
    {
        var volume = new Volume<byte>(size, voxel);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)label(i / (size.Y * size.X), i / size.X % size.Y, i % size.X);
        return volume;
    }
}

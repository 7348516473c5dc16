using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SurfaceTests
{
    private static readonly VoxelSize Cubic = VoxelSize.Cube(5), Flat = new(10, 5, 5);

    [Fact]
    public void WeightsAreThoseOfTheLiterature()
    {
        // solid angles of the 13 directions in a cubic grid, e.g. Ohser and Mücklich 2000: 0.0916, 0.0740, 0.0704
        var weights = CroftonDirections.Weights(Cubic);
        Assert.Equal(1, weights.Sum(), 12);
        Assert.Equal([0.09156, 0.07396, 0.07039], new[] { weights[0], weights[3], weights[9] }.Select(w => Math.Round(w, 5)), new Near(2e-4));
        Assert.Equal(weights[1], weights[2]);
        Assert.Equal(1, CroftonDirections.Weights(Flat).Sum(), 12);
    }

    [Theory]
    [InlineData(100, 0.010)]
    [InlineData(150, 0.007)]
    public void Balls(double radius, double tolerance)
    {
        foreach (var voxel in (VoxelSize[])[Cubic, Flat])
        {
            var ball = KnownStructures.Where(Cube(350, voxel), voxel, (z, y, x) => Square(z - 175) + Square(y - 175) + Square(x - 175) <= radius * radius);
            Assert.Equal(1, Area(ball) / (4 * Math.PI * radius * radius), tolerance);
        }
    }

    // the worst that 13 directions do: planes across an axis lose, planes between directions gain; curved and random surfaces average it out
    [Fact]
    public void SlabsAndCylindersStayWithinTheStatedBias()
    {
        foreach (var (voxel, worst) in new[] { (Cubic, 0.17), (Flat, 0.21) })
        {
            var size = Cube(300, voxel);
            double Slab(Func<double, double, double, double> depth) => Area(KnownStructures.Where(size, voxel, (z, y, x) => Math.Abs(depth(z - 150, y - 150, x - 150)) <= 60)) / (2 * 300 * 300);
            Assert.InRange(Slab((z, _, _) => z), 1 - worst, 1);
            Assert.InRange(Slab((_, _, x) => x), 1 - worst, 1);
            Assert.InRange(Area(KnownStructures.Where(size, voxel, (z, y, _) => Square(z - 150) + Square(y - 150) <= 100 * 100)) / (2 * Math.PI * 100 * 300), 0.92, 1.02);
            Assert.InRange(Area(KnownStructures.Where(size, voxel, (_, y, x) => Square(x - 150) + Square(y - 150) <= 100 * 100)) / (2 * Math.PI * 100 * 300), 0.92, 1.02);
        }
    }

    [Fact]
    public void GyroidAndItsEulerNumber()
    {
        foreach (var voxel in (VoxelSize[])[Cubic, Flat])
        {
            var k = 2 * Math.PI / 200;
            var gyroid = KnownStructures.Where(Cube(600, voxel), voxel, (z, y, x) =>
                Math.Sin(k * x) * Math.Cos(k * y) + Math.Sin(k * y) * Math.Cos(k * z) + Math.Sin(k * z) * Math.Cos(k * x) > 0);
            // 3.0915 per unit cell (Große-Brauckmann 1997); each labyrinth has Euler number −4 per cell
            Assert.Equal(1, Area(gyroid) / (27 * 3.0915 * 200 * 200), 0.03);
            var connected = new Connectedness { Phase = "1" }.Run(gyroid, new(), 1).Measurements;
            Assert.Equal(-4, connected.Single(m => m.Name == "eulerDensity").Value * Math.Pow(200, 3), 0.15);
            Assert.All(connected.Where(m => m.Name == "percolatingFraction"), m => Assert.Equal(1, m.Value));
        }
    }

    [Fact]
    public void BooleanModelsHaveTheirSurface()
    {
        foreach (var voxel in (VoxelSize[])[Cubic, Flat])
        {
            var density = Math.Log(2) / (4.0 / 3 * Math.PI * Math.Pow(50, 3));
            var truth = density * 4 * Math.PI * 2500 * 0.5;
            // neighbours at a distance l differ with probability 2(φ − S₂(l)), and S₂ bends where balls meet in edges: so much is lost
            var (weights, lengths) = (CroftonDirections.Weights(voxel), CroftonDirections.StepLengths(voxel));
            var seen = weights.Zip(lengths, (w, l) => w * 4 * (0.5 - Math.Pow(0.5, 1 + 0.75 * l / 50 - Math.Pow(l / 50, 3) / 16)) / l).Sum();
            Assert.InRange(seen / truth, 0.94, 0.98);
            var size = new Size3((int)(600 / voxel.Z), 120, 120);
            var measured = new ulong[] { 51, 52, 53 }.Select(seed => Surface.Of(KnownStructures.Boolean(size, voxel, 50, density, seed), null, new(), 1).Measurements).ToArray();
            var specific = measured.Select(m => m.First(one => one.Name == "specificSurfaceArea")).ToArray();
            Assert.Equal(1, specific.Average(s => s.Value) / seen, 0.02);
            Assert.InRange(specific.Count(s => s.Low <= seen && seen <= s.High), 2, 3);
            Assert.Equal("1/nm", specific[0].Unit);
            Assert.Equal("phase 1 | phase 2", measured[0].Single(m => m.Name == "interfaceArea").Phase);
        }
    }

    [Fact]
    public void InterfacesAddUpAndOutsideIsNone()
    {
        var volume = KnownStructures.Where(Cube(100, Cubic), Cubic, (z, _, _) => z < 40);
        for (var i = 0; i < volume.Data.Length; i++) if (i % 20 >= 10 && volume.Data[i] == 2) volume.Data[i] = 3;
        double Of(Volume<byte> v, string name, string phase) => Surface.Of(v, null, new(), 1).Measurements.Single(m => m.Name == name && m.Phase == phase).Value;
        Assert.Equal(Of(volume, "surfaceArea", "phase 2"), Of(volume, "interfaceArea", "phase 1 | phase 2") + Of(volume, "interfaceArea", "phase 2 | phase 3"), 6);
        var named = new Volume<byte>(volume.Info with { Phases = [new(1, "a", "#000000"), new(2, "b", "#ffffff")] }).With(volume.Data);
        for (var i = 0; i < named.Data.Length; i++) if (named.Data[i] == 3) named.Data[i] = 0;
        Assert.Equal(Of(volume, "interfaceArea", "phase 1 | phase 2"), Of(named, "surfaceArea", "b"), 6);
        // a plane across z: 20×20×19 of 20³ voxels have a neighbour, fewer across
        Assert.InRange(Of(volume, "specificSurfaceArea", "phase 1") * 1e6 / Of(volume, "surfaceArea", "phase 1"), 1.05, 1.15);
    }

    [Fact]
    public void TripleLines()
    {
        // random convex cells: every line between three cells of a Voronoi mosaic; length per volume 5.832·density^(2/3) (Meijering 1953)
        const double Density = 1e-6;
        foreach (var voxel in (VoxelSize[])[VoxelSize.Cube(10), new(20, 10, 10)])
        {
            var measured = TripleBoundary.Of(Mosaic(Cube(700, voxel), voxel, Density, 61), null, new(), 1).Measurements;
            // 343 cells in the volume, their number varies by 5 %, the length by 4 %; lines shorter than a voxel are lost
            Assert.InRange(measured[1].Value / (5.832 * Math.Pow(Density, 2.0 / 3)), 0.88, 1.04);
            Assert.Equal(("tripleBoundaryDensity", "1/nm²"), (measured[1].Name, measured[1].Unit));
        }
        // straight along an axis: the stated worst case, a third too short
        var sectors = KnownStructures.Where(Cube(100, Cubic), Cubic, (_, y, x) => x < 50);
        for (var i = 0; i < sectors.Data.Length; i++) if (i / 20 % 20 < 10) sectors.Data[i] = 3;
        Assert.Equal(100 * 2.0 / 3, TripleBoundary.Of(sectors, null, new(), 1).Measurements[0].Value, 9);
    }

    [Fact]
    public void PartsAreCounted()
    {
        var volume = new Volume<byte>(new Size3(4, 6, 70), Cubic);
        volume.Data.AsSpan().Fill(2);
        for (var x = 0; x < 70; x++) volume[1, 1, x] = 1;
        for (var z = 0; z < 4; z++) volume[z, 3, 65] = 1;
        volume[1, 2, 66] = 1;
        var measured = new Connectedness { Phase = "1" }.Run(volume, new(), 1).Measurements;
        double Of(string name, string? axis = null) => measured.Single(m => m.Name == name && m.Axis == axis).Value;
        Assert.Equal((2, 2), (Of("partCount"), Of("eulerNumber")));
        Assert.Equal((4 / 75.0, 0, 71 / 75.0), (Of("percolatingFraction", "z"), Of("percolatingFraction", "y"), Of("percolatingFraction", "x")));
        Assert.Equal(71 / 75.0, Of("largestPart"));
    }

    [Fact]
    public void RepresentativeWhenGrainsAreManyEnough()
    {
        // independent cubes of 4 voxels, 30 %: σ of the whole is √(0.21/(edge/4)³); the estimate may be 40 % off
        foreach (var (edge, verdict) in new[] { (32, 0.0), (128, 1.0) })
        {
            var volume = new Volume<byte>(Size3.Cube(edge), Cubic);
            for (var i = 0; i < volume.Data.Length; i++)
            {
                var (z, y, x) = (i / edge / edge / 4, i / edge % edge / 4, i % edge / 4);
                volume.Data[i] = new CounterRandom(71, (ulong)((z * 1000 + y) * 1000 + x)).NextDouble() < 0.3 ? (byte)1 : (byte)2;
            }
            var measured = new Representativeness { Phase = "1", Tolerance = 0.04 }.Run(volume, new(), 1).Measurements;
            double Of(string name) => measured.Single(m => m.Name == name).Value;
            Assert.Equal(verdict, Of("representative"));
            Assert.Equal(1, Of("relativeError") / (1.96 * Math.Sqrt(0.21 / Math.Pow(edge / 4.0, 3)) / 0.3), 0.4);
            Assert.Equal(5 * edge, Of("sampleEdge"), 6);
            Assert.Equal(1, Of("representativeEdge") / (5 * 4 * Math.Cbrt(0.21 * Math.Pow(1.96 / 0.012, 2))), 0.4);
        }
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var empty = new Volume<byte>(Size3.Cube(4));
        Assert.Equal("surface: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first.", Assert.Throws<InputError>(() => Surface.Of(empty, null, new(), 1)).Message);
        Assert.Equal("triple-boundary: the source holds 1 phases; a boundary of three needs 3 or more. Segment it into more phases.",
            Assert.Throws<InputError>(() => TripleBoundary.Of(empty, null, new(), 1)).Message);
        Assert.Equal("surface: the volume is 1 voxel thick along y; it must be 2 or more. Measure a thicker one.",
            Assert.Throws<InputError>(() => Surface.Of(new Volume<byte>(new Size3(3, 1, 3)), null, new(), 1)).Message);
        var many = new Volume<byte>(new Size3(2, 2, 30));
        for (var i = 0; i < many.Data.Length; i++) many.Data[i] = (byte)(i % 30);
        Assert.StartsWith("surface: the source holds 30 different values; at most 16 phases", Assert.Throws<InputError>(() => Surface.Of(many, null, new(), 1)).Message);
        Assert.StartsWith("representativeness: the volume is 4 voxels thick along z; it must be 8 or more",
            Assert.Throws<InputError>(() => new Representativeness { Phase = "0" }.Run(empty, new(), 1)).Message);
    }

    private static Size3 Cube(double edge, VoxelSize voxel) => new((int)(edge / voxel.Z), (int)(edge / voxel.Y), (int)(edge / voxel.X));

    private static double Area(Volume<byte> volume) => Surface.Of(volume, null, new(), 1).Measurements.First(m => m.Name == "surfaceArea").Value;

    private static double Square(double x) => x * x;

    // labels 1 to 200 at random to the cells of Poisson points: three of one label hardly ever meet
    private static Volume<byte> Mosaic(Size3 size, VoxelSize voxel, double density, ulong seed)
    {
        var random = new CounterRandom(seed, 0);
        (double Z, double Y, double X, byte Label)[] seeds = [.. Enumerable.Range(0, random.NextPoisson(density * 1000 * 1000 * 1000)).Select(_ =>
            (random.NextDouble() * 1000 - 250, random.NextDouble() * 1000 - 250, random.NextDouble() * 1000 - 250, (byte)(1 + random.NextInt(200))))];
        var volume = new Volume<byte>(size, voxel);
        new Traversal().ForEach(size.Z, z =>
        {
            for (var y = 0; y < size.Y; y++)
            {
                var (pz, py) = ((z + 0.5) * voxel.Z, (y + 0.5) * voxel.Y);
                var near = seeds.Where(s => Square(s.Z - pz) + Square(s.Y - py) < 250 * 250).ToArray();
                for (var x = 0; x < size.X; x++)
                {
                    var (best, label) = (double.MaxValue, (byte)0);
                    foreach (var s in near)
                    {
                        var far = Square(s.Z - pz) + Square(s.Y - py) + Square(s.X - (x + 0.5) * voxel.X);
                        if (far < best) (best, label) = (far, s.Label);
                    }
                    volume[z, y, x] = label;
                }
            }
        });
        return volume;
    }

    private sealed class Near(double tolerance) : IEqualityComparer<double>
    {
        public bool Equals(double a, double b) => Math.Abs(a - b) <= tolerance;

        public int GetHashCode(double value) => 0;
    }
}

using System.Text.Json.Nodes;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class CorrelationTests
{
    private static readonly VoxelSize[] Voxels = [VoxelSize.Cube(5), new(10, 5, 5)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CountsArePairCounts(bool periodic)
    {
        var volume = Phantom(new(9, 12, 70));
        var measured = new TwoPoint { Phase = "1", Periodic = periodic }.Run(volume, new(), 1);
        foreach (var axis in Enum.GetValues<Axis>())
        {
            var y = Curve(measured, $"twoPoint-{axis.Letter()}").Y;
            Assert.Equal(volume.Info.Size[(int)axis] / 2 + 1, y.Length);
            for (var lag = 0; lag < y.Length; lag++) Assert.Equal(Slow(volume, axis, lag, periodic), y[lag], 12);
        }
        // one voxel away in a plane is halfway between the axes, bar the diagonal's share of the 4 directions
        var plane = Curve(measured, "twoPoint-xy").Y;
        Assert.Equal(Curve(measured, "twoPoint-x").Y[0], plane[0], 6);
    }

    [Fact]
    public void PathsAreRunsOfPhase()
    {
        var volume = Phantom(new(9, 12, 70));
        var measured = new LinealPath { Phase = "1" }.Run(volume, new(), 1);
        foreach (var axis in Enum.GetValues<Axis>())
        {
            var y = Curve(measured, $"linealPath-{axis.Letter()}").Y;
            for (var lag = 0; lag < y.Length; lag++) Assert.Equal(SlowPath(volume, axis, lag), y[lag], 12);
            var one = new LinealPath { Phase = "1", Axis = axis }.Run(volume, new(), 1);
            Assert.Equal(y, Curve(one, $"linealPath-{axis.Letter()}").Y);
            var chord = measured.Measurements.Single(m => m.Name == "meanChord" && m.Axis == axis.Letter());
            Assert.Equal(volume.Info.Voxel!.Value[(int)axis] * y[0] / (y[0] - y[1]), chord.Value, 9);
        }
    }

    [Fact]
    public void NumpyAndScikitImageSayTheSame()
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "correlation", "correlation.json")))!;
        var size = json["size"]!.AsArray().Select(n => (int)n!).ToArray();
        var bits = Convert.FromHexString((string)json["mask"]!);
        var volume = new Volume<byte>(new Size3(size[0], size[1], size[2]), new(10, 5, 5));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)(bits[i / 8] >> i % 8 & 1);
        var measured = ((PhaseMeasure[])[new TwoPoint { Phase = "1" }, new LinealPath { Phase = "1" }, new Connectedness { Phase = "1" }]).Select(m => m.Run(volume, new(), 1)).ToArray();
        foreach (var (name, values) in json["curves"]!.AsObject())
        {
            var curve = measured.SelectMany(m => m.Curves).Single(c => c.Name == name);
            Assert.Equal(values!.AsArray().Count, curve.Y.Length);
            for (var i = 0; i < curve.Y.Length; i++) Assert.Equal((double)values.AsArray()[i]!, curve.Y[i], 6);
        }
        double Of(string name, string? axis = null) => measured[2].Measurements.Single(m => m.Name == name && m.Axis == axis).Value;
        Assert.Equal(((double)json["eulerNumber"]!, (double)json["partCount"]!), (Of("eulerNumber"), Of("partCount")));
        foreach (var (axis, share) in json["percolatingFraction"]!.AsObject()) Assert.Equal((double)share!, Of("percolatingFraction", axis), 12);
    }

    [Fact]
    public void TheUnlabelledIsOutside()
    {
        var volume = Phantom(new(9, 12, 70));
        var inside = new Volume<byte>(volume.Info with { Phases = [new(1, "a", "#000000"), new(2, "b", "#ffffff")] }).With(volume.Data);
        for (var i = 0; i < volume.Data.Length; i++) if (i % 70 >= 40) inside.Data[i] = 0;
        var cut = new Volume<byte>(new Size3(9, 12, 40), volume.Info.Voxel);
        for (var i = 0; i < cut.Data.Length; i++) cut.Data[i] = volume.Data[i / 40 * 70 + i % 40];
        foreach (var (kind, name) in new (PhaseMeasure, string)[] { (new TwoPoint { Phase = "1" }, "twoPoint"), (new LinealPath { Phase = "1" }, "linealPath") })
        {
            var (masked, plain) = (kind.Run(inside, new(), 1), kind.Run(cut, new(), 1));
            foreach (var end in (string[])["x", "y", "z", "xy", "yz"])
            {
                var (a, b) = (Curve(masked, $"{name}-{end}").Y, Curve(plain, $"{name}-{end}").Y);
                for (var i = 0; i < Math.Min(a.Length, b.Length); i++) Assert.Equal(b[i], a[i], 5);
            }
        }
    }

    [Fact]
    public void BooleanModelsHaveTheirClosedForms()
    {
        foreach (var voxel in Voxels)
        {
            // half of the voxels are pore; volumes of 600 nm with balls of 40 nm: seeds 21 and 22 score
            const double Radius = 40;
            var density = Math.Log(2) / (4.0 / 3 * Math.PI * Math.Pow(Radius, 3));
            var size = new Size3((int)(600 / voxel.Z), 120, 120);
            var (points, paths) = (new List<(double, double)>(), new List<(double, double)>());
            var runs = new ulong[] { 21, 22 }.Select(seed => KnownStructures.Boolean(size, voxel, Radius, density, seed)).Select(v =>
                (Two: new TwoPoint { Phase = "1", Periodic = true }.Run(v, new(), 1), Path: new LinealPath { Phase = "1" }.Run(v, new(), 1))).ToArray();
            foreach (var name in (string[])["x", "y", "z", "xy", "xz", "yz"])
            {
                var curves = runs.Select(run => (Two: Curve(run.Two, "twoPoint-" + name), Path: Curve(run.Path, "linealPath-" + name))).ToArray();
                for (var i = 0; i < curves[0].Two.X.Length && curves[0].Two.X[i] <= 200; i++)
                {
                    var r = curves[0].Two.X[i];
                    var union = r < 2 * Radius ? 1 + 0.75 * r / Radius - Math.Pow(r / Radius, 3) / 16 : 2;
                    Assert.Equal(Math.Exp(-Math.Log(2) * union), curves.Average(c => c.Two.Y[i]), 0.02);
                    Assert.Equal(0.5 * Math.Exp(-density * Math.PI * Radius * Radius * r), curves.Average(c => c.Path.Y[i]), 0.02);
                }
            }
        }
    }

    [Fact]
    public void LevelledWavesHaveTheS2OfTheirLevel()
    {
        const double Wavelength = 80;
        const double Level = 0.4;
        foreach (var voxel in Voxels)
        {
            var volume = KnownStructures.Levelled(new((int)(640 / voxel.Z), 128, 128), voxel, Wavelength, Level, waves: 100, seed: 31);
            var measured = new TwoPoint { Phase = "1" }.Run(volume, new(), 1);
            var fraction = Fraction(Level);
            foreach (var curve in measured.Curves)
            {
                for (var i = 0; i < curve.X.Length && curve.X[i] <= 250; i++) Assert.Equal(OfLevel(Level, fraction, Sinc(2 * Math.PI / Wavelength * curve.X[i])), curve.Y[i], 0.02);
            }
            // -g''(0) = k²/3, doi:10.1002/j.1538-7305.1944.tb00874.x
            var surface = Surface.Of(volume, null, new(), 1).Measurements.First(m => m.Name == "specificSurfaceArea").Value;
            Assert.Equal(1, surface / (2 / Math.PI * (2 * Math.PI / Wavelength) / Math.Sqrt(3) * Math.Exp(-Level * Level / 2)), 0.05);
        }
    }

    [Fact]
    public void StretchedBallsAreAnisotropicInZOnly()
    {
        var measured = new Anisotropy { Phase = "1" }.Run(KnownStructures.Stretched(144), new(), 1);
        foreach (var name in (string[])["twoPoint-", "linealPath-"])
        {
            var (x, y, z) = (Curve(measured, name + "x").Y, Curve(measured, name + "y").Y, Curve(measured, name + "z").Y);
            for (var i = 0; i < x.Length; i++) Assert.InRange(Math.Abs(x[i] - y[i]), 0, 0.01 * x[0]);
            Assert.InRange(x.Zip(z, (a, b) => Math.Abs(a - b)).Max(), 0.1 * x[0], 1);
        }
        foreach (var name in (string[])["eL2TwoPoint", "eL2LinealPath", "eDiameter"])
        {
            var e = measured.Measurements.Single(m => m.Name == name);
            Assert.InRange(e.Value, 0.1, 1);
            Assert.True(e.Low > 0, $"{name} {e}");
        }
    }

    [Fact]
    public void ALevelledWaveCubeIsIsotropic()
    {
        // ligaments of about 16 voxels, 30 % solid; the wave's own unevenness included
        var volume = KnownStructures.Levelled(Size3.Cube(256), VoxelSize.Cube(5), 160, 0.5244, waves: 40, seed: 41);
        var measured = new Anisotropy { Phase = "1" }.Run(volume, new(), 1).Measurements;
        Assert.InRange(measured.Single(m => m.Name == "eL2TwoPoint").Value, 0, 0.10);
        Assert.InRange(measured.Single(m => m.Name == "eL2LinealPath").Value, 0, 0.02);
    }

    [Fact]
    public void MetricsAreThoseOfTheThesis()
    {
        // by hand: ‖x−z‖ = 1, ‖x‖ = √2, ‖z‖ = 1
        Assert.Equal(2 / (Math.Sqrt(2) + 1), Anisotropy.Difference([1, 1], [1, 1], [1, 0]), 12);
        Assert.Equal(0.5 * (0.2 + 0.1), Anisotropy.OfDiameters(10, 12, 9), 12);
        Assert.Equal(1.5, Anisotropy.Diameter([0, 1, 2], [2, 1, 1]) / 1.25 * 1.5, 12);
    }

    [Fact]
    public void NeitherThreadsNorMemoryShow()
    {
        var volume = Phantom(new(40, 30, 70));
        foreach (var measure in (PhaseMeasure[])[new TwoPoint { Phase = "1" }, new LinealPath { Phase = "1" }, new Anisotropy { Phase = "1" }, new Surface(), new Connectedness { Phase = "2" }])
        {
            var (one, many) = (measure.Run(volume, new() { Threads = 1 }, 5), measure.Run(volume, new() { Threads = 5, BlockEdge = 16, MemoryBytes = 64 << 20 }, 5));
            Assert.Equal(one.Measurements, many.Measurements);
            for (var i = 0; i < one.Curves.Count; i++) Assert.Equal(one.Curves[i].Y, many.Curves[i].Y);
        }
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        Assert.Equal("correlation: the volume is 1 voxel thick along z; it must be 2 or more. Measure a thicker one.",
            Assert.Throws<InputError>(() => new TwoPoint { Phase = "1" }.Run(Phantom(new(1, 8, 8)), new(), 1)).Message);
        Assert.StartsWith("memory budget of 0 MiB is too small: 16 planes across z need",
            Assert.Throws<InputError>(() => new LinealPath { Phase = "1" }.Run(Phantom(new(2, 80, 80)), new() { MemoryBytes = 1000 }, 1)).Message);
        // an axis that has voxels is enough
        Assert.Equal("twoPoint-x", Assert.Single(new TwoPoint { Phase = "1", Axis = Axis.X }.Run(Phantom(new(1, 8, 8)), new(), 1).Curves).Name);
        Assert.Equal("voxels", new TwoPoint { Phase = "1" }.Run(new Volume<byte>(new Size3(4, 4, 4), null, [.. Enumerable.Range(0, 64).Select(i => (byte)(i % 2))]), new(), 1).Curves[0].Unit);
    }

    internal static Curve Curve(Measured measured, string name) => measured.Curves.Single(curve => curve.Name == name);

    private static Volume<byte> Phantom(Size3 size)
    {
        var volume = Phantoms.Stack(size.Z, size.Y, size.X, 5);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = volume.Data[i] > 110 ? (byte)1 : (byte)2;
        return volume;
    }

    private static IEnumerable<(int Z, int Y, int X)> Voxel(Size3 size) =>
        from z in Enumerable.Range(0, size.Z) from y in Enumerable.Range(0, size.Y) from x in Enumerable.Range(0, size.X) select (z, y, x);

    private static double Slow(Volume<byte> volume, Axis axis, int lag, bool periodic)
    {
        var size = volume.Info.Size;
        var (both, pairs) = (0, 0);
        foreach (var (z, y, x) in Voxel(size))
        {
            var other = (Z: z + (axis == Axis.Z ? lag : 0), Y: y + (axis == Axis.Y ? lag : 0), X: x + (axis == Axis.X ? lag : 0));
            if (!periodic && (other.Z >= size.Z || other.Y >= size.Y || other.X >= size.X)) continue;
            pairs++;
            if (volume[z, y, x] == 1 && volume[other.Z % size.Z, other.Y % size.Y, other.X % size.X] == 1) both++;
        }
        return (double)both / pairs;
    }

    private static double SlowPath(Volume<byte> volume, Axis axis, int lag)
    {
        var size = volume.Info.Size;
        var (inside, all) = (0, 0);
        foreach (var (z, y, x) in Voxel(size))
        {
            if ((axis == Axis.Z ? z : axis == Axis.Y ? y : x) + lag >= size[(int)axis]) continue;
            all++;
            if (Enumerable.Range(0, lag + 1).All(i => volume[z + (axis == Axis.Z ? i : 0), y + (axis == Axis.Y ? i : 0), x + (axis == Axis.X ? i : 0)] == 1)) inside++;
        }
        return (double)inside / all;
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x) / x;

    // P(N > level) and P(both of two normals with correlation g > level) = φ² + 1/2π ∫₀^g exp(−level²/(1+t))/√(1−t²) dt, t = sin u
    private static double Fraction(double level) => OfLevel(level, 0, 1);

    private static double OfLevel(double level, double fraction, double g)
    {
        const int Steps = 2000;
        var (sum, end) = (0.0, Math.Asin(g));
        for (var i = 0; i < Steps; i++) sum += Math.Exp(-level * level / (1 + Math.Sin((i + 0.5) / Steps * end))) * end / Steps;
        // with g = 1 the integral is φ − φ²
        var square = fraction > 0 ? fraction * fraction : 0;
        var value = square + sum / (2 * Math.PI);
        return fraction > 0 ? value : (1 - Math.Sqrt(1 - 4 * value)) / 2;
    }
}

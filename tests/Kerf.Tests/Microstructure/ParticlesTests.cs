using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ParticlesTests
{
    private static double Square(double a) => a * a;

    [Theory]
    [InlineData("5,5,5", 0.02)]
    [InlineData("10,5,5", 0.03)]
    public void OverlappingBallsComeApart(string voxel, double tolerance)
    {
        // radii 100 and 80, centres 150 apart along a slanted line: the plane of the neck lies at (150² + 100² − 80²)/300 = 87 from the first centre
        var edge = VoxelSize.Parse(voxel);
        var (dz, dy, dx) = (50.0, 100.0, 100.0);
        var mask = ThicknessTests.Phantom(new((int)(400 / edge.Z), 80, 80), edge, (z, y, x) =>
            Square(z - 150) + Square(y - 150) + Square(x - 150) < 100 * 100 || Square(z - 150 - dz) + Square(y - 150 - dy) + Square(x - 150 - dx) < 80 * 80);
        var particles = Shapes(mask);
        Assert.Equal(2, particles.Length);
        static double Cap(double r, double h) => Math.PI * h * h * (3 * r - h) / 3;
        var (first, second) = (4.0 / 3 * Math.PI * 1e6 - Cap(100, 100 - 87), 4.0 / 3 * Math.PI * 512e3 - Cap(80, 80 - 63));
        Assert.InRange(particles[0].Volume / first, 1 - tolerance, 1 + tolerance);
        Assert.InRange(particles[1].Volume / second, 1 - tolerance, 1 + tolerance);
        Assert.All(particles, particle => Assert.Equal(1, particle.Contacts));
        // a disc of radius √(100² − 87²)
        Assert.InRange(particles[0].ContactArea / (Math.PI * (10000 - 87 * 87)), 0.8, 1.25);
    }

    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    public void ABallIsRoundAndAnEllipsoidKnowsItsAxes(string voxel)
    {
        var edge = VoxelSize.Parse(voxel);
        var ball = Assert.Single(Shapes(ThicknessTests.Phantom(new((int)(300 / edge.Z), 60, 60), edge, (z, y, x) => Square(z - 150) + Square(y - 148) + Square(x - 153) < 120 * 120)));
        Assert.InRange(ball.EquivalentDiameter, 238, 242);
        Assert.InRange(ball.SurfaceArea / (4 * Math.PI * 120 * 120), 0.98, 1.02);
        Assert.InRange(ball.Sphericity, 0.97, 1.03);
        Assert.All(ball.Axes, axis => Assert.InRange(axis, 237, 243));
        Assert.InRange(Math.Abs(ball.Z - 150) + Math.Abs(ball.Y - 148) + Math.Abs(ball.X - 153), 0, 2);
        // long axis 200 along (0, 0.6, 0.8), the others 120 and 80
        var egg = Assert.Single(Shapes(ThicknessTests.Phantom(new((int)(200 / edge.Z), 60, 60), edge, (z, y, x) =>
            Square((0.6 * (y - 150) + 0.8 * (x - 150)) / 100) + Square((0.8 * (y - 150) - 0.6 * (x - 150)) / 60) + Square((z - 100) / 40) < 1)));
        Assert.InRange(egg.Axes[0], 196, 204);
        Assert.InRange(egg.Axes[1], 117, 123);
        Assert.InRange(egg.Axes[2], 76, 84);
        Assert.InRange(egg.Orientation[1], 0.58, 0.62);
        Assert.InRange(egg.Orientation[2], 0.78, 0.82);
        Assert.InRange(egg.Sphericity, 0.8, 0.95);
    }

    [Fact]
    public void MilesLantuejoulFindsTheTrueNumberAndSize()
    {
        // balls of diameter 4 and 16 voxels, as many of each, thrown into a larger box of which the window sees the middle; the plain count
        // misses large ones, the corrected one does not. Seeds 100 to 249.
        var (count, small, plain) = (0.0, 0.0, 0.0);
        const int Trials = 150, Window = 48, Margin = 10;
        for (ulong trial = 0; trial < Trials; trial++)
        {
            var particles = Shapes(Thrown(Window, Margin, 40, 100 + trial));
            var whole = particles.Where(particle => !particle.AtBorder).ToArray();
            count += whole.Sum(particle => particle.Density) / Trials;
            small += whole.Where(particle => particle.EquivalentDiameter < 50).Sum(particle => particle.Density) / Trials;
            plain += whole.Count(particle => particle.EquivalentDiameter > 50) / (double)Math.Max(1, whole.Length) / Trials;
        }
        var truth = 40 / Math.Pow((Window + 2 * Margin) * 5, 3);
        Assert.InRange(count / truth, 0.9, 1.1);
        Assert.InRange(small / count, 0.42, 0.58);
        Assert.InRange(plain, 0, 0.35);
    }

    [Fact]
    public void ThreadsDoNotShowAndDepthJoins()
    {
        var mask = ThicknessTests.Phantom(new(40, 44, 48), new(10, 5, 5), (z, y, x) => Math.Sin(z / 40) + Math.Sin(y / 37) + Math.Sin(x / 31) > 0.2);
        var phase = PhaseMask.Of(mask, "1", "particles", new());
        var (one, many) = (Separation.Of(mask, 10, new() { Threads = 1 }), Separation.Of(mask, 10, new() { Threads = 5 }));
        Assert.Equal(one.Labels, many.Labels);
        string Text(Traversal walk) => string.Join('\n', ParticleShapes.Of(one, mask.Info, walk).Select(p => $"{p} {string.Join(' ', p.Axes)} {string.Join(' ', p.Orientation)}").ToArray());
        static string Plain(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"System\.\S+", "");
        Assert.Equal(Plain(Text(new() { Threads = 1 })), Plain(Text(new() { Threads = 5 })));
        Assert.True(Separation.Of(mask, 0, new()).Count > one.Count);
        Assert.True(Separation.Of(mask, 1e6, new()).Count < one.Count);
        Assert.Equal(new Particles { Phase = "1" }.Run(phase.Labels, new() { Threads = 1 }, 3).Measurements, new Particles { Phase = "1" }.Run(phase.Labels, new() { Threads = 4 }, 3).Measurements);
    }

    [Fact]
    public void MeasurementsCurvesAndTableAgree()
    {
        var measured = new Particles { Phase = "1" }.Run(Thrown(64, 0, 30, 7), new(), 1);
        double Value(string name) => measured.Measurements.Single(m => m.Name == name).Value;
        var table = Assert.Single(measured.Tables);
        Assert.Equal(Value("particleCount"), table.Rows.Count);
        Assert.Equal(Value("particlesInside"), table.Rows.Count(row => row[17] == 0));
        Assert.All(table.Rows, row => Assert.Equal(table.Columns.Count, row.Length));
        Assert.Equal("nm", measured.Curves[0].Unit);
        Assert.All(measured.Curves, curve => Assert.Equal(1, curve.Y.Sum(), 1e-9));
        Assert.InRange(Value("meanParticleDiameter"), 20, 80);
    }

    [Fact]
    public void TheStepNumbersParticlesInOrder()
    {
        var mask = ThicknessTests.Phantom(new(20, 20, 40), VoxelSize.Cube(1), (z, y, x) => Square(z - 10) + Square(y - 10) + Square((x % 20) - 10) < 36);
        var run = new StepRun(mask, info => new Volume<ushort>(info));
        new SeparateParticles { Phase = "1" }.Run(run);
        var labels = (Volume<ushort>)run.Target!;
        Assert.Equal((2, 1, 2), ((int)run.Facts["particles"]!, labels[10, 10, 10], labels[10, 10, 30]));
        Assert.Equal(mask.Data.Count(v => v == 1), labels.Data.Count(v => v > 0));
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var mask = new Volume<byte>(new Size3(64, 64, 64));
        Assert.Equal("particles: 64×64×64 voxels need 4 MiB, the memory budget is 1 MiB. Raise --memory (2³¹ voxels at most), or resample the volume.",
            Assert.Throws<InputError>(() => Separation.Of(mask, 1, new() { MemoryBytes = 1 << 20 })).Message);
        Assert.StartsWith("particles: every voxel is 0 (unlabelled)", Assert.Throws<InputError>(() => new Particles().Run(mask, new(), 1)).Message);
    }

    private static Particle[] Shapes(Volume<byte> mask, double? depth = null)
    {
        var phase = PhaseMask.Of(mask, "1", "particles", new());
        return ParticleShapes.Of(Separation.Of(mask, depth ?? Separation.DefaultDepth(phase), new()), mask.Info, new());
    }

    // balls that do not touch, half of diameter 4 and half 16, centres anywhere in the window grown by the margin
    private static Volume<byte> Thrown(int window, int margin, int balls, ulong seed)
    {
        var mask = new Volume<byte>(Size3.Cube(window), VoxelSize.Cube(5));
        var placed = new List<(double Z, double Y, double X, double R)>();
        var random = new CounterRandom(seed, 0);
        // the box repeats: else centres would crowd at its border, where nothing competes
        double Off(double a) => Square(a - Math.Round(a / (window + 2 * margin)) * (window + 2 * margin));
        for (var ball = 0; ball < balls; ball++)
        {
            var radius = ball % 2 == 0 ? 8.0 : 2.0;
            double Next(ref CounterRandom r) => r.NextDouble() * (window + 2 * margin) - margin;
            (double Z, double Y, double X, double R) at = default;
            var free = false;
            for (var attempt = 0; attempt < 5000 && !free; attempt++)
            {
                at = (Next(ref random), Next(ref random), Next(ref random), radius);
                free = placed.All(p => Off(p.Z - at.Z) + Off(p.Y - at.Y) + Off(p.X - at.X) > Square(p.R + at.R + 2));
            }
            if (!free) continue;
            placed.Add(at);
            for (var z = Math.Max(0, (int)(at.Z - radius)); z < Math.Min(window, at.Z + radius); z++)
                for (var y = Math.Max(0, (int)(at.Y - radius)); y < Math.Min(window, at.Y + radius); y++)
                    for (var x = Math.Max(0, (int)(at.X - radius)); x < Math.Min(window, at.X + radius); x++)
                        if (Square(z + 0.5 - at.Z) + Square(y + 0.5 - at.Y) + Square(x + 0.5 - at.X) < radius * radius) mask[z, y, x] = 1;
        }
        return mask;
    }
}

using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ParticleInteriorTests
{
    private static double Square(double a) => a * a;

    // a ball of radius 200 with a closed hollow of radius 60 in its middle, a narrow channel to the outside (25 wide), and a dent of radius 80
    private static Volume<byte> Porous(VoxelSize edge) => ThicknessTests.Phantom(new((int)(600 / edge.Z), 120, 120), edge, (z, y, x) =>
    {
        var centre = Square(z - 300) + Square(y - 300) + Square(x - 300);
        var channel = Square(z - 300) + Square(y - 300) < 12.5 * 12.5 && x > 300;
        return centre < 200 * 200 && centre > 60 * 60 && !channel && Square(z - 300) + Square(y - 300) + Square(x - 60) > 80 * 80;
    });

    [Theory]
    [InlineData("5,5,5")]
    [InlineData("10,5,5")]
    public void HollowsAndChannelsAreInsideDentsAreNot(string voxel)
    {
        var edge = VoxelSize.Parse(voxel);
        var measured = new ParticleInterior { Phase = "1", Radius = 50 }.Run(Porous(edge), new(), 1);
        double Value(string name) => measured.Measurements.First(m => m.Name == name).Value;
        // the hollow, and the channel from it to the outside (135 long) which the ball enters by a few nm at its mouth
        var pores = 4.0 / 3 * Math.PI * 60 * 60 * 60 + Math.PI * 12.5 * 12.5 * 138;
        Assert.InRange(Value("innerPoreVolume") / pores, 0.95, 1.06);
        Assert.Equal(1, Value("solidFraction") + Value("innerPorosity"), 1e-12);
        Assert.Equal(Value("innerPoreVolume") / Value("particleVolume"), Value("innerPorosity"), 1e-12);
        // ball less the lens that it shares with the dent: radii 200 and 80, 240 apart
        double Cap(double r, double h) => Math.PI * h * h * (3 * r - h) / 3;
        var plane = (240.0 * 240 + 200 * 200 - 80 * 80) / 480;
        var volume = 4.0 / 3 * Math.PI * 8e6 - Cap(200, 200 - plane) - Cap(80, 80 - (240 - plane));
        Assert.InRange(Value("particleVolume") / volume, 0.98, 1.02);
    }

    [Fact]
    public void DepthCurvesSeeTheHollow()
    {
        // concentric: hollow 60 in 200, no dent, no channel
        var mask = ThicknessTests.Phantom(new(100, 100, 100), VoxelSize.Cube(5), (z, y, x) => Square(z - 250) + Square(y - 250) + Square(x - 250) is < 200 * 200 and > 60 * 60);
        var measured = new ParticleInterior { Phase = "1", Radius = 30 }.Run(mask, new(), 1);
        var (local, cumulative) = (measured.Curves[0], measured.Curves[1]);
        Assert.Equal(("solid-depth-local", "solid-depth-cumulative", "nm"), (local.Name, cumulative.Name, local.Unit));
        foreach (var (depth, share) in local.X.Zip(local.Y))
        {
            if (depth < 130) Assert.Equal(1, share);
            if (depth > 150) Assert.Equal(0, share);
        }
        Assert.Equal(measured.Measurements[0].Value, cumulative.Y[^1], 1e-12);
        Assert.InRange(measured.Measurements[0].Value, 1 - Math.Pow(0.3, 3) - 0.003, 1 - Math.Pow(0.3, 3) + 0.003);
        // the middle cross-section: a ring
        var z = measured.Curves.Single(curve => curve.Name == "solid-z");
        Assert.InRange(z.Y[Array.IndexOf(z.X, 250)], 1 - 0.09 - 0.004, 1 - 0.09 + 0.004);
        Assert.Equal(80, z.X.Length);
        Assert.Equal(3, measured.Measurements.Count(m => m.Name == "crossSectionDeviation"));
    }

    [Fact]
    public void AnySolidBallOfAnyRadiusLeavesNoPore()
    {
        var mask = ThicknessTests.Phantom(new(40, 60, 60), new(7.5, 5, 5), (z, y, x) => Square(z - 150) + Square(y - 150) + Square(x - 150) < 80 * 80);
        // a small ball fits between the steps of the surface; even a large one touches a convex body everywhere, but for the steps
        foreach (var radius in new[] { 5, 20, 60 })
            Assert.InRange(new ParticleInterior { Phase = "1", Radius = radius }.Run(mask, new(), 1).Measurements[0].Value, 0.97, 1);
    }

    [Fact]
    public void ThreadsDoNotShow()
    {
        var mask = Porous(new(10, 5, 5));
        var (one, many) = (RollingBall.Of(mask, 50, new() { Threads = 1 }), RollingBall.Of(mask, 50, new() { Threads = 4 }));
        Assert.Equal(one.Data, many.Data);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var mask = ThicknessTests.Phantom(new(20, 20, 20), VoxelSize.Cube(5), (z, y, x) => x > 5);
        Assert.Equal("particle-interior: no ball of radius 150 nm fits at the border of the volume, so none can roll in. Lower --radius, or leave more room around the particle.",
            Assert.Throws<InputError>(() => new ParticleInterior { Phase = "1" }.Run(mask, new(), 1)).Message);
        Assert.StartsWith("voxel size is unknown, and particle-interior needs it.",
            Assert.Throws<InputError>(() => new ParticleInterior { Phase = "1" }.Run(new Volume<byte>(mask.Info with { Voxel = null }).With(mask.Data), new(), 1)).Message);
        Assert.StartsWith("particle-interior: 20×20×20 voxels need 1 MiB, the memory budget is 0 MiB.",
            Assert.Throws<InputError>(() => RollingBall.Of(mask, 5, new() { MemoryBytes = 1000 })).Message);
    }
}

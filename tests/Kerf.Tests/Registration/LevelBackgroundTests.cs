using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class LevelBackgroundTests
{
    private const int Slices = 100, Edge = 192;

    // pixels that every rod slants by from slice to slice
    private const double Slant = 0.4;

    // the correction of the noise was made on seeds 11 to 13; these were scored once
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    public void ASlantedStructureStaysWhenItsBackgroundIsLaidLevel(ulong seed)
    {
        var drift = Drift(seed);
        var images = Images(seed, drift);
        var (error, mistaken) = (Error(images, drift, new() { Criterion = AlignCriterion.Background }), Error(images, drift, new()));
        Assert.True(error <= 0.3 && mistaken > 5, $"background {error:F3} px, likeness {mistaken:F3} px");
    }

    [Fact]
    public void WithoutOpenPoresItSaysSo()
    {
        var full = new Volume<float>(new Size3(4, 64, 64));
        var random = new CounterRandom(1, 1);
        foreach (ref var grey in full.Data.AsSpan()) grey = 150 + 10 * (float)random.NextNormal();
        var fault = Assert.Throws<InputError>(() => Align.Estimate(full, new() { Criterion = AlignCriterion.Background, Dark = 60 }, Traversal.Default));
        Assert.Equal("align: hardly any pore is open from slice to slice, so there is no background to lay level. Give --dark GREY, the grey below which a pixel is pore, or choose --criterion likeness.", fault.Message);
    }

    private static double Error(Volume<float> images, (double Y, double X)[] drift, Align how)
    {
        var found = Align.Estimate(images, how, Traversal.Default).Shifts;
        return Math.Sqrt(found.Zip(drift, (f, d) => ((f[0] - d.Y) * (f[0] - d.Y) + (f[1] - d.X) * (f[1] - d.X)) / 2).Average());
    }

    private static (double Y, double X)[] Drift(ulong seed)
    {
        var (random, drift) = (new CounterRandom(seed, 1), new (double Y, double X)[Slices]);
        for (var z = 1; z < Slices; z++) drift[z] = (drift[z - 1].Y + 0.5 * random.NextNormal(), drift[z - 1].X + 0.5 * random.NextNormal());
        return drift;
    }

    // slanted rods as the virtual microscope sees them through open pores, drifted, with noise
    private static Volume<float> Images(ulong seed, (double Y, double X)[] drift)
    {
        var microscope = new TwoDetectors { RedepositRate = 1e-6 };
        var voxel = VoxelSize.Cube(10);
        var specimen = Rods(seed, new(Slices + (int)(microscope.Depth / voxel.Z), Edge, Edge), voxel);
        var scene = microscope.Scene(specimen, Slices, PoreDetector.Se2 with { Ground = 0, Shading = 0 }, seed, Traversal.Default);
        var images = new Volume<float>(scene.Info);
        Align.Apply(scene, images, [.. drift.Select(d => (double[])[-d.Y, -d.X])], SliceInterpolation.Cubic, null, Traversal.Default);
        for (var z = 0; z < Slices; z++)
        {
            var noise = new CounterRandom(seed, 100 + (ulong)z);
            foreach (ref var grey in images.Slice(z)) grey += 4 * (float)noise.NextNormal();
        }
        return images;
    }

    private static Volume<byte> Rods(ulong seed, Size3 size, VoxelSize voxel)
    {
        var volume = new Volume<byte>(size, voxel);
        Array.Fill(volume.Data, PorousCathode.Void);
        var random = new CounterRandom(seed, 2);
        for (var rod = 0; rod < 260; rod++)
        {
            var (cz, cy, cx) = (size.Z * (1.3 * random.NextDouble() - 0.15), size.Y * random.NextDouble(), size.X * (1.8 * random.NextDouble() - 0.4));
            var (half, radius) = (15 + 30 * random.NextDouble(), 5 + 7 * random.NextDouble());
            for (var z = Math.Max(0, (int)(cz - half)); z < Math.Min(size.Z, cz + half); z++)
            {
                var x0 = cx + Slant * (z - cz);
                for (var y = Math.Max(0, (int)(cy - radius)); y < Math.Min(size.Y, cy + radius + 1); y++)
                    for (var x = Math.Max(0, (int)(x0 - radius)); x < Math.Min(size.X, x0 + radius + 1); x++)
                        if ((y - cy) * (y - cy) + (x - x0) * (x - x0) < radius * radius) volume[z, y, x] = PorousCathode.Nmc;
            }
        }
        return volume;
    }
}

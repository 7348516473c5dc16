using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ElectrodeTests
{
    private static readonly VoxelSize Voxel = new(20, 10, 10);
    private static readonly Size3 Size = new(16, 160, 200);

    [Theory]
    [InlineData(1, 0.5, 0.13)]
    [InlineData(2, 0.4, 0.2)]
    public void HasTheWantedFractions(ulong seed, double active, double pore)
    {
        var labels = Electrode.Generate(Size, Voxel, new() { ActiveFraction = active, PoreFraction = pore }, seed, Traversal.Default).Data;
        double Share(byte label) => labels.Count(l => l == label) / (double)labels.Length;
        // cracks and inner pores take up to 3 % of the active material and belong to the pores
        Assert.InRange(Share(Electrode.Active), active * 0.97 - 0.01, active + 0.01);
        Assert.InRange(Share(Electrode.Pore), pore - 0.01, pore + active * 0.03 + 0.01);
        Assert.Equal(0, Share(0));
    }

    [Fact]
    public void SameBytesForAnyThreadCountAndForTheLazyView()
    {
        var one = Electrode.Generate(Size, Voxel, new(), 3, Traversal.Default with { Threads = 1 });
        var three = Electrode.Generate(Size, Voxel, new(), 3, Traversal.Default with { Threads = 3 });
        Assert.True(one.Data.AsSpan().SequenceEqual(three.Data));
        var box = new Box(new(5, 20, 30), new(3, 40, 50));
        var (direct, lazy) = (new byte[box.Count], new byte[box.Count]);
        one.Read(box, direct);
        new Electrode(Size, Voxel, new(), 3).Labels.Read(box, lazy);
        Assert.Equal(direct, lazy);
        Assert.Equal(Electrode.Phases, one.Info.Phases);
    }

    [Fact]
    public void GreysHaveTheirMeansInEveryPhase()
    {
        var electrode = new Electrode(Size, Voxel, new() { CapHeight = 200 }, 4);
        var labels = Volume<byte>.Load(electrode.Labels).Data;
        var greys = Volume<float>.Load(electrode.Greys).Data;
        foreach (var phase in Electrode.Phases)
        {
            var values = greys.Where((_, i) => labels[i] == phase.Label).ToArray();
            Assert.InRange(values.Average(v => (double)v) - Electrode.MeanGreys[phase.Label], -2, 2);
        }
        // nothing but the cap in the first 15 rows, nothing of it below row 30
        Assert.All(Enumerable.Range(0, 15 * Size.X), i => Assert.Equal(0, labels[i]));
        Assert.DoesNotContain((byte)0, labels[(30 * Size.X)..(160 * Size.X)]);
    }

    [Fact]
    public void TheStatedShareOfParticlesLeansByTheStatedAngle()
    {
        var p = new ElectrodeParameters { LeaningShare = 0.6, LeanDegrees = 12, MedianRadius = 150 };
        var leans = new Electrode(new(40, 300, 300), Voxel, p, 5).Leans;
        var leaning = leans.Where(l => l != (0.0, 0.0)).ToArray();
        Assert.InRange(leaning.Length / (double)leans.Count, 0.5, 0.7);
        // a voxel is twice as thick as it is high: tan 12° is 0.43 pixels a slice
        Assert.InRange(leaning.Average(l => Math.Sqrt(l.Y * l.Y + l.X * l.X)), 0.36, 0.5);
        Assert.InRange(leaning.Average(l => l.Y), 0.28, 0.45);
        Assert.InRange(leaning.Average(l => l.X), -0.06, 0.06);
    }

    [Fact]
    public void TheCapsMarksRunStraightAlongZ()
    {
        var electrode = new Electrode(new(12, 100, 120), Voxel, new() { CapHeight = 960 }, 6);
        var greys = Volume<float>.Load(electrode.Greys);
        int[] Dark(int z) => [.. Enumerable.Range(0, 80 * 120).Where(i => greys.Slice(z)[i] < 150)];
        Assert.InRange(Dark(0).Length, 200, 4000);
        for (var z = 1; z < 12; z++) Assert.Equal(Dark(0), Dark(z));
    }

    [Fact]
    public void RefusesAFractionOutOfRange()
    {
        var error = Assert.Throws<InputError>(() => Electrode.Generate(Size, Voxel, new() { ActiveFraction = 0.9 }, 1, Traversal.Default));
        Assert.Equal("electrode: active fraction is 0.9; choose 0.2 to 0.7.", error.Message);
    }
}

using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class FractionsTests
{
    [Fact]
    public void FractionsLeaveTheUnlabelledOut()
    {
        var volume = new Volume<byte>(new Size3(4, 2, 5), new(10, 5, 5)) { };
        for (var i = 0; i < 40; i++) volume.Data[i] = (byte)(i < 10 ? 0 : i % 5 == 0 ? 1 : 3);
        var measured = Fractions.Of(new Volume<byte>(volume.Info with { Phases = [new(1, "pore", "#d9d9d9"), new(2, "carbon", "#000000")] }).With(volume.Data), Traversal.Default, 1);
        Assert.Equal(["pore", "carbon", "phase 3"], measured.Measurements.Select(m => m.Phase));
        Assert.Equal([0.2, 0, 0.8], measured.Measurements.Select(m => m.Value));
        Assert.All(measured.Measurements, m => Assert.Equal(("fraction", "1", "fractions/block-bootstrap-95"), (m.Name, m.Unit, m.Method)));
        var curve = measured.Curves[0];
        Assert.Equal(("fraction-z-pore", "nm"), (curve.Name, curve.Unit));
        Assert.Equal([10, 20, 30], curve.X);
        Assert.Equal([0.2, 0.2, 0.2], curve.Y);
        Assert.Equal("fraction-z-phase-3", measured.Curves[2].Name);
    }

    [Fact]
    public void FewBlocksGiveNoInterval()
    {
        var volume = new Volume<byte>(new Size3(2, 3, 4));
        volume.Data.AsSpan().Fill(1);
        Assert.Null(Fractions.Of(volume, Traversal.Default, 1).Measurements[0].Low);
    }

    [Theory]
    [InlineData(1, 0.85)]
    [InlineData(4, 0.80)]
    public void TheIntervalHoldsTheTrueFraction(int grain, double least)
    {
        // cubes of a given edge, 30 % of them phase 2: the truth is known, the cubes are the correlation length
        var hits = 0;
        const int Trials = 40;
        for (ulong trial = 0; trial < Trials; trial++)
        {
            var volume = Grains(32, grain, trial);
            var fraction = Fractions.Of(volume, Traversal.Default, 7).Measurements[1];
            if (fraction.Low <= 0.3 && fraction.High >= 0.3) hits++;
            Assert.InRange(fraction.Value, fraction.Low!.Value, fraction.High!.Value);
        }
        Assert.InRange(hits / (double)Trials, least, 1);
    }

    [Fact]
    public void CoarserStructuresAreLessCertain()
    {
        double Width(int grain) => Fractions.Of(Grains(64, grain, 3), Traversal.Default, 1).Measurements[0] is var m ? m.High!.Value - m.Low!.Value : 0;
        // the standard error of cubes of edge g is √(0.3·0.7/(64/g)³), the interval 3.92 times that
        foreach (var grain in new[] { 2, 4, 8 }) Assert.InRange(Width(grain) / (3.92 * Math.Sqrt(0.21 / Math.Pow(64.0 / grain, 3))), 0.8, 1.5);
    }

    [Fact]
    public void NeitherThreadsNorBlocksShow()
    {
        var volume = Grains(24, 3, 9);
        var one = Fractions.Of(volume, new() { Threads = 1 }, 5);
        var many = Fractions.Of(volume, new() { Threads = 5, BlockEdge = 8 }, 5);
        Assert.Equal(one.Measurements, many.Measurements);
        Assert.NotEqual(one.Measurements, Fractions.Of(volume, new(), 6).Measurements);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        Assert.Equal("fractions: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first.",
            Assert.Throws<InputError>(() => Fractions.Of(new Volume<byte>(new Size3(2, 2, 2)), new(), 1)).Message);
        Assert.StartsWith("fractions: the source holds float32 voxels, not labels",
            Assert.Throws<InputError>(() => new Fractions().Run(new Volume<float>(new Size3(2, 2, 2)), new(), 1)).Message);
    }

    private static Volume<byte> Grains(int edge, int grain, ulong seed)
    {
        var volume = new Volume<byte>(Size3.Cube(edge));
        for (var z = 0; z < edge; z++)
        {
            for (var y = 0; y < edge; y++)
            {
                for (var x = 0; x < edge; x++)
                    volume[z, y, x] = (byte)(new CounterRandom(seed, (ulong)((z / grain * edge + y / grain) * edge + x / grain)).NextDouble() < 0.3 ? 2 : 1);
            }
        }
        return volume;
    }
}

internal static class Filled
{
    /// <summary>The volume, holding the given voxels.</summary>
    public static Volume<T> With<T>(this Volume<T> volume, T[] data) where T : unmanaged
    {
        data.CopyTo(volume.Data, 0);
        return volume;
    }
}

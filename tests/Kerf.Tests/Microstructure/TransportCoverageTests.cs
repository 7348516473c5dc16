using System.Globalization;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>How often the 95 % interval from one volume holds the value of the material it was cut from.</summary>
public sealed class TransportCoverageTests(ITestOutputHelper output)
{
    private const int Volumes = 100;
    private const int Edge = 64;

    // seeds of the truth, and seeds that are judged: none is in both
    private const ulong Truth = 10_000, Judged = 40_000;

    [Theory]
    [InlineData("levelled", 12, 0.85)]
    [InlineData("levelled", 24, 0.85)]
    [InlineData("balls", 5, 0.85)]
    public void TortuosityIntervals(string structure, double length, double least)
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        var truth = Enumerable.Range(0, Volumes).Select(i => Measured(structure, length, Truth + (ulong)i)).ToArray();
        var judged = Enumerable.Range(0, Volumes).Select(i => Measured(structure, length, Judged + (ulong)i)).ToArray();
        var (fraction, diffusivity) = (truth.Average(t => t.Fraction), truth.Average(t => t.Diffusivity.Value));
        var held = (Tortuosity: judged.Count(j => Holds(j.Factor, fraction / diffusivity)), Diffusivity: judged.Count(j => Holds(j.Diffusivity, diffusivity)));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{structure} {length}: tau {fraction / diffusivity:F4} held by {held.Tortuosity} of {Volumes}, effective diffusivity {diffusivity:F4} by {held.Diffusivity}"));
        Assert.InRange(held.Tortuosity / (double)Volumes, least, 1);
    }

    private static bool Holds(Measurement m, double value) => m.Low <= value && value <= m.High;

    private static (double Fraction, Measurement Factor, Measurement Diffusivity) Measured(string structure, double length, ulong seed)
    {
        var size = Size3.Cube(Edge);
        var volume = structure == "levelled" ? KnownStructures.Levelled(size, VoxelSize.Cube(1), length, 0.2, 60, seed)
            : KnownStructures.Boolean(size, VoxelSize.Cube(1), length, 0.7 / (4.0 / 3 * Math.PI * length * length * length), seed);
        var found = new TortuosityFactor { Phase = "1", Axis = Axis.Z, Tolerance = 1e-3 }.Run(volume, new(), seed).Measurements;
        return (volume.Data.Count(label => label == 1) / (double)volume.Data.Length, found.Single(m => m.Name == "tortuosityFactor"), found.Single(m => m.Name == "effectiveDiffusivity"));
    }
}

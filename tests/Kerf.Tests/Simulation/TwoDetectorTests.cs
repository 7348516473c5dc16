using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class TwoDetectorTests
{
    private static readonly VoxelSize Voxel = VoxelSize.Cube(20);
    private static readonly Size3 Field = new(12, 40, 44);

    private static Volume<byte> Specimen(TwoDetectors microscope, Func<int, int, int, byte> label)
    {
        var volume = new Volume<byte>(microscope.Canvas(Field, Voxel), Voxel);
        var size = volume.Info.Size;
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++) volume[z, y, x] = label(z, y, x);
        return volume;
    }

    [Fact]
    public void ASurfaceShinesThroughWithItsDepth()
    {
        var microscope = new TwoDetectors { RedepositRate = 0 };
        var detector = PoreDetector.InLens with { Ground = 0, Shading = 0 };
        // void down to slice 8, NMC below: the depth of slice z is (8 − z − ½)·20 nm
        var scene = microscope.Scene(Specimen(microscope, (z, _, _) => z < 8 ? PorousCathode.Void : PorousCathode.Nmc), Field.Z, detector, 1, Traversal.Default);
        for (var z = 0; z < 8; z++)
            Assert.Equal(detector.Dark + (detector.Nmc - detector.Dark) * Math.Exp(-(7.5 - z) * 20 / detector.Reach), scene[z, 20, 20], 3);
        Assert.InRange(scene[9, 20, 20], detector.Nmc - 30, detector.Nmc + 30);
    }

    [Fact]
    public void RedepositGrowsInWidePoresWhileTheyAreMilled()
    {
        var microscope = new TwoDetectors { RedepositRate = 0.5, RedepositMost = 100 };
        var detector = PoreDetector.InLens with { Ground = 0, Shading = 0 };
        byte Label(int z, int y, int x) => z < 10 ? PorousCathode.Void : PorousCathode.Nmc;
        var with = microscope.Scene(Specimen(microscope, Label), Field.Z, detector, 1, Traversal.Default);
        // 180 nm were milled above slice 9, so about 90 nm lie on the ground: the cut shows redeposit where the truth is void
        Assert.InRange(Enumerable.Range(0, Field.X).Average(x => with[9, 20, x]), detector.Redeposit - 12, detector.Redeposit + 12);
        // nothing collects in a narrow pore
        byte Narrow(int z, int y, int x) => z < 10 && Math.Abs(y - 25) < 3 ? PorousCathode.Void : PorousCathode.Nmc;
        var narrow = microscope.Scene(Specimen(microscope, Narrow), Field.Z, detector, 1, Traversal.Default);
        Assert.InRange(narrow[9, 25, 20], detector.Redeposit + 15, detector.Nmc);
    }

    [Fact]
    public void TheCathodeHasTheWantedShares()
    {
        var p = new PorousCathodeParameters { InnerPorosity = 0.3, Diameter = 1200 };
        var labels = PorousCathode.Generate(Size3.Cube(64), Voxel, p, 5, Traversal.Default).Data;
        double Share(byte label) => (double)labels.Count(v => v == label) / labels.Length;
        Assert.InRange(Share(PorousCathode.Nmc), 0.5 * 0.7 - 0.02, 0.5 * 0.7 + 0.02);
        Assert.InRange(Share(PorousCathode.Carbon), 0.5 * 0.35 - 0.02, 0.5 * 0.35 + 0.02);
        Assert.Equal("cathode: grain is 5; choose 20 to 2000.",
            Assert.Throws<InputError>(() => PorousCathode.Generate(Field, Voxel, new() { Grain = 5 }, 1, Traversal.Default)).Message);
    }

    [Fact]
    public void ThreadsDoNotShowAndDetectorsHaveNoiseOfTheirOwn()
    {
        (Volume<byte> Se2, Volume<byte> InLens, Volume<byte> Truth) Run(int threads) => App.TwoDetectorCommand.Stack(Field, Voxel, 3, Traversal.Default with { Threads = threads });
        var (one, two) = (Run(1), Run(2));
        Assert.Equal(one.Se2.Data, two.Se2.Data);
        Assert.Equal(one.InLens.Data, two.InLens.Data);
        Assert.Equal(one.Truth.Data, two.Truth.Data);
        Assert.NotEqual(one.Se2.Data, Run(1).InLens.Data);
        Assert.All(one.Truth.Data, label => Assert.InRange(label, 1, 3));
    }
}

using FsCheck;
using FsCheck.Fluent;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>mimic, reposition, and the tables of depths between them.</summary>
public sealed class SlicePositionTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void GammaDrawsHaveTheirMeanAndSpreadAndTheFitFindsThem()
    {
        var (mean, sd) = (10.16, 3.12);
        var (shape, scale) = (mean / sd * (mean / sd), sd * sd / mean);
        var values = new double[40_000];
        for (var i = 0; i < values.Length; i++)
        {
            var random = new CounterRandom(7, (ulong)i);
            values[i] = random.NextGamma(shape, scale);
        }
        Assert.Equal(mean, values.Average(), 0.06);
        Assert.Equal(sd, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), 0.06);
        var fit = Gamma.Fit(values);
        Assert.Equal(shape, fit.Shape, 0.3);
        Assert.Equal(scale, fit.Scale, 0.03);
    }

    [Fact]
    public void TheFitOfGammaAgreesWithScipy()
    {
        // scipy.stats.gamma.fit([8, 10, 12, 9, 15, 11, 7, 10.5], floc=0), scipy 1.10
        var fit = Gamma.Fit([8, 10, 12, 9, 15, 11, 7, 10.5]);
        Assert.Equal(20.218880, fit.Shape, 1e-4);
        Assert.Equal(0.5100431, fit.Scale, 1e-5);
    }

    [Fact]
    public void SlicesGoToTheirDepthAndCollisionsToFreePlanesNearby()
    {
        Assert.Equal([0, 4, 8], Reposition.Place([0, 10, 20], 2.5));
        // 5.0 and 5.5 share plane 2; one of them moves on
        Assert.Equal([0, 2, 3, 8], Reposition.Place([0, 5, 5.5, 20], 2.5));
        // three on one plane spread to both sides
        Assert.Equal([0, 3, 4, 5, 8], Reposition.Place([0, 9.8, 10, 10.2, 20], 2.5));
    }

    [Fact]
    public void NoPlacementInOrderMovesLess()
    {
        var depths = Gen.Choose(1, 60).ArrayOf(6).Select(steps =>
        {
            var at = new double[steps.Length];
            for (var i = 1; i < at.Length; i++) at[i] = at[i - 1] + steps[i] / 10.0;
            return at;
        });
        Prop.ForAll(depths.ToArbitrary(), d =>
        {
            if ((d[^1] - d[0]) / (d.Length - 1) < 0.81) return;
            var planes = Reposition.Place(d, 1);
            Assert.All(planes.Zip(planes.Skip(1)), p => Assert.True(p.First < p.Second));
            Assert.True(planes[0] >= 0);
            Assert.Equal(Best(d, 0, -1), Cost(d, planes), 1e-9);
        }).QuickCheckThrowOnFailure();

        static double Cost(double[] d, int[] planes) => d.Zip(planes, (a, b) => (a - b) * (a - b)).Sum();

        static double Best(double[] d, int k, int last)
        {
            if (k == d.Length) return 0;
            var best = double.PositiveInfinity;
            for (var plane = last + 1; plane <= d[k] + d.Length; plane++)
            {
                var here = (d[k] - plane) * (d[k] - plane);
                if (here < best) best = Math.Min(best, here + Best(d, k + 1, plane));
            }
            return best;
        }
    }

    [Fact]
    public void MimicTakesPlanesOfTheTruthAndRepositionPutsThemBack()
    {
        var truth = new Volume<byte>(new Size3(200, 5, 6), VoxelSize.Cube(2.5));
        for (var z = 0; z < 200; z++) truth.Slice(z).Fill((byte)(z + 1));
        var mimicked = Run(truth, new Mimic { Mean = 10, Sd = 3.12, Grid = 2.5 });
        var depths = SliceDepths.Of(mimicked.Target!.Info, SliceDepths.DepthsKey)!;
        Assert.InRange(depths.Length, 40, 60);
        Assert.Contains("0,0,", mimicked.Deliveries["depths.csv"], StringComparison.Ordinal);
        File.WriteAllText(_scratch["d.csv"], mimicked.Deliveries["depths.csv"]);
        foreach (var file in (string?[])[null, _scratch["d.csv"]])
        {
            var back = (Volume<byte>)Run(mimicked.Target!, new Reposition { Grid = 2.5, Depths = file }).Target!;
            Assert.Equal(2.5, back.Info.Voxel!.Value.Z);
            for (var z = 0; z < back.Info.Size.Z; z++)
                Assert.All(back.Slice(z).ToArray(), v => Assert.Equal(depths.Contains(z * 2.5) ? z + 1 : 0, v));
        }
    }

    [Theory]
    [InlineData("depth\n0\n10\n9\n", 3, "line 4: depth 9 nm does not lie below the slice before (10 nm)")]
    [InlineData("0\n10\n", 3, "holds 2 depths for 3 slices")]
    [InlineData("thickness_nm\n10\n0\n", 3, "line 3: thickness 0 nm; it must be above 0")]
    [InlineData("thickness_nm\n10\n-4\n9\n", 3, "line 3: thickness -4 nm; it must be above 0")]
    [InlineData("thickness_nm\n10\n", 3, "holds 1 thicknesses for 3 slices; give one for each slice, or for each gap between two (2)")]
    [InlineData("slice,kV\n1,2\n", 1, "no column is named depth or thickness (it has slice, kV)")]
    [InlineData("depth\n0\nten\n9\n", 3, "line 3: \"ten\" is no number")]
    [InlineData("\n", 3, "is empty")]
    public void TablesThatDoNotFitAreRefused(string table, int slices, string message)
    {
        File.WriteAllText(_scratch["t.csv"], table);
        var error = Assert.Throws<InputError>(() => SliceDepths.Read(_scratch["t.csv"], slices));
        Assert.StartsWith(_scratch["t.csv"], error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("slice,depth_nm\n0,5\n1,15\n2,22\n")]
    [InlineData("slice;thickness\n0;10\n1;7\n2;\n")]
    [InlineData("5\n15\n22\n")]
    [InlineData("# log\n5\t\n15\t\n22\t\n")]
    public void TablesOfMicroscopesAreRead(string table)
    {
        File.WriteAllText(_scratch["t.csv"], table.Replace("\t\n", "\n", StringComparison.Ordinal));
        Assert.Equal([0, 10, 17], SliceDepths.Read(_scratch["t.csv"], 3));
    }

    [Fact]
    public void WhatCannotBePlacedIsRefused()
    {
        var stack = new Volume<byte>(new Size3(3, 2, 2), new VoxelSize(10, 5, 5));
        Assert.Contains("where the slices lie is not known", Assert.Throws<InputError>(() => Run(stack, new Reposition())).Message, StringComparison.Ordinal);
        File.WriteAllText(_scratch["d.csv"], "0\n10\n20\n");
        Assert.Contains("a grid of 25 nm is coarser than the slices (10 nm on average)", Assert.Throws<InputError>(() => Run(stack, new Reposition { Depths = _scratch["d.csv"], Grid = 25 })).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<InputError>(() => Run(stack, new Reposition { Depths = _scratch["none.csv"] })).Message, StringComparison.Ordinal);
        Assert.Contains("no whole multiple", Assert.Throws<InputError>(() => Run(stack, new Mimic { Grid = 12 })).Message, StringComparison.Ordinal);
    }

    private static StepRun Run(IVolume source, Step step)
    {
        var run = new StepRun(source, info => new Volume<byte>(info));
        step.Run(run);
        return run;
    }
}

using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class TortuosityFactorTests
{
    private static readonly Traversal Two = new() { Threads = 2 };

    [Theory]
    [InlineData(Axis.Z)]
    [InlineData(Axis.Y)]
    [InlineData(Axis.X)]
    public void OpenSpaceHasTortuosityOne(Axis axis)
    {
        var volume = Made(new(9, 70, 13), new(10, 5, 4), (_, _, _) => 1);
        Assert.Equal(1, Value(volume, "tortuosityFactor", axis), 1e-6);
        Assert.Equal(1, Value(volume, "tortuosityPorespy", axis), 1e-5);
        Assert.Equal(1, Value(volume, "effectiveDiffusivity", axis), 1e-6);
    }

    [Fact]
    public void StraightChannelsHaveTortuosityOneAndTheirFractionConducts()
    {
        // columns along z; a pocket that leads nowhere counts in TauFactor's fraction, not in PoreSpy's
        var volume = Made(new(12, 10, 10), new(3, 7, 5), (z, y, x) => (y % 5 < 2 && x % 4 < 2) || (z == 5 && y == 3 && x == 3) ? 2 : 1);
        var columns = 4 * 2 * 2 + 2 * 2 * 2 / 2 * 2;
        var fraction = (volume.Data.Count(v => v == 2) - 1) / 1200.0;
        Assert.Equal(fraction, columns / 100.0, 1e-12);
        Assert.Equal(fraction, Value(volume, "effectiveDiffusivity", Axis.Z, "2"), 1e-6);
        Assert.Equal((fraction + 1 / 1200.0) / fraction, Value(volume, "tortuosityFactor", Axis.Z, "2"), 1e-6);
        Assert.Equal(1, Value(volume, "tortuosityPorespy", Axis.Z, "2"), 1e-5);
        // nothing leads from side to side
        Assert.Equal(double.PositiveInfinity, Value(volume, "tortuosityFactor", Axis.X, "2"));
        Assert.Equal(double.PositiveInfinity, Value(volume, "tortuosityPorespy", Axis.X, "2"));
        Assert.Equal(0, Value(volume, "effectiveDiffusivity", Axis.X, "2"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.01)]
    [InlineData(50)]
    public void LaminatesConductInSeriesAndInParallel(double second)
    {
        // layers across z, 3 of one phase and 5 of the other, 4 times
        var volume = Made(new(32, 6, 67), new(4, 3, 9), (z, _, _) => z % 8 < 3 ? 1 : 3);
        var (a, b) = (3 / 8.0, 5 / 8.0);
        var measured = new TortuosityFactor { Phase = "1,3", Diffusivity = [1, second], Tolerance = 1e-7 }.Run(volume, Two, 1);
        var (series, parallel) = (Value(measured, "effectiveDiffusivity", Axis.Z), Value(measured, "effectiveDiffusivity", Axis.X));
        Assert.Equal(1, series * (a + b / second), 1e-6);
        Assert.Equal(1, parallel / (a + b * second), 1e-6);
        Assert.Equal(1, Value(measured, "tortuosityFactor", Axis.Z) * series / (a + b * second), 1e-6);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.35)]
    public void ACubicArrayOfSpheresConductsAsRayleighSays(double radius)
    {
        // insulating spheres in a cubic lattice: Rayleigh 1892, doi:10.1080/14786449208620364, with the coefficient that he later corrected
        const int Edge = 40;
        var volume = Made(Size3.Cube(Edge), VoxelSize.Cube(1), (z, y, x) => Square(z) + Square(y) + Square(x) < radius * radius ? 2 : 1);
        static double Square(int i) => ((i + 0.5) / Edge - 0.5) * ((i + 0.5) / Edge - 0.5);
        var fraction = volume.Data.Count(v => v == 2) / (double)volume.Data.Length;
        var expected = 1 - 3 * fraction / (2 + fraction - 1.569 / 4 * Math.Pow(fraction, 10.0 / 3));
        // the steps of the voxels hinder the flow, as if the spheres were a fifth of a voxel larger
        var missing = expected - Value(volume, "effectiveDiffusivity", Axis.Z);
        Assert.InRange(missing / (1.5 * fraction * 3 / (radius * Edge)), 0.1, 0.25);
    }

    [Fact]
    public void TurningTheVolumeTurnsTheAxes()
    {
        var volume = Random(new(20, 18, 22), new(10, 5, 7), 0.6, 3);
        var turned = Made(new(18, 22, 20), new(5, 7, 10), (z, y, x) => volume[x, z, y]);
        foreach (var sides in Enum.GetValues<Sides>())
        {
            var (one, two) = (new TortuosityFactor { Phase = "2", Sides = sides, Tolerance = 1e-8 }.Run(volume, Two, 1), new TortuosityFactor { Phase = "2", Sides = sides, Tolerance = 1e-8 }.Run(turned, Two, 1));
            foreach (var name in (string[])["tortuosityFactor", "tortuosityPorespy", "effectiveDiffusivity"])
            {
                Assert.Equal(Value(one, name, Axis.Z), Value(two, name, Axis.X), 1e-6);
                Assert.Equal(Value(one, name, Axis.Y), Value(two, name, Axis.Z), 1e-6);
                Assert.Equal(Value(one, name, Axis.X), Value(two, name, Axis.Y), 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(Sides.NoFlux)]
    [InlineData(Sides.Periodic)]
    public void RandomNetworksAgreeWithADenseSolution(Sides sides)
    {
        foreach (var (size, seed) in ((Size3, ulong)[])[(new(5, 6, 7), 1), (new(2, 2, 3), 2), (new(7, 1, 9), 3), (new(6, 5, 2), 4)])
        {
            var volume = Random(size, new(3, 5, 4), 0.75, seed);
            foreach (var ends in (bool[])[false, true])
            {
                var truth = Dense(volume, sides == Sides.Periodic, ends);
                var found = Value(new TortuosityFactor { Phase = "1,2", Diffusivity = [0.25, 1.5], Sides = sides, Tolerance = 1e-9, Axis = Axis.Z }.Run(volume, Two, 1),
                    ends ? "tortuosityPorespy" : "tortuosityFactor", Axis.Z, size.Z < 3 && ends);
                if (size.Z >= 3 || !ends) Assert.Equal(truth, found, 2e-5 * truth);
            }
        }
    }

    [Fact]
    public void NeitherThreadsNorBlocksShow()
    {
        var volume = Random(new(40, 30, 45), new(10, 5, 5), 0.55, 5);
        var measure = new TortuosityFactor { Phase = "2" };
        var one = measure.Run(volume, new() { Threads = 1 }, 3);
        Assert.Equal(one.Measurements, measure.Run(volume, new() { Threads = 5, BlockEdge = 16 }, 3).Measurements);
        Assert.All(one.Measurements, m => Assert.InRange(m.Value, m.Low!.Value, m.High!.Value));
        Assert.All(one.Measurements, m => Assert.Equal("tortuosity-factor/block-bootstrap-95", m.Method));
    }

    [Fact]
    public void TheStatedErrorHoldsTheExactValue()
    {
        var volume = Random(new(30, 30, 30), new(5, 5, 5), 0.5, 8);
        var exact = new TortuosityFactor { Phase = "2", Axis = Axis.Y, Tolerance = 1e-9 }.Run(volume, Two, 1).Measurements[0].Value;
        foreach (var tolerance in (double[])[1e-2, 1e-3, 1e-4])
        {
            var found = new TortuosityFactor { Phase = "2", Axis = Axis.Y, Tolerance = tolerance }.Run(volume, Two, 1).Measurements[0];
            Assert.True(found.Value <= exact * (1 + 1e-8) && exact / found.Value < 1 + 0.02 * tolerance, $"{tolerance}: {found.Value} for {exact}");
        }
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var volume = Made(new(4, 4, 4), VoxelSize.Cube(1), (z, _, _) => z < 2 ? 1 : 2);
        string Error(TortuosityFactor measure, Traversal? walk = null, Volume<byte>? of = null) => Assert.Throws<InputError>(() => measure.Run(of ?? volume, walk ?? Two, 1)).Message;
        Assert.Equal("tortuosity-factor: --phase names 2 phases, --diffusivity has 1 values; give one for each.", Error(new() { Phase = "1,2" }));
        Assert.StartsWith("tortuosity-factor: no voxel is of phase 7", Error(new() { Phase = "7" }));
        Assert.StartsWith("tortuosity-factor: the volume is 1 voxel thick along y; it must be 2 or more", Error(new() { Axis = Axis.Y, Phase = "1" }, null, Made(new(4, 1, 4), null, (_, _, _) => 1)));
        Assert.StartsWith("tortuosity-factor: 64 connected voxels need about 1 MiB, the budget is 0 MiB. Raise --memory", Error(new() { Phase = "1,2", Diffusivity = [1, 1] }, new() { MemoryBytes = 1000 }));
    }

    private static double Value(Volume<byte> volume, string name, Axis axis, string? phase = null) =>
        Value(new TortuosityFactor { Phase = phase ?? (volume.Data.Contains((byte)2) ? "1" : null), Axis = axis, Tolerance = 1e-7 }.Run(volume, Two, 1), name, axis);

    private static double Value(Measured measured, string name, Axis axis, bool absent = false) =>
        absent ? double.NaN : measured.Measurements.Single(m => m.Name == name && m.Axis == axis.Letter()).Value;

    private static Volume<byte> Made(Size3 size, VoxelSize? voxel, Func<int, int, int, int> label)
    {
        var volume = new Volume<byte>(size, voxel);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)label(i / (size.Y * size.X), i / size.X % size.Y, i % size.X);
        return volume;
    }

    // two phases at random, voxel by voxel; phase 2 with the given share
    private static Volume<byte> Random(Size3 size, VoxelSize voxel, double share, ulong seed) =>
        Made(size, voxel, (z, y, x) => new CounterRandom(seed, (ulong)((z * size.Y + y) * size.X + x)).NextDouble() < share ? 2 : 1);

    // the same equations along z, both phases conducting (0.25 and 1.5), as a dense matrix: Gauss elimination
    private static double Dense(Volume<byte> volume, bool periodic, bool centres)
    {
        var (size, voxel) = (volume.Info.Size, volume.Info.Voxel!.Value);
        var n = (int)size.Count;
        var (a, b) = (new double[n, n], new double[n]);
        double D(int i) => volume.Data[i] == 1 ? 0.25 : 1.5;
        int Index(int z, int y, int x) => (z * size.Y + y) * size.X + x;
        void Edge(int i, int j, double geometry)
        {
            if (i == j) return;
            var w = geometry * 2 * D(i) * D(j) / (D(i) + D(j));
            a[i, i] += w;
            a[j, j] += w;
            a[i, j] -= w;
            a[j, i] -= w;
        }
        var ends = centres ? 1e9 : 2;
        var (gz, gy, gx) = (1 / (voxel.Z * voxel.Z), 1 / (voxel.Y * voxel.Y), 1 / (voxel.X * voxel.X));
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++)
                {
                    var i = Index(z, y, x);
                    if (z + 1 < size.Z) Edge(i, Index(z + 1, y, x), gz);
                    if (y + 1 < size.Y || periodic) Edge(i, Index(z, (y + 1) % size.Y, x), gy);
                    if (x + 1 < size.X || periodic) Edge(i, Index(z, y, (x + 1) % size.X), gx);
                    if (z == 0) { a[i, i] += ends * gz * D(i); b[i] += ends * gz * D(i); }
                    if (z == size.Z - 1) a[i, i] += ends * gz * D(i);
                }
            }
        }
        var source = (double[])b.Clone();
        for (var k = 0; k < n; k++)
        {
            for (var i = k + 1; i < n; i++)
            {
                var f = a[i, k] / a[k, k];
                if (f == 0) continue;
                for (var j = k; j < n; j++) a[i, j] -= f * a[k, j];
                b[i] -= f * b[k];
            }
        }
        for (var k = n - 1; k >= 0; k--)
        {
            for (var j = k + 1; j < n; j++) b[k] -= a[k, j] * b[j];
            b[k] /= a[k, k];
        }
        // what leaves: only the last layer joins the outlet
        var flow = Enumerable.Range(n - size.Y * size.X, size.Y * size.X).Sum(i => ends * gz * D(i) * b[i]);
        Assert.True(source.Sum() > 0);
        var length = centres ? size.Z - 1 : size.Z;
        return Enumerable.Range(0, n).Sum(D) / n / (flow / gz * length / (size.Y * size.X));
    }
}

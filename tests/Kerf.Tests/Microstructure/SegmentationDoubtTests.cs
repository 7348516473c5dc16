using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class SegmentationDoubtTests : IDisposable
{
    private static readonly VoxelSize Voxel = new(10, 5, 5);
    private static readonly Traversal Two = new() { Threads = 2 };
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AlikeErrorsMoveTheThreshold()
    {
        // the doubt grows across x: the phase's share at level u is that of the columns with p > u
        var given = Given(20, (p, _) => p > 0.5);
        var measured = new Fractions { Phase = "1", Probabilities = [Ramp(given)] }.Run(given, Two, 1);
        var fraction = measured.Measurements.Single();
        Assert.Equal(0.5, fraction.Value, 1e-12);
        // levels at 0.025, 0.075 … 0.975 of 40 columns
        Assert.Equal(0.025, fraction.DoubtLow!.Value, 1e-12);
        Assert.Equal(0.975, fraction.DoubtHigh!.Value, 1e-12);
        // the interval of the sampling stays what it is
        var plain = new Fractions { Phase = "1" }.Run(given, Two, 1).Measurements.Single();
        Assert.Equal((plain.Low, plain.High), (fraction.Low, fraction.High));
        Assert.Null(plain.DoubtLow);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(25.0)]
    public void EveryVoxelHasItsProbabilities(double? length)
    {
        const int Draws = 400;
        var given = Given(8, (p, _) => p > 0.5);
        double[][] shares = [[0.2, 0.3, 0.5], [0, 0.9, 0.1], [1, 0, 0]];
        var paths = Enumerable.Range(0, 3).Select(k => Map($"p{k}", given.Info.Size, (_, _, x) => (float)shares[x % 3][k], $"{k + 1}")).ToArray();
        var counts = new double[3, 3];
        using var classes = ClassProbabilities.Open(new Volume<byte>(given.Info with { Phases = [.. Enumerable.Range(1, 3).Select(Phase.Unnamed)] }), [.. paths.Select((p, k) => $"phase {k + 1}={p}")], Two);
        Assert.True(classes.ZeroIsOutside);
        using var foreign = ClassProbabilities.Open(Labels(given.Info.Size, 3), [.. paths.Select((p, k) => $"{k + 1}={p}")], Two);
        var draws = length is { } l ? Enumerable.Range(0, Draws).Select(draw => DrawnSegmentation.Varying(foreign, l, 5, draw)) : DrawnSegmentation.Alike(foreign, Draws, 5);
        var voxels = new byte[given.Info.Size.Count];
        foreach (var draw in draws)
        {
            draw.Read(Box.Whole(given.Info.Size), voxels);
            for (var x = 0; x < 3; x++) counts[x, voxels[x] - 1] += 1.0 / Draws;
        }
        for (var x = 0; x < 3; x++)
        {
            for (var k = 0; k < 3; k++) Assert.Equal(shares[x][k], counts[x, k], shares[x][k] is 0 or 1 ? 1e-9 : 0.08);
        }
    }

    [Fact]
    public void NoiseIsNormalAndHalfAsAlikeAtItsLength()
    {
        var noise = new SmoothNoise(new(24, 48, 48), Voxel, 40, 7);
        var values = new float[24 * 48 * 48];
        var (sum, square, near, far, count) = (0.0, 0.0, 0.0, 0.0, 0);
        for (var seed = 0UL; seed < 40; seed++)
        {
            new SmoothNoise(new(24, 48, 48), Voxel, 40, seed).Read(Box.Whole(new(24, 48, 48)), values);
            for (var i = 0; i < values.Length; i += 97)
            {
                var x = i % 48;
                if (x + 32 >= 48) continue;
                (sum, square, near, far, count) = (sum + values[i], square + values[i] * values[i], near + values[i] * values[i + 8], far + values[i] * values[i + 32], count + 1);
            }
        }
        Assert.Equal(0, sum / count, 0.1);
        Assert.Equal(1, square / count, 0.1);
        Assert.Equal(0.5, near / count, 0.1);
        Assert.Equal(0, far / count, 0.1);
        // a part reads as the whole does
        var (whole, part) = (new float[24 * 48 * 48], new float[3 * 5 * 7]);
        noise.Read(Box.Whole(new(24, 48, 48)), whole);
        noise.Read(new(new(9, 11, 13), new(3, 5, 7)), part);
        for (var i = 0; i < part.Length; i++) Assert.Equal(whole[((9 + i / 35) * 48 + 11 + i / 7 % 5) * 48 + 13 + i % 7], part[i]);
    }

    [Fact]
    public void ShorterLengthsLeaveLessDoubt()
    {
        var given = Labels(new(32, 64, 64), 2);
        var path = Map("half", given.Info.Size, (_, _, x) => x == 0 ? 1 : x == 63 ? 0 : 0.5f, "1", "2");
        double Width(double? length) => new Fractions { Phase = "1", Probabilities = [path], DoubtLength = length, Draws = 40 }.Run(given, Two, 3).Measurements
            .Select(m => m.DoubtHigh!.Value - m.DoubtLow!.Value).Single();
        Assert.Equal(62 / 64.0, Width(null), 1e-12);
        var (coarse, fine) = (Width(80), Width(20));
        // as the root of the number of independent places: 4³ times as many
        Assert.InRange(coarse / fine, 5, 13);
        Assert.InRange(coarse, 0.1, 0.6);
    }

    [Fact]
    public void NeitherThreadsNorBlocksShowAndOutsideStaysOutside()
    {
        var size = new Size3(12, 30, 40);
        var given = new Volume<byte>(new VolumeInfo(size, PixelType.UInt8, Voxel) { Phases = [new(1, "pore", "#000000"), new(2, "solid", "#ffffff")] });
        for (var i = 0; i < given.Data.Length; i++) given.Data[i] = (byte)(i % 40 < 8 ? 0 : i % 40 < 20 ? 1 : 2);
        var path = Map("both", size, (_, _, x) => x == 8 ? 0 : x / 40f, "solid", "pore");
        foreach (var length in (double?[])[null, 30])
        {
            foreach (var measure in (PhaseMeasure[])[new Fractions { Phase = "pore" }, new TortuosityFactor { Phase = "pore", Axis = Axis.Z }, new Surface()])
            {
                var asked = measure with { Probabilities = [path], Draws = 5, DoubtLength = length };
                var one = asked.Run(given, new() { Threads = 1 }, 2).Measurements;
                Assert.Equal(one, asked.Run(given, new() { Threads = 5, BlockEdge = 16, MemoryBytes = 200_000_000 }, 2).Measurements);
                Assert.All(one, m => Assert.True(m.DoubtLow <= m.DoubtHigh));
            }
        }
        Assert.Equal(12 * 30 * 32 / (12.0 * 30 * 32), new Fractions { Probabilities = [path], Draws = 5 }.Run(given, Two, 1).Measurements.Sum(m => m.Value), 1e-12);
    }

    [Fact]
    public void RefusalsSayWhatAndHow()
    {
        var given = Given(6, (p, _) => p > 0.5);
        string Error(params string[] paths) => Assert.Throws<InputError>(() => new Fractions { Phase = "1", Probabilities = paths }.Run(given, Two, 1)).Message;
        var good = Ramp(given);
        Assert.Contains("\"3\" is no phase of the segmentation, which holds phase 1, phase 2. Give", Error(Map("three", given.Info.Size, (_, _, _) => 0.5f, "1", "3")));
        Assert.Contains("1 phase has probabilities; two or more are needed", Error($"1={Map("one", given.Info.Size, (_, _, _) => 0.5f, "a")}"));
        Assert.Contains("phase 1 is given twice", Error(good, good));
        Assert.Contains("the segmentation 6×6×40. Give", Error(Map("small", new(6, 6, 39), (_, _, _) => 0.5f, "1", "2")));
        Assert.Equal("--doubt-length is 2; it must be 5 nm or more, an edge of a voxel.",
            Assert.Throws<InputError>(() => new Fractions { Phase = "1", Probabilities = [good], DoubtLength = 2 }.Run(given, Two, 1)).Message);
    }

    [Fact]
    public void TheCommandReadsWhatPredictWrites()
    {
        var given = Given(12, (p, _) => p > 0.5);
        VolumeFile.Save(given, _folder["labels.zarr"], new());
        var path = Ramp(given);
        var run = KerfProcess.Run(_folder.Path, ["measure", "fractions", "labels.zarr", "--phase", "1", "--probabilities", path, "--draws", "10", "--out", "found", "--json"]);
        Assert.True(run.Status == 0, run.Error);
        var found = run.Json["measurements"]![0]!;
        Assert.Equal((0.05, 0.95), (Math.Round((double)found["doubtLow"]!, 3), Math.Round((double)found["doubtHigh"]!, 3)));
        Assert.StartsWith("name,phase,axis,value,unit,low,high,method,doubtLow,doubtHigh\nfraction,", File.ReadAllText(_folder["found/measurements.csv"]), StringComparison.Ordinal);
        // without probabilities there are no such keys
        Assert.DoesNotContain("doubt", KerfProcess.Run(_folder.Path, ["measure", "fractions", "labels.zarr", "--phase", "1", "--json"]).Output, StringComparison.Ordinal);
    }

    // phase 1 where the share, that of the column, says so
    private static Volume<byte> Given(int edge, Func<double, int, bool> one)
    {
        var volume = new Volume<byte>(new(edge, edge, 40), Voxel);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = one((i % 40 + 0.5) / 40, i) ? (byte)1 : (byte)2;
        return volume;
    }

    private static Volume<byte> Labels(Size3 size, int count)
    {
        var volume = new Volume<byte>(size, Voxel);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (byte)(1 + i % count);
        return volume;
    }

    private string Ramp(Volume<byte> given) => Map("ramp", given.Info.Size, (_, _, x) => (x + 0.5f) / 40, "1", "2");

    // the first channel has the share, the second the rest
    private string Map(string name, Size3 size, Func<int, int, int, float> share, params string[] channels)
    {
        var path = _folder[name + ".zarr"];
        if (Directory.Exists(path)) return path;
        var volumes = ZarrVolume.CreateChannels(path, new(size, PixelType.Float32, Voxel), channels);
        var values = new float[size.Count];
        for (var i = 0; i < values.Length; i++) values[i] = share(i / (size.Y * size.X), i / size.X % size.Y, i % size.X);
        for (var k = 0; k < volumes.Count; k++)
            ((IWritableVolume<float>)volumes[k]).Write(Box.Whole(size), k == 0 ? values : Array.ConvertAll(values, v => 1 - v));
        volumes[0].Complete(Two);
        volumes[0].Dispose();
        return path;
    }
}

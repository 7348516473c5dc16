using System.Text.Json;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class AlignTests
{
    [Fact]
    public void FindsARandomWalkInHeavyShotNoise()
    {
        var error = Errors(new(48, 256, 320) { Dose = 0.1, SlantSpread = 0, RadiusZ = 400, Density = 3e-6 }, new());
        Assert.InRange(Rms(error), 0, 0.06);
    }

    [Fact]
    public void GrowthAndSlantsWithoutACommonDirectionAverageOut()
    {
        var error = Errors(new(40, 384, 448) { SlantSpread = 0.1, Radius = 9, RadiusZ = 20, Density = 8e-5, Seed = 4 }, new());
        Assert.InRange(Rms(error), 0, 0.25);
    }

    [Fact]
    public void ByABoxOfMarksACommonSlantOfTheStructureStays()
    {
        var phantom = new DriftPhantom(64, 256, 384) { Slant = 0.3, SlantSpread = 0.1, Seed = 5, RadiusZ = 30, Density = 2e-5, Cap = 96, Dose = 0.2 };
        Assert.InRange(Rms(Errors(phantom, new() { Box = [0, 64, 0, 384] })), 0, 0.08);
    }

    [Fact]
    public void AThousandSlicesDoNotWalkAway()
    {
        var phantom = new DriftPhantom(1000, 80, 128) { Step = 0.3, Seed = 6, Cap = 80, Density = 1e-6, Dose = 0.5 };
        var error = Errors(phantom, new() { Box = [0, 48, 0, 128] });
        Assert.InRange(Math.Max(Math.Abs(error[^1].Y), Math.Abs(error[^1].X)), 0, 0.5);
    }

    [Fact]
    public void KeepSlantLeavesTheMeanSlopeInTheStack()
    {
        var phantom = new DriftPhantom(24, 128, 128) { Step = 0, Slant = 0.5, SlantSpread = 0, RadiusZ = 200, Density = 1e-5, Dose = 20 };
        var volume = phantom.Render().AsFloat();
        Assert.InRange(Align.Estimate(volume, new(), Traversal.Default).Shifts[^1][1], 11, 12);
        Assert.InRange(Align.Estimate(volume, new() { KeepSlant = true }, Traversal.Default).Shifts[^1][1], -0.2, 0.2);
    }

    [Fact]
    public void TheSameOnAnyNumberOfThreads()
    {
        var volume = new DriftPhantom(12, 96, 110).Render();
        var one = Align.Estimate(volume.AsFloat(), new(), Traversal.Default with { Threads = 1 });
        var three = Align.Estimate(volume.AsFloat(), new(), Traversal.Default with { Threads = 3 });
        Assert.Equal(JsonSerializer.Serialize(one), JsonSerializer.Serialize(three));
    }

    [Theory]
    [InlineData(SliceInterpolation.Cubic, 0.02)]
    [InlineData(SliceInterpolation.Lanczos, 0.012)]
    [InlineData(SliceInterpolation.Linear, 0.1)]
    public void MovesAWaveByAFraction(SliceInterpolation how, double tolerance)
    {
        const double dy = 2.3, dx = -1.6;
        var source = new Volume<float>(new Size3(2, 40, 50));
        for (var y = 0; y < 40; y++)
            for (var x = 0; x < 50; x++) source[1, y, x] = Wave(y, x);
        var target = new Volume<float>(source.Info);
        Align.Apply(source, target, [[0, 0], [dy, dx]], how, null, Traversal.Default);
        for (var y = 6; y < 34; y++)
            for (var x = 6; x < 44; x++) Assert.Equal(Wave(y + dy, x + dx), target[1, y, x], tolerance);
        static float Wave(double y, double x) => (float)(Math.Sin(0.6 * y) * Math.Cos(0.5 * x));
    }

    [Fact]
    public void WholeShiftsMovePixelsAsTheyAreAndFillTheBorder()
    {
        var source = new Volume<byte>(new Size3(1, 3, 4), null, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        var target = new Volume<byte>(source.Info);
        Align.Apply(source.AsFloat(), target.AsFloatTarget(), [[1, -1]], SliceInterpolation.Cubic, null, Traversal.Default);
        Assert.Equal([5, 5, 6, 7, 9, 9, 10, 11, 9, 9, 10, 11], target.Data);
        Align.Apply(source.AsFloat(), target.AsFloatTarget(), [[1, -1]], SliceInterpolation.Cubic, 99, Traversal.Default);
        Assert.Equal([99, 5, 6, 7, 99, 9, 10, 11, 99, 99, 99, 99], target.Data);
        Align.Apply(source.AsFloat(), target.AsFloatTarget(), [[-7, 9]], SliceInterpolation.Linear, null, Traversal.Default);
        Assert.Equal([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], target.Data);
    }

    [Fact]
    public void TheStepTellsWhatSlicesShareAndCropUsesIt()
    {
        var source = new DriftPhantom(8, 64, 72) { RadiusZ = 100 }.Render();
        Volume<byte>? aligned = null, cropped = null;
        var run = new StepRun(source, info => aligned = new(info));
        new Align().Run(run);
        var shared = run.Facts["shared"]!.AsArray().Select(v => (int)v!).ToArray();
        var shifts = run.Facts["shifts"]!.Deserialize<double[][]>()!;
        Assert.Equal((8, 0.0, 0.0), (shifts.Length, shifts[0][0], shifts[0][1]));
        Assert.Equal((int)Math.Ceiling(shifts.Max(s => -s[0])), shared[0]);
        Assert.Equal(72 - (int)Math.Ceiling(Math.Max(0, shifts.Max(s => s[1]))), shared[3]);
        new Crop { Shared = true, Z = [2, 7] }.Run(new StepRun(aligned!, info => cropped = new(info)));
        Assert.Equal(new Size3(5, shared[1] - shared[0], shared[3] - shared[2]), cropped!.Info.Size);
        Assert.Equal(aligned![3, shared[0] + 2, shared[2] + 1], cropped[1, 2, 1]);
        Assert.False(cropped.Info.Metadata.ContainsKey("shared"));
    }

    [Theory]
    [InlineData("[[0,0],[1.5,-2]]", null)]
    [InlineData("{\"shifts\":[[0,0],[1.5,-2]],\"residual\":0.1}", null)]
    [InlineData("[[0,0]]", "holds 1 shifts for 2 slices; give one [dy, dx] for each slice.")]
    [InlineData("[[0,0],[1]]", "shift of slice 1 is not [dy, dx].")]
    [InlineData("{\"a\":1}", "cannot be read as shifts; it must hold [[dy, dx], ...] or an object with \"shifts\".")]
    public void ReadsShifts(string json, string? error)
    {
        var path = Path.Combine(Path.GetTempPath(), $"kerf-shifts-{Guid.NewGuid():N}.json");
        File.WriteAllText(path, json);
        try
        {
            if (error is null) Assert.Equal([0, 38, 2, 50], Align.Read(path, new Size3(2, 40, 50)).Shared);
            else Assert.Equal($"{path}: {error}", Assert.Throws<InputError>(() => Align.Read(path, new Size3(2, 40, 50))).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void RefusesABoxThatLiesOutside() => Assert.Equal(
        "align: box is 0,10,0,20; it must be y start, y end, x start, x end inside 0,40,0,50 and at least 16 pixels wide and high.",
        Assert.Throws<InputError>(() => Align.Estimate(new Volume<float>(new Size3(2, 40, 50)), new() { Box = [0, 10, 0, 20] }, Traversal.Default)).Message);

    [Fact]
    public void AnEmptyStackStaysWhereItIs() =>
        Assert.All(Align.Estimate(new Volume<float>(new Size3(5, 40, 50)), new(), Traversal.Default).Shifts, s => Assert.Equal([0, 0], s));

    private static double Rms((double Y, double X)[] errors) => Math.Sqrt(errors.Average(e => (e.Y * e.Y + e.X * e.X) / 2));

    private static (double Y, double X)[] Errors(DriftPhantom phantom, Align how)
    {
        var found = Align.Estimate(phantom.Render().AsFloat(), how, Traversal.Default);
        return [.. phantom.Drift().Zip(found.Shifts, (truth, shift) => (shift[0] - truth.Y, shift[1] - truth.X))];
    }
}

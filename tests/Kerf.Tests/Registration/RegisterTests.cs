using System.Text.Json;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class RegisterTests : IDisposable
{
    private static readonly DriftPhantom Middle = new(24, 256, 320) { Seed = 9, Cap = 80, Density = 1.5e-4, Dose = 0.5, Step = 1.5 };

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    // low voltage: nothing shines through, other drift, other noise; high voltage: much does, part of the contrast is inverted
    [InlineData(0, 21ul)]
    [InlineData(6, 22ul)]
    public void VoltagesWithDriftsOfTheirOwnMeetInTheBoxOfMarks(int shineThrough, ulong seed)
    {
        var moved = Middle with { ImageSeed = seed, ShineThrough = shineThrough };
        var found = Register.Estimate(moved.Render().AsFloat(), Middle.Render().AsFloat(), new() { Box = [0, 64, 0, 320] }, Traversal.Default);
        var truth = moved.Drift().Zip(Middle.Drift(), (m, r) => (Y: m.Y - r.Y, X: m.X - r.X)).ToArray();
        Assert.InRange(truth.Max(t => Math.Abs(t.X)), 2, 40);
        var error = Math.Sqrt(found.Shifts.Zip(truth, (f, t) => ((f[0] - t.Y) * (f[0] - t.Y) + (f[1] - t.X) * (f[1] - t.X)) / 2).Average());
        Assert.InRange(error, 0, 0.15);
    }

    [Theory]
    [InlineData(0, 21ul)]
    [InlineData(6, 22ul)]
    [InlineData(6, 25ul)]
    [InlineData(6, 51ul)]
    public void TheBoxOfMarksIsFound(int shineThrough, ulong seed)
    {
        var moved = Middle with { ImageSeed = seed, ShineThrough = shineThrough };
        var found = Register.Estimate(moved.Render().AsFloat(), Middle.Render().AsFloat(), new(), Traversal.Default);
        var truth = moved.Drift().Zip(Middle.Drift(), (m, r) => (Y: m.Y - r.Y, X: m.X - r.X)).ToArray();
        var error = Math.Sqrt(found.Shifts.Zip(truth, (f, t) => ((f[0] - t.Y) * (f[0] - t.Y) + (f[1] - t.X) * (f[1] - t.X)) / 2).Average());
        Assert.True(error <= 0.15 && (shineThrough == 0 || found.Box[1] <= 96), $"{error:F3} px in {string.Join(',', found.Box)}");
    }

    [Fact]
    public void TheStepReadsTheReferenceAndMovesTheSlices()
    {
        var (still, moved) = (Middle.Render(), (Middle with { ImageSeed = 23, ShineThrough = 6 }).Render());
        var place = System.IO.Path.Combine(_folder.Path, "middle.npy");
        VolumeFile.Save(still, place, Traversal.Default);
        Volume<byte>? registered = null;
        var run = new StepRun(moved, info => registered = new(info));
        new Register { Reference = place, Box = [0, 64, 0, 320] }.Run(run);
        Assert.Equal(24, run.Facts["shifts"]!.AsArray().Count);
        var again = Register.Estimate(registered!.AsFloat(), still.AsFloat(), new() { Box = [0, 64, 0, 320] }, Traversal.Default);
        Assert.All(again.Shifts, shift => Assert.InRange(Math.Max(Math.Abs(shift[0]), Math.Abs(shift[1])), 0, 0.15));
    }

    [Fact]
    public void TheSameOnAnyNumberOfThreads()
    {
        var (still, moved) = (Middle.Render().AsFloat(), (Middle with { ImageSeed = 24 }).Render().AsFloat());
        string Found(int threads) => JsonSerializer.Serialize(Register.Estimate(moved, still, new(), Traversal.Default with { Threads = threads }));
        Assert.Equal(Found(1), Found(3));
    }

    [Fact]
    public void RefusesWhatCannotBeRegistered()
    {
        var volume = new Volume<float>(new Size3(2, 40, 50));
        Assert.Equal("register: there is no reference. Name the channel that stays where it is: --reference PATH.",
            Assert.Throws<InputError>(() => new Register().Run(new StepRun(volume, info => new Volume<float>(info)))).Message);
        Assert.Equal("register: the reference has 3×40×50 voxels, the volume 2×40×50; crop or resample them to one grid.",
            Assert.Throws<InputError>(() => Register.Estimate(volume, new Volume<float>(new Size3(3, 40, 50)), new(), Traversal.Default)).Message);
        Assert.Equal("register: box is 0,10,0,20; it must be y start, y end, x start, x end inside 0,40,0,50 and at least 16 pixels wide and high.",
            Assert.Throws<InputError>(() => Register.Estimate(volume, volume, new() { Box = [0, 10, 0, 20] }, Traversal.Default)).Message);
    }
}

using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Each artefact alone does what its record says, and nothing else.</summary>
public class ArtefactTests
{
    private static readonly Size3 Field = new(6, 64, 80);

    private static (Volume<byte> Images, Volume<byte> Ideal, SessionTruth Truth) Record(Session session, Func<int, int, int, float> scene)
    {
        var shifts = session.Drift(Field.Z, 1);
        var margin = session.Margin(shifts);
        var canvas = new Volume<float>(Field + new Size3(0, 2 * margin, 2 * margin));
        for (var z = 0; z < canvas.Info.Size.Z; z++)
            for (var y = 0; y < canvas.Info.Size.Y; y++)
                for (var x = 0; x < canvas.Info.Size.X; x++) canvas[z, y, x] = scene(z, y - margin, x - margin);
        var (images, ideal) = (new Volume<byte>(Field), new Volume<byte>(Field));
        return (images, ideal, session.Image(canvas, shifts, images, ideal, 1, Traversal.Default));
    }

    [Fact]
    public void APerfectSessionStoresTheGreysAsTheyAre()
    {
        var (images, ideal, truth) = Record(Session.Perfect, (z, y, x) => (17 * z + 5 * y + 3 * x) % 256);
        for (var z = 0; z < Field.Z; z++)
            for (var y = 0; y < Field.Y; y++)
                for (var x = 0; x < Field.X; x++) Assert.Equal((17 * z + 5 * y + 3 * x) % 256, images[z, y, x]);
        Assert.Equal(images.Data, ideal.Data);
        Assert.Empty(truth.Curtains);
        Assert.Empty(truth.Squares);
        Assert.Empty(truth.Bands);
        // without a point spread a shift by part of a pixel is linear
        var drifting = Record(Session.Perfect with { DriftStep = 0.4 }, (_, y, x) => y + x);
        for (var z = 0; z < Field.Z; z++)
            Assert.InRange(drifting.Images[z, 30, 40] - (70 - drifting.Truth.Shifts[z][0] - drifting.Truth.Shifts[z][1]), -0.51, 0.51);
    }

    [Fact]
    public void ChargingBandsSetInAtTheirRowAndDecay()
    {
        var (images, _, truth) = Record(Session.Perfect with { ChargingGrey = 30, ChargingBands = 1.5 }, (_, _, _) => 100);
        Assert.InRange(truth.Bands.Count, 3, 20);
        for (var z = 0; z < Field.Z; z++)
            for (var y = 0; y < Field.Y; y++)
            {
                var expected = 100 + truth.Bands.Where(b => b.Slice == z && y >= b.Row && y - b.Row < 8 * b.Rows).Sum(b => b.Grey * Math.Exp(-(y - b.Row) / b.Rows));
                Assert.InRange(images[z, y, 11] - expected, -0.51, 0.51);
                Assert.Equal(images[z, y, 11], images[z, y, 70]);
            }
    }

    [Fact]
    public void ContaminationDarkensTheRecordedSquaresByTheRecordedShare()
    {
        var (images, ideal, truth) = Record(Session.Perfect with { Contamination = 0.4, ContaminationEvery = 1.5 }, (_, _, _) => 200);
        Assert.InRange(truth.Squares.Count, 1, 6);
        foreach (var s in truth.Squares)
        {
            Assert.InRange(s.Loss, 0.2, 0.4);
            Assert.InRange(images[s.Slice, (int)(s.Top + s.Height / 2), (int)(s.Left + s.Width / 2)] - 200 * (1 - s.Loss), -0.51, 0.51);
            if (s.Top > 3) Assert.Equal(200, images[s.Slice, (int)s.Top - 3, (int)(s.Left + s.Width / 2)]);
        }
        Assert.All(ideal.Data, v => Assert.Equal(200, v));
    }

    [Fact]
    public void SlicesAreGammaDistributedWithinTheSpecimen()
    {
        var cuts = (Session.Perfect with { SliceThickness = 10, ThicknessDeviation = 3 }).Cuts(20_000, 5, 7);
        double[] steps = [.. cuts.Zip(cuts.Skip(1), (a, b) => b - a)];
        Assert.InRange(steps.Average(), 9.7, 10.3);
        var mean = steps.Average();
        Assert.InRange(Math.Sqrt(steps.Average(s => (s - mean) * (s - mean))), 2.8, 3.2);
        // a gamma law of shape (10/3)² leans to thick slices by 2/√shape
        Assert.InRange(steps.Average(s => Math.Pow((s - mean) / 3, 3)), 0.4, 0.8);
        Assert.True(steps.Min() > 0 && cuts[0] == 0 && cuts[^1] <= 20_000);
        Assert.Equal([0, 5, 10, 15, 20], Session.Perfect.Cuts(20, 5, 7));
    }

    [Fact]
    public void OnlyEdgesBlur()
    {
        var size = new Size3(1, 40, 60);
        var (greys, labels) = (new Volume<float>(size), new Volume<byte>(size));
        for (var y = 0; y < 40; y++)
            for (var x = 0; x < 60; x++)
            {
                labels[0, y, x] = x < 30 ? (byte)1 : (byte)2;
                greys[0, y, x] = (x < 30 ? 50 : 150) + (x + y) % 2 * 20;
            }
        var blurred = Volume<float>.Load(new BlurredEdges(greys, labels, 1.5));
        // the checkerboard stays as it is far from the edge and is gone at the edge, which is a ramp
        for (var x = 0; x < 20; x++) Assert.Equal(greys[0, 20, x], blurred[0, 20, x], 2);
        Assert.InRange(blurred[0, 20, 29], 80, 110);
        Assert.InRange(blurred[0, 20, 30], 110, 140);
        Assert.InRange(blurred[0, 20, 30] - blurred[0, 21, 30], -4, 4);
    }

    [Fact]
    public void RedepositCoversTheFloorsOfWidePores()
    {
        // a pore of 300 nm over half the field, a narrow shaft on the other side; solid below slice 30
        var size = new Size3(40, 48, 96);
        var labels = new Volume<byte>(size, VoxelSize.Cube(10));
        for (var z = 0; z < 40; z++)
            for (var y = 0; y < 48; y++)
                for (var x = 0; x < 96; x++) labels[z, y, x] = z < 30 && (x < 48 || x is >= 78 and < 82) ? (byte)1 : (byte)2;
        var seen = new Volume<byte>(size, VoxelSize.Cube(10));
        var empty = new bool[256];
        empty[1] = true;
        Redeposition.Write(labels, empty, Session.Perfect with { RedepositRate = 0.3, RedepositMost = 60, RedepositWidth = 80 }, seen, 1, Traversal.Default);
        int Height(int y, int x) => Enumerable.Range(0, 40).Count(z => seen[z, y, x] == Redeposition.Label);
        var heights = Enumerable.Range(4, 40).Select(y => Height(y, 16)).ToArray();
        Assert.InRange(heights.Average(), 4, 7);
        Assert.All(heights, h => Assert.InRange(h, 0, 9));
        Assert.Equal(Redeposition.Label, seen[29, 20, 16]);
        Assert.Equal(0, Height(20, 80));
        for (var i = 0; i < seen.Data.Length; i++) Assert.True(seen.Data[i] == labels.Data[i] || (labels.Data[i] == 1 && seen.Data[i] == Redeposition.Label));
    }

    [Fact]
    public void AllOfThemAtOnceAreRecordedBesideTheStackAndAnInterruptedRunGoesOn()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.Path);
        File.WriteAllText(folder["a.json"], """
            {"sliceThickness": 15, "thicknessDeviation": 4, "edgeBlur": 1, "redepositRate": 0.4, "redepositWidth": 60, "contamination": 0.3, "contaminationEvery": 2,
             "chargingGrey": 20, "pointSpread": 0.6, "driftStep": 0.5, "curtainGrey": 6, "brightnessJump": 5, "electronsAtWhite": 2000, "noiseSigma": 5}
            """);
        var made = KerfProcess.Run(folder.Path, ["simulate", "structure", "levelled-wave", "s.zarr", "--size", "20,64,64", "--voxel", "10,10,10", "--solid-fraction", "0.3", "--wavelength", "300", "--quiet"]);
        Assert.True(made.Status == 0, made.Error);
        string[] Call(string output, string energy = "1") => ["simulate", "image", "s.zarr", output, "--material", "1=vacuum", "--material", "2=Au", "--energy", energy,
            "--electrons-per-pixel", "10", "--artefacts", "a.json", "--quiet", "--json"];
        var whole = KerfProcess.Run(folder.Path, Call("i.tif"));
        Assert.True(whole.Status == 0, whole.Error);
        var truth = JsonNode.Parse(File.ReadAllText(folder["i.tif.truth/truth.json"]))!;
        var slices = VolumeFile.Open(folder["i.tif"]).Info;
        Assert.Equal(15, slices.Voxel!.Value.Z);
        Assert.Equal(slices.Size.Z, truth["depths"]!.AsArray().Count);
        Assert.Equal(slices.Size.Z + 1, File.ReadAllLines(folder["i.tif.truth/depths.csv"]).Length);
        Assert.Equal(slices.Size, VolumeFile.Open(folder["i.tif.truth/labels.zarr"]).Info.Size);
        foreach (var key in (string[])["shifts", "brightnessOffsets", "curtains", "squares", "bands"])
            Assert.NotEmpty(truth["session"]![key]!.AsArray());
        Assert.Equal(0.4, truth["artefacts"]!["redepositRate"]!.GetValue<double>());
        Assert.Contains(Redeposition.Label, Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(folder["i.tif.truth/seen.zarr"])).Data);
        Assert.StartsWith("<!doctype html", File.ReadAllText(folder["i.tif.truth/report.html"]), StringComparison.OrdinalIgnoreCase);

        // as a killed run leaves it: all tiles shot, nothing put together; nothing is shot again
        var (images, facts) = (File.ReadAllBytes(folder["i.tif"]), File.ReadAllText(folder["i.tif.truth/truth.json"]));
        File.Delete(folder["i.tif"]);
        var resumed = KerfProcess.Run(folder.Path, Call("i.tif"));
        Assert.True(resumed.Status == 0, resumed.Error);
        Assert.Equal(0, resumed.Json["electrons"]!.GetValue<double>());
        Assert.Equal(images, File.ReadAllBytes(folder["i.tif"]));
        Assert.Equal(facts, File.ReadAllText(folder["i.tif.truth/truth.json"]));
        // and is not mixed with electrons of another energy
        File.Delete(folder["i.tif"]);
        var other = KerfProcess.Run(folder.Path, Call("i.tif", "2"));
        Assert.Equal(2, other.Status);
        Assert.Contains("Nothing was changed", other.Error, StringComparison.Ordinal);
    }
}

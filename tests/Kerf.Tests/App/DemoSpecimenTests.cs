using System.Text.Json;
using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class DemoSpecimenTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-demo").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void LeavesSlicesAndTruthWithTheSameBytesForAnyThreadCount()
    {
        var size = new Size3(4, 160, 96);
        string At(string run, string file) => Path.Combine(_folder, run, file);
        var truth = DemoSpecimen.Create(At("a", ""), 7, size, Traversal.Default with { Threads = 1 });
        DemoSpecimen.Create(At("b", ""), 7, size, Traversal.Default with { Threads = 2 });
        string[] files = ["slices/slice_0000.tif", "slices/slice_0003.tif", "truth/labels.npy", "truth/ideal.npy", "truth/truth.json"];
        foreach (var file in files) Assert.Equal(File.ReadAllBytes(At("a", file)), File.ReadAllBytes(At("b", file)));
        Assert.Equal(4, Directory.GetFiles(At("a", "slices")).Length);

        var read = JsonSerializer.Deserialize<SessionTruth>(File.ReadAllText(At("a", "truth/truth.json")), JsonSerializerOptions.Web)!;
        Assert.Equal(truth.Session.Shifts, read.Shifts);
        Assert.Equal(truth.Session.Curtains, read.Curtains);
        Assert.Equal(20, read.Thickness);

        var npy = File.ReadAllBytes(At("a", "truth/labels.npy"));
        Assert.Equal(0, (npy.Length - size.Count) % 64);
        var labels = Volume<byte>.Load(truth.Labels);
        Assert.Equal(labels.Data, npy[(int)(npy.Length - size.Count)..]);
        Assert.Equal(0, labels[0, 80, 50]);
        Assert.NotEqual(0, labels[0, DemoSpecimen.CapRows + 8, 50]);
    }

    [Fact]
    public void ASecondCallTakesWhatIsThere()
    {
        var size = new Size3(3, 160, 96);
        var first = DemoSpecimen.OpenOrCreate(_folder, 3, size, Traversal.Default);
        var slice = Path.Combine(_folder, "slices", "slice_0001.tif");
        var (made, bytes) = (File.GetLastWriteTimeUtc(slice), File.ReadAllBytes(slice));
        var second = DemoSpecimen.OpenOrCreate(_folder, 3, size, Traversal.Default);
        Assert.Equal(made, File.GetLastWriteTimeUtc(slice));
        Assert.Equal(Volume<byte>.Load(first.Labels).Data, Volume<byte>.Load(second.Labels).Data);
        Assert.Equal(Volume<byte>.Load(first.Ideal).Data, Volume<byte>.Load(second.Ideal).Data);
        Assert.Equal(first.Session.Shifts, second.Session.Shifts);
        Assert.Equal(first.Session.Curtains, second.Session.Curtains);

        // another seed, or a slice that someone changed, and it is made anew
        Assert.NotEqual(first.Session.Shifts, DemoSpecimen.OpenOrCreate(_folder, 4, size, Traversal.Default).Session.Shifts);
        DemoSpecimen.OpenOrCreate(_folder, 3, size, Traversal.Default);
        File.WriteAllBytes(slice, bytes[..100]);
        DemoSpecimen.OpenOrCreate(_folder, 3, size, Traversal.Default);
        Assert.Equal(bytes, File.ReadAllBytes(slice));
    }

    [Fact]
    public void RefusesASizeWithoutElectrode() => Assert.StartsWith("demo: a size of 4×100×96 is too small; choose at least 2×128×32",
        Assert.Throws<InputError>(() => DemoSpecimen.Create(_folder, 1, new(4, 100, 96), Traversal.Default)).Message);
}

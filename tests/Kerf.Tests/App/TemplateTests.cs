using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Each recipe that ships, from kerf new to the report.</summary>
public sealed class TemplateTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // shale.yaml is for the real stack and has a test of its own
    public static TheoryData<string> Names => [.. Templates.Names.Where(name => name != "shale")];

    [Fact]
    public void AreThoseOfTheDesign()
    {
        foreach (var name in (string[])["solid-state", "random-forest", "nanoporous-gold", "x-ray", "pores"]) Assert.Contains(name, Templates.Names);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RunsEndToEnd(string name)
    {
        Phantoms.Stack(16, 96, 112, seed: 7).SaveSlices(_folder["slices"]);
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["new", "r.yaml", "--template", name]).Status);
        var check = KerfProcess.Run(_folder.Path, ["check", "r.yaml"]);
        Assert.True(check.Status == 0, check.Error);
        string[] command = ["run", "r.yaml", "--project", "p", "--json", "--quiet", "--set", "input.voxel=10,5,5"];
        var run = KerfProcess.Run(_folder.Path, command);
        if (name == "random-forest")
        {
            // stops for the labels, which a person draws on the clean stack
            Assert.Equal(2, run.Status);
            Assert.Contains("labels.tif", run.Error, StringComparison.Ordinal);
            Assert.Equal(0, KerfProcess.Run(_folder.Path, ["threshold", "p/volumes/destripe.zarr", "labels.tif", "--quiet"]).Status);
            run = KerfProcess.Run(_folder.Path, [.. command, "--set", "forest.trees=10", "--set", "forest.samples=5000"]);
        }
        Assert.True(run.Status == 0, run.Error);
        Assert.True(File.Exists((string)run.Json["report"]!));
        var fractions = run.Json["measurements"]!.AsArray().Where(m => (string)m!["name"]! == "fraction").ToArray();
        Assert.Equal(1, fractions.Sum(m => (double)m!["value"]!), 1e-9);
        // no phase came out empty: the recipe's numbers fit an ordinary stack
        Assert.All(fractions, m => Assert.InRange((double)m!["value"]!, 0.01, 0.99));
    }

    [Fact]
    public void TheXRayRecipeSeparatesARealSlice()
    {
        Assert.SkipWhen(SharedData.Path("sem-scribbles") is null, "../shared/data/sem-scribbles is missing");
        var slice = Path.Combine(SharedData.Path("sem-scribbles")!, "particles_xct_3phase.tif");
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["new", "r.yaml", "--template", "x-ray"]).Status);
        var run = KerfProcess.Run(_folder.Path, ["run", "r.yaml", "--project", "p", "--json", "--quiet", "--set", $"input.path={slice}", "--set", "input.voxel=100"]);
        Assert.True(run.Status == 0, run.Error);
        using var phases = ZarrVolume.Open(_folder["p/volumes/phases.zarr"]);
        using var raw = ZarrVolume.Open(_folder["p/volumes/raw.zarr"]);
        var (labels, greys) = (Volume<byte>.Load(phases.AsLabels()), Volume<byte>.Load((IVolume<byte>)raw));
        double Mean(int label) => labels.Data.Zip(greys.Data).Where(v => v.First == label).Average(v => v.Second);
        Assert.True(Mean(1) + 15 < Mean(2) && Mean(2) + 15 < Mean(3), FormattableString.Invariant($"mean greys {Mean(1):0} {Mean(2):0} {Mean(3):0}"));
    }
}

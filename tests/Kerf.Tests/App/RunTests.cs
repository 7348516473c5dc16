using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>A small stack through a whole recipe, by the program: skipping, resuming, the same bytes whatever the machine is asked to do.</summary>
public sealed class RunTests : IDisposable
{
    private const string Steps = """
        steps:
          - align
          - crop
          - brightness
          - destripe
          - denoise: {method: nlm}
          - threshold: {method: otsu}
          - clean: {min-size: 20}
        measures:
          - fractions
          - noise: {from: raw}
        """;

    private readonly TempFolder _folder = new();

    public RunTests()
    {
        Phantoms.Stack(24, 96, 112, seed: 3).SaveSlices(_folder["slices"]);
        File.WriteAllText(_folder["recipe.yaml"], "title: Test\ninput: {path: slices, voxel: [10, 5, 5]}\n" + Steps);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RunsSkipsAndRepeatsOnlyWhatDependsOnAChange()
    {
        var first = Run("p");
        Assert.True(File.Exists((string)first["report"]!));
        Assert.Equal(8, first["volumes"]!.AsObject().Count);
        Assert.Contains(first["measurements"]!.AsArray(), m => (string)m!["name"]! == "fraction");
        var records = Records("p");
        Assert.Equal(10, records.Length);

        Run("p");
        Assert.Equal(records, Records("p"));

        Run("p", "--set", "denoise.method=median");
        Assert.Equal(["denoise", "threshold", "clean", "measure-fractions"], Records("p")[10..].Select(f => Path.GetFileNameWithoutExtension(f)[5..]));
    }

    [Theory]
    [InlineData("--threads 1 --block 64", "")]
    [InlineData("--threads 2 --block 32 --memory 256MiB", "DOTNET_EnableAVX2=0")]
    [InlineData("--threads 2 --block 128", "DOTNET_EnableHWIntrinsic=0")]
    public void TheSameRecipeGivesTheSameBytes(string options, string environment)
    {
        Run("a", "--threads", "2");
        Assert.Equal(0, Invoke("b", options.Split(' '), environment).Status);
        Assert.Equal(Hashes("a"), Hashes("b"));
    }

    [Fact]
    public void AKilledRunGoesOnAndGivesTheSameBytes()
    {
        Run("whole");
        // killed at several moments; each time some more is done
        foreach (var milliseconds in (int[])[250, 450, 700, 1000, 1400])
        {
            using var process = KerfProcess.Start(_folder.Path, Arguments("cut"));
            Thread.Sleep(milliseconds);
            process.Kill();
            process.WaitForExit();
        }
        Run("cut");
        Assert.Equal(Hashes("whole"), Hashes("cut"));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["cut/volumes"], "*" + AtomicFile.PartialSuffix));
    }

    [Fact]
    public void RefusesAFolderThatHoldsSomethingElse()
    {
        Directory.CreateDirectory(_folder["mine"]);
        File.WriteAllText(_folder["mine/thesis.txt"], "precious");
        var result = Invoke("mine", []);
        Assert.Equal(2, result.Status);
        Assert.Contains("mine: holds other files and is no Kerf project; give --project a new or empty folder.", result.Error, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.GetFileSystemEntries(_folder["mine"]).Select(Path.GetFileName));
    }

    [Fact]
    public void AStepAloneWritesWhatTheNameSays()
    {
        var align = KerfProcess.Run(_folder.Path, ["align", "slices", "aligned.zarr", "--voxel", "10,5,5", "--json"]);
        Assert.Equal(24, align.Json["shifts"]!.AsArray().Count);
        Assert.Single(KerfProcess.Run(_folder.Path, ["threshold", "aligned.zarr", "phases.tif", "--method", "otsu", "--json"]).Json["thresholds"]!.AsArray());
        var info = KerfProcess.Run(_folder.Path, ["info", "phases.tif", "--json"]).Json;
        Assert.Equal("[24,96,112]", info["shape"]!.ToJsonString());
        Assert.Equal("uint8", (string)info["type"]!);
        Assert.Equal(10.0, (double)info["voxelSize"]!["z"]!, 1e-6);
        Assert.Equal(5.0, (double)info["voxelSize"]!["x"]!, 1e-6);
        var again = KerfProcess.Run(_folder.Path, ["align", "slices", "aligned.zarr", "--voxel", "10,5,5"]);
        Assert.Equal(2, again.Status);
        Assert.Contains("aligned.zarr: is there already and not empty. Choose another name, or replace it with --force.", again.Error, StringComparison.Ordinal);
    }

    private string[] Arguments(string project, params string[] more) => ["run", "recipe.yaml", "--project", project, "--json", "--quiet", .. more];

    private KerfProcess.Result Invoke(string project, string[] more, string environment = "")
    {
        var pair = environment.Split('=');
        return KerfProcess.Run(_folder.Path, Arguments(project, more), environment.Length > 0 ? [(pair[0], pair[1])] : []);
    }

    private JsonObject Run(string project, params string[] more)
    {
        var result = Invoke(project, more);
        Assert.True(result.Status == 0, result.Error);
        return result.Json;
    }

    private string[] Records(string project) => [.. Directory.GetFiles(_folder[project + "/runs"], "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private string[] Hashes(string project) =>
    [
        .. Directory.GetFiles(_folder[project + "/volumes"], "*", SearchOption.AllDirectories).Append(_folder[project + "/measurements.json"]).Order(StringComparer.Ordinal)
            .Select(f => string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(_folder[project], f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}")),
    ];
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Kerf.Tests;

/// <summary>The real stack from its recipe, end to end, and what scikit-image, tifffile and the NGFF fields say of the output.</summary>
public sealed class RealStackTests(ITestOutputHelper output) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RunsEndToEndAndOtherToolsAgree()
    {
        Assert.SkipWhen(SharedData.Path("shale-fibsem-stack") is null, "../shared/data/shale-fibsem-stack is missing");
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/skimage") && Directory.Exists("/usr/lib/python3/dist-packages/tifffile"),
            "python3-skimage and python3-tifffile are missing");

        var run = KerfProcess.Run(_folder.Path, ["run", Path.Combine(Repository.Root, "recipes", "shale.yaml"), "--project", "p", "--json", "--quiet"]);
        Assert.True(run.Status == 0, run.Error);
        Convert("p/volumes/raw.zarr", "raw.npy");
        Convert("p/volumes/crop.zarr", "aligned.npy");
        var checkedBy = Check("raw.npy", "aligned.npy", "p/phases.tif", "p/volumes/phases.zarr");
        var (before, after) = ((double)checkedBy["rawJitter"]!, (double)checkedBy["alignedJitter"]!);
        output.WriteLine(FormattableString.Invariant($"median displacement of neighbouring slices: {before:0.000} px raw, {after:0.000} px aligned"));
        Assert.InRange(after, 0, 0.3);
        Assert.InRange(before, 0.5, 2);

        Agrees("p/phases.tif", checkedBy["tiff"]!);
        Agrees("p/volumes/phases.zarr", checkedBy["zarr"]!);
    }

    private void Agrees(string path, JsonNode other)
    {
        var info = KerfProcess.Run(_folder.Path, ["info", path, "--json"]).Json;
        Assert.Equal(other["shape"]!.ToJsonString(), info["shape"]!.ToJsonString());
        Assert.Equal((string)other["type"]!, (string)info["type"]!);
        Assert.Equal((double)other["z"]!, (double)info["voxelSize"]!["z"]!, 1e-3);
        Assert.Equal((double)other["x"]!, (double)info["voxelSize"]!["x"]!, 1e-3);
        Assert.StartsWith((string)info["unit"]! == "nm" ? "n" : "?", (string)other["unit"]!, StringComparison.Ordinal);
    }

    private void Convert(string from, string to) => Assert.Equal(0, KerfProcess.Run(_folder.Path, ["convert", from, to, "--quiet"]).Status);

    private JsonObject Check(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3") { WorkingDirectory = _folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(Repository.Root, "tests", "Kerf.Tests", "References", "realstack", "check.py"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return (JsonObject)JsonNode.Parse(text)!;
    }
}

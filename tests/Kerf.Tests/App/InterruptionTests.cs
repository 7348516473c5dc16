using System.Diagnostics;
using System.Security.Cryptography;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Ctrl-C, a full disk and an input that changed meanwhile: one line, nothing half written, and the same bytes in the end.</summary>
public sealed class InterruptionTests : IDisposable
{
    private const string Interrupted = "kerf: interrupted. The same command goes on where this one stopped.\n";
    private readonly TempFolder _folder = new();

    public InterruptionTests()
    {
        Phantoms.Stack(40, 128, 144, seed: 5).SaveSlices(_folder["slices"]);
        File.WriteAllText(_folder["recipe.yaml"], """
            input: {path: slices, voxel: [10, 5, 5]}
            steps: [align, destripe, {denoise: {method: nlm, search-radius: 4}}, threshold]
            measures: [fractions]
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CtrlCStopsARunThatGoesOnLater()
    {
        string[] run = ["run", "recipe.yaml", "--quiet", "--project"];
        Run(0, [.. run, "whole"]);
        var stopped = 0;
        foreach (var volume in (string[])["raw", "align", "destripe", "denoise"])
        {
            var (status, error) = Stop([.. run, "cut"], () => Directory.Exists(_folder["cut/volumes"]) && Directory.EnumerateDirectories(_folder["cut/volumes"], volume + "*").Any());
            if (status == 0) break;
            Assert.Equal((130, Interrupted), (status, error));
            Assert.Empty(Directory.GetFiles(_folder["cut"], "*" + AtomicFile.PartialSuffix, SearchOption.AllDirectories));
            stopped++;
        }
        Assert.InRange(stopped, 1, 4);
        Run(0, [.. run, "cut"]);
        Assert.Equal(Hashes("whole/volumes"), Hashes("cut/volumes"));
        Assert.Equal(File.ReadAllBytes(_folder["whole/measurements.json"]), File.ReadAllBytes(_folder["cut/measurements.json"]));
    }

    [Fact]
    public void CtrlCStopsAStepThatGoesOnLater()
    {
        string[] Denoise(string output) => ["denoise", "slices", output, "--dimensions", "3", "--search-radius", "4", "--quiet"];
        Run(0, Denoise("whole.tif"));
        var (status, error) = Stop(Denoise("cut.tif"), () => Directory.EnumerateDirectories(_folder.Path, "cut.tif.*").Any());
        Assert.Equal((130, Interrupted), (status, error));
        Assert.False(File.Exists(_folder["cut.tif"]));
        Run(0, Denoise("cut.tif"));
        Assert.Equal(File.ReadAllBytes(_folder["whole.tif"]), File.ReadAllBytes(_folder["cut.tif"]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path, "*" + AtomicFile.PartialSuffix));
    }

    [Theory]
    [InlineData("convert slices full.tif")]
    [InlineData("convert slices full.npy")]
    [InlineData("convert slices full.zarr")]
    [InlineData("convert slices full/")]
    [InlineData("new full.xlsx --template solid-state")]
    [InlineData("measure noise slices --out full")]
    public void AFullDiskGetsOneLineAndLeavesNothing(string command)
    {
        var before = Hashes("");
        Assert.Contains("cannot be written", Run(2, command.Split(' '), fileLimit: "0").Error, StringComparison.Ordinal);
        Assert.Equal(before, Hashes(""));
        Assert.False(File.Exists(_folder["full"]));
    }

    [Theory]
    [InlineData("denoise slices full.zarr --method median --quiet")]
    [InlineData("denoise slices full.tif --method median --quiet")]
    [InlineData("run recipe.yaml --project full --quiet")]
    public void WhatAFullDiskStoppedGoesOnOnceThereIsSpace(string command)
    {
        var before = Hashes("slices");
        Assert.Contains("cannot be written", Run(2, command.Split(' '), fileLimit: "64").Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["full.tif"]) || Directory.Exists(_folder["full.zarr"]));
        Assert.Equal(before, Hashes("slices"));
        Run(0, command.Split(' '));
        Run(0, command.Replace("full", "whole", StringComparison.Ordinal).Split(' '));
        if (File.Exists(_folder["full.tif"])) Assert.Equal(File.ReadAllBytes(_folder["whole.tif"]), File.ReadAllBytes(_folder["full.tif"]));
        else if (Directory.Exists(_folder["full.zarr"])) Assert.Equal(Hashes("whole.zarr"), Hashes("full.zarr"));
        else Assert.Equal(Hashes("whole/volumes"), Hashes("full/volumes"));
    }

    [Fact]
    public void ARealFullDiskSaysSo()
    {
        var script = "mount -t tmpfs -o size=300k none small 2>/dev/null && exec dotnet \"$0\" convert slices small/out.npy --quiet";
        Directory.CreateDirectory(_folder["small"]);
        var result = Shell("exec unshare -rm sh -c \"$0\" \"$1\"", script, Program);
        Assert.SkipUnless(result.Error.Contains("kerf", StringComparison.Ordinal), "no file system may be mounted here: " + result.Error);
        Assert.Equal(2, result.Status);
        Assert.Contains("No space left on device", result.Error, StringComparison.Ordinal);
        Assert.StartsWith("kerf: small/out.npy: cannot be written (", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AChangedInputDoesNotTakeUpOldResults()
    {
        string[] align = ["align", "slices", "out.zarr", "--quiet"];
        Run(2, align, fileLimit: "64");
        var left = Assert.Single(Directory.GetDirectories(_folder.Path, "out.zarr.*"));
        Assert.True(File.Exists(Path.Combine(left, "transforms.json")));
        Phantoms.Stack(40, 128, 144, seed: 6).SaveSlices(_folder["slices"]);
        Run(0, align);
        Assert.False(Directory.Exists(left));
        Phantoms.Stack(40, 128, 144, seed: 6).SaveSlices(_folder["fresh"]);
        Run(0, ["align", "fresh", "fresh.zarr", "--quiet"]);
        Assert.Equal(Hashes("fresh.zarr"), Hashes("out.zarr"));
    }

    [Fact]
    public void AStepThatWasKilledAfterItsLastVoxelGoesOn()
    {
        // the volume fits the limit, the uncompressed file does not
        string[] threshold = ["threshold", "slices", "out.npy", "--quiet"];
        Run(2, threshold, fileLimit: "200");
        Assert.Single(Directory.GetDirectories(_folder.Path, "out.npy.*"));
        Run(0, threshold);
        Assert.Empty(Directory.GetDirectories(_folder.Path, "out.npy.*"));
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "kerf.dll");

    private KerfProcess.Result Run(int status, string[] arguments, string? fileLimit = null)
    {
        // a limit of the size of files (KiB) stands for a full disk; the runtime must not count its own code pages to it
        var result = fileLimit is null ? KerfProcess.Run(_folder.Path, arguments)
            : Shell($"trap '' XFSZ; ulimit -f {fileLimit}; export DOTNET_EnableWriteXorExecute=0; exec dotnet \"$0\" \"$@\"", [Program, .. arguments]);
        Assert.True(result.Status == status, $"{string.Join(' ', arguments)}: {result.Status} {result.Error}");
        if (status == 2) Assert.Single(result.Error.Split('\n'), line => line.StartsWith("kerf: ", StringComparison.Ordinal));
        return result;
    }

    private KerfProcess.Result Shell(string script, params string[] arguments)
    {
        using var process = Start("bash", ["-c", script, .. arguments]);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.Result);
    }

    // SIGINT as soon as `ready`; by env, since a test run in the background of a shell would hand its deafness to SIGINT down
    private (int Status, string Error) Stop(string[] arguments, Func<bool> ready)
    {
        using var process = Start("env", ["--default-signal=INT", "dotnet", Program, .. arguments]);
        var error = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
        while (!process.HasExited && !ready()) Thread.Sleep(1);
        using (var kill = Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) kill.WaitForExit();
        process.WaitForExit();
        return (process.ExitCode, error.Result);
    }

    private Process Start(string program, string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.Path, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private string[] Hashes(string folder) =>
    [
        .. Directory.GetFiles(_folder[folder], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => $"{Path.GetRelativePath(_folder[folder], f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}"),
    ];
}

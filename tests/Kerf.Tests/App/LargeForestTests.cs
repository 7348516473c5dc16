using System.Globalization;
using System.Security.Cryptography;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>A 16-bit stack of 2048×2048×512 predicts within 2 GiB; 61 features and 100 trees need no more; a kill in the middle does not show.</summary>
public sealed class LargeForestTests(ITestOutputHelper output) : IDisposable
{
    private const long Budget = 2L << 30;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FourGigabytesStayWithinTheBudgetAndSurviveAKill()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Assert.SkipWhen(new DriveInfo(_folder.Path).AvailableFreeSpace < 8L << 30, "needs 8 GB of free disk");
        // memory grows with features, trees and the slice, not with depth: all 61 and 100 trees on few slices, few features and trees on all slices
        Make("thick.zarr", 512);
        Train("small.kerf", new() { Trees = 5, Scales = [1], Families = [FeatureFamily.GaussianSmoothing, FeatureFamily.GaussianGradientMagnitude], Dimensions = 2 });
        Measure("small.kerf", "thick.zarr", "whole.zarr", kill: null);
        var seconds = Measure("small.kerf", "thick.zarr", "again.zarr", kill: TimeSpan.FromSeconds(20));
        Assert.True(double.IsNaN(seconds), "it was done before it could be killed");
        Measure("small.kerf", "thick.zarr", "again.zarr", kill: null);
        Assert.Equal(Hashes("whole.zarr"), Hashes("again.zarr"));
        Directory.Delete(_folder["thick.zarr"], recursive: true);
    }

    [Fact]
    public void AllFeaturesAndTreesStayWithinTheBudget()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Make("thin.zarr", 40);
        Train("full.kerf", new());
        Measure("full.kerf", "thin.zarr", "thin-labels.zarr", kill: null, "--probabilities", "p.zarr", "--uncertainty", "u.zarr");
    }

    // 12 bits of texture and noise in 16, in few distinct slices: quick to make, and not read from a cache alone
    private void Make(string name, int slices)
    {
        var info = new VolumeInfo(new Size3(slices, 2048, 2048), PixelType.UInt16, new VoxelSize(10, 5, 5));
        var canvas = Phantoms.Stack(1, 512, 512, seed: 11);
        using var target = (ZarrVolume<ushort>)ZarrVolume.Create(_folder[name], info, new() { Pyramid = false });
        new Traversal().ForEach(slices, z =>
        {
            var random = new CounterRandom(5, (ulong)z);
            var data = new ushort[info.Size.SliceCount];
            for (var i = 0; i < data.Length; i += 8)
            {
                var noise = random.NextUInt();
                for (var k = 0; k < 8; k++)
                {
                    var (y, x) = Math.DivRem(i + k, info.Size.X);
                    data[i + k] = (ushort)(canvas.Data[(y + z / 2 & 511) * 512 + (x + z & 511)] * 16 + (noise >> 4 * k & 15) * 16);
                }
            }
            target.Write(Box.Slice(info.Size, z), data);
        });
        target.Complete(new Traversal());
    }

    private void Train(string name, ForestSegmentation step)
    {
        Make("strokes.zarr", 8);
        var image = VolumeFile.Open(_folder["strokes.zarr"]);
        var grey = Volume<ushort>.Load((IVolume<ushort>)image);
        var labels = new Volume<byte>(image.Info.Size);
        for (var i = 0; i < labels.Data.Length; i += 1601) labels.Data[i] = (byte)(grey.Data[i] > 1900 ? 2 : 1);
        VolumeFile.Save(labels, _folder["strokes.tif"], new Traversal());
        ForestFile.Save(step.Train([("image", image)], _folder["strokes.tif"], new Traversal(), seed: 1), _folder[name]);
        (image as IDisposable)?.Dispose();
        Directory.Delete(_folder["strokes.zarr"], recursive: true);
        File.Delete(_folder["strokes.tif"]);
    }

    private double Measure(string model, string image, string to, TimeSpan? kill, params string[] more)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var process = KerfProcess.Start(_folder.Path, ["predict", model, image, to, "--memory", "2GiB", "--threads", "2", "--json", "--quiet", .. more]);
        var (text, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        long peak = 0;
        while (!process.WaitForExit(200))
        {
            if (kill is { } limit && clock.Elapsed > limit) process.Kill();
            var status = $"/proc/{process.Id}/status";
            var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            if (line is not null) peak = long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }
        if (process.ExitCode == 137) return double.NaN;
        Assert.True(process.ExitCode == 0, error.Result);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model} on {image}: {clock.Elapsed.TotalSeconds:0} s, peak resident memory {peak / 1048576.0:0} MiB, {text.Result}"));
        Assert.InRange(peak, 0, Budget);
        return clock.Elapsed.TotalSeconds;
    }

    private string[] Hashes(string zarr) => [.. Directory.GetFiles(_folder[zarr], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f =>
    {
        using var stream = File.OpenRead(f);
        return $"{Path.GetRelativePath(_folder[zarr], f)} {Convert.ToHexStringLower(SHA256.HashData(stream))}";
    })];
}

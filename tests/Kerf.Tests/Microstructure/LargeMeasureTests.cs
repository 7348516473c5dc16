using System.Globalization;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Fractions, profiles, surface and chords of a 12 GB stack within 1 GiB.</summary>
public sealed class LargeMeasureTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Size3 Size = new(1500, 2048, 4096);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TwelveGigabytesAreMeasuredWithinTheBudget()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Assert.SkipWhen(Debugging, "an unoptimised build takes a quarter of an hour for it: ./test --slow");
        Assert.SkipWhen(new DriveInfo(_folder.Path).AvailableFreeSpace < 14L << 30, "needs 14 GB of free disk");
        // blobs of 128³ voxels that repeat: small on disk, whole in memory
        var cube = Phantoms.Stack(128, 128, 128, seed: 3);
        for (var i = 0; i < cube.Data.Length; i++) cube.Data[i] = cube.Data[i] > 110 ? (byte)1 : (byte)2;
        VolumeFile.Save(new Repeated(cube), _folder["large.zarr"], new() { MemoryBytes = 512 << 20 });
        foreach (var kind in (string[][])[["fractions"], ["fractions", "--axis", "x"], ["surface"], ["lineal-path", "--axis", "x"], ["lineal-path", "--axis", "z"]])
        {
            var (run, peak, seconds) = Run(kind);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', kind)}: {seconds:0} s, peak resident memory {peak / 1048576.0:0} MiB"));
            Assert.True(run.Status == 0, run.Error);
            Assert.StartsWith("{\"measurements\":[", run.Output, StringComparison.Ordinal);
            Assert.InRange(peak, 0, 1024L << 20);
        }
    }

    private static bool Debugging =>
#if DEBUG
        true;
#else
        false;
#endif

    private (KerfProcess.Result Result, long PeakBytes, double Seconds) Run(string[] kind)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var process = KerfProcess.Start(_folder.Path, ["measure", kind[0], "large.zarr", "--phase", "1", .. kind[1..], "--memory", "1GiB", "--json", "--quiet"]);
        var (said, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        long peak = 0;
        while (!process.WaitForExit(200))
        {
            var status = $"/proc/{process.Id}/status";
            var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            if (line is not null) peak = long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }
        return (new(process.ExitCode, said.Result, error.Result), peak, clock.Elapsed.TotalSeconds);
    }

    private sealed class Repeated(Volume<byte> cube) : IVolume<byte>
    {
        public VolumeInfo Info { get; } = new(Size, PixelType.UInt8, new VoxelSize(10, 5, 5));

        public void Read(Box box, Span<byte> target)
        {
            var i = 0;
            for (var z = box.Start.Z; z < box.End.Z; z++)
            {
                for (var y = box.Start.Y; y < box.End.Y; y++)
                {
                    for (var x = box.Start.X; x < box.End.X;)
                    {
                        var count = Math.Min(128 - x % 128, box.End.X - x);
                        cube.Slice(z % 128).Slice(y % 128 * 128 + x % 128, count).CopyTo(target[i..]);
                        (x, i) = (x + count, i + count);
                    }
                }
            }
        }
    }
}

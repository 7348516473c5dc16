using System.Globalization;
using System.Security.Cryptography;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>A stack of 6 GB through align, destripe and threshold within 1 GiB, undisturbed and with kill −9 in the middle.</summary>
public sealed class LargeStackTests(ITestOutputHelper output) : IDisposable
{
    private const int Slices = 2048;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SixGigabytesStayWithinTheBudgetAndSurviveAKill()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Assert.SkipWhen(new DriveInfo(_folder.Path).AvailableFreeSpace < 60L << 30, "needs 60 GB of free disk");
        MakeSlices();
        File.WriteAllText(_folder["recipe.yaml"], """
            title: Large
            input: {path: slices, voxel: [10, 5, 5]}
            steps: [align, destripe, threshold]
            output: {png: false, tiff: false}
            """);

        var (status, peak, seconds) = Run("whole", kill: null);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"undisturbed: {seconds:0} s, peak resident memory {peak / 1048576.0:0} MiB"));
        Assert.Equal(0, status);
        Assert.InRange(peak, 0, 1536L << 20);

        foreach (var share in (double[])[0.1, 0.3]) Run("cut", kill: TimeSpan.FromSeconds(seconds * share));
        Assert.Equal(0, Run("cut", kill: null).Status);
        Assert.Equal(Hashes("whole"), Hashes("cut"));
    }

    // one noisy textured slice, shifted and striped differently each time: cheap to make, not cheap to process
    private void MakeSlices()
    {
        var size = new Size3(1, 1536, 2048);
        Directory.CreateDirectory(_folder["slices"]);
        var canvas = Phantoms.Stack(1, size.Y + 64, size.X + 64, seed: 11);
        new Traversal().ForEach(Slices, z =>
        {
            var random = new CounterRandom(5, (ulong)z);
            var (dy, dx) = (random.NextInt(4) + z % 50, random.NextInt(4) + z % 30);
            var data = new byte[size.Count];
            for (var y = 0; y < size.Y; y++)
            {
                var row = canvas.Data.AsSpan((y + dy) * (size.X + 64) + dx, size.X);
                for (var x = 0; x < size.X; x += 4)
                {
                    var noise = random.NextUInt();
                    for (var i = 0; i < 4; i++) data[y * size.X + x + i] = (byte)Math.Clamp(row[x + i] + (int)(noise >> 8 * i & 31) - 16, 0, 255);
                }
            }
            TiffWriter.Save(new Volume<byte>(size, null, data), Path.Combine(_folder["slices"], $"slice_{z:0000}.tif"), new Traversal { Threads = 1 }, compress: false);
        });
    }

    private (int Status, long PeakBytes, double Seconds) Run(string project, TimeSpan? kill)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var process = KerfProcess.Start(_folder.Path, ["run", "recipe.yaml", "--project", project, "--memory", "1GiB", "--json", "--quiet"]);
        _ = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        long peak = 0;
        while (!process.WaitForExit(200))
        {
            if (kill is { } limit && clock.Elapsed > limit) process.Kill();
            var status = $"/proc/{process.Id}/status";
            var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            if (line is not null) peak = long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }
        if (process.ExitCode is not (0 or 137)) output.WriteLine(error.Result);
        return (process.ExitCode, peak, clock.Elapsed.TotalSeconds);
    }

    private string[] Hashes(string project) => [.. Directory.GetFiles(_folder[project + "/volumes"], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f =>
    {
        using var stream = File.OpenRead(f);
        return $"{Path.GetRelativePath(_folder[project], f)} {Convert.ToHexStringLower(SHA256.HashData(stream))}";
    })];
}

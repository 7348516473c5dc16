using System.Globalization;
using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>1024×1024×512 voxels predict within 3 GiB, in 2-D and in 3-D.</summary>
public sealed class LargeNetworkTests(ITestOutputHelper output) : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ArchitectureKind.Unet, 3, 512)]
    [InlineData(ArchitectureKind.Unet3d, 1, 512)]
    public void HalfABillionVoxelsStayWithinTheBudget(ArchitectureKind kind, int slices, int depth)
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        LibTorch.Require();
        var info = new VolumeInfo(new Size3(depth, 1024, 1024), PixelType.UInt8, VoxelSize.Cube(5));
        var canvas = Phantoms.Stack(1, 512, 512, seed: 11);
        using (var target = (ZarrVolume<byte>)ZarrVolume.Create(_folder["stack.zarr"], info, new() { Pyramid = false }))
        {
            new Traversal().ForEach(depth, z =>
            {
                var data = new byte[info.Size.SliceCount];
                for (var i = 0; i < data.Length; i++) data[i] = canvas.Data[((i / 1024 + z / 2) & 511) * 512 + ((i + z) & 511)];
                target.Write(Box.Slice(info.Size, z), data);
            });
            target.Complete(new Traversal());
        }
        var architecture = new Architecture { Kind = kind, Slices = slices, Depth = 2, Width = 4 };
        NetworkFile.Save(new(architecture, architecture.Build().Initial(1), new(GreyRule.Standard, false))
        {
            Channels = ["se"],
            Voxel = info.Voxel,
            Phases = [new(1, "pore", "#222222"), new(2, "solid", "#eeeeee")],
            Training = new(new(), 1, [], null),
        }, _folder["m.kerf"]);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var process = KerfProcess.Start(_folder.Path, ["predict", "m.kerf", "stack.zarr", "out.zarr", "--probabilities", "p.zarr", "--memory", "3GiB", "--threads", "2", "--json", "--quiet"]);
        long peak = 0;
        while (!process.WaitForExit(200))
        {
            var status = $"/proc/{process.Id}/status";
            var line = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
            if (line is not null) peak = long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture) << 10;
        }
        Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {clock.Elapsed.TotalSeconds:0} s, peak resident memory {peak / 1048576.0:0} MiB, {process.StandardOutput.ReadToEnd()}"));
        Assert.InRange(peak, 0, 3L << 30);
    }
}

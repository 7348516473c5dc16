using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Arrays of other programs; References/zarr/PROVENANCE.md tells where they come from.</summary>
public sealed class ZarrReferenceTests : IDisposable
{
    private static readonly Size3 Size = new(5, 6, 7);
    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-zarr-").FullName;

    public ZarrReferenceTests()
    {
        using var file = new GZipStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "References/zarr/arrays.tar.gz")), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(file, _folder, overwriteFiles: false);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ReadsWhatPythonWrote()
    {
        var names = Directory.GetDirectories(_folder).Select(path => Path.GetFileName(path)!).Except(["v2-inexact", "ome-0.4"]).Order().ToArray();
        Assert.Equal(44, names.Length);
        foreach (var name in names)
        {
            using var volume = ZarrVolume.Open(Path.Combine(_folder, name));
            Assert.True(volume.IsComplete);
            Assert.Equal(Size, volume.Info.Size);
            Assert.Null(volume.Info.Voxel);
            var voxels = Volume<float>.Load(volume.AsFloat());
            for (var z = 0; z < 5; z++)
                for (var y = 0; y < 6; y++)
                    for (var x = 0; x < 7; x++)
                        Assert.True(Expected(name, z, y, x) == voxels[z, y, x], $"{name}: {voxels[z, y, x]} at {z}, {y}, {x}");
        }
    }

    private static float Expected(string name, int z, int y, int x)
    {
        var value = (7 * z + 3 * y + x) % 100;
        if (name == "v2-fill" && z >= 2) return -1.5f;
        if (name == "v3-fill" && ((z < 3 && y < 4 && x < 4) || (z >= 3 && y >= 4 && x >= 4))) return 9;
        if (name == "v2-dtype-b1") return value == 0 ? 0 : 1;
        return name.StartsWith("v2-dtype-i", StringComparison.Ordinal) || name.StartsWith("v2-dtype-f", StringComparison.Ordinal) ? value - 50 : value;
    }

    [Theory]
    [InlineData("v2-dtype-b1", PixelType.UInt8)]
    [InlineData("v2-nested", PixelType.UInt8)]
    [InlineData("v2-dtype-u2-big", PixelType.UInt16)]
    [InlineData("v2-dtype-i1", PixelType.Float32)]
    [InlineData("v2-dtype-u4", PixelType.Float32)]
    public void MakesOneOfThreeTypes(string name, PixelType type)
    {
        using var volume = ZarrVolume.Open(Path.Combine(_folder, name));
        Assert.Equal(type, volume.Info.Type);
    }

    [Fact]
    public void ReadsAChannelOfFiveAxes()
    {
        using var volume = (ZarrVolume<ushort>)ZarrVolume.Open(Path.Combine(_folder, "v2-five-axes"), new() { Channel = 1 });
        Assert.Equal(["channel 0", "channel 1"], volume.Channels);
        Assert.Equal(100 + 7 + 6 + 3, Volume<ushort>.Load(volume)[1, 2, 3]);
    }

    [Fact]
    public void MultipliesTheScalesOfDatasetAndMultiscale()
    {
        using var volume = ZarrVolume.Open(Path.Combine(_folder, "ome-0.4"));
        Assert.Equal(20, volume.Info.Voxel!.Value.Z, 1e-9);
        Assert.Equal(5, volume.Info.Voxel!.Value.Y, 1e-9);
        Assert.Equal(4, volume.Info.Voxel!.Value.X, 1e-9);
    }

    [Fact]
    public void RefusesValuesThatFloatCannotHold()
    {
        using var volume = (ZarrVolume<float>)ZarrVolume.Open(Path.Combine(_folder, "v2-inexact"));
        var error = Assert.Throws<InputError>(() => volume.Read(Box.Whole(Size), new float[Size.Count]));
        Assert.Contains("0.0.0: the value 0.1 (float64) has no float32 equal to it", error.Message);
    }

    [Fact]
    public void RefusesDamagedChecksums()
    {
        foreach (var (name, chunk, message) in new[]
        {
            ("v3-zstd-crc32c", "c/0/0/0", "c/0/0/0: the checksum does not fit the data"),
            ("v3-shards-end", "c/0/0/0", "c/0/0/0: the checksum of the shard's index does not fit"),
        })
        {
            var file = Path.Combine(_folder, name, chunk);
            var bytes = File.ReadAllBytes(file);
            bytes[^8] ^= 1;
            File.WriteAllBytes(file, bytes);
            using var volume = (ZarrVolume<ushort>)ZarrVolume.Open(Path.Combine(_folder, name));
            Assert.Contains(message, Assert.Throws<InputError>(() => volume.Read(Box.Whole(Size), new ushort[Size.Count])).Message);
        }
    }

    [Fact]
    public void PythonOpensWhatWasWritten()
    {
        var sums = new List<string>();
        foreach (var compression in Enum.GetValues<ZarrCompression>())
        {
            var truth = ZarrVolumeTests.Noise<ushort>(new(20, 40, 50), 3);
            using var volume = (ZarrVolume<ushort>)ZarrVolume.Create(
                Path.Combine(_folder, $"own-{(int)compression}.zarr"), truth.Info, new() { Version = OmeZarrVersion.V04, Compression = compression });
            ZarrVolumeTests.Fill(volume, truth, new(1, 40, 50), Enumerable.Range(0, 20));
            volume.Complete(Traversal.Default);
            sums.Add($"(20, 40, 50) uint16 {truth.Data.Select((value, i) => (long)value * i).Sum()} 0.4");
        }
        var read = Python($"""
            import zarr, numpy as np
            for i in range({sums.Count}):
                g = zarr.open(r'{_folder}/own-%d.zarr' % i, 'r')
                a = g['0'][:]
                print(a.shape, a.dtype, (a.ravel().astype('i8') * np.arange(a.size)).sum(), g.attrs['multiscales'][0]['version'])
            """);
        Assert.SkipWhen(read is null && Python("import zarr") is null, "python3-zarr is not installed: apt-get install python3-zarr");
        Assert.Equal(sums, read?.Split('\n'));
    }

    private static string? Python(string code)
    {
        if (!File.Exists("/usr/bin/python3")) return null;
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", code]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _ = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? text : null;
    }
}

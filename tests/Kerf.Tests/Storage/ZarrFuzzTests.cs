using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Damaged and hostile volumes end in an <see cref="InputError"/> that names a file, or are read; never anything else.</summary>
public sealed partial class ZarrFuzzTests : IDisposable
{
    // extremes and other kinds of values
    private static readonly string[] Values =
        ["-1", "0", "1", "3", "255", "65537", "2147483647", "4294967296", "9223372036854775807", "1e308", "1e999", "0.5", "null", "true", "[]", "{}",
         "\"\"", "\"NaN\"", "\"0xffff\"", "\"..\"", "\"\\ud800\"", "\"default\"", "\"bytes\"", "\"zstd\"", "\"blosc\"", "\"crc32c\"", "\"<f8\"", "\"bool\""];

    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-zarr-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void DamagedFilesAreRefusedByName() => Run(3000, seed: 1);

    [Fact]
    public void DamagedFilesAreRefusedByNameAtLength()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Run(120_000, seed: 2);
    }

    private void Run(int cases, ulong seed)
    {
        var files = Corpus();
        var (refused, read) = (0, 0);
        for (var i = 0; i < cases; i++)
        {
            var draw = new CounterRandom(seed, (ulong)i);
            var (file, bytes) = files[draw.NextInt(files.Length)];
            var isText = Path.GetFileName(file) is "zarr.json" or ".zarray" or ".zattrs";
            File.WriteAllBytes(file, isText && draw.NextInt(4) > 0 ? Encoding.UTF8.GetBytes(Edit(Encoding.UTF8.GetString(bytes), ref draw)) : Damage(bytes, ref draw));
            var before = GC.GetAllocatedBytesForCurrentThread();
            var volume = file[(_folder.Length + 1)..].Split('/')[0];
            try
            {
                Read(Path.Combine(_folder, volume));
                read++;
            }
            catch (InputError error)
            {
                Assert.StartsWith(Path.Combine(_folder, volume), error.Message);
                refused++;
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.IAssertionException)
            {
                Assert.Fail($"case {i} of seed {seed}, {file}: {exception}");
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 20);
            File.WriteAllBytes(file, bytes);
        }
        Assert.True(refused > cases / 4 && read > cases / 20, $"{refused} refused, {read} read");
    }

    private static void Read(string path)
    {
        using var volume = ZarrVolume.Open(path);
        var size = Size3.Min(volume.Info.Size, Size3.Cube(40));
        var last = volume.Info.Size - size;
        foreach (var box in new[] { Box.Whole(size), new Box(last, size) }) volume.AsFloat().Read(box, new float[box.Count]);
    }

    // reference arrays, and volumes of our own in both versions
    private (string File, byte[] Bytes)[] Corpus()
    {
        using (var file = new GZipStream(File.OpenRead(Path.Combine(AppContext.BaseDirectory, "References/zarr/arrays.tar.gz")), CompressionMode.Decompress))
            TarFile.ExtractToDirectory(file, _folder, overwriteFiles: false);
        foreach (var version in Enum.GetValues<OmeZarrVersion>())
        {
            var info = new VolumeInfo(new(4, 9, 10), PixelType.UInt8, VoxelSize.Cube(5)) { Phases = [Phase.Unnamed(1)], Metadata = new Dictionary<string, string> { ["a"] = "b" } };
            var channels = ZarrVolume.CreateChannels(Path.Combine(_folder, $"own-{version}"), info, ["a", "b"], new() { Version = version, Compression = ZarrCompression.Blosc });
            foreach (var channel in channels) ((ZarrVolume<byte>)channel).Write(Box.Whole(info.Size), new byte[info.Size.Count]);
            channels[0].Complete(Traversal.Default);
        }
        return [.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => (file, File.ReadAllBytes(file)))];
    }

    private static string Edit(string json, ref CounterRandom draw)
    {
        var tokens = Tokens().Matches(json);
        if (tokens.Count == 0) return json;
        var token = tokens[draw.NextInt(tokens.Count)];
        var other = tokens[draw.NextInt(tokens.Count)].Value;
        return json[..token.Index] + (draw.NextInt(4) == 0 ? other : Values[draw.NextInt(Values.Length)]) + json[(token.Index + token.Length)..];
    }

    private static byte[] Damage(byte[] bytes, ref CounterRandom draw)
    {
        var damaged = bytes.ToList();
        for (var times = 1 + draw.NextInt(3); times > 0; times--)
        {
            var at = draw.NextInt(damaged.Count + 1);
            switch (draw.NextInt(6))
            {
                // headers are short and matter most
                case 0 when damaged.Count > 0: damaged[Math.Min(draw.NextInt(24), damaged.Count - 1)] = (byte)draw.NextUInt(); break;
                case 1 when at < damaged.Count: damaged[at] ^= (byte)(1 << draw.NextInt(8)); break;
                case 2: damaged.RemoveRange(at, damaged.Count - at); break;
                case 3: damaged.InsertRange(at, Enumerable.Repeat((byte)draw.NextUInt(), 1 + draw.NextInt(40))); break;
                case 4: damaged.RemoveRange(at, Math.Min(1 + draw.NextInt(8), damaged.Count - at)); break;
                default: for (var i = at; i < Math.Min(at + 8, damaged.Count); i++) damaged[i] = 0xff; break;
            }
        }
        return [.. damaged];
    }

    [GeneratedRegex("""-?[0-9]+(\.[0-9]+)?|"[^"]*"|null|true|false""")]
    private static partial Regex Tokens();
}

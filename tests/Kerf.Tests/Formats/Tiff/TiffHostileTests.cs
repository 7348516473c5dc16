using System.Diagnostics;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Damaged and malicious files: always an <see cref="InputError"/>, soon, and without memory that the file cannot account for.</summary>
public sealed class TiffHostileTests : IDisposable
{
    private static readonly string[] Seeds =
        [.. Directory.GetFiles(System.IO.Path.GetDirectoryName(TiffReferenceTests.File("u8"))!, "*.tif").Order()];
    private readonly string _path = System.IO.Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    // true when the file was read to its end
    private bool Read(byte[] bytes)
    {
        File.WriteAllBytes(_path, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        var good = true;
        try
        {
            using var file = (IDisposable)TiffVolume.Open(_path);
            var volume = ((IVolume)file).AsFloat();
            var size = volume.Info.Size;
            // one row of each of a few slices: what a caller gets without asking for a large array himself
            var row = new float[Math.Min(size.X, 4096)];
            for (var z = 0; z < Math.Min(size.Z, 4); z++) volume.Read(new(new(z, size.Y - 1, 0), new(1, 1, row.Length)), row);
        }
        catch (InputError error)
        {
            good = false;
            Assert.StartsWith(_path, error.Message);
            Assert.DoesNotContain('\n', error.Message);
        }
        Assert.True(watch.Elapsed.TotalSeconds < 5, $"took {watch.Elapsed}");
        // the files have up to 11 KB; the worst of 120,000 takes 8.4 MB
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 32 << 20, $"allocated {allocated} for {bytes.Length} bytes");
        _most = Math.Max(_most, allocated);
        _slowest = Math.Max(_slowest, watch.Elapsed.TotalMilliseconds);
        return good;
    }

    private long _most;
    private double _slowest;

    private void Fuzz(int count)
    {
        var read = 0;
        for (var i = 0; i < count; i++)
        {
            var random = new CounterRandom(42, (ulong)i);
            byte[] bytes;
            if (i % 10 == 0)
            {
                bytes = new byte[random.NextInt(600)];
                foreach (ref var value in bytes.AsSpan()) value = (byte)random.NextUInt();
                byte[] head = i % 20 == 0 ? [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0] : [(byte)'M', (byte)'M', 0, 43, 0, 8, 0, 0];
                if (bytes.Length > 8 && random.NextInt(4) > 0) head.CopyTo(bytes, 0);
            }
            else
            {
                bytes = File.ReadAllBytes(Seeds[random.NextInt(Seeds.Length)]);
                Mutate(ref bytes, ref random);
            }
            try
            {
                if (Read(bytes)) read++;
            }
            catch (Exception exception)
            {
                throw new Xunit.Sdk.XunitException($"case {i}: {exception}");
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{read} of {count} read, most {_most} bytes, slowest {_slowest:F0} ms");
        Assert.InRange(read, count / 20, count); // the mutations are not all so coarse that nothing but the header is tested
    }

    private static void Mutate(ref byte[] bytes, ref CounterRandom random)
    {
        // mostly in the directories, which lie in the first 300 bytes or near the end
        for (var n = 1 + random.NextInt(4); n > 0; n--)
        {
            var near = Math.Min(bytes.Length, 400);
            var at = random.NextInt(3) switch
            {
                0 => random.NextInt(bytes.Length),
                1 => random.NextInt(near),
                _ => bytes.Length - 1 - random.NextInt(near),
            };
            switch (random.NextInt(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.NextInt(8)); break;
                case 1: bytes[at] = (byte)random.NextUInt(); break;
                case 2: bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill((byte)(random.NextInt(2) * 255)); break;
                case 3: bytes.AsSpan(random.NextInt(bytes.Length - 8), 4).CopyTo(bytes.AsSpan(Math.Min(at, bytes.Length - 8))); break;
                default: if (random.NextInt(4) == 0) bytes = bytes[..Math.Max(9, at)]; break;
            }
        }
    }

    [Fact]
    public void Survives_damaged_files() => Fuzz(3_000);

    [Fact]
    public void Survives_many_damaged_files()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        Fuzz(120_000);
    }

    private string Refusal(byte[] bytes)
    {
        File.WriteAllBytes(_path, bytes);
        return Assert.Throws<InputError>(() =>
        {
            using var file = (IDisposable)TiffVolume.Open(_path);
            var volume = ((IVolume)file).AsFloat();
            volume.Read(Box.Whole(volume.Info.Size), new float[volume.Info.Size.Count]);
        }).Message;
    }

    // little-endian, one directory at byte 8, then the data
    private static byte[] Build(byte[] data, params (int Tag, int Type, uint Value)[] tags)
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        writer.Write([(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0]);
        writer.Write((ushort)tags.Length);
        foreach (var (tag, type, value) in tags)
        {
            writer.Write((ushort)tag);
            writer.Write((ushort)type);
            writer.Write(1);
            writer.Write(value);
        }
        writer.Write(0);
        writer.Write(data);
        return stream.ToArray();
    }

    private static byte[] Image(uint width, uint height, uint compression, byte[] data, params (int, int, uint)[] more) => Build(data,
    [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1),
        (273, 4, (uint)(14 + 12 * (8 + more.Length))), (278, 4, height), (279, 4, (uint)data.Length), .. more,
    ]);

    [Fact]
    public void Says_what_is_wrong()
    {
        Assert.Contains("is not a TIFF file", Refusal("hello, this is a text"u8.ToArray()));
        Assert.Contains("the header", Refusal([1, 2]));
        Assert.Contains("compression 7 (JPEG) is not read; save it uncompressed", Refusal(Image(4, 4, 7, new byte[16])));
        Assert.Contains("compression 50000 (Zstandard)", Refusal(Image(4, 4, 50000, new byte[16])));
        Assert.Contains("page 1: 99×99 uint8 needs 9801 bytes, more than a file of 114 bytes can hold", Refusal(Image(99, 99, 1, new byte[4])));
        Assert.Contains("page 1, strip 1: 100 bytes at 110 would end behind the file of 114 bytes", Refusal(Image(10, 10, 1, new byte[4])));
        Assert.Contains("photometric interpretation 6", Refusal(Image(4, 4, 1, new byte[16]).Also(262, 6)));
        Assert.Contains("samples of 12 bits", Refusal(Image(4, 4, 1, new byte[16]).Also(258, 12)));
        Assert.Contains("the width is 0", Refusal(Image(0, 4, 1, new byte[16])));
        Assert.Contains("predictor 9", Refusal(Image(4, 4, 8, new byte[16], (317, 3, 9))));
        Assert.Contains("cannot be opened", Assert.Throws<InputError>(() => TiffVolume.Open(_path + ".none")).Message);
    }

    [Fact]
    public void Refuses_strips_that_cannot_hold_what_is_declared()
    {
        Assert.Contains("page 1: 30000×30000 uint8 needs 900000000 bytes, more than a file of", Refusal(Image(30000, 30000, 8, new byte[100])));
        Assert.Contains("strip 1: 10 compressed bytes at 110 cannot hold 40000", Refusal([.. Image(200, 200, 8, new byte[10]), .. new byte[100]]));
        Assert.Contains("page 1, strip 1: the compressed bytes at 110 are damaged", Refusal(Image(20, 20, 8, new byte[10])));
        Assert.Contains("end after 3 of 400 bytes", Refusal(Image(20, 20, 32773, [2, 1, 2, 3, 0x80, 0x80, 0x80])));
        Assert.Contains("its LZW data has no meaning", Refusal(Image(20, 20, 5, [0x80, 0x7F, 0xFF, 0xFF])));
    }

    [Theory]
    [InlineData("imagej-channels", "channels=2", "channels=4", "says channels=4, but 6 pages cannot be shared out among them")]
    [InlineData("ome", "SizeT=\"1\"", "SizeT=\"3\"", "holds 3 time points of 2 slices; save one time point")]
    [InlineData("ome", "SizeC=\"2\"", "SizeC=\"9\"", "names 9 channels of 2 slices, the file holds 4 pages; put the whole series")]
    [InlineData("ome", "<Pixels ", "<Pixe<s ", "its OME description is not valid XML")]
    [InlineData("imagej", "images=3", "images=X", null)]
    public void Says_what_is_wrong_with_a_description(string name, string was, string now, string? message)
    {
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(TiffReferenceTests.File(name)));
        Assert.Contains(was, text);
        var bytes = System.Text.Encoding.Latin1.GetBytes(text.Replace(was, now));
        if (message is null) Assert.True(Read(bytes));
        else Assert.Contains(message, Refusal(bytes));
    }

    [Fact]
    public void A_stack_without_spacing_has_a_pixel_size_but_no_voxel_size()
    {
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(TiffReferenceTests.File("imagej")));
        File.WriteAllBytes(_path, System.Text.Encoding.Latin1.GetBytes(text.Replace("spacing=", "nothing=")));
        var info = TiffVolume.Open(_path).Info;
        Assert.Null(info.Voxel);
        Assert.Equal("5", info.Metadata["pixelSizeNm"]);
    }

    [Fact]
    public void Refuses_directories_in_a_loop_or_on_top_of_one_another()
    {
        var loop = Image(4, 4, 1, new byte[16]);
        BitConverter.TryWriteBytes(loop.AsSpan(8 + 2 + 12 * 8), 8);
        Assert.Contains("directory 2 at byte 8 was met before: the chain of pages is a loop", Refusal(loop));
        loop[8 + 2 + 12 * 8] = 20; // inside the first directory
        Assert.Contains("directory 2", Refusal(loop));
    }
}

file static class TiffBytesOfTests
{
    /// <summary>Replaces the value of a tag.</summary>
    public static byte[] Also(this byte[] bytes, int tag, ushort value)
    {
        for (var at = 10; ; at += 12)
        {
            if (BitConverter.ToUInt16(bytes, at) != tag) continue;
            BitConverter.TryWriteBytes(bytes.AsSpan(at + 8), value);
            return bytes;
        }
    }
}

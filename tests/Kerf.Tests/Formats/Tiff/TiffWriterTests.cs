using System.Runtime.InteropServices;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class TiffWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-tiff-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Path(string name) => System.IO.Path.Combine(_folder, name);

    private static Volume<T> Random<T>(Size3 size, VoxelSize? voxel) where T : unmanaged
    {
        var volume = new Volume<T>(size, voxel);
        var random = new CounterRandom(3, 0);
        foreach (ref var part in MemoryMarshal.AsBytes(volume.Data.AsSpan())) part = (byte)random.NextUInt();
        return volume;
    }

    private void RoundTrip<T>(bool compress, bool predictor, bool big) where T : unmanaged
    {
        var volume = Random<T>(new(4, 23, 31), new(10, 5.43, 0.125));
        var path = Path("a.tif");
        using (var writer = new TiffWriter(path, volume.Info, compress, predictor, big))
        {
            for (var z = 0; z < 4; z++) writer.Write<T>(volume.Slice(z));
            Assert.False(File.Exists(path));
            writer.Complete();
        }
        Assert.Equal([path], Directory.GetFiles(_folder));
        using var read = (IDisposable)TiffVolume.Open(path);
        var back = Volume<T>.Load((IVolume<T>)read);
        Assert.Equal(MemoryMarshal.AsBytes(volume.Data.AsSpan()).ToArray(), MemoryMarshal.AsBytes(back.Data.AsSpan()).ToArray());
        Assert.Equal(volume.Info.Voxel, back.Info.Voxel);
        Assert.Equal(big ? 43 : 42, File.ReadAllBytes(path)[2]);
        File.Delete(path);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Writes_what_it_reads(bool compress, bool predictor)
    {
        foreach (var big in new[] { false, true })
        {
            RoundTrip<byte>(compress, predictor, big);
            RoundTrip<ushort>(compress, predictor, big);
            RoundTrip<float>(compress, predictor, big);
        }
    }

    [Fact]
    public void Keeps_phases_with_names_and_colours()
    {
        var labels = new Volume<byte>(new VolumeInfo(new(2, 3, 4), PixelType.UInt8, VoxelSize.Cube(8))
        {
            Phases = [new(1, "pore: resin, µ=1\n", "#e8e6df"), new(7, "NMC", "#3b7dd8")],
        });
        labels.Data[5] = 7;
        TiffWriter.Save(labels, Path("labels.tif"), Traversal.Default);
        var back = (IVolume<byte>)TiffVolume.Open(Path("labels.tif"));
        Assert.Equal(labels.Info.Phases, back.Info.Phases!);
        Assert.Equal(labels.Data, Volume<byte>.Load(back).Data);
    }

    [Fact]
    public void Gives_the_same_bytes_for_any_number_of_threads_and_memory()
    {
        var volume = Random<ushort>(new(13, 40, 700), null);
        TiffWriter.Save(volume, Path("one.tif"), new() { Threads = 1, MemoryBytes = 1 });
        TiffWriter.Save(volume, Path("five.tif"), new() { Threads = 5 });
        Assert.Equal(File.ReadAllBytes(Path("one.tif")), File.ReadAllBytes(Path("five.tif")));
        Assert.Null(TiffVolume.Open(Path("one.tif")).Info.Voxel);
    }

    [Fact]
    public void Plain_slices_follow_one_another_without_a_gap_as_ImageJ_takes_for_granted()
    {
        var volume = Random<byte>(new(5, 33, 47), null);
        TiffWriter.Save(volume, Path("plain.tif"), Traversal.Default, compress: false);
        Assert.Equal(volume.Data, File.ReadAllBytes(Path("plain.tif")).AsSpan(8, volume.Data.Length).ToArray());
    }

    [Fact]
    public void Cuts_large_slices_into_strips()
    {
        var volume = Random<ushort>(new(3, 900, 1300), null);
        TiffWriter.Save(volume, Path("strips.tif"), Traversal.Default);
        var back = Volume<ushort>.Load((IVolume<ushort>)TiffVolume.Open(Path("strips.tif")));
        Assert.Equal(volume.Data, back.Data);
    }

    [Fact]
    public void Leaves_nothing_behind_when_it_is_not_completed()
    {
        var volume = Random<byte>(new(2, 3, 4), null);
        using (var writer = new TiffWriter(Path("never.tif"), volume.Info)) writer.Write<byte>(volume.Slice(0));
        Assert.Empty(Directory.GetFiles(_folder));
        using var short1 = new TiffWriter(Path("short.tif"), volume.Info);
        Assert.Throws<InvalidOperationException>(short1.Complete);
    }

    [Fact]
    public void Says_when_a_file_cannot_be_written()
    {
        var error = Assert.Throws<InputError>(() => TiffWriter.Save(Random<byte>(new(1, 1, 1), null), Path("no/such/folder.tif"), Traversal.Default));
        Assert.Contains("cannot be written", error.Message);
    }

    [Fact]
    public void Stops_when_asked_to_and_removes_the_file()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            TiffWriter.Save(Random<byte>(new(9, 9, 9), null), Path("x.tif"), new() { Cancellation = source.Token }));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Reads_ImageJ_stacks_above_4_GB_that_have_one_directory()
    {
        // sparse: only the head and the marks take space
        var path = Path("large.tif");
        const int Width = 4096, Height = 4096, Images = 300;
        var description = System.Text.Encoding.ASCII.GetBytes($"ImageJ=1.54f\nimages={Images}\nslices={Images}\nunit=nm\nspacing=8\n\0");
        byte[] Entry(int tag, int type, int count, uint value) =>
            [0, 0, .. Big((uint)tag)[2..], .. Big((uint)type)[2..], .. Big((uint)count), .. type == 3 ? [.. Big(value)[2..], 0, 0] : Big(value)];
        static byte[] Big(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
        byte[][] entries =
        [
            Entry(256, 4, 1, Width), Entry(257, 4, 1, Height), Entry(258, 3, 1, 8), Entry(262, 3, 1, 1), Entry(270, 2, description.Length, 200),
            Entry(273, 4, 1, 1024), Entry(278, 4, 1, Height), Entry(279, 4, 1, unchecked((uint)((long)Width * Height * Images))),
        ];
        using (var stream = File.Create(path))
        {
            stream.SetLength(1024 + (long)Width * Height * Images);
            stream.Write([(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, (byte)entries.Length]);
            foreach (var entry in entries) stream.Write(entry.AsSpan(2));
            stream.Position = 200;
            stream.Write(description);
            stream.Position = 1024 + 299L * Width * Height + 5L * Width + 7;
            stream.WriteByte(77);
        }
        var volume = (IVolume<byte>)TiffVolume.Open(path);
        Assert.Equal(new Size3(Images, Height, Width), volume.Info.Size);
        var part = new byte[12];
        volume.Read(new(new(299, 4, 6), new(1, 3, 4)), part);
        Assert.Equal([0, 0, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0], part);
        ((IDisposable)volume).Dispose();
        using (var stream = File.OpenWrite(path)) stream.SetLength(4L << 30);
        var error = Assert.Throws<InputError>(() => TiffVolume.Open(path));
        Assert.Contains("says images=300 and lists one page, behind which there is room for 255", error.Message);
    }

    [Fact]
    public void Writes_BigTIFF_when_4_GiB_might_not_do()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        var info = new VolumeInfo(new(4400, 1000, 1000), PixelType.UInt8, null);
        var slice = new byte[info.Size.SliceCount];
        using (var writer = new TiffWriter(Path("big.tif"), info, compress: false))
        {
            for (var z = 0; z < info.Size.Z; z++)
            {
                slice[17] = (byte)z;
                writer.Write<byte>(slice);
            }
            writer.Complete();
        }
        var back = (IVolume<byte>)TiffVolume.Open(Path("big.tif"));
        var row = new byte[1000];
        back.Read(new(new(4399, 0, 0), new(1, 1, 1000)), row);
        Assert.Equal(unchecked((byte)4399), row[17]);
    }

    [Fact]
    public void Reads_from_many_threads_within_a_small_cache()
    {
        var volume = Random<ushort>(new(20, 64, 65), null);
        TiffWriter.Save(volume, Path("t.tif"), Traversal.Default);
        var read = (IVolume<ushort>)TiffVolume.Open(Path("t.tif"), cacheBytes: 3 * 64 * 65 * 2);
        Parallel.For(0, 400, i =>
        {
            var box = new Box(new(i * 7 % 18, i % 50, i % 40), new(2, 10, 20));
            ushort[] got = new ushort[box.Count], want = new ushort[box.Count];
            read.Read(box, got);
            volume.Read(box, want);
            Assert.Equal(want, got);
        });
    }

    [Fact]
    public void Finds_that_all_pages_must_be_alike()
    {
        var bytes = File.ReadAllBytes(TiffReferenceTests.File("u8"));
        var first = BitConverter.ToInt32(bytes, 4);
        var entries = BitConverter.ToUInt16(bytes, first);
        var second = BitConverter.ToInt32(bytes, first + 2 + 12 * entries);
        bytes[second + 2 + 8] = 36; // the width is the first tag
        File.WriteAllBytes(Path("odd.tif"), bytes);
        Assert.Contains("page 2 is 36×21 uint8, page 1 is 37×21 uint8", Assert.Throws<InputError>(() => TiffVolume.Open(Path("odd.tif"))).Message);
    }
}

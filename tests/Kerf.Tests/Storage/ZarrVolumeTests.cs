using System.Runtime.InteropServices;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class ZarrVolumeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kerf-zarr-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    [Fact]
    public void KeepsEveryVoxelWhateverTheBoxesItIsWrittenIn()
    {
        for (var seed = 0ul; seed < (Slow.Enabled ? 600ul : 30); seed++)
        {
            var draw = new CounterRandom(seed, 0);
            var size = new Size3(1 + draw.NextInt(40), 1 + draw.NextInt(70), 1 + draw.NextInt(70));
            var options = new ZarrOptions
            {
                Version = draw.NextInt(2) == 0 ? OmeZarrVersion.V04 : OmeZarrVersion.V05,
                Compression = (ZarrCompression)new[] { 0, 1, 2, 4 }[draw.NextInt(4)],
                Chunk = draw.NextInt(3) == 0 ? null : new(2 + draw.NextInt(20), 9 + draw.NextInt(40), 9 + draw.NextInt(40)),
            };
            var edge = new Size3(1 + draw.NextInt(20), 1 + draw.NextInt(80), 1 + draw.NextInt(80));
            switch (draw.NextInt(3))
            {
                case 0: RoundTrip<byte>(seed, size, edge, options); break;
                case 1: RoundTrip<ushort>(seed, size, edge, options); break;
                default: RoundTrip<float>(seed, size, edge, options); break;
            }
        }
    }

    private void RoundTrip<T>(ulong seed, Size3 size, Size3 edge, ZarrOptions options) where T : unmanaged
    {
        var truth = Noise<T>(size, seed);
        var path = At($"{seed}.zarr");
        using (var volume = (ZarrVolume<T>)ZarrVolume.Create(path, truth.Info, options))
        {
            Fill(volume, truth, edge, Enumerable.Range(0, new BlockGrid(size, edge).Count));
            Assert.True(volume.IsWritten(Box.Whole(size)));
            Assert.False(volume.IsComplete);
            Assert.Equal(truth.Data, Volume<T>.Load(volume).Data);
            volume.Complete(Traversal.Default);
            Assert.True(volume.IsComplete);
        }
        using var read = (ZarrVolume<T>)ZarrVolume.Open(path, new() { CacheBytes = (long)(seed % 3) * 100_000 });
        Assert.True(read.IsComplete);
        Assert.Equal(truth.Info.Size, read.Info.Size);
        Assert.Equal(truth.Info.Voxel, read.Info.Voxel);
        Assert.Equal(truth.Data, Volume<T>.Load(read).Data);
        var draw = new CounterRandom(seed, 2);
        var start = new Size3(draw.NextInt(size.Z), draw.NextInt(size.Y), draw.NextInt(size.X));
        var box = new Box(start, new(1 + draw.NextInt(size.Z - start.Z), 1 + draw.NextInt(size.Y - start.Y), 1 + draw.NextInt(size.X - start.X)));
        var (expected, actual) = (new T[box.Count], new T[box.Count]);
        truth.Read(box, expected);
        read.Read(box, actual);
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(OmeZarrVersion.V04)]
    [InlineData(OmeZarrVersion.V05)]
    public void TakesUpWhatAKilledRunLeftAndEndsWithTheSameBytes(OmeZarrVersion version)
    {
        var truth = Noise<byte>(new(37, 300, 290), 5);
        var options = new ZarrOptions { Version = version };
        var slab = new Size3(1, 300, 290);
        using (var undisturbed = (ZarrVolume<byte>)ZarrVolume.Create(At("whole"), truth.Info, options))
        {
            Fill(undisturbed, truth, slab, Enumerable.Range(0, 37));
            undisturbed.Complete(Traversal.Default);
        }
        using (var killed = (ZarrVolume<byte>)ZarrVolume.Create(At("resumed"), truth.Info, options)) Fill(killed, truth, slab, Enumerable.Range(0, 20));
        File.WriteAllText(At("resumed/0/0.123-4.partial"), "cut");
        using (var again = (ZarrVolume<byte>)ZarrVolume.Create(At("resumed"), truth.Info, options))
        {
            Assert.True(again.IsWritten(Box.Slices(truth.Info.Size, 0, 16)));
            Assert.False(again.IsWritten(Box.Slice(truth.Info.Size, 16)));
            // durable chunks stay as they are, whatever is written to them
            again.Write(Box.Slice(truth.Info.Size, 3), new byte[300 * 290]);
            Assert.Throws<InvalidOperationException>(() => again.Complete(Traversal.Default));
            for (var z = 0; z < 37; z++) if (!again.IsWritten(Box.Slice(truth.Info.Size, z))) again.Write(Box.Slice(truth.Info.Size, z), truth.Slice(z));
            again.Complete(Traversal.Default);
        }
        Assert.Equal(Bytes(At("whole")), Bytes(At("resumed")));
        using var read = (ZarrVolume<byte>)ZarrVolume.Open(At("resumed"));
        Assert.Equal(truth.Data, Volume<byte>.Load(read).Data);
    }

    [Fact]
    public void WhatWasKilledBeforeItsFirstMarkIsTakenUpAndSwept()
    {
        Directory.CreateDirectory(At("first"));
        File.WriteAllText(At("first/zarr.json.12159-1.partial"), "cut");
        using var volume = ZarrVolume.Create(At("first"), new(new(4, 8, 8), PixelType.UInt8, null));
        Assert.Equal(["0", "zarr.json"], Directory.GetFileSystemEntries(At("first")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void ManyThreadsLeaveTheBytesThatOneLeaves()
    {
        var truth = Noise<ushort>(new(48, 200, 210), 9);
        string? first = null;
        foreach (var (threads, edge) in new[] { (1, new Size3(1, 200, 210)), (8, new Size3(1, 200, 210)), (8, Size3.Cube(64)), (8, new Size3(5, 33, 47)) })
        {
            var path = At($"{threads}-{edge}");
            using var volume = (ZarrVolume<ushort>)ZarrVolume.Create(path, truth.Info, new() { Chunk = new(16, 64, 64) });
            var grid = new BlockGrid(truth.Info.Size, edge);
            (Traversal.Default with { Threads = threads }).ForEach(grid.Count, item => Fill(volume, truth, edge, [item]));
            volume.Complete(Traversal.Default with { Threads = threads });
            Assert.Equal(first ??= Bytes(path), Bytes(path));
        }
    }

    [Fact]
    public void ReadsWhileItIsWritten()
    {
        var truth = Noise<float>(new(40, 90, 100), 4);
        using var volume = (ZarrVolume<float>)ZarrVolume.Create(At("v"), truth.Info, new() { Chunk = new(8, 32, 32) });
        // what was written is seen at once, from memory or from disk; what was not reads as 0
        (Traversal.Default with { Threads = 6 }).ForEach(40, z =>
        {
            var slice = Box.Slice(truth.Info.Size, z);
            var read = new float[slice.Count];
            volume.Read(slice, read);
            Assert.All(read, value => Assert.Equal(0, value));
            volume.Write(slice, truth.Slice(z));
            volume.Read(slice, read);
            Assert.True(truth.Slice(z).SequenceEqual(read));
        });
        Assert.Equal(truth.Data, Volume<float>.Load(volume).Data);
    }

    [Fact]
    public void ThreadsShareOneDecodingAndAFailedOneIsTriedAgain()
    {
        var cache = new ChunkCache<byte>(4);
        var (decoded, failing) = (0, true);
        byte[] Decode(long key)
        {
            Interlocked.Increment(ref decoded);
            Thread.Sleep(20);
            return failing ? throw new InputError("cut") : [(byte)key];
        }
        Assert.Throws<InputError>(() => cache.Get(0, Decode));
        (decoded, failing) = (0, false);
        (Traversal.Default with { Threads = 6 }).ForEach(24, i => Assert.Equal(i % 3, cache.Get(i % 3, Decode)![0]));
        Assert.Equal(3, decoded);
        // 4, 5 and 6 push out the two used least recently
        foreach (var key in new long[] { 0, 4, 5, 6, 0, 4 }) cache.Get(key, Decode);
        Assert.Equal(6, decoded);
        cache.Get(1, Decode);
        Assert.Equal(7, decoded);
    }

    [Fact]
    public void SaysWhichChunkCannotBeStored()
    {
        var truth = Noise<byte>(new(2, 3, 4), 1);
        using var volume = (ZarrVolume<byte>)ZarrVolume.Create(At("v"), truth.Info);
        File.WriteAllText(At("v/0/c"), "in the way");
        var error = Assert.Throws<InputError>(() => volume.Write(Box.Whole(truth.Info.Size), truth.Data));
        Assert.Contains("v/0/c/0/0/0: its folder cannot be made", error.Message);
        File.Delete(At("v/0/c"));
        Directory.CreateDirectory(At("v/0/c/0/0/0"));
        using var again = (ZarrVolume<byte>)ZarrVolume.Create(At("v"), truth.Info);
        Assert.Contains("v/0/c/0/0/0: cannot be written", Assert.Throws<InputError>(() => again.Write(Box.Whole(truth.Info.Size), truth.Data)).Message);
    }

    internal static void Fill<T>(ZarrVolume<T> volume, Volume<T> truth, Size3 edge, IEnumerable<int> blocks) where T : unmanaged
    {
        var grid = new BlockGrid(truth.Info.Size, edge);
        foreach (var block in blocks)
        {
            var buffer = new T[grid[block].Count];
            truth.Read(grid[block], buffer);
            volume.Write(grid[block], buffer);
        }
    }

    internal static Volume<T> Noise<T>(Size3 size, ulong seed) where T : unmanaged
    {
        var volume = new Volume<T>(size, new(10, 5, 4.5));
        var draw = new CounterRandom(seed, 1);
        foreach (ref var value in MemoryMarshal.AsBytes(volume.Data.AsSpan())) value = (byte)(draw.NextUInt() & 0x3f);
        return volume;
    }

    // every file's name and content
    internal static string Bytes(string folder) => string.Join("\n", Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(folder, file) + " " + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))))
        .Order(StringComparer.Ordinal));
}

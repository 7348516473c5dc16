using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// Boxes of a zarr array, read through a cache and written through chunks under construction. A chunk that is not full stays in memory; with its
/// last voxel it is encoded and stored whole, so a chunk's file is there exactly when it is complete.
/// </summary>
/// <typeparam name="T">Voxel type, that of <see cref="ZarrType.Pixel"/>.</typeparam>
internal sealed class ChunkedArray<T> where T : unmanaged
{
    private readonly ZarrArray _array;
    private readonly ZarrAxes _axes;
    private readonly Size3 _chunk;
    private readonly Size3 _grid;
    private readonly int _channelsPerChunk;
    private readonly ChunkCache<T> _cache;
    private readonly ConcurrentDictionary<long, OpenChunk> _open = new();
    private readonly bool[]? _durable;

    /// <summary>Opens an array for reading, or for writing too.</summary>
    public ChunkedArray(ZarrArray array, ZarrAxes axes, long cacheBytes, bool writable)
    {
        (_array, _axes) = (array, axes);
        (Size, _chunk) = (axes.Of(array.Shape), axes.Of(array.Chunk));
        _grid = new BlockGrid(Size, _chunk).Blocks;
        Channels = axes.C < 0 ? 1 : array.Shape[axes.C];
        _channelsPerChunk = axes.C < 0 ? 1 : array.Chunk[axes.C];
        _cache = new(Math.Max(1, cacheBytes / (_chunk.Count * Unsafe.SizeOf<T>())));
        if (!writable) return;
        _durable = new bool[checked((int)(_grid.Count * Channels))];
        if (!Directory.EnumerateDirectories(Path.GetDirectoryName(array.File)!).Any()) return;
        // a file without bytes is what a power cut leaves of one
        for (var key = 0; key < _durable.Length; key++) _durable[key] = new FileInfo(array.ChunkFile(Index(key))) is { Exists: true, Length: > 0 };
    }

    /// <summary>Extent in voxels.</summary>
    public Size3 Size { get; }

    /// <summary>Number of channels.</summary>
    public int Channels { get; }

    /// <summary>Chunks as blocks of one channel.</summary>
    public BlockGrid Grid => new(Size, _chunk);

    /// <summary>True when all chunks are stored.</summary>
    public bool IsFull => _durable is null || Array.TrueForAll(_durable, stored => stored);

    /// <summary>Copies a box of a channel.</summary>
    public void Read(int channel, Box box, Span<T> target)
    {
        RequireInside(box, target.Length);
        foreach (var (key, whole) in Chunks(channel, box))
        {
            var region = whole.Intersect(box);
            if (Voxels(key) is { } voxels) Rows.Copy(voxels, whole, target, box, region);
            else FillRegion(target, box, region);
        }
    }

    /// <summary>Stores a box of a channel; chunks that are stored already are left as they are.</summary>
    public void Write(int channel, Box box, ReadOnlySpan<T> source)
    {
        if (_durable is null) throw new InvalidOperationException($"{_array.File}: is open for reading");
        RequireInside(box, source.Length);
        foreach (var (key, whole) in Chunks(channel, box))
        {
            if (Volatile.Read(ref _durable[key])) continue;
            if (!_open.TryGetValue(key, out var open))
                open = _open.GetOrAdd(key, _ => new((int)_chunk.Count, whole.Intersect(Box.Whole(Size)).Count));
            var region = whole.Intersect(box);
            Rows.Copy(source, box, open.Voxels, whole, region);
            // boxes are disjoint, so copying needs no lock; whoever brings the last voxel stores the chunk
            if (Interlocked.Add(ref open.Missing, -region.Count) == 0) Store(key, open);
        }
    }

    /// <summary>True when every chunk of a box is stored.</summary>
    public bool IsWritten(int channel, Box box)
    {
        if (_durable is null) return false;
        foreach (var (key, _) in Chunks(channel, box)) if (!Volatile.Read(ref _durable[key])) return false;
        return true;
    }

    /// <summary>Forgets decoded chunks.</summary>
    public void Clear() => _cache.Clear();

    private void Store(long key, OpenChunk open)
    {
        var file = _array.ChunkFile(Index(key));
        try { Directory.CreateDirectory(Path.GetDirectoryName(file)!); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{file}: its folder cannot be made ({exception.Message}). Check the rights and the space left on the disk.", exception);
        }
        AtomicFile.WriteAllBytes(file, _array.Encode(MemoryMarshal.AsBytes(open.Voxels.AsSpan())));
        // in this order: a reader that finds the chunk no longer open finds it stored
        Volatile.Write(ref _durable![key], true);
        _open.TryRemove(key, out _);
    }

    private T[]? Voxels(long key)
    {
        if (_durable is not null && !Volatile.Read(ref _durable[key]))
        {
            if (_open.TryGetValue(key, out var open)) return open.Voxels;
            if (!Volatile.Read(ref _durable[key])) return null;
        }
        return _cache.Get(key, Decode);
    }

    private T[]? Decode(long key)
    {
        var encoded = _array.Fetch(Index(key), out var file);
        if (encoded is null) return null;
        if (!_array.CanHold(encoded)) throw ZarrArray.Damaged(file, $"{encoded.Length} bytes cannot hold {_array.ChunkBytes} bytes of voxels");
        var voxels = GC.AllocateUninitializedArray<T>((int)_chunk.Count);
        if (_array.IsPlain && _array.ChunkBytes == _chunk.Count * Unsafe.SizeOf<T>() && _axes.Z < _axes.Y && _axes.Y < _axes.X)
        {
            _array.Decode(encoded, MemoryMarshal.AsBytes(voxels.AsSpan()), file);
            return voxels;
        }
        var raw = GC.AllocateUninitializedArray<byte>(_array.ChunkBytes);
        _array.Decode(encoded, raw, file);
        _array.Type.ToNative(raw);
        var channel = key / _grid.Count % _channelsPerChunk;
        _array.Type.Convert(Gather(raw, channel), voxels.AsSpan(), file);
        return voxels;
    }

    // the items of one channel, x fastest, from a chunk whose axes lie in any order
    private byte[] Gather(byte[] raw, long channel)
    {
        Span<long> strides = stackalloc long[_array.Shape.Length];
        var stride = (long)_array.Type.Bytes;
        for (var place = _array.Order.Length - 1; place >= 0; place--)
        {
            strides[_array.Order[place]] = stride;
            stride *= _array.Chunk[_array.Order[place]];
        }
        var (strideZ, strideY, strideX) = (_axes.Z < 0 ? 0 : strides[_axes.Z], strides[_axes.Y], strides[_axes.X]);
        var first = _axes.C < 0 ? 0 : channel * strides[_axes.C];
        var bytes = _array.Type.Bytes;
        var items = GC.AllocateUninitializedArray<byte>((int)(_chunk.Count * bytes));
        var target = 0;
        for (var z = 0; z < _chunk.Z; z++)
        {
            for (var y = 0; y < _chunk.Y; y++)
            {
                var row = first + z * strideZ + y * strideY;
                for (var x = 0; x < _chunk.X; x++, target += bytes)
                    raw.AsSpan((int)(row + x * strideX), bytes).CopyTo(items.AsSpan(target));
            }
        }
        return items;
    }

    private void FillRegion(Span<T> target, Box box, Box region)
    {
        var exact = _array.Type.Pixel == PixelType.Float32 ? _array.Type.Exact(_array.Fill, _array.File) : 0;
        var fill = typeof(T) == typeof(float) ? (T)(object)exact
            : typeof(T) == typeof(byte) ? (T)(object)(byte)_array.Fill : (T)(object)(ushort)_array.Fill;
        var inside = region.Shift(default(Size3) - box.Start);
        for (var z = inside.Start.Z; z < inside.End.Z; z++)
            for (var y = inside.Start.Y; y < inside.End.Y; y++)
                target.Slice((z * box.Size.Y + y) * box.Size.X + inside.Start.X, inside.Size.X).Fill(fill);
    }

    // keys count x fastest, then y, z, channel
    private IEnumerable<(long Key, Box Whole)> Chunks(int channel, Box box)
    {
        if (box.Count == 0) yield break;
        var (start, end) = (box.Start, box.End);
        for (var z = start.Z / _chunk.Z; z <= (end.Z - 1) / _chunk.Z; z++)
            for (var y = start.Y / _chunk.Y; y <= (end.Y - 1) / _chunk.Y; y++)
                for (var x = start.X / _chunk.X; x <= (end.X - 1) / _chunk.X; x++)
                {
                    var key = (((long)channel * _grid.Z + z) * _grid.Y + y) * _grid.X + x;
                    yield return (key, new(new(z * _chunk.Z, y * _chunk.Y, x * _chunk.X), _chunk));
                }
    }

    // the chunk's numbers along the array's own axes
    private int[] Index(long key)
    {
        var index = new int[_array.Shape.Length];
        index[_axes.X] = (int)(key % _grid.X);
        index[_axes.Y] = (int)(key / _grid.X % _grid.Y);
        if (_axes.Z >= 0) index[_axes.Z] = (int)(key / _grid.SliceCount % _grid.Z);
        if (_axes.C >= 0) index[_axes.C] = (int)(key / _grid.Count) / _channelsPerChunk;
        return index;
    }

    private void RequireInside(Box box, int length)
    {
        if (!Box.Whole(Size).Contains(box)) throw new ArgumentOutOfRangeException(nameof(box), $"{box} is not inside {Size}");
        if (length < box.Count) throw new ArgumentException($"{length} values for {box.Count} voxels");
    }

    private sealed class OpenChunk(int voxels, long missing)
    {
        public readonly T[] Voxels = new T[voxels];
        public long Missing = missing;
    }
}

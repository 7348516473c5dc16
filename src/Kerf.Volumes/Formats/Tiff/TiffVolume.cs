namespace Kerf.Volumes;

/// <summary>TIFF stacks as volumes.</summary>
public static class TiffVolume
{
    /// <summary>
    /// Opens one channel of a TIFF stack as a volume that is read as it is asked for. It holds the file open until it is disposed or collected.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="channel">Channel from 0; see <see cref="TiffFile.Channels"/>.</param>
    /// <param name="cacheBytes">Decoded strips and tiles that are kept, in bytes; the most recent one is kept whatever its size.</param>
    /// <returns>An <see cref="IVolume{T}"/> of byte, ushort or float, as <see cref="TiffPage.Type"/> says; disposable.</returns>
    /// <exception cref="InputError">
    /// As <see cref="TiffFile.Open"/>; or there is no such channel, or the pages differ in size or type. Damaged pixels are found when they are
    /// read, and <see cref="IVolume{T}.Read"/> then throws.
    /// </exception>
    public static IVolume Open(string path, int channel = 0, long cacheBytes = 128L << 20)
    {
        var file = TiffFile.Open(path);
        try
        {
            file.RequireVolume();
            if ((uint)channel >= (uint)file.Channels.Count)
            {
                var names = string.Join(", ", file.Channels.Take(8));
                throw new InputError($"{path}: channel {channel} is not there; it has channels 0 to {file.Channels.Count - 1} ({names}).");
            }
            return file.Info.Type switch
            {
                PixelType.UInt8 => new Lazily<byte>(file, channel, cacheBytes),
                PixelType.UInt16 => new Lazily<ushort>(file, channel, cacheBytes),
                _ => new Lazily<float>(file, channel, cacheBytes),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private sealed class Lazily<T>(TiffFile file, int channel, long cacheBytes) : IVolume<T>, IDisposable where T : unmanaged
    {
        private readonly RecentArrays<(int Z, int Down, int Across), T> _recent = new(cacheBytes);

        public VolumeInfo Info => file.Info;

        public void Read(Box box, Span<T> target)
        {
            if (!Box.Whole(Info.Size).Contains(box)) throw new ArgumentOutOfRangeException(nameof(box), $"{box} is not inside {Info.Size}");
            if (box.Count == 0) return;
            for (var z = box.Start.Z; z < box.End.Z; z++)
            {
                var plane = file.Plane(channel, z);
                var page = plane.Page;
                for (var down = box.Start.Y / page.SegmentHeight; down <= (box.End.Y - 1) / page.SegmentHeight; down++)
                {
                    for (var across = box.Start.X / page.SegmentWidth; across <= (box.End.X - 1) / page.SegmentWidth; across++)
                    {
                        var (row, column) = (down, across);
                        var data = _recent.Get((z, row, column), _ => file.Decode<T>(plane, row, column));
                        var start = new Size3(z, down * page.SegmentHeight, across * page.SegmentWidth);
                        var held = new Box(start, new(1, page.RowsOf(down), page.SegmentWidth));
                        Rows.Copy(data, held, target, box, held.Intersect(box));
                    }
                }
            }
        }

        public void Dispose() => file.Dispose();
    }
}

/// <summary>The arrays that were asked for last, up to a number of bytes. Two threads that want the same one make it once. Thread-safe.</summary>
internal sealed class RecentArrays<TKey, T>(long capacityBytes) where TKey : notnull where T : unmanaged
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _nodes = [];
    private readonly LinkedList<Entry> _order = [];
    private long _bytes;

    public T[] Get(TKey key, Func<TKey, T[]> make)
    {
        LinkedListNode<Entry>? node;
        lock (_gate)
        {
            if (_nodes.TryGetValue(key, out node)) _order.Remove(node);
            else _nodes.Add(key, node = new(new(key, new(() => make(key)))));
            _order.AddFirst(node);
        }
        try
        {
            var array = node.Value.Array.Value;
            lock (_gate) Account(node, array.Length * (long)System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
            return array;
        }
        catch
        {
            // not kept: the next reader tries again
            lock (_gate) Drop(node);
            throw;
        }
    }

    private void Account(LinkedListNode<Entry> node, long bytes)
    {
        if (node.Value.Bytes > 0 || node.List is null) return;
        node.Value.Bytes = bytes;
        _bytes += bytes;
        while (_bytes > capacityBytes && _order.Last is { } oldest && oldest != node) Drop(oldest);
    }

    private void Drop(LinkedListNode<Entry> node)
    {
        if (node.List is null) return;
        _order.Remove(node);
        _nodes.Remove(node.Value.Key);
        _bytes -= node.Value.Bytes;
    }

    private sealed class Entry(TKey key, Lazy<T[]> array)
    {
        public TKey Key { get; } = key;
        public Lazy<T[]> Array { get; } = array;
        public long Bytes { get; set; }
    }
}

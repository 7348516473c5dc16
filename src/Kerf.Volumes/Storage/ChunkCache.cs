namespace Kerf.Volumes;

/// <summary>
/// Decoded chunks, the most recently used ones, up to a number of them. Threads that ask for the same chunk share one decoding.
/// </summary>
/// <typeparam name="T">Voxel type.</typeparam>
/// <param name="capacity">Chunks that are kept, 1 or more.</param>
internal sealed class ChunkCache<T>(long capacity) where T : unmanaged
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, LinkedListNode<(long Key, Lazy<T[]?> Chunk)>> _nodes = [];
    private readonly LinkedList<(long Key, Lazy<T[]?> Chunk)> _recent = new();

    /// <summary>The chunk of a key, decoded if it is not there. A failed decoding is not kept.</summary>
    public T[]? Get(long key, Func<long, T[]?> decode)
    {
        Lazy<T[]?> chunk;
        lock (_lock)
        {
            if (_nodes.TryGetValue(key, out var node))
            {
                _recent.Remove(node);
            }
            else
            {
                node = new((key, new(() => decode(key))));
                _nodes[key] = node;
                if (_nodes.Count > capacity)
                {
                    _nodes.Remove(_recent.Last!.Value.Key);
                    _recent.RemoveLast();
                }
            }
            _recent.AddFirst(node);
            chunk = node.Value.Chunk;
        }
        try
        {
            return chunk.Value;
        }
        catch
        {
            lock (_lock)
            {
                if (_nodes.TryGetValue(key, out var node) && node.Value.Chunk == chunk)
                {
                    _nodes.Remove(key);
                    _recent.Remove(node);
                }
            }
            throw;
        }
    }

    /// <summary>Forgets all chunks.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _nodes.Clear();
            _recent.Clear();
        }
    }
}

using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Kerf.Volumes;

/// <summary>Shards: many chunks in one file behind an index of (offset, length) pairs; sharding_indexed of zarr v3.</summary>
/// <param name="counts">Chunks in a shard along each axis.</param>
/// <param name="atEnd">The index stands at the file's end, else at its start.</param>
/// <param name="summed">A CRC-32C follows the index.</param>
internal sealed class ZarrShards(int[] counts, bool atEnd, bool summed)
{
    // as long as the index regions of the files that were touched; a missing shard has none
    private readonly ConcurrentDictionary<string, ulong[]> _indices = new();

    /// <summary>The stored bytes of one chunk; null when it is not there.</summary>
    public byte[]? Fetch(ZarrArray array, ReadOnlySpan<int> chunk, long limit, out string file)
    {
        Span<int> shard = stackalloc int[chunk.Length];
        var place = 0L;
        for (var axis = 0; axis < chunk.Length; axis++)
        {
            shard[axis] = chunk[axis] / counts[axis];
            place = place * counts[axis] + chunk[axis] % counts[axis];
        }
        file = array.ChunkFile(shard);
        using var handle = ZarrFile.Open(file);
        if (handle is null) return null;
        var length = RandomAccess.GetLength(handle);
        if (!_indices.TryGetValue(file, out var index)) _indices[file] = index = Index(handle, file, length);
        var (offset, count) = (index[2 * place], index[2 * place + 1]);
        if (offset == ulong.MaxValue && count == ulong.MaxValue) return null;
        if (count > (ulong)limit || offset > (ulong)length || count > (ulong)length - offset)
            throw ZarrArray.Damaged(file, $"its index places chunk {place} outside the file of {length} bytes");
        return ZarrFile.Range(handle, file, (long)offset, (int)count);
    }

    private ulong[] Index(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string file, long length)
    {
        // not above what the file holds, so nothing is allocated that is not there
        var bytes = 16 * ZarrArray.Product(counts) + (summed ? 4 : 0);
        if (bytes > length || bytes > 1 << 30) throw ZarrArray.Damaged(file, $"{length} bytes cannot hold the shard's index of {bytes} bytes");
        var raw = ZarrFile.Range(handle, file, atEnd ? length - bytes : 0, (int)bytes).AsSpan();
        if (summed && Crc32CCodec.Sum(raw[..^4]) != BinaryPrimitives.ReadUInt32LittleEndian(raw[^4..]))
            throw ZarrArray.Damaged(file, "the checksum of the shard's index does not fit");
        var index = new ulong[raw.Length / 8];
        for (var i = 0; i < index.Length; i++) index[i] = BinaryPrimitives.ReadUInt64LittleEndian(raw[(8 * i)..]);
        return index;
    }
}

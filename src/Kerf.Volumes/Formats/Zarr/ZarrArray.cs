using System.Globalization;

namespace Kerf.Volumes;

/// <summary>
/// One zarr array as its metadata describe it: shape, chunks, item type, codecs, and where each chunk lies. All numbers are checked when it is
/// read: no chunk above 1 GiB, none above 64 MiB that is more than 16 times the array itself.
/// </summary>
internal sealed record ZarrArray
{
    private const long MaxVoxels = 1L << 48;
    private const long MaxChunkBytes = 1L << 30;
    private const long SmallChunkBytes = 64L << 20;

    /// <summary>The metadata file: .zarray or zarr.json.</summary>
    public required string File { get; init; }

    /// <summary>2 or 3.</summary>
    public required int Format { get; init; }

    /// <summary>Extents of all axes.</summary>
    public required int[] Shape { get; init; }

    /// <summary>Extents of a chunk (of an inner one, if the array is sharded).</summary>
    public required int[] Chunk { get; init; }

    /// <summary>How an item is stored.</summary>
    public required ZarrType Type { get; init; }

    /// <summary>The axes as they lie in a chunk, slowest first: 0, 1, 2 is C order, 2, 1, 0 is F order.</summary>
    public required int[] Order { get; init; }

    /// <summary>From the raw bytes to the stored ones.</summary>
    public required IReadOnlyList<ZarrCodec> Codecs { get; init; }

    /// <summary>The value of chunks that are not there.</summary>
    public double Fill { get; init; }

    /// <summary>What stands before the chunk's numbers in its key, "c" or nothing.</summary>
    public required string KeyPrefix { get; init; }

    /// <summary>What stands between them, / or a dot.</summary>
    public required char Separator { get; init; }

    /// <summary>How chunks lie in shards; null when each is a file.</summary>
    public ZarrShards? Shards { get; init; }

    /// <summary>Names of the axes; null when the array has none.</summary>
    public IReadOnlyList<string?>? AxisNames { get; init; }

    /// <summary>Bytes of a decoded chunk.</summary>
    public int ChunkBytes => (int)Product(Chunk) * Type.Bytes;

    /// <summary>True when the decoded bytes of a chunk are its voxels as they are.</summary>
    public bool IsPlain => Type == ZarrType.Of(Type.Pixel) && Order.SequenceEqual(Enumerable.Range(0, Order.Length));

    /// <summary>The array in a folder, v3 or v2; null when there is none.</summary>
    public static ZarrArray? Open(string folder)
    {
        var v3 = ZarrMeta.Open(Path.Combine(folder, "zarr.json"));
        if (v3?.Find("node_type")?.Text == "array") return ZarrV3.Read(v3.Value).Checked();
        return ZarrMeta.Open(Path.Combine(folder, ".zarray")) is { } v2 ? ZarrV2.Read(v2).Checked() : null;
    }

    /// <summary>Path of a chunk's or shard's file.</summary>
    public string ChunkFile(ReadOnlySpan<int> chunk)
    {
        var key = new System.Text.StringBuilder(Path.GetDirectoryName(File)).Append('/').Append(KeyPrefix);
        for (var axis = 0; axis < chunk.Length; axis++)
        {
            if (axis > 0 || KeyPrefix.Length > 0) key.Append(Separator);
            key.Append(chunk[axis].ToString(CultureInfo.InvariantCulture));
        }
        return key.ToString();
    }

    /// <summary>The stored bytes of a chunk and the file they lie in; null when the chunk is not there.</summary>
    public byte[]? Fetch(ReadOnlySpan<int> chunk, out string file)
    {
        // encoders may add a little; whatever is more than twice the content is no chunk
        var limit = 2L * ChunkBytes + (64 << 10);
        if (Shards is not null) return Shards.Fetch(this, chunk, limit, out file);
        file = ChunkFile(chunk);
        return ZarrFile.Read(file, limit);
    }

    /// <summary>False when so few bytes cannot hold a chunk: nothing compresses better than 1 : 65536. Asked before room is made.</summary>
    public bool CanHold(byte[] encoded) => (encoded.Length + 16L) * 65536 >= ChunkBytes;

    /// <summary>Decodes a chunk into exactly its <see cref="ChunkBytes"/>.</summary>
    /// <exception cref="InputError">The data are damaged or of another length.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, Span<byte> target, string file)
    {
        try
        {
            for (var stage = Codecs.Count - 1; stage > 0; stage--)
            {
                var room = new byte[Codecs[stage].Room(encoded.Length, 2 * target.Length + (64 << 10))];
                encoded = room.AsSpan(0, Codecs[stage].Decode(encoded, room));
            }
            var written = encoded.Length;
            if (Codecs.Count > 0) written = Codecs[0].Decode(encoded, target);
            else encoded[..Math.Min(written, target.Length)].CopyTo(target);
            if (written != target.Length) throw new InvalidDataException($"{written} bytes of data where the chunk's shape needs {target.Length}");
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(file, exception.Message);
        }
    }

    /// <summary>Encodes a chunk.</summary>
    public byte[] Encode(ReadOnlySpan<byte> raw)
    {
        if (Codecs.Count == 0) return raw.ToArray();
        var encoded = Codecs[0].Encode(raw, Type.Bytes);
        for (var stage = 1; stage < Codecs.Count; stage++) encoded = Codecs[stage].Encode(encoded, 1);
        return encoded;
    }

    /// <summary>The error for a chunk that cannot be decoded.</summary>
    public static InputError Damaged(string file, string what) =>
        new($"{file}: {what}. The chunk is damaged: copy the volume again, or delete it and run the step that wrote it again.");

    /// <summary>The product of extents.</summary>
    public static long Product(ReadOnlySpan<int> extents)
    {
        var product = 1L;
        foreach (var extent in extents) product = extent == 0 || product <= MaxVoxels * 2 / extent ? product * extent : MaxVoxels * 2;
        return product;
    }

    private ZarrArray Checked()
    {
        var (voxels, chunk) = (Product(Shape), Product(Chunk) * Type.Bytes);
        if (voxels > MaxVoxels)
            throw new InputError($"{File}: shape: more than {MaxVoxels} voxels. The metadata are damaged, or the array must be cut.");
        if (chunk > MaxChunkBytes || chunk > Math.Max(SmallChunkBytes, 16 * voxels * Type.Bytes))
        {
            throw new InputError(
                $"{File}: one chunk holds {chunk} bytes; at most {MaxChunkBytes} are read, and no small array in huge chunks. Rechunk the array.");
        }
        return Type.Holds(Fill) ? this : throw new InputError($"{File}: fill_value is no {Type.Name}. The metadata are damaged.");
    }
}

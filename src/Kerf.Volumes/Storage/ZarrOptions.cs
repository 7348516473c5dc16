namespace Kerf.Volumes;

/// <summary>The version of OME-Zarr that is written.</summary>
public enum OmeZarrVersion
{
    /// <summary>NGFF 0.4 on zarr v2: older programs read it.</summary>
    V04,

    /// <summary>NGFF 0.5 on zarr v3.</summary>
    V05,
}

/// <summary>How chunks are compressed.</summary>
public enum ZarrCompression
{
    /// <summary>Zstandard (libzstd): the default.</summary>
    Zstd,

    /// <summary>Blosc (libblosc): Zstandard behind a byte shuffle; smaller for 16-bit and float voxels.</summary>
    Blosc,

    /// <summary>gzip: read by everything, slow.</summary>
    Gzip,

    /// <summary>zlib; OME-Zarr 0.4 only.</summary>
    Zlib,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>How a volume is written. The defaults suit all work.</summary>
public sealed record ZarrOptions
{
    /// <summary>OME-Zarr version.</summary>
    public OmeZarrVersion Version { get; init; } = OmeZarrVersion.V05;

    /// <summary>Compression of the chunks.</summary>
    public ZarrCompression Compression { get; init; } = ZarrCompression.Zstd;

    /// <summary>Effort of the compression, 1 (fast) to 9 (small).</summary>
    public int Level { get; init; } = 3;

    /// <summary>
    /// Extent of a chunk; null takes (16, 256, 256), cut to the volume. Where 16 slices hold more than 2²⁹ voxels fewer are taken (8, then 4),
    /// since a layer of chunks stays in memory while slices are written.
    /// </summary>
    public Size3? Chunk { get; init; }

    /// <summary>Whether <see cref="ZarrVolume.Complete"/> builds coarser levels for viewers.</summary>
    public bool Pyramid { get; init; } = true;

    /// <summary>
    /// Takes up a complete volume of the same description too, as a run does that was killed after its last voxel; every chunk is then written
    /// already. Without it, what is complete is never touched.
    /// </summary>
    public bool TakeUpComplete { get; init; }

    internal int Format => Version == OmeZarrVersion.V05 ? 3 : 2;

    internal Size3 ChunkOf(Size3 size)
    {
        var depth = 16;
        while (depth > 4 && depth * size.SliceCount > 1L << 29) depth /= 2;
        var chunk = Size3.Min(Chunk ?? new(depth, 256, 256), size);
        return chunk is { Z: > 0, Y: > 0, X: > 0 } && chunk.Count <= 1 << 26 ? chunk
            : throw new InputError($"chunks of {chunk} voxels cannot be written: each extent is 1 or more, the product at most 2^26. Leave it to the default.");
    }

    internal IReadOnlyList<ZarrCodec> Codecs()
    {
        if (Level is < 1 or > 9) throw new InputError($"compression level {Level} is not from 1 to 9.");
        return Compression switch
        {
            ZarrCompression.Zstd => [new ZstdCodec(Level)],
            ZarrCompression.Blosc => [new BloscCodec("zstd", Level, 1)],
            ZarrCompression.Gzip => [new DeflateCodec(Gzip: true, Level)],
            ZarrCompression.Zlib when Format == 2 => [new DeflateCodec(Gzip: false, Level)],
            ZarrCompression.Zlib => throw new InputError("OME-Zarr 0.5 knows no zlib compression. Choose zstd, blosc or gzip, or version 0.4."),
            _ => [],
        };
    }
}

/// <summary>How a volume is opened.</summary>
public sealed record ZarrOpenOptions
{
    /// <summary>Resolution, 0 the finest.</summary>
    public int Level { get; init; }

    /// <summary>Channel, where the volume has several.</summary>
    public int Channel { get; init; }

    /// <summary>Name of the channel; it goes before <see cref="Channel"/>.</summary>
    public string? ChannelName { get; init; }

    /// <summary>Bytes of decoded chunks that are kept.</summary>
    public long CacheBytes { get; init; } = 256L << 20;
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Kerf.Volumes;

/// <summary>
/// One bytes-to-bytes stage of a chunk. Decoding writes into room that the caller sized from the chunk's shape: what a damaged header claims
/// is never allocated. A fault in the data is an <see cref="InvalidDataException"/>; the caller names the file.
/// </summary>
internal abstract record ZarrCodec
{
    /// <summary>Decodes into <paramref name="target"/> and returns the bytes written; content that needs more room is a fault.</summary>
    public abstract int Decode(ReadOnlySpan<byte> encoded, Span<byte> target);

    /// <summary>Encodes; the same bytes for the same input.</summary>
    public abstract byte[] Encode(ReadOnlySpan<byte> raw, int itemBytes);

    /// <summary>Its entry in the array's metadata.</summary>
    public abstract JsonObject Describe(int zarrFormat, int itemBytes);

    /// <summary>Room that decoding needs when <paramref name="limit"/> bounds the content.</summary>
    public virtual int Room(int encodedLength, int limit) => limit;

    protected static JsonObject Entry(int zarrFormat, string name, JsonObject configuration)
    {
        if (zarrFormat == 3) return new() { ["name"] = name, ["configuration"] = configuration };
        var entry = new JsonObject { ["id"] = name };
        foreach (var (key, value) in configuration) entry[key] = value?.DeepClone();
        return entry;
    }

    /// <summary>Loads a native library before anything is read or written with it.</summary>
    protected static bool Require(string library, string package) => NativeLibrary.TryLoad(library, out _) ? true : throw new InputError(
        $"{library} is missing, and this volume's compression needs it. Install it: apt-get install {package}");
}

/// <summary>Zstandard frames, written with a content checksum so that rot on the disk shows.</summary>
internal sealed record ZstdCodec(int Level) : ZarrCodec
{
    private readonly bool _loaded = Require("libzstd.so.1", "libzstd1");

    public override int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        var written = LibZstd.ZSTD_decompress(target, (nuint)target.Length, encoded, (nuint)encoded.Length);
        return LibZstd.ZSTD_isError(written) == 0 ? (int)written : throw new InvalidDataException("zstd data are damaged or cut short");
    }

    public override byte[] Encode(ReadOnlySpan<byte> raw, int itemBytes)
    {
        using var context = LibZstd.ZSTD_createCCtx();
        LibZstd.ZSTD_CCtx_setParameter(context, LibZstd.CompressionLevel, Level);
        LibZstd.ZSTD_CCtx_setParameter(context, LibZstd.ChecksumFlag, 1);
        var target = GC.AllocateUninitializedArray<byte>((int)LibZstd.ZSTD_compressBound((nuint)raw.Length));
        var written = LibZstd.ZSTD_compress2(context, target, (nuint)target.Length, raw, (nuint)raw.Length);
        return LibZstd.ZSTD_isError(written) == 0 ? target[..(int)written] : throw new InvalidOperationException("zstd cannot compress");
    }

    public override JsonObject Describe(int zarrFormat, int itemBytes) => Entry(zarrFormat, "zstd", zarrFormat == 3
        ? new() { ["level"] = Level, ["checksum"] = true } : new() { ["level"] = Level });
}

/// <summary>Blosc containers: lz4, lz4hc, zstd, zlib or blosclz behind a byte or bit shuffle.</summary>
/// <param name="Name">The compressor inside.</param>
/// <param name="Level">0 to 9.</param>
/// <param name="Shuffle">0 none, 1 bytes, 2 bits.</param>
internal sealed record BloscCodec(string Name, int Level, int Shuffle) : ZarrCodec
{
    private static readonly string[] Shuffles = ["noshuffle", "shuffle", "bitshuffle"];

    private readonly bool _loaded = Require("libblosc.so.1", "libblosc1");

    public override int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        if (encoded.Length < LibBlosc.MaxOverhead
            || LibBlosc.blosc_cbuffer_validate(encoded, (nuint)encoded.Length, out var length) != 0 || length > (nuint)target.Length)
        {
            throw new InvalidDataException("blosc data are damaged or cut short");
        }
        var written = LibBlosc.blosc_decompress_ctx(encoded, target, (nuint)target.Length, 1);
        return written >= 0 ? written : throw new InvalidDataException("blosc data are damaged");
    }

    public override byte[] Encode(ReadOnlySpan<byte> raw, int itemBytes)
    {
        var target = GC.AllocateUninitializedArray<byte>(raw.Length + LibBlosc.MaxOverhead);
        var written = LibBlosc.blosc_compress_ctx(
            Level, Shuffle, (nuint)itemBytes, (nuint)raw.Length, raw, target, (nuint)target.Length, Name, 0, 1);
        return written > 0 ? target[..written] : throw new InvalidOperationException($"blosc cannot compress with {Name}");
    }

    public override JsonObject Describe(int zarrFormat, int itemBytes) => Entry(zarrFormat, "blosc", zarrFormat == 3
        ? new() { ["cname"] = Name, ["clevel"] = Level, ["shuffle"] = Shuffles[Shuffle], ["typesize"] = itemBytes, ["blocksize"] = 0 }
        : new() { ["cname"] = Name, ["clevel"] = Level, ["shuffle"] = Shuffle, ["blocksize"] = 0 });
}

/// <summary>DEFLATE in a gzip (RFC 1952) or zlib (RFC 1950) wrapper.</summary>
internal sealed record DeflateCodec(bool Gzip, int Level) : ZarrCodec
{
    public override unsafe int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        // no stream over a null pointer
        if (encoded.IsEmpty) return 0;
        fixed (byte* from = encoded)
        {
            using var source = new UnmanagedMemoryStream(from, encoded.Length);
            using Stream stream = Gzip ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
            try
            {
                var written = stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
                return stream.ReadByte() < 0 ? written : throw new InvalidDataException("more data than the chunk's shape holds");
            }
            catch (IOException exception)
            {
                throw new InvalidDataException($"{(Gzip ? "gzip" : "zlib")} data are damaged", exception);
            }
        }
    }

    public override byte[] Encode(ReadOnlySpan<byte> raw, int itemBytes)
    {
        using var target = new MemoryStream();
        var options = new ZLibCompressionOptions { CompressionLevel = Level };
        using (Stream stream = Gzip ? new GZipStream(target, options, leaveOpen: true) : new ZLibStream(target, options, leaveOpen: true))
            stream.Write(raw);
        return target.ToArray();
    }

    public override JsonObject Describe(int zarrFormat, int itemBytes) => Entry(zarrFormat, Gzip ? "gzip" : "zlib", new() { ["level"] = Level });
}

/// <summary>CRC-32C of the bytes, little endian, behind them.</summary>
internal sealed record Crc32CCodec : ZarrCodec
{
    public override int Room(int encodedLength, int limit) => Math.Min(limit, Math.Max(0, encodedLength - 4));

    public override int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        if (encoded.Length < 4) throw new InvalidDataException("no room for its checksum");
        var content = encoded[..^4];
        if (content.Length > target.Length) throw new InvalidDataException("more data than the chunk's shape holds");
        if (Sum(content) != BinaryPrimitives.ReadUInt32LittleEndian(encoded[^4..]))
            throw new InvalidDataException("the checksum does not fit the data");
        content.CopyTo(target);
        return content.Length;
    }

    public override byte[] Encode(ReadOnlySpan<byte> raw, int itemBytes)
    {
        var target = new byte[raw.Length + 4];
        raw.CopyTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(raw.Length), Sum(raw));
        return target;
    }

    public override JsonObject Describe(int zarrFormat, int itemBytes) => new() { ["name"] = "crc32c" };

    /// <summary>CRC-32C (Castagnoli, RFC 3720).</summary>
    public static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var value in bytes) crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}

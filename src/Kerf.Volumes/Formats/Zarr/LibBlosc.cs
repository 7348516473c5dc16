using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>libblosc 1.16 or later (BSD licence), the calls that are used; they need no global state. size_t is as wide as a pointer.</summary>
internal static partial class LibBlosc
{
    private const string Library = "libblosc.so.1";

    /// <summary>Bytes that a blosc buffer can be longer than its content.</summary>
    public const int MaxOverhead = 16;

    [LibraryImport(Library)]
    public static partial int blosc_cbuffer_validate(ReadOnlySpan<byte> buffer, nuint length, out nuint contentLength);

    [LibraryImport(Library)]
    public static partial int blosc_decompress_ctx(ReadOnlySpan<byte> source, Span<byte> target, nuint targetSize, int threads);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int blosc_compress_ctx(
        int level, int shuffle, nuint itemSize, nuint sourceSize, ReadOnlySpan<byte> source, Span<byte> target, nuint targetSize,
        string compressor, nuint blockSize, int threads);
}

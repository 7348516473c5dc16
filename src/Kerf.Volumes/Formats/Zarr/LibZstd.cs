using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>libzstd 1.4 or later (BSD licence), the calls that are used. size_t is as wide as a pointer.</summary>
internal static partial class LibZstd
{
    private const string Library = "libzstd.so.1";

    public const int CompressionLevel = 100;
    public const int ChecksumFlag = 201;

    [LibraryImport(Library)]
    public static partial nuint ZSTD_compressBound(nuint size);

    [LibraryImport(Library)]
    public static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_decompress(Span<byte> target, nuint capacity, ReadOnlySpan<byte> source, nuint sourceSize);

    [LibraryImport(Library)]
    public static partial Compressor ZSTD_createCCtx();

    [LibraryImport(Library)]
    public static partial nuint ZSTD_CCtx_setParameter(Compressor context, int parameter, int value);

    [LibraryImport(Library)]
    public static partial nuint ZSTD_compress2(Compressor context, Span<byte> target, nuint capacity, ReadOnlySpan<byte> source, nuint sourceSize);

    [LibraryImport(Library)]
    private static partial nuint ZSTD_freeCCtx(nint context);

    /// <summary>A compression context.</summary>
    public sealed class Compressor() : SafeHandle(0, true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => ZSTD_freeCCtx(handle) == 0;
    }
}

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Kerf.Volumes;

/// <summary>Where the values of a tag lie: <see cref="Count"/> values of <see cref="Type"/> from <see cref="Offset"/> on, all in the file.</summary>
internal readonly record struct TiffField(int Type, long Count, long Offset)
{
    /// <summary>Bytes of one value; 0 for a type that TIFF does not know.</summary>
    public static int Bytes(int type) => type switch
    {
        1 or 2 or 6 or 7 => 1,
        3 or 8 => 2,
        4 or 9 or 11 or 13 => 4,
        5 or 10 or 12 or 16 or 17 or 18 => 8,
        _ => 0,
    };
}

/// <summary>The numbers of a TIFF file in its byte order. Thread-safe: every read names its place. Nothing outside the file is ever read.</summary>
internal sealed class TiffBytes : IDisposable
{
    private const string Damaged = "the file is cut short or damaged: copy or export it again.";
    private readonly SafeFileHandle _file;

    public TiffBytes(string path)
    {
        Path = path;
        try
        {
            _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
            Length = RandomAccess.GetLength(_file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _file?.Dispose();
            throw new InputError($"{path}: cannot be opened ({exception.Message}). Check the name and the rights to read it.", exception);
        }
        if (Length > 0) return;
        _file.Dispose();
        throw new InputError($"{path}: is empty. Copy or export it again.");
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Most significant byte first ("MM").</summary>
    public bool BigEndian { get; set; }

    /// <summary>64-bit offsets.</summary>
    public bool BigTiff { get; set; }

    /// <summary>The one error of this format: which file, what is wrong where, what to do.</summary>
    public InputError Wrong(string what, string remedy = Damaged, Exception? inner = null) =>
        inner is null ? new($"{Path}: {what}; {remedy}") : new($"{Path}: {what}; {remedy}", inner);

    /// <summary>Fills <paramref name="target"/> from <paramref name="offset"/> on.</summary>
    public void Read(long offset, Span<byte> target, string what)
    {
        if (offset < 0 || offset > Length - target.Length)
            throw Wrong($"{what} would lie at bytes {(ulong)offset} to {(ulong)offset + (ulong)target.Length}, but the file ends at {Length}");
        try
        {
            while (target.Length > 0)
            {
                var count = RandomAccess.Read(_file, target, offset);
                if (count == 0) throw Wrong($"{what} at byte {offset} is missing");
                offset += count;
                target = target[count..];
            }
        }
        catch (IOException exception)
        {
            throw Wrong($"{what} at byte {offset} cannot be read ({exception.Message})", "check the disk.", exception);
        }
    }

    public ushort U16(ReadOnlySpan<byte> bytes) =>
        BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    public uint U32(ReadOnlySpan<byte> bytes) =>
        BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    public ulong U64(ReadOnlySpan<byte> bytes) =>
        BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    /// <summary>One unsigned whole number of a field, as long; a number above 2⁶³ comes out negative, which no caller accepts.</summary>
    public long Value(TiffField field, long index, string what)
    {
        if (index < 0 || index >= field.Count) throw Wrong($"{what} has {field.Count} values, number {index + 1} is needed");
        Span<byte> bytes = stackalloc byte[TiffField.Bytes(field.Type)];
        if (field.Type is not (1 or 3 or 4 or 13 or 16 or 18)) throw Wrong($"{what} is of type {field.Type}, not a whole number");
        Read(field.Offset + index * bytes.Length, bytes, what);
        return bytes.Length switch { 1 => bytes[0], 2 => U16(bytes), 4 => U32(bytes), _ => (long)U64(bytes) };
    }

    /// <summary>A RATIONAL; null when it is of another type or divides by 0.</summary>
    public (uint Numerator, uint Denominator)? Rational(TiffField field)
    {
        if (field is not { Type: 5, Count: > 0 }) return null;
        Span<byte> bytes = stackalloc byte[8];
        Read(field.Offset, bytes, "a resolution");
        var (numerator, denominator) = (U32(bytes), U32(bytes[4..]));
        return numerator == 0 || denominator == 0 ? null : (numerator, denominator);
    }

    /// <summary>Text: UTF-8 where it is valid, else Latin-1, as instruments write µ; cut at the last zero.</summary>
    public string Text(TiffField field, string what)
    {
        const long Limit = 64 << 20;
        var length = field.Count * TiffField.Bytes(field.Type);
        if (length > Limit) throw Wrong($"{what} is {length} bytes of text, more than {Limit}", "save the file without it.");
        var bytes = new byte[length];
        Read(field.Offset, bytes, what);
        var text = bytes.AsSpan().TrimEnd((byte)0);
        return System.Text.Unicode.Utf8.IsValid(text) ? System.Text.Encoding.UTF8.GetString(text) : System.Text.Encoding.Latin1.GetString(text);
    }

    public void Dispose() => _file.Dispose();
}

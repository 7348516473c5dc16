using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// A header and arrays of floats in one file, numbers little-endian: magic (8 bytes), format version (4), length of the header (4), the header as
/// JSON, the number of arrays (4) and for each its length (4) and its floats, then the SHA-256 of all before.
/// </summary>
internal static class ArrayFile
{
    private const int Prefix = 16, Checksum = 32;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write<T>(string path, ReadOnlySpan<byte> magic, int version, T header, IReadOnlyList<float[]> arrays)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(header, Json);
        using var file = new MemoryStream();
        file.Write(magic);
        Number(version);
        Number(text.Length);
        file.Write(text);
        Number(arrays.Count);
        foreach (var array in arrays)
        {
            Number(array.Length);
            file.Write(MemoryMarshal.AsBytes(array.AsSpan()));
        }
        file.Write(SHA256.HashData(file.GetBuffer().AsSpan(0, (int)file.Length)));
        AtomicFile.WriteAllBytes(path, file.GetBuffer().AsSpan(0, (int)file.Length));

        void Number(int value)
        {
            Span<byte> four = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(four, value);
            file.Write(four);
        }
    }

    /// <summary>Reads a file of that magic.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or none.</exception>
    /// <exception cref="NotSupportedException">It is of a later version.</exception>
    public static (T Header, float[][] Arrays) Read<T>(byte[] bytes, ReadOnlySpan<byte> magic, int version)
    {
        if (bytes.Length < Prefix + Checksum || !bytes.AsSpan().StartsWith(magic)) throw new InvalidDataException();
        if (Number(bytes, 8) > version) throw new NotSupportedException();
        var length = Number(bytes, 12);
        if (length < 0 || length > bytes.Length - Prefix - Checksum - 4
            || !SHA256.HashData(bytes.AsSpan(0, bytes.Length - Checksum)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - Checksum)))
        {
            throw new InvalidDataException();
        }
        try
        {
            var header = JsonSerializer.Deserialize<T>(bytes.AsSpan(Prefix, length), Json) ?? throw new InvalidDataException();
            var at = Prefix + length;
            var arrays = new List<float[]>();
            for (var left = Number(bytes, at); left > 0; left--)
            {
                var count = Number(bytes, at += 4);
                arrays.Add(MemoryMarshal.Cast<byte, float>(bytes.AsSpan(at + 4, checked(count * 4))).ToArray());
                at += count * 4;
            }
            return (header, [.. arrays]);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException("", exception);
        }
    }

    private static int Number(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
}

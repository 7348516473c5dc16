using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Kerf.Volumes;

/// <summary>
/// NumPy arrays on disk: versions 1 to 3, C order, uint8, bool, uint16 and float32 in little endian, of 2 (one slice) or 3 axes (z, y, x).
/// The file tells no voxel size.
/// </summary>
public static partial class NpyVolume
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Opens an array; its voxels are read as they are asked for. It holds the file open until it is disposed or collected.</summary>
    /// <exception cref="InputError">No array, cut off, or of another type, order or number of axes.</exception>
    public static IVolume Open(string path)
    {
        var start = InputFile.ReadStart(path, 1 << 16, out _);
        if (!start.AsSpan().StartsWith(Magic) || start.Length < 12)
            throw new InputError($"{path}: is no NumPy array (its first bytes are others). Save it again with numpy.save.");
        var wide = start[6] >= 2;
        var offset = wide ? 12L + BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(8))
            : 10L + BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8));
        if (start[6] is < 1 or > 3 || offset > start.Length)
            throw new InputError($"{path}: its header is damaged or cut off. Save it again with numpy.save.");
        var header = Encoding.Latin1.GetString(start, 0, (int)offset);
        var (type, size) = (Type(path, Field(path, header, Descr())), Size(path, Field(path, header, Shape())));
        if (Field(path, header, Order()) == "True")
            throw new InputError($"{path}: is in Fortran order. Save it again with numpy.save(file, numpy.ascontiguousarray(array)).");
        var file = InputFile.Guard(path, () => File.OpenHandle(path));
        var needed = offset + (decimal)size.Count * type.Bytes();
        if (RandomAccess.GetLength(file) < needed)
        {
            file.Dispose();
            throw new InputError($"{path}: is cut off: {size} voxels of {type.Name()} need {needed} bytes. Copy it again.");
        }
        var info = new VolumeInfo(size, type, null);
        return type switch
        {
            PixelType.UInt8 => new OnDisk<byte>(path, file, offset, info),
            PixelType.UInt16 => new OnDisk<ushort>(path, file, offset, info),
            _ => new OnDisk<float>(path, file, offset, info),
        };
    }

    /// <summary>The header of version 1 that stands before the voxels of a C-ordered array.</summary>
    internal static byte[] Header(VolumeInfo info)
    {
        var type = info.Type switch { PixelType.UInt8 => "|u1", PixelType.UInt16 => "<u2", _ => "<f4" };
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({info.Size.Z}, {info.Size.Y}, {info.Size.X}), }}");
        // the voxels start at a multiple of 64
        var length = (10 + text.Length + 1 + 63) / 64 * 64 - 10;
        return [.. Magic, 1, 0, (byte)length, (byte)(length >> 8), .. Encoding.ASCII.GetBytes(text.PadRight(length - 1)), (byte)'\n'];
    }

    private static string Field(string path, string header, Regex regex) => regex.Match(header) is { Success: true } match ? match.Groups[1].Value
        : throw new InputError($"{path}: its header does not tell type, order and shape. Save it again with numpy.save.");

    private static PixelType Type(string path, string descr) => descr switch
    {
        "|u1" or "|b1" or "<u1" => PixelType.UInt8,
        "<u2" => PixelType.UInt16,
        "<f4" => PixelType.Float32,
        _ => throw new InputError($"{path}: holds values of type {descr}; read are uint8, bool, uint16 and float32 in little endian. "
            + "Save it again with numpy.save(file, array.astype('<f4'))."),
    };

    private static Size3 Size(string path, string shape)
    {
        var axes = shape.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var lengths = axes.Select(axis => int.TryParse(axis, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0).ToArray();
        // ilastik keeps axes of length 1, for time in front and for channels behind
        while (lengths.Length > 3 && lengths[^1] == 1) lengths = lengths[..^1];
        while (lengths.Length > 3 && lengths[0] == 1) lengths = lengths[1..];
        var count = lengths.Take(3).Aggregate((decimal)1, (product, length) => product * length);
        if (lengths.Length is not (2 or 3) || count is 0 or > long.MaxValue / 8)
            throw new InputError($"{path}: has the shape ({shape}); a volume has 2 or 3 axes (z, y, x) of 1 and more. Save the part that is one.");
        return lengths.Length == 2 ? new(1, lengths[0], lengths[1]) : new(lengths[0], lengths[1], lengths[2]);
    }

    [GeneratedRegex("'descr':\\s*'([^']*)'")]
    private static partial Regex Descr();

    [GeneratedRegex("'fortran_order':\\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex("'shape':\\s*\\(([^)]*)\\)")]
    private static partial Regex Shape();

    private sealed class OnDisk<T>(string path, SafeFileHandle file, long offset, VolumeInfo info) : IVolume<T>, IDisposable where T : unmanaged
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<T> target)
        {
            if (!Box.Whole(info.Size).Contains(box)) throw new ArgumentOutOfRangeException(nameof(box), $"{box} is not inside {info.Size}");
            // whole rows lie behind one another, whole slices too: as few reads as there are runs
            var rows = box.Size.X < info.Size.X ? 1 : box.Size.Y;
            var run = rows * box.Size.X;
            if (box.Count == 0) return;
            for (var z = box.Start.Z; z < box.End.Z; z++)
            {
                for (var y = box.Start.Y; y < box.End.Y; y += rows)
                {
                    var at = ((long)z * info.Size.Y + y) * info.Size.X + box.Start.X;
                    Fill(offset + at * info.Type.Bytes(), MemoryMarshal.AsBytes(target[..run]));
                    target = target[run..];
                }
            }
        }

        public void Dispose() => file.Dispose();

        private void Fill(long at, Span<byte> bytes)
        {
            try
            {
                while (bytes.Length > 0)
                {
                    var got = RandomAccess.Read(file, bytes, at);
                    if (got == 0) throw new InputError($"{path}: has become shorter while it was read. Copy it again.");
                    bytes = bytes[got..];
                    at += got;
                }
            }
            catch (IOException exception)
            {
                throw new InputError($"{path}: cannot be read ({exception.Message}). Check whether the disk is there.", exception);
            }
        }
    }
}

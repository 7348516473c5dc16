using System.Runtime.CompilerServices;

namespace Kerf.Volumes;

/// <summary>A dense volume in memory: one array, x fastest, then y, then z.</summary>
/// <typeparam name="T">byte, ushort or float.</typeparam>
public sealed class Volume<T> : IWritableVolume<T> where T : unmanaged
{
    /// <summary>A volume of zeros. <see cref="VolumeInfo.Type"/> is set to that of <typeparamref name="T"/>.</summary>
    /// <exception cref="InputError">More than 2³¹ − 57 voxels: an array cannot hold them; keep such volumes chunked on disk.</exception>
    public Volume(VolumeInfo info)
    {
        if (info.Size.Count > Array.MaxLength)
            throw new InputError($"a volume of {info.Size} voxels does not fit one array in memory; keep it on disk as .zarr.");
        Info = info with { Type = PixelTypes.Of<T>() };
        Data = new T[info.Size.Count];
    }

    /// <summary>A volume of zeros.</summary>
    public Volume(Size3 size, VoxelSize? voxel = null) : this(new VolumeInfo(size, PixelTypes.Of<T>(), voxel)) { }

    /// <summary>A volume over an array that is already there.</summary>
    public Volume(Size3 size, VoxelSize? voxel, T[] data)
    {
        if (data.Length != size.Count) throw new ArgumentException($"{data.Length} values do not fill {size} voxels", nameof(data));
        Info = new(size, PixelTypes.Of<T>(), voxel);
        Data = data;
    }

    /// <inheritdoc/>
    public VolumeInfo Info { get; init; }

    /// <summary>All voxels, x fastest.</summary>
    public T[] Data { get; }

    /// <summary>One voxel.</summary>
    public ref T this[int z, int y, int x] => ref Data[((long)z * Info.Size.Y + y) * Info.Size.X + x];

    /// <summary>One slice as a span, x fastest.</summary>
    public Span<T> Slice(int z) => Data.AsSpan((int)(z * Info.Size.SliceCount), (int)Info.Size.SliceCount);

    /// <inheritdoc/>
    public void Read(Box box, Span<T> target) => Rows.Copy(Data, Box.Whole(Info.Size), target, box, box);

    /// <inheritdoc/>
    public void Write(Box box, ReadOnlySpan<T> source) => Rows.Copy(source, box, Data, Box.Whole(Info.Size), box);

    /// <inheritdoc/>
    public bool IsWritten(Box box) => false;

    /// <summary>Reads a whole volume into memory.</summary>
    public static Volume<T> Load(IVolume<T> source)
    {
        var volume = new Volume<T>(source.Info);
        // slice by slice: a chunked source then never needs a second whole copy
        for (var z = 0; z < source.Info.Size.Z; z++) source.Read(Box.Slice(source.Info.Size, z), volume.Slice(z));
        return volume;
    }
}

/// <summary>The tie between a .NET type and a <see cref="PixelType"/>.</summary>
public static class PixelTypes
{
    /// <summary>The pixel type that stores <typeparamref name="T"/>.</summary>
    public static PixelType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(byte) ? PixelType.UInt8
        : typeof(T) == typeof(ushort) ? PixelType.UInt16
        : typeof(T) == typeof(float) ? PixelType.Float32
        : throw new NotSupportedException($"no volume holds {typeof(T).Name}");

    /// <summary>Bytes of one voxel.</summary>
    public static int Bytes(this PixelType type) => type switch { PixelType.UInt8 => 1, PixelType.UInt16 => 2, _ => 4 };

    /// <summary>The name that numpy and zarr use: uint8, uint16, float32.</summary>
    public static string Name(this PixelType type) => type switch { PixelType.UInt8 => "uint8", PixelType.UInt16 => "uint16", _ => "float32" };

    /// <summary>The highest grey level of an integer type; 1 for float.</summary>
    public static float TopLevel(this PixelType type) => type switch { PixelType.UInt8 => 255, PixelType.UInt16 => 65535, _ => 1 };
}

/// <summary>Row-wise copies between dense buffers that each hold a box of the same volume.</summary>
public static class Rows
{
    /// <summary>Copies <paramref name="region"/> from a buffer that holds <paramref name="sourceBox"/> to one that holds <paramref name="targetBox"/>.</summary>
    public static void Copy<T>(ReadOnlySpan<T> source, Box sourceBox, Span<T> target, Box targetBox, Box region) where T : unmanaged
    {
        if (!sourceBox.Contains(region) || !targetBox.Contains(region))
            throw new ArgumentOutOfRangeException(nameof(region), $"{region} is not inside {sourceBox} and {targetBox}");
        if (region.Count == 0) return;
        for (var z = region.Start.Z; z < region.End.Z; z++)
        {
            for (var y = region.Start.Y; y < region.End.Y; y++)
            {
                var from = Offset(sourceBox, z, y, region.Start.X);
                var to = Offset(targetBox, z, y, region.Start.X);
                source.Slice(from, region.Size.X).CopyTo(target.Slice(to, region.Size.X));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Offset(Box box, int z, int y, int x) =>
        checked((int)(((long)(z - box.Start.Z) * box.Size.Y + (y - box.Start.Y)) * box.Size.X + (x - box.Start.X)));
}

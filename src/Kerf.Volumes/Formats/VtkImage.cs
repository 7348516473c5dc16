using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Kerf.Volumes;

/// <summary>
/// Writes VTK XML image files (.vti) for ParaView and VTK: one cell per voxel, spacing in nanometres (1 where the voxel size is unknown), raw
/// little-endian data appended. Slices are streamed; nothing is held.
/// </summary>
internal static class VtkImage
{
    /// <summary>Writes the file.</summary>
    public static void Save(IVolume source, string path, Traversal walk)
    {
        switch (source)
        {
            case IVolume<byte> bytes: Save(bytes, path, "UInt8", walk); break;
            case IVolume<ushort> words: Save(words, path, "UInt16", walk); break;
            default: Save((IVolume<float>)source, path, "Float32", walk); break;
        }
    }

    private static void Save<T>(IVolume<T> source, string path, string type, Traversal walk) where T : unmanaged
    {
        var (size, voxel) = (source.Info.Size, source.Info.Voxel ?? VoxelSize.Cube(1));
        var extent = string.Create(CultureInfo.InvariantCulture, $"0 {size.X} 0 {size.Y} 0 {size.Z}");
        var name = source.Info.Phases is null ? "grey" : "phase";
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
            <?xml version="1.0"?>
            <VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">
            <ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{voxel.X:R} {voxel.Y:R} {voxel.Z:R}">
            <Piece Extent="{extent}"><PointData/>
            <CellData Scalars="{name}"><DataArray type="{type}" Name="{name}" format="appended" offset="0"/></CellData></Piece>
            </ImageData>
            <AppendedData encoding="raw">
            _
            """).ReplaceLineEndings("\n")));
        file.Write(BitConverter.GetBytes((ulong)(size.Count * source.Info.Type.Bytes())));
        var slice = new T[size.SliceCount];
        for (var z = 0; z < size.Z; z++)
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            source.Read(Box.Slice(size, z), slice);
            file.Write(MemoryMarshal.AsBytes(slice.AsSpan()));
            walk.Progress?.Report((z + 1.0) / size.Z);
        }
        file.Write("\n</AppendedData>\n</VTKFile>\n"u8);
    }
}

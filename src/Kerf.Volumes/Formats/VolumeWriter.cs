using System.Globalization;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>Saves volumes under a temporary name beside their place, then renames: they are there whole or not at all.</summary>
internal static class VolumeWriter
{
    private const string Writable = ".zarr, .tif, .png (one slice), .npy or .vti, or a trailing slash for a folder of slices";

    public static void Save(IVolume source, string path, Traversal walk, SaveOptions options)
    {
        var (place, ending) = Parts(path);
        var write = Writer(source, place, ending, walk, options);
        CheckPlace(path, options);
        if (ending is ".tif" or ".tiff")
        {
            // atomic by itself
            write(place);
            return;
        }
        // a name of its own per writer, as AtomicFile has
        var partial = $"{place}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}{AtomicFile.PartialSuffix}";
        try
        {
            write(partial);
            Replace(partial, place);
        }
        catch (Exception exception)
        {
            Remove(partial);
            if (!AtomicFile.Refused(exception)) throw;
            throw new InputError(
                $"{path}: cannot be written ({exception.Message}). Check the folder's rights and the space left on the disk.", exception);
        }
    }

    public static void CheckPlace(VolumeInfo info, string path, SaveOptions options)
    {
        var (place, ending) = Parts(path);
        Writer(new Announced(info), place, ending, Traversal.Default, options);
        CheckPlace(path, options);
    }

    private sealed class Announced(VolumeInfo info) : IVolume
    {
        public VolumeInfo Info => info;
    }

    private static Action<string> Writer(IVolume source, string place, string ending, Traversal walk, SaveOptions options)
    {
        var info = source.Info;
        switch (ending)
        {
            case "/": return partial => SaveSlices(source, partial, walk, options);
            case ".zarr": return partial => SaveZarr(source, partial, walk);
            case ".tif" or ".tiff": return partial => TiffWriter.Save(source, partial, walk, options.Compress);
            case ".npy": return partial => SaveNpy(source, partial, walk);
            case ".vti": return partial => VtkImage.Save(source, partial, walk);
            case ".png" when info.Size.Z > 1:
                throw new InputError($"{place}: a PNG holds one slice, the volume has {info.Size.Z}. "
                    + $"Write {Path.ChangeExtension(place, null)}/ (with the slash) for a folder of them.");
            case ".png" when info.Type == PixelType.Float32:
                throw new InputError($"{place}: PNG holds no float values. Write .tif or .npy.");
            case ".png": return partial => File.WriteAllBytes(partial, EncodePng(source, 0));
            default: throw NoFormat(place, ending);
        }
    }

    private static (string Place, string Ending) Parts(string path)
    {
        var place = path.TrimEnd('/', '\\');
        var isZarr = place.EndsWith(".zarr", StringComparison.OrdinalIgnoreCase);
        return (place, isZarr ? ".zarr" : path.Length > place.Length ? "/" : Path.GetExtension(place).ToLowerInvariant());
    }

    private static InputError NoFormat(string place, string ending) =>
        new($"{place}: {(ending.Length > 1 ? $"no format has the ending {ending}" : "the name has no ending")}. Write {Writable}.");

    public static void CheckPlace(string path, SaveOptions options)
    {
        var (place, ending) = Parts(path);
        if (ending is not ("/" or ".zarr" or ".tif" or ".tiff" or ".npy" or ".vti" or ".png")) throw NoFormat(place, ending);
        var parent = Path.GetDirectoryName(Path.GetFullPath(place));
        if (parent is not null && !Directory.Exists(parent)) throw new InputError($"{path}: the folder {parent} does not exist. Make it first.");
        var makesFolder = ending is "/" or ".zarr";
        if (File.Exists(place))
        {
            if (makesFolder) throw new InputError($"{path}: is a file, a folder is to be written. Choose another name.");
            if (!options.Overwrite) throw new InputError($"{path}: is there already. Choose another name, or replace it with --force.");
        }
        if (!Directory.Exists(place) || (makesFolder && !Directory.EnumerateFileSystemEntries(place).Any())) return;
        if (!makesFolder) throw new InputError($"{path}: is a folder, a file is to be written. Choose another name.");
        if (!options.Overwrite) throw new InputError($"{path}: is there already and not empty. Choose another name, or replace it with --force.");
        if (!IsOurs(place, ending))
            throw new InputError($"{path}: holds files that Kerf did not save there. Choose another name, or empty the folder yourself.");
    }

    private static bool IsOurs(string folder, string ending) => ending == ".zarr"
        ? ZarrVolume.IsKerfVolume(folder)
        : Directory.EnumerateFileSystemEntries(folder).All(entry =>
            File.Exists(entry) && Path.GetFileName(entry).StartsWith("slice_", StringComparison.Ordinal) && SliceFile.IsImage(entry));

    private static void Replace(string partial, string place)
    {
        if (!Directory.Exists(partial))
        {
            File.Move(partial, place, overwrite: true);
            return;
        }
        var old = partial + ".old" + AtomicFile.PartialSuffix;
        if (Directory.Exists(place)) Directory.Move(place, old);
        Directory.Move(partial, place);
        Remove(old);
    }

    private static void Remove(string partial)
    {
        try
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            else File.Delete(partial);
        }
        catch (Exception exception) when (AtomicFile.Refused(exception)) { }
    }

    private static void SaveSlices(IVolume source, string folder, Traversal walk, SaveOptions options)
    {
        Directory.CreateDirectory(folder);
        var size = source.Info.Size;
        var digits = Math.Max(4, (size.Z - 1).ToString(CultureInfo.InvariantCulture).Length);
        string Name(int z) => Path.Combine(folder, "slice_" + z.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0'));
        walk.ForEach(size.Z, z =>
        {
            if (source is not IVolume<float> floats)
            {
                File.WriteAllBytes(Name(z) + ".png", EncodePng(source, z));
                return;
            }
            var slice = new float[size.SliceCount];
            floats.Read(Box.Slice(size, z), slice);
            using var writer = new TiffWriter(Name(z) + ".tif", source.Info with { Size = size with { Z = 1 } }, options.Compress);
            writer.Write<float>(slice);
            writer.Complete();
        });
    }

    private static byte[] EncodePng(IVolume source, int z)
    {
        var (size, voxel) = (source.Info.Size, source.Info.Voxel);
        if (source is IVolume<ushort> words)
        {
            var slice = new ushort[size.SliceCount];
            words.Read(Box.Slice(size, z), slice);
            return Png.Encode(slice, size.X, size.Y, voxel);
        }
        var pixels = new byte[size.SliceCount];
        ((IVolume<byte>)source).Read(Box.Slice(size, z), pixels);
        return source.Info.Phases is { } phases ? Png.EncodeLabels(pixels, size.X, size.Y, phases, voxel) : Png.Encode(pixels, size.X, size.Y, voxel);
    }

    private static void SaveNpy(IVolume source, string path, Traversal walk)
    {
        switch (source)
        {
            case IVolume<byte> bytes: SaveNpy(bytes, path, walk); break;
            case IVolume<ushort> words: SaveNpy(words, path, walk); break;
            default: SaveNpy((IVolume<float>)source, path, walk); break;
        }
    }

    private static void SaveNpy<T>(IVolume<T> source, string path, Traversal walk) where T : unmanaged
    {
        var (header, count) = (NpyVolume.Header(source.Info), (int)source.Info.Size.SliceCount);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None);
        RandomAccess.Write(file, header, 0);
        Blocks.ForEachSlice(source, walk, (z, slice) =>
            RandomAccess.Write(file, MemoryMarshal.AsBytes(slice.AsSpan(0, count)), header.Length + (long)z * count * source.Info.Type.Bytes()));
    }

    private static void SaveZarr(IVolume source, string path, Traversal walk)
    {
        using var target = ZarrVolume.Create(path, source.Info);
        switch (source)
        {
            case IVolume<byte> bytes: Copy(bytes, (IWritableVolume<byte>)target, walk.Part(0, 0.8)); break;
            case IVolume<ushort> words: Copy(words, (IWritableVolume<ushort>)target, walk.Part(0, 0.8)); break;
            default: Copy((IVolume<float>)source, (IWritableVolume<float>)target, walk.Part(0, 0.8)); break;
        }
        target.Complete(walk.Part(0.8, 1));
    }

    private static void Copy<T>(IVolume<T> source, IWritableVolume<T> target, Traversal walk) where T : unmanaged =>
        Blocks.MapSlices(source, target, 0, Border.Nearest, walk, (Block<T> input, Span<T> output) => input.Voxels.CopyTo(output));
}

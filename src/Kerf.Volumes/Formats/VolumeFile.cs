namespace Kerf.Volumes;

/// <summary>
/// Volumes by their path. Read: a folder of TIFF or PNG slices, a TIFF (stack), a PNG, an OME-Zarr or a bare Zarr array, a NumPy array. Written:
/// the same, chosen by the ending; a trailing slash means a folder of slices.
/// </summary>
public static class VolumeFile
{
    private const string Readable = "a folder of TIFF or PNG slices, .tif, .png, .zarr or .npy";

    /// <summary>Opens a volume; its voxels are read as they are asked for. Dispose it when it is <see cref="IDisposable"/>.</summary>
    /// <exception cref="InputError">Nothing is there, it cannot be read, or the channel is not clear.</exception>
    public static IVolume Open(string path, OpenOptions? options = null)
    {
        options ??= OpenOptions.Default;
        if (Directory.Exists(path)) return IsZarr(path) ? OpenZarr(path, options) : SliceFolder.Open(path, options);
        if (!File.Exists(path)) throw Missing(path);
        if (options.Level != 0) throw new InputError($"{path}: has no level {options.Level}; only an OME-Zarr has levels above 0.");
        if (SliceFile.IsTiff(path)) return OpenTiff(path, options);
        if (SliceFile.IsPng(path)) return Slices.Open(path, options);
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase)) return Described(NpyVolume.Open(path), options);
        throw Unreadable(path);
    }

    /// <summary>Names of the channels, at least one. For a colour image: luma, red, green, blue.</summary>
    /// <exception cref="InputError">As <see cref="Open"/>.</exception>
    public static IReadOnlyList<string> Channels(string path, OpenOptions? options = null)
    {
        if (Directory.Exists(path))
        {
            if (IsZarr(path)) return ZarrChannels(path, options ?? OpenOptions.Default);
            var channels = SliceFolder.Channels(path, options?.NamePattern);
            return channels.Count > 1 ? [.. channels.Select(channel => channel.Name)]
                : ImageChannels(Path.Combine(channels[0].Folder, channels[0].Slices[0].Name));
        }
        if (!File.Exists(path)) throw Missing(path);
        if (SliceFile.IsImage(path)) return ImageChannels(path);
        return path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase) ? ["channel 1"] : throw Unreadable(path);
    }

    /// <summary>
    /// Saves a volume as its path's ending says: .zarr, .tif, .png (one slice), .npy; with a trailing slash a folder of slices, PNG, or TIFF for
    /// float. It is there whole or not at all.
    /// </summary>
    /// <exception cref="InputError">Something is there already, the ending is unknown, or the disk refuses.</exception>
    public static void Save(IVolume source, string path, Traversal walk, SaveOptions? options = null) =>
        VolumeWriter.Save(source, path, walk, options ?? SaveOptions.Default);

    /// <summary>
    /// Fails when <see cref="Save"/> would refuse the path whatever the volume: for calls that work long before they save. Nothing is touched.
    /// </summary>
    /// <exception cref="InputError">As <see cref="Save"/>.</exception>
    public static void CheckPlace(string path, SaveOptions? options = null) => VolumeWriter.CheckPlace(path, options ?? SaveOptions.Default);

    /// <summary>Fails when <see cref="Save"/> could not write a volume of that kind there: to be asked before hours of work.</summary>
    /// <exception cref="InputError">As <see cref="Save"/>.</exception>
    public static void CheckPlace(VolumeInfo info, string path, SaveOptions? options = null) => VolumeWriter.CheckPlace(info, path, options ?? SaveOptions.Default);

    /// <summary>Fails when a float volume holds NaN or infinity; other types pass at once.</summary>
    /// <exception cref="InputError">Names the first slice that does, and how many voxels of it.</exception>
    public static void CheckFinite(IVolume source, Traversal walk, string name = "the volume")
    {
        if (source is not IVolume<float> floats) return;
        var size = source.Info.Size;
        var wrong = new int[size.Z];
        Blocks.ForEachSlice(floats, walk, (z, slice) =>
        {
            foreach (var value in slice.AsSpan(0, (int)size.SliceCount)) if (!float.IsFinite(value)) wrong[z]++;
        });
        var first = Array.FindIndex(wrong, count => count > 0);
        if (first < 0) return;
        var slices = wrong.Count(count => count > 0);
        throw new InputError($"{name}: slice {first} holds {wrong[first]} voxels that are NaN or infinite"
            + $"{(slices > 1 ? $", {slices} slices in all do" : "")}. Replace them before import, for example with numpy.nan_to_num.");
    }

    internal static IVolume OpenTiff(string path, OpenOptions options)
    {
        int channel;
        using (var file = TiffFile.Open(path))
        {
            if (file.Info.Size.Z == 1) return Slices.Open(path, options);
            channel = ChannelNames.Pick(file.Channels, options.Channel, path);
        }
        return Described(TiffVolume.Open(path, channel, options.CacheBytes), options);
    }

    /// <summary>A folder is a Zarr by its ending or by the metadata in it.</summary>
    private static bool IsZarr(string folder) => folder.TrimEnd('/', '\\').EndsWith(".zarr", StringComparison.OrdinalIgnoreCase)
        || new[] { "zarr.json", ".zattrs", ".zgroup", ".zarray" }.Any(name => File.Exists(Path.Combine(folder, name)));

    private static IReadOnlyList<string> ImageChannels(string path)
    {
        if (!SliceFile.IsTiff(path)) return SliceFile.Read(path).Channels;
        using var file = TiffFile.Open(path);
        return file.Channels;
    }

    private static IReadOnlyList<string> ZarrChannels(string path, OpenOptions options)
    {
        using var volume = ZarrVolume.Open(path, new() { Level = options.Level, CacheBytes = 0 });
        return volume.Channels.Count > 0 ? volume.Channels : ["channel 1"];
    }

    private static IVolume OpenZarr(string path, OpenOptions options)
    {
        var channel = ChannelNames.Pick(ZarrChannels(path, options), options.Channel, path);
        var volume = ZarrVolume.Open(path, new() { Channel = channel, Level = options.Level, CacheBytes = options.CacheBytes });
        return volume.IsComplete ? Described(volume, options) : throw new InputError(
            $"{path}: is not complete; the run that wrote it was interrupted. Start that run again, it goes on where it stopped.");
    }

    // as it is, unless the options tell more of the voxel size
    private static IVolume Described(IVolume volume, OpenOptions options)
    {
        var voxel = options.Complete(volume.Info);
        return voxel == volume.Info.Voxel ? volume : volume switch
        {
            IVolume<byte> bytes => new WithVoxel<byte>(bytes, voxel),
            IVolume<ushort> words => new WithVoxel<ushort>(words, voxel),
            _ => new WithVoxel<float>((IVolume<float>)volume, voxel),
        };
    }

    private static InputError Unreadable(string path) => new(
        $"{path}: {(Path.GetExtension(path) is { Length: > 1 } ending ? $"{ending} files are" : "a file without ending is")} not read; "
        + $"Kerf reads {Readable}. Convert it first, for example with Fiji.");

    private static InputError Missing(string path)
    {
        var full = Path.GetFullPath(path.Length > 0 ? path : ".").TrimEnd('/', '\\');
        var (parent, name) = (Path.GetDirectoryName(full), Path.GetFileName(full));
        if (parent is null || path.Length == 0) return new($"\"{path}\" is no path. Give {Readable}.");
        if (!Directory.Exists(parent)) return new($"{path}: no such file or folder, and the folder {parent} is not there either. Check the path.");
        var nearest = InputFile.Guard(parent, () => Directory.GetFileSystemEntries(parent)).Select(entry => Path.GetFileName(entry))
            .Select(entry => (Name: entry, Far: Edits(name.ToLowerInvariant(), entry.ToLowerInvariant())))
            .OrderBy(entry => entry.Far).ThenBy(entry => entry.Name, StringComparer.Ordinal).FirstOrDefault();
        return new($"{path}: no such file or folder. " + (nearest.Name is not null && nearest.Far <= Math.Max(2, name.Length / 3)
            ? $"Did you mean {Path.Combine(Path.GetDirectoryName(path.TrimEnd('/', '\\')) ?? "", nearest.Name)}?" : "Check the path."));
    }

    // letters to insert, delete or exchange (Levenshtein)
    private static int Edits(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }

    private sealed class WithVoxel<T>(IVolume<T> inner, VoxelSize? voxel) : IVolume<T>, IDisposable where T : unmanaged
    {
        public VolumeInfo Info { get; } = inner.Info with { Voxel = voxel };

        public void Read(Box box, Span<T> target) => inner.Read(box, target);

        public void Dispose() => (inner as IDisposable)?.Dispose();
    }
}

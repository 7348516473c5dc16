namespace Kerf.Volumes;

/// <summary>
/// A volume in chunks on disk, as OME-Zarr: version 0.5 (zarr v3) or 0.4 (zarr v2) written, both and bare zarr arrays read. Voxels are written in
/// disjoint boxes of any shape; the bytes on disk depend neither on the boxes nor on the threads. A volume that a killed run left is taken up again.
/// </summary>
public abstract class ZarrVolume : IVolume, IDisposable
{
    private protected ZarrVolume(string path, VolumeInfo info, IReadOnlyList<string> channels, int channel)
    {
        (Path, Info, Channels, Channel) = (path, info, channels, channel);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public VolumeInfo Info { get; }

    /// <summary>Names of the channels; empty when the array has no channel axis.</summary>
    public IReadOnlyList<string> Channels { get; }

    /// <summary>The channel that this volume reads and writes.</summary>
    public int Channel { get; }

    /// <summary>False while it is being written, and for what a killed run left. Volumes of other programs count as complete.</summary>
    public abstract bool IsComplete { get; }

    /// <summary>
    /// Builds the pyramid of coarser levels (means of 2×2×2 voxels; for labels the most frequent), then marks the volume complete. Every voxel must
    /// have been written. For a volume of several channels this completes all of them. Does nothing when it is complete.
    /// </summary>
    /// <exception cref="InvalidOperationException">Voxels are missing, or the volume is open for reading.</exception>
    /// <exception cref="InputError">The disk is full.</exception>
    public abstract void Complete(Traversal walk);

    /// <summary>Drops the cache and the chunks under construction; those are then lost, complete ones are on disk.</summary>
    public abstract void Dispose();

    /// <summary>Opens a volume for reading. What it returns is an <see cref="IVolume{T}"/> of the type that <see cref="Info"/> tells.</summary>
    /// <exception cref="InputError">The folder holds no volume, or one that is damaged or of a kind that is not read.</exception>
    public static ZarrVolume Open(string path, ZarrOpenOptions? options = null)
    {
        options ??= new();
        var image = OmeImage.Read(path);
        if (options.Level < 0 || options.Level >= image.Levels.Count)
            throw new InputError($"{path}: has no level {options.Level}; it has 0 to {image.Levels.Count - 1}.");
        var level = image.Levels[options.Level];
        var folder = System.IO.Path.Combine(path, level.Path);
        var array = ZarrArray.Open(folder)
            ?? throw new InputError($"{folder}: holds no zarr array, though {image.File} names it. The volume is damaged: copy it again.");
        var axes = image.AxesOf(array);
        var count = axes.C < 0 ? 0 : array.Shape[axes.C];
        if (count > 65536) throw new InputError($"{array.File}: {count} channels are too many; up to 65536 are read.");
        string[] names = [.. Enumerable.Range(0, count).Select(i => image.Channels is { } given && i < given.Count ? given[i] : $"channel {i}")];
        var channel = options.ChannelName is { } wanted ? Array.IndexOf(names, wanted) : options.Channel;
        if (channel < 0 || channel >= Math.Max(1, count))
        {
            throw new InputError($"{path}: has no channel {options.ChannelName ?? options.Channel.ToString(System.Globalization.CultureInfo.InvariantCulture)}; "
                + (count == 0 ? "it has a single one, 0." : $"it has 0 to {count - 1}: {string.Join(", ", names.Take(20))}."));
        }
        var info = new VolumeInfo(axes.Of(array.Shape), array.Type.Pixel, level.Voxel)
        {
            Phases = array.Type.Pixel == PixelType.UInt8 ? image.Phases : null,
            Metadata = image.Metadata,
        };
        return info.Type switch
        {
            PixelType.UInt8 => Make<byte>(),
            PixelType.UInt16 => Make<ushort>(),
            _ => Make<float>(),
        };
        ZarrVolume Make<T>() where T : unmanaged
        {
            var chunks = new ChunkedArray<T>(array, axes, options.CacheBytes, writable: false);
            return new ZarrVolume<T>(ZarrStore<T>.Reading(path, chunks, image.Complete ?? true), info, names, channel);
        }
    }

    /// <summary>
    /// Creates a volume, or takes up the one of exactly the same facts and options that a killed run left there: chunks that are on disk are durable.
    /// </summary>
    /// <exception cref="InputError">The folder holds anything else, complete volumes too; nothing is touched then.</exception>
    public static ZarrVolume Create(string path, VolumeInfo info, ZarrOptions? options = null) => Create(path, info, null, options ?? new())[0];

    /// <summary>
    /// Creates one volume per name, channels of one array; <see cref="Create(string, VolumeInfo, ZarrOptions)"/> tells the rest. The
    /// <see cref="Complete"/> of any completes all, after all are written.
    /// </summary>
    /// <exception cref="InputError">The folder holds anything else, or the names are none, empty or not distinct.</exception>
    public static IReadOnlyList<ZarrVolume> CreateChannels(string path, VolumeInfo info, IReadOnlyList<string> names, ZarrOptions? options = null)
    {
        if (names.Count is 0 or > 4096 || names.Any(string.IsNullOrWhiteSpace) || names.Distinct().Count() != names.Count)
            throw new InputError($"{path}: channels need names, all different, at most 4096 of them; got \"{string.Join("\", \"", names.Take(20))}\".");
        return Create(path, info, names, options ?? new());
    }

    /// <summary>True when the folder holds a volume that Kerf wrote, complete or not: it may be deleted to make room for a new one.</summary>
    public static bool IsKerfVolume(string path)
    {
        try
        {
            return Directory.Exists(path) && OmeImage.Read(path).Complete is not null;
        }
        catch (InputError)
        {
            return false;
        }
    }

    private static ZarrVolume[] Create(string path, VolumeInfo info, IReadOnlyList<string>? names, ZarrOptions options)
    {
        if (info.Size is not { Z: > 0 and <= 1 << 30, Y: > 0 and <= 1 << 30, X: > 0 and <= 1 << 30 })
            throw new InputError($"{path}: a volume of {info.Size} voxels cannot be written; each extent is from 1 to 2^30.");
        return info.Type switch
        {
            PixelType.UInt8 => Make<byte>(),
            PixelType.UInt16 => Make<ushort>(),
            _ => Make<float>(),
        };
        ZarrVolume[] Make<T>() where T : unmanaged
        {
            var store = ZarrStore<T>.Writing(path, info, names, options);
            return [.. Enumerable.Range(0, names?.Count ?? 1).Select(channel => new ZarrVolume<T>(store, info, names ?? [], channel))];
        }
    }
}

/// <summary>A <see cref="ZarrVolume"/> of known voxel type. Reads and writes may run at the same time; what is not written yet reads as 0.</summary>
/// <typeparam name="T">byte, ushort or float.</typeparam>
public sealed class ZarrVolume<T> : ZarrVolume, IWritableVolume<T> where T : unmanaged
{
    private readonly ZarrStore<T> _store;

    internal ZarrVolume(ZarrStore<T> store, VolumeInfo info, IReadOnlyList<string> channels, int channel)
        : base(store.Path, info, channels, channel) => _store = store;

    /// <inheritdoc/>
    public override bool IsComplete => _store.IsComplete;

    /// <inheritdoc/>
    public void Read(Box box, Span<T> target) => _store.Array.Read(Channel, box, target);

    /// <inheritdoc/>
    /// <exception cref="InputError">The disk is full.</exception>
    public void Write(Box box, ReadOnlySpan<T> source) => _store.Array.Write(Channel, box, source);

    /// <inheritdoc/>
    public bool IsWritten(Box box) => _store.Array.IsWritten(Channel, box);

    /// <inheritdoc/>
    public override void Complete(Traversal walk) => _store.Complete(walk);

    /// <inheritdoc/>
    public override void Dispose() => _store.Array.Clear();
}

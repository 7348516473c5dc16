using System.Buffers;
using System.Runtime.CompilerServices;

namespace Kerf.Volumes;

/// <summary>The folder of an image: its full-resolution array, and what it takes to create, resume and complete it. Its channels share one.</summary>
/// <typeparam name="T">Voxel type.</typeparam>
internal sealed class ZarrStore<T> where T : unmanaged
{
    private const long CacheBytes = 256L << 20;

    private readonly Lock _lock = new();
    private readonly Draft? _draft;

    private ZarrStore(string path, ChunkedArray<T> array, Draft? draft, bool complete) =>
        (Path, Array, _draft, IsComplete) = (path, array, draft, complete);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Level 0.</summary>
    public ChunkedArray<T> Array { get; }

    /// <summary>Marked complete on disk.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>An image that is only read.</summary>
    public static ZarrStore<T> Reading(string path, ChunkedArray<T> array, bool complete) => new(path, array, null, complete);

    /// <summary>Creates an image, or takes a partial one up again.</summary>
    public static ZarrStore<T> Writing(string path, VolumeInfo info, IReadOnlyList<string>? channels, ZarrOptions options)
    {
        var draft = new Draft(path, info, channels, options);
        draft.Claim();
        return new(path, draft.OpenLevel<T>(draft.Levels[0], CacheBytes), draft, complete: false);
    }

    /// <summary>Builds the pyramid and marks the image complete.</summary>
    public void Complete(Traversal walk)
    {
        lock (_lock)
        {
            if (IsComplete) return;
            if (_draft is null) throw new InvalidOperationException($"{Path}: is open for reading");
            if (!Array.IsFull) throw new InvalidOperationException($"{Path}: not every voxel has been written");
            var fine = Array;
            var total = _draft.Levels.Skip(1).Sum(level => (double)level.Size.Count);
            var done = 0.0;
            for (var i = 1; i < _draft.Levels.Length; i++)
            {
                var coarse = _draft.OpenLevel<T>(_draft.Levels[i], CacheBytes);
                var share = _draft.Levels[i].Size.Count / total;
                Coarsen(fine, coarse, _draft.Step(i), _draft.IsLabels, walk.Part(done, done + share));
                done += share;
                fine = coarse;
            }
            _draft.Finish();
            IsComplete = true;
        }
    }

    private static void Coarsen(ChunkedArray<T> fine, ChunkedArray<T> coarse, Size3 step, bool labels, Traversal walk)
    {
        var grid = coarse.Grid;
        var room = grid.Edge.Count * (1 + step.Count) * Unsafe.SizeOf<T>();
        var threads = (int)Math.Clamp(walk.MemoryBytes / 2 / room, 1, walk.Threads);
        walk.ForEach(checked(grid.Count * coarse.Channels), item =>
        {
            var (channel, box) = (item / grid.Count, grid[item % grid.Count]);
            if (coarse.IsWritten(channel, box)) return;
            var start = new Size3(box.Start.Z * step.Z, box.Start.Y * step.Y, box.Start.X * step.X);
            var extent = Size3.Min(new(box.Size.Z * step.Z, box.Size.Y * step.Y, box.Size.X * step.X), fine.Size - start);
            var input = ArrayPool<T>.Shared.Rent(checked((int)extent.Count));
            var output = ArrayPool<T>.Shared.Rent((int)box.Count);
            fine.Read(channel, new(start, extent), input);
            Pyramid.Halve(input, extent, step, labels, output, box.Size);
            coarse.Write(channel, box, output.AsSpan(0, (int)box.Count));
            ArrayPool<T>.Shared.Return(input);
            ArrayPool<T>.Shared.Return(output);
        }, threads);
    }
}

/// <summary>An image under construction: what its metadata files say, before and after it is complete.</summary>
internal sealed class Draft(string path, VolumeInfo info, IReadOnlyList<string>? channels, ZarrOptions options)
{
    // refused before the folder is touched
    private readonly IReadOnlyList<ZarrCodec> _codecs = options.Codecs();
    private readonly Size3 _chunk = options.ChunkOf(info.Size);

    /// <summary>The levels of the pyramid.</summary>
    public PyramidLevel[] Levels { get; } = Pyramid.Levels(info.Size, info.Voxel, options.Pyramid);

    /// <summary>Labels are merged by frequency.</summary>
    public bool IsLabels => info.Phases is not null;

    /// <summary>1 or 2 along each axis: how level <paramref name="level"/> follows from the one before.</summary>
    public Size3 Step(int level)
    {
        var (coarse, fine) = (Levels[level].Factor, Levels[level - 1].Factor);
        return new(coarse.Z / fine.Z, coarse.Y / fine.Y, coarse.X / fine.X);
    }

    /// <summary>Makes the folder, or checks that it holds a partial image of exactly this description.</summary>
    /// <exception cref="InputError">It holds anything else.</exception>
    public void Claim()
    {
        var group = OmeWriter.GroupFile(path, options.Format);
        var text = Group(complete: false);
        if (File.Exists(path)) throw new InputError($"{path}: is a file; a zarr volume is a folder. Choose another name, or delete the file.");
        if (Directory.Exists(path))
        {
            var complete = ZarrVolume.IsKerfVolume(path) && OmeImage.Read(path).Complete == true;
            if (complete && !options.TakeUpComplete) throw Occupied("already holds a complete volume");
            RequirePartial(group, complete ? Group(complete) : text);
        }
        Make(path);
        // its own mark first: whatever is killed after this line can be taken up again
        AtomicFile.WriteAllText(group, text);
        if (options.Format == 2) AtomicFile.WriteAllText(Path.Combine(path, ".zgroup"), OmeWriter.Text(new() { ["zarr_format"] = 2 }));
    }

    private void RequirePartial(string group, string text)
    {
        var entries = Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).ToArray();
        if (Array.Find(entries, name => !IsOurs(name!)) is { } strange)
            throw Occupied($"holds \"{strange}\", which is no part of the volume to be written");
        // killed before its mark was whole, it holds nothing but partial files
        if (!File.Exists(group) && !Array.TrueForAll(entries, IsPartial!)) throw Occupied("holds files, but no volume that Kerf was writing");
        if (File.Exists(group) && !Same(group, text)) throw Occupied("holds the beginning of another volume (other voxel size, phases, metadata or channels)");
        var array = ArrayFile(Levels[0]);
        if (File.Exists(array) && !Same(array, ArrayText(Levels[0])))
            throw Occupied("holds the beginning of a volume of another size, type, chunk size or compression");
        foreach (var partial in Directory.EnumerateFiles(path, "*" + AtomicFile.PartialSuffix, SearchOption.AllDirectories)) File.Delete(partial);
    }

    /// <summary>Opens the array of a level for writing, making or resuming it.</summary>
    public ChunkedArray<T> OpenLevel<T>(PyramidLevel level, long cacheBytes) where T : unmanaged
    {
        var file = ArrayFile(level);
        Make(Path.GetDirectoryName(file)!);
        AtomicFile.WriteAllText(file, ArrayText(level));
        return new(Describe(level), ZarrAxes.Written(channels is not null), cacheBytes, writable: true);
    }

    /// <summary>Lists all levels and marks the image complete.</summary>
    public void Finish() => AtomicFile.WriteAllText(OmeWriter.GroupFile(path, options.Format), Group(complete: true));

    private string Group(bool complete) => OmeWriter.Group(info, channels, Levels, options.Format, complete);

    private string ArrayFile(PyramidLevel level) => Path.Combine(path, level.Path, options.Format == 3 ? "zarr.json" : ".zarray");

    private string ArrayText(PyramidLevel level) =>
        OmeWriter.Text(options.Format == 3 ? ZarrV3.Write(Describe(level)) : ZarrV2.Write(Describe(level)));

    private ZarrArray Describe(PyramidLevel level)
    {
        int[] Axes(int channel, Size3 size) => channels is null ? [size.Z, size.Y, size.X] : [channel, size.Z, size.Y, size.X];
        return new()
        {
            File = ArrayFile(level),
            Format = options.Format,
            Shape = Axes(channels?.Count ?? 1, level.Size),
            Chunk = Axes(1, Size3.Min(_chunk, level.Size)),
            Type = ZarrType.Of(info.Type),
            Order = channels is null ? [0, 1, 2] : [0, 1, 2, 3],
            Codecs = _codecs,
            KeyPrefix = options.Format == 3 ? "c" : "",
            Separator = '/',
            AxisNames = channels is null ? ["z", "y", "x"] : ["c", "z", "y", "x"],
        };
    }

    private static bool IsPartial(string name) => name.EndsWith(AtomicFile.PartialSuffix, StringComparison.Ordinal);

    private bool IsOurs(string name) => IsPartial(name)
        || (options.Format == 3 ? name == "zarr.json" : name is ".zattrs" or ".zgroup")
        || Levels.Any(level => level.Path == name);

    private static bool Same(string file, string text) =>
        ZarrFile.Read(file, 16 << 20) is { } bytes && bytes.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(text));

    private InputError Occupied(string what) => new($"{path}: {what}. Nothing was changed: delete the folder, or choose another name.");

    private static void Make(string folder)
    {
        try { Directory.CreateDirectory(folder); }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{folder}: cannot be made ({exception.Message}). Check the rights and the space left on the disk.", exception);
        }
    }
}

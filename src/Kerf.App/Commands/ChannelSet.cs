using System.CommandLine;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The channels that a command was given: IMAGE, and each --channel name=PATH. "--channel name" without a path chooses a channel of IMAGE.</summary>
public sealed class ChannelSet : IDisposable
{
    private ChannelSet(string name, IVolume image, IReadOnlyList<(string, IVolume)> others) => (Name, Image, Others) = (name, image, others);

    /// <summary>The option.</summary>
    public static Option<string[]> Option() => new("--channel")
    {
        Description = "A further channel on the image's grid as name=PATH, may be repeated; a name alone chooses the channel to read from IMAGE.",
        HelpName = "name=PATH",
    };

    /// <summary>Name of the image: its channel's, else its file's.</summary>
    public string Name { get; }

    /// <summary>The image.</summary>
    public IVolume Image { get; }

    /// <summary>The other channels.</summary>
    public IReadOnlyList<(string Name, IVolume Volume)> Others { get; }

    /// <summary>All, the image first.</summary>
    public IReadOnlyList<(string Name, IVolume Volume)> All => [(Name, Image), .. Others];

    /// <summary>Opens all channels; they share the cache's bytes.</summary>
    /// <param name="image">Path of the image.</param>
    /// <param name="typed">Values of --channel.</param>
    /// <param name="options">How to open each.</param>
    /// <param name="preferred">The channel to read from the image when it has several and none is chosen.</param>
    /// <exception cref="InputError">A file cannot be read, or two channels of the image are chosen.</exception>
    public static ChannelSet Open(string image, string[] typed, OpenOptions options, string? preferred = null)
    {
        var chosen = typed.Where(t => !t.Contains('=', StringComparison.Ordinal)).ToArray();
        if (chosen.Length > 1) throw new InputError($"--channel {chosen[1]}: {chosen[0]} is chosen already; write further channels as name=PATH.");
        var files = typed.Where(t => t.Contains('=', StringComparison.Ordinal)).Select(ChannelFile.Parse).ToArray();
        options = options with { CacheBytes = options.CacheBytes / (1 + files.Length) };
        var channel = chosen.FirstOrDefault() ?? (VolumeFile.Channels(image, options) is { Count: > 1 } names && names.Contains(preferred) ? preferred : null);
        var volumes = new List<IVolume>();
        try
        {
            volumes.Add(VolumeFile.Open(image, options with { Channel = channel }));
            foreach (var file in files) volumes.Add(file.Open(options));
        }
        catch
        {
            foreach (var volume in volumes) (volume as IDisposable)?.Dispose();
            throw;
        }
        return new(channel ?? Path.GetFileNameWithoutExtension(image.TrimEnd('/', '\\')), volumes[0], [.. files.Zip(volumes.Skip(1), (f, v) => (f.Name, v))]);
    }

    /// <summary>What results depend on: paths, sizes and times of change of all files.</summary>
    public static string Fingerprint(string image, string[] typed) => App.Fingerprint.OfText(string.Join('\n', typed
        .Select(t => t.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? t[..at] + App.Fingerprint.OfStamps(Path.GetFullPath(t[(at + 1)..])) : t)
        .Prepend(App.Fingerprint.OfStamps(Path.GetFullPath(image)))));

    /// <summary>
    /// The volumes as they can be read block by block. Files that decode whole slices, and are larger than their cache, are copied first: every block
    /// would decode them anew.
    /// </summary>
    /// <param name="volumes">Any channels of the set.</param>
    /// <param name="folder">Where copies are kept; a killed copy is taken up again.</param>
    /// <param name="cacheBytes">Bytes of cache of all together.</param>
    /// <param name="walk">Threads, progress.</param>
    public static IReadOnlyList<IVolume> InBlocks(IReadOnlyList<IVolume> volumes, string folder, long cacheBytes, Traversal walk) => [.. volumes.Select((volume, i) =>
    {
        if (volume is ZarrVolume || volume.Info.Size.Count * volume.Info.Type.Bytes() <= cacheBytes / volumes.Count) return volume;
        var path = Path.Combine(folder, FormattableString.Invariant($"input{i}.zarr"));
        if (!ZarrVolume.IsKerfVolume(path) || !ZarrVolume.Open(path).IsComplete)
        {
            var run = new StepRun(volume, info => ZarrVolume.Create(path, info, new() { Pyramid = false })) { Walk = walk };
            Importing.Copy(volume, run, i == 0 ? "the image" : FormattableString.Invariant($"channel {i + 1}"));
            using var copy = (ZarrVolume)run.Target!;
            copy.Complete(walk);
        }
        return ZarrVolume.Open(path, new() { CacheBytes = cacheBytes / volumes.Count });
    })];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, volume) in All) (volume as IDisposable)?.Dispose();
    }
}

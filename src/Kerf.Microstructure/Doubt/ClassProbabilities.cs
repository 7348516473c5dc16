using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Class probabilities beside a segmentation: a channel per phase, as <c>kerf predict --probabilities</c> writes them.</summary>
internal sealed class ClassProbabilities : IDisposable
{
    private readonly (byte Label, IVolume<float> Share)[] _classes;

    private ClassProbabilities(IVolume<byte> given, (byte, IVolume<float>)[] classes) => (Given, _classes) = (given, classes);

    /// <summary>The segmentation that they belong to.</summary>
    public IVolume<byte> Given { get; }

    /// <summary>Classes.</summary>
    public int Count => _classes.Length;

    /// <summary>True when 0 stands for "outside the specimen".</summary>
    public bool ZeroIsOutside => Given.Info.Phases is { Count: > 0 };

    /// <summary>The label of a class.</summary>
    public byte Label(int at) => _classes[at].Label;

    /// <summary>Reads the probability of a class.</summary>
    public void Read(int at, Box box, Span<float> target) => _classes[at].Share.Read(box, target);

    /// <summary>Opens the probabilities: files whose channels have the names (or numbers) of the phases, or name=PATH for one phase each.</summary>
    /// <exception cref="InputError">A channel is no phase, a phase has two, there are fewer than two, or they lie on another grid.</exception>
    public static ClassProbabilities Open(IVolume<byte> given, IReadOnlyList<string> paths, Traversal walk)
    {
        var named = given.Info.Phases is { Count: > 0 } phases ? phases : [.. PhaseMask.Present(given, walk).Select(Phase.Unnamed)];
        var options = OpenOptions.Default with { CacheBytes = walk.MemoryBytes / 8 / Math.Max(1, named.Count) };
        var files = paths.SelectMany(path => path.Contains('=', StringComparison.Ordinal) ? [ChannelFile.Parse(path)]
            : VolumeFile.Channels(path, options).Select(channel => new ChannelFile(channel, path))).ToArray();
        var classes = new List<(byte, IVolume<float>)>();
        var result = (ClassProbabilities?)null;
        try
        {
            foreach (var file in files)
            {
                var phase = named.FirstOrDefault(p => string.Equals(p.Name, file.Name, StringComparison.OrdinalIgnoreCase) || $"{p.Label}" == file.Name) ?? throw new InputError(
                    $"--probabilities {file.Path}: \"{file.Name}\" is no phase of the segmentation, which holds {string.Join(", ", named.Select(p => p.Name))}. Give the probabilities that belong to it, or phase=PATH.");
                if (classes.Any(c => c.Item1 == phase.Label)) throw new InputError($"--probabilities {file.Path}: {phase.Name} is given twice. Give one map for each phase.");
                var share = file.Open(options).AsFloat();
                classes.Add(((byte)phase.Label, share));
                if (share.Info.Size != given.Info.Size) throw new InputError(
                    $"--probabilities {file.Path}: has {share.Info.Size} voxels, the segmentation {given.Info.Size}. Give the probabilities that belong to it.");
            }
            return classes.Count > 1 ? result = new(given, [.. classes])
                : throw new InputError($"--probabilities: {classes.Count} phase has probabilities; two or more are needed. Give the file that kerf predict --probabilities wrote.");
        }
        finally
        {
            if (result is null) new ClassProbabilities(given, [.. classes]).Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, share) in _classes) (share as IDisposable)?.Dispose();
    }
}

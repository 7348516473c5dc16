using Kerf.Volumes;

namespace Kerf.App;

/// <summary>A volume that a command writes.</summary>
/// <param name="Place">Where it goes; its ending says the format.</param>
/// <param name="Info">What it is.</param>
public sealed record VolumeOutput(string Place, VolumeInfo Info)
{
    /// <summary>Names of its channels; null for none. Only .zarr holds channels.</summary>
    public IReadOnlyList<string>? Channels { get; init; }

    /// <summary>How it is kept while it grows, and if it ends in .zarr afterwards.</summary>
    public ZarrOptions Options { get; init; } = new();

    /// <summary>True for OME-Zarr.</summary>
    public bool IsZarr => Place.TrimEnd('/').EndsWith(".zarr", StringComparison.OrdinalIgnoreCase);
}

/// <summary>
/// The outputs of one command, which grow as chunks in the folder OUT.KEY.partial and are put in place together when all are whole. The same call
/// after a kill finds the folder and goes on; a call of other parameters or inputs has another key.
/// </summary>
public sealed class GrowingOutputs : IDisposable
{
    private const string WholeMark = "whole";
    private readonly IReadOnlyList<VolumeOutput> _outputs;
    private readonly List<ZarrVolume> _open = [];
    private readonly FileStream _lock;

    private GrowingOutputs(IReadOnlyList<VolumeOutput> outputs, string folder)
    {
        (_outputs, Folder) = (outputs, folder);
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{outputs[0].Place}: cannot be written ({exception.Message}). Check the folder's rights and the space left on the disk.", exception);
        }
        try
        {
            _lock = new(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (IOException exception)
        {
            throw new InputError($"{outputs[0].Place}: another run is at work on it. Wait for it, or choose another name.", exception);
        }
    }

    /// <summary>Where the volumes grow; other files of the command may be kept there too.</summary>
    public string Folder { get; }

    /// <summary>True when a killed call had finished all volumes and not yet put them in place.</summary>
    public bool AreWhole => File.Exists(Path.Combine(Folder, WholeMark));

    /// <summary>Checks that the outputs can be written, before any work, and takes up what a killed call left.</summary>
    /// <param name="outputs">The first one names the folder.</param>
    /// <param name="key">Hash of all that the outputs depend on.</param>
    /// <param name="force">Replaces what is there.</param>
    /// <exception cref="InputError">A place is taken, has no known ending, or two outputs have one place.</exception>
    public static GrowingOutputs Claim(IReadOnlyList<VolumeOutput> outputs, string key, bool force)
    {
        var folder = outputs[0].Place.TrimEnd('/') + "." + key[..12] + AtomicFile.PartialSuffix;
        foreach (var output in File.Exists(Path.Combine(folder, WholeMark)) ? [] : outputs)
        {
            VolumeFile.CheckPlace(output.Info, output.Place, new() { Overwrite = force });
            if (output.Channels is not null && !output.IsZarr) throw new InputError($"{output.Place}: has several channels, which only .zarr holds; end the name in .zarr.");
            if (outputs.Count(other => Path.GetFullPath(other.Place) == Path.GetFullPath(output.Place)) > 1)
                throw new InputError($"{output.Place}: two outputs have this name; give each its own.");
        }
        return new(outputs, folder);
    }

    /// <summary>Creates or takes up the volume of an output, one per channel.</summary>
    public IReadOnlyList<ZarrVolume> Create(int output)
    {
        var (info, place) = (_outputs[output].Info, Grown(output));
        var volumes = _outputs[output].Channels is { } names ? ZarrVolume.CreateChannels(place, info, names, _outputs[output].Options)
            : [ZarrVolume.Create(place, info, _outputs[output].Options)];
        _open.Add(volumes[0]);
        return volumes;
    }

    /// <summary>Completes all volumes, then puts them in place, the first output last: where it is, all are.</summary>
    public void Publish(Traversal walk, Func<string, IProgress<double>> begin)
    {
        if (!AreWhole)
        {
            foreach (var volume in _open)
            {
                volume.Complete(walk with { Progress = begin("pyramid") });
                volume.Dispose();
            }
            AtomicFile.WriteAllText(Path.Combine(Folder, WholeMark), "");
        }
        for (var i = _outputs.Count - 1; i >= 0; i--) Place(i, walk, begin);
        Directory.Delete(Folder, recursive: true);
    }

    private void Place(int output, Traversal walk, Func<string, IProgress<double>> begin)
    {
        var (grown, place) = (Grown(output), _outputs[output].Place.TrimEnd('/'));
        // not there: placed before the call was killed
        if (!Directory.Exists(grown)) return;
        if (_outputs[output].IsZarr)
        {
            if (Directory.Exists(place)) Directory.Move(place, grown + ".old");
            Directory.Move(grown, place);
            return;
        }
        using var volume = ZarrVolume.Open(grown);
        VolumeFile.Save(volume, _outputs[output].Place, walk with { Progress = begin("writing") }, new() { Overwrite = true });
    }

    private string Grown(int output) => Path.Combine(Folder, FormattableString.Invariant($"output{output}.zarr"));

    /// <summary>Lets another process take the outputs up; what holds no voxel yet is removed.</summary>
    public void Dispose()
    {
        foreach (var volume in _open) volume.Dispose();
        if (Directory.Exists(Folder) && Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).All(file => Path.GetFileName(file) is "zarr.json" or ".lock"))
            Directory.Delete(Folder, recursive: true);
        _lock.Dispose();
    }
}

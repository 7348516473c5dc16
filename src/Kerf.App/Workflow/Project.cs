using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What one run of one operation left behind: appended to <c>runs/</c>, never changed.</summary>
public sealed record RunRecord
{
    /// <summary>The volume or measure that was made: the step's id, or "measure-KIND".</summary>
    public required string Name { get; init; }

    /// <summary>The operation.</summary>
    public required string Operation { get; init; }

    /// <summary>The volume that was read.</summary>
    public string? From { get; init; }

    /// <summary>Hash of everything the result depends on: operation, parameters, inputs, version, seed. Same key, same bytes.</summary>
    public required string Key { get; init; }

    /// <summary>All parameters, defaults included.</summary>
    public required JsonObject Parameters { get; init; }

    /// <summary>SHA-256 of each file or key of each volume that was read.</summary>
    public required JsonObject Inputs { get; init; }

    /// <summary>What the operation found out besides voxels.</summary>
    public JsonObject Facts { get; init; } = [];

    /// <summary>What a measure found.</summary>
    public Measured? Measured { get; init; }

    /// <summary>Kerf's version.</summary>
    public required string Version { get; init; }

    /// <summary>Seed of the recipe.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Processor, threads, system.</summary>
    public required string Machine { get; init; }

    /// <summary>When it started, UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>How long it took; of an interrupted run, its last part.</summary>
    public required double Seconds { get; init; }
}

/// <summary>A project folder: <c>volumes/</c>, <c>runs/</c>, <c>estimates/</c>, measurements and the report.</summary>
public sealed class Project : IDisposable
{
    private const string Marker = "kerf-project.json";
    private readonly FileStream _lock;
    private readonly List<RunRecord> _records;

    private Project(string folder, FileStream @lock)
    {
        (Folder, _lock) = (folder, @lock);
        _records = [.. Directory.GetFiles(Runs, "*.json").Order(StringComparer.Ordinal).Select(ReadRecord)];
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>All run records, oldest first.</summary>
    public IReadOnlyList<RunRecord> Records => _records;

    private string Runs => Path.Combine(Folder, "runs");

    /// <summary>Opens a project, or makes one in a new or empty folder.</summary>
    /// <exception cref="InputError">The folder holds something else, cannot be written, or another run is at work in it.</exception>
    public static Project Open(string folder)
    {
        folder = Path.GetFullPath(folder);
        if (File.Exists(folder)) throw new InputError($"{folder}: is a file; give --project a folder.");
        var marker = Path.Combine(folder, Marker);
        if (Directory.Exists(folder) && !File.Exists(marker) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new InputError($"{folder}: holds other files and is no Kerf project; give --project a new or empty folder.");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "runs"));
            Directory.CreateDirectory(Path.Combine(folder, "volumes"));
            if (!File.Exists(marker)) AtomicFile.WriteAllText(marker, """{ "kerf": 1 }""" + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{folder}: cannot be written ({exception.Message}). Choose another --project folder.", exception);
        }
        try
        {
            return new(folder, new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));
        }
        catch (IOException exception)
        {
            throw new InputError($"{folder}: another run is at work in this project. Wait for it, or use another --project folder.", exception);
        }
    }

    /// <summary>Folder of a finished volume.</summary>
    public string Volume(string name) => Path.Combine(Folder, "volumes", name + ".zarr");

    /// <summary>Folder of a volume under construction; the key in its name keeps a killed run of other parameters from being taken up.</summary>
    public string PartialVolume(string name, string key) => Path.Combine(Folder, "volumes", $"{name}-{key[..12]}{AtomicFile.PartialSuffix}");

    /// <summary>Folder of the small JSON files that a step keeps.</summary>
    public string Estimates(string name) => Path.Combine(Folder, "estimates", name);

    /// <summary>The newest record of that name, if its key is <paramref name="key"/>.</summary>
    public RunRecord? Unchanged(string name, string key) => _records.FindLast(r => r.Name == name) is { } last && last.Key == key ? last : null;

    /// <summary>Appends a record.</summary>
    public void Append(RunRecord record)
    {
        var number = string.Create(CultureInfo.InvariantCulture, $"{_records.Count + 1:0000}");
        AtomicFile.WriteAllText(Path.Combine(Runs, $"{number}-{record.Name}.json"), JsonSerializer.Serialize(record, MeasurementFiles.Json) + "\n");
        _records.Add(record);
    }

    /// <summary>Puts a finished volume in its place; one of an older key that stands there is removed once the new one is whole.</summary>
    public void Publish(string partial, string name)
    {
        var place = Volume(name);
        var old = place + ".old" + AtomicFile.PartialSuffix;
        if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
        if (Directory.Exists(place)) Directory.Move(place, old);
        Directory.Move(partial, place);
        if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
    }

    /// <summary>Removes what killed runs with other parameters left of a volume.</summary>
    public void RemoveStale(string name, string key)
    {
        var keep = Path.GetFileName(PartialVolume(name, key));
        foreach (var folder in Directory.GetDirectories(Path.Combine(Folder, "volumes"), $"{name}-????????????{AtomicFile.PartialSuffix}"))
            if (Path.GetFileName(folder) != keep) Directory.Delete(folder, recursive: true);
    }

    private static RunRecord ReadRecord(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RunRecord>(File.ReadAllText(path), MeasurementFiles.Json) ?? throw new JsonException("empty");
        }
        catch (JsonException exception)
        {
            throw new InputError($"{path}: is no readable run record ({exception.Message}). Delete it; its step will be run again.", exception);
        }
    }

    /// <summary>Releases the project for other runs.</summary>
    public void Dispose() => _lock.Dispose();
}

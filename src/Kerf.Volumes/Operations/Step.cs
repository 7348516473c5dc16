using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kerf.Volumes;

/// <summary>
/// One operation of a recipe, volume → volume. A step is a record whose properties are its parameters, each with a
/// <see cref="ParameterAttribute"/>, and whose work is a static method beside it that a library user can call as well.
/// </summary>
public abstract record Step
{
    /// <summary>Does the work: reads <see cref="StepRun.Source"/>, creates the target once, fills every voxel of it.</summary>
    public abstract void Run(StepRun run);
}

/// <summary>What a step is given, and where it leaves what it found out besides voxels.</summary>
/// <param name="source">The volume to work on.</param>
/// <param name="create">Makes the target (in memory, or on disk where a killed run is taken up again).</param>
/// <param name="folder">Where estimates are kept as small JSON files that one can look at, edit and reuse; null keeps none.</param>
public sealed class StepRun(IVolume source, Func<VolumeInfo, IVolume> create, string? folder = null)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The volume to work on.</summary>
    public IVolume Source { get; } = source;

    /// <summary>The created target; null before <see cref="Create"/>.</summary>
    public IVolume? Target { get; private set; }

    /// <summary>Threads, memory, progress, cancellation.</summary>
    public Traversal Walk { get; init; } = Traversal.Default;

    /// <summary>Seed for steps that draw random numbers.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What the step found out: thresholds, shifts, curves. Goes to <c>--json</c>, to the run's record and to the report.</summary>
    public JsonObject Facts { get; } = [];

    /// <summary>Creates the target. Call it once.</summary>
    public IVolume Create(VolumeInfo info) => Target = create(info);

    /// <summary>Creates a grey target of the source's size and type, taking floats.</summary>
    public IWritableVolume<float> CreateGrey(VolumeInfo? info = null) => Create(info ?? Source.Info).AsFloatTarget();

    /// <summary>Creates a label target (uint8) with named phases.</summary>
    public IWritableVolume<byte> CreateLabels(IReadOnlyList<Phase> phases, VolumeInfo? like = null) =>
        (IWritableVolume<byte>)Create((like ?? Source.Info) with { Type = PixelType.UInt8, Phases = phases });

    /// <summary>
    /// An estimate that is worth keeping (transforms, thresholds): taken from <c>NAME.json</c> in the run's folder when an interrupted run left
    /// it there, else computed and stored there atomically. It also becomes the fact of that name.
    /// </summary>
    public T Remember<T>(string name, Func<T> estimate)
    {
        var path = folder is null ? null : Path.Combine(folder, name + ".json");
        T value;
        if (path is not null && File.Exists(path))
        {
            value = JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json)
                ?? throw new InputError($"{path}: holds no {name}. Delete it to have it estimated again.");
        }
        else
        {
            value = estimate();
            if (path is not null)
            {
                Directory.CreateDirectory(folder!);
                AtomicFile.WriteAllText(path, JsonSerializer.Serialize(value, Json));
            }
        }
        Facts[name] = JsonSerializer.SerializeToNode(value, Json);
        return value;
    }

    /// <summary>Numbers that the step finds slice by slice: those of slices that an interrupted run finished are there already.</summary>
    public SliceNotes Notes(string name) => new(folder is null ? null : Path.Combine(folder, name + ".jsonl"), Source.Info.Size.Z);

    /// <summary>Small text files that belong beside the result: name → text.</summary>
    public Dictionary<string, string> Deliveries { get; } = [];

    /// <summary>Leaves a small text file beside the result: OUT.name for a command, volumes/STEP.name in a project.</summary>
    public void Deliver(string name, string text) => Deliveries[name] = text;

    /// <summary>Keeps a fact for <c>--json</c>, the run's record and the report.</summary>
    public void Fact<T>(string name, T value) => Facts[name] = JsonSerializer.SerializeToNode(value, Json);
}

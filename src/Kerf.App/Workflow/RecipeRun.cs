using System.Diagnostics;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What a finished run leaves to the caller.</summary>
/// <param name="Report">Path of report.html.</param>
/// <param name="Volumes">Path of each volume by its name.</param>
/// <param name="Measured">All measurements and curves.</param>
/// <param name="Facts">What each step found out, by its id.</param>
public sealed record RunResult(string Report, IReadOnlyDictionary<string, string> Volumes, Measured Measured, IReadOnlyDictionary<string, JsonObject> Facts);

/// <summary>
/// Runs a recipe in a project. Each result has a key, the hash of all it depends on; a step whose key stands in the last record of its name is
/// skipped, so a changed parameter re-runs only what depends on it, and a killed run goes on where it stopped.
/// </summary>
/// <param name="recipe">What to do.</param>
/// <param name="project">Where.</param>
/// <param name="walk">Threads, memory, blocks, cancellation.</param>
/// <param name="begin">Called with a label when an operation starts; told the share that is done.</param>
public sealed class RecipeRun(Recipe recipe, Project project, Traversal walk, Func<string, IProgress<double>> begin)
{
    private readonly Dictionary<string, string> _keys = [];
    private readonly Dictionary<string, RunRecord> _records = [];
    private readonly HashSet<string> _skipped = [];

    /// <summary>Runs everything although nothing changed.</summary>
    public bool Force { get; init; }

    /// <summary>Adds facts about the finished run that only the caller can know (the demo's score) before the report is written.</summary>
    public Func<RunResult, JsonObject>? Score { get; init; }

    private long CacheBytes => walk.MemoryBytes / 4;

    /// <summary>Runs what has to be run and returns where everything is.</summary>
    public RunResult Run()
    {
        Import();
        foreach (var step in recipe.Steps) RunStep(step);
        string[] measures = [.. recipe.Measures.Select(Name)];
        // two measures of one kind get records of their own
        for (var i = 0; i < measures.Length; i++)
            if (measures.AsSpan(0, i).Contains(measures[i])) measures[i] += $"-{i + 1}";
        var measured = recipe.Measures.Zip(measures, RunMeasure).ToArray();
        var all = new Measured([.. measured.SelectMany(m => m.Measurements)], [.. measured.SelectMany(m => m.Curves)]);
        var names = recipe.Steps.Select(s => s.Id).Prepend(Recipe.Raw).ToArray();
        var result = new RunResult(
            Path.Combine(project.Folder, "report.html"),
            names.ToDictionary(name => name, project.Volume),
            all,
            names.ToDictionary(name => name, name => _records[name].Facts));
        Finish(result, names[^1]);
        return result;
    }

    private void Import()
    {
        var input = recipe.Input;
        var parameters = Catalogue.Input.Json(input);
        var hash = Fingerprint.OfFiles(input.Path, Path.Combine(project.Folder, "runs", ".inputs"), walk.Cancellation);
        parameters["path"] = Path.GetRelativePath(recipe.Folder, input.Path);
        // the place of the slices is in the record but not in the key: a moved folder holds the same slices
        var keyed = (JsonObject)parameters.DeepClone();
        keyed.Remove("path");
        Make(Recipe.Raw, Catalogue.Input, from: null, parameters, new JsonObject { ["slices"] = hash }, keyed, run =>
        {
            var source = VolumeFile.Open(input.Path, input.Options(CacheBytes));
            run(source, stepRun => Importing.Copy(source, stepRun, input.Path));
        });
    }

    private void RunStep(RecipeStep step)
    {
        var parameters = step.Declared.Json(step.Step);
        var inputs = Inputs(step.From, step.Declared, step.Step);
        Make(step.Id, step.Declared, step.From, parameters, inputs, parameters, run =>
        {
            using var source = OpenVolume(step.From);
            var resolved = (Step)Resolved(step.Declared, step.Step);
            run(source, resolved.Run);
        });
    }

    // one place for skipping, taking up, recording and publishing a volume
    private void Make(
        string name, Declared declared, string? from, JsonObject parameters, JsonObject inputs, JsonObject keyed, Action<Action<IVolume, Action<StepRun>>> with)
    {
        var key = Key(declared, keyed, inputs);
        _keys[name] = key;
        if (!Force && project.Unchanged(name, key) is { } last && ZarrVolume.IsKerfVolume(project.Volume(name)))
        {
            _records[name] = last;
            _skipped.Add(name);
            return;
        }
        walk.Cancellation.ThrowIfCancellationRequested();
        var (started, clock) = (DateTime.UtcNow, Stopwatch.StartNew());
        var progress = begin(name);
        project.RemoveStale(name, key);
        var partial = project.PartialVolume(name, key);
        var estimates = Path.Combine(project.Estimates(name), key[..12]);
        with((source, work) =>
        {
            var run = new StepRun(source, info => ZarrVolume.Create(partial, info, new() { TakeUpComplete = true }), estimates) { Walk = walk with { Progress = progress }, Seed = recipe.Seed };
            work(run);
            using (var target = (ZarrVolume)run.Target!) target.Complete(walk);
            project.Publish(partial, name);
            foreach (var (file, text) in run.Deliveries) AtomicFile.WriteAllText(Path.ChangeExtension(project.Volume(name), file), text);
            progress.Report(1);
            Record(name, declared, from, key, parameters, inputs, started, clock, run.Facts);
        });
    }

    private string Name(RecipeMeasure measure) => "measure-" + measure.Declared.Name + (measure.From == recipe.Steps[^1].Id ? "" : "-" + measure.From);

    // its tables and figures
    private string Extras(string name) => Path.Combine(project.Folder, "measures", name);

    private Measured RunMeasure(RecipeMeasure measure, string name)
    {
        var parameters = measure.Declared.Json(measure.Measure);
        var inputs = Inputs(measure.From, measure.Declared, measure.Measure);
        var key = Key(measure.Declared, parameters, inputs);
        if (!Force && project.Unchanged(name, key) is { Measured: { } known } last)
        {
            _records[name] = last;
            return known;
        }
        var (started, clock) = (DateTime.UtcNow, Stopwatch.StartNew());
        var progress = begin(name);
        using var source = OpenVolume(measure.From);
        var measured = ((Measure)Resolved(measure.Declared, measure.Measure)).Run(source, walk with { Progress = progress }, recipe.Seed);
        if (Directory.Exists(Extras(name))) Directory.Delete(Extras(name), recursive: true);
        if (measured.Tables.Count + measured.Scenes.Count > 0) MeasurementFiles.WriteExtras(Directory.CreateDirectory(Extras(name)).FullName, measured, walk);
        progress.Report(1);
        Record(name, measure.Declared, measure.From, key, parameters, inputs, started, clock, [], measured);
        return measured;
    }

    private void Record(
        string name, Declared declared, string? from, string key, JsonObject parameters, JsonObject inputs, DateTime started, Stopwatch clock, JsonObject facts, Measured? measured = null)
    {
        var record = new RunRecord
        {
            Name = name,
            Operation = declared.Name,
            From = from,
            Key = key,
            Parameters = parameters,
            Inputs = inputs,
            Facts = facts,
            Measured = measured,
            Version = Machine.Version,
            Seed = recipe.Seed,
            Machine = $"{Machine.Description}; {walk.Threads} threads",
            Started = started,
            Seconds = clock.Elapsed.TotalSeconds,
        };
        project.Append(record);
        _records[name] = record;
    }

    private ZarrVolume OpenVolume(string name, long? cacheBytes = null) =>
        ZarrVolume.Open(project.Volume(name), new ZarrOpenOptions { CacheBytes = cacheBytes ?? CacheBytes });

    // keys of the volumes and hashes of the files that an operation reads
    private JsonObject Inputs(string from, Declared declared, object record)
    {
        var inputs = new JsonObject { [from] = _keys[from] };
        foreach (var parameter in declared.Parameters.Where(p => p.IsPath))
        {
            var paths = new List<string>();
            parameter.MapPaths(parameter.TextOf(record), path =>
            {
                paths.Add(path);
                return path;
            });
            for (var i = 0; i < paths.Count; i++)
            {
                inputs[i == 0 ? parameter.Name : $"{parameter.Name}-{i + 1}"] =
                    _keys.TryGetValue(paths[i], out var key) ? key : Fingerprint.OfFiles(paths[i], null, walk.Cancellation);
            }
        }
        return inputs;
    }

    // path parameters that name a volume of the recipe become its folder
    private object Resolved(Declared declared, object record) => declared.Build(declared.Parameters.Select(p =>
    {
        var text = p.TextOf(record);
        return KeyValuePair.Create(p.Name, new Typed(p.IsPath ? p.MapPaths(text, path => _keys.ContainsKey(path) ? project.Volume(path) : path) : text, "recipe"));
    }));

    private string Key(Declared declared, JsonObject parameters, JsonObject inputs) =>
        Fingerprint.OfText($"{declared.Name}\n{parameters.ToJsonString()}\n{inputs.ToJsonString()}\n{recipe.Seed}\n{Machine.Version}");

    private void Finish(RunResult result, string last)
    {
        var score = Score?.Invoke(result);
        // the outputs depend on nothing but the keys and the score; their key is kept beside them
        var key = Fingerprint.OfText(string.Join('\n', _keys.Values) + Catalogue.Output.Json(recipe.Output).ToJsonString() + recipe.Title + recipe.Description
            + string.Join('\n', _records.Values.Where(r => r.Measured is not null).Select(r => r.Key)) + score?.ToJsonString());
        var stamp = Path.Combine(project.Folder, "runs", ".outputs");
        if (!Force && File.Exists(stamp) && File.ReadAllText(stamp) == key && File.Exists(result.Report)) return;
        using (var volume = OpenVolume(last))
        {
            if (recipe.Output.Png) VolumeFile.Save(volume, Path.Combine(project.Folder, "slices") + "/", walk with { Progress = begin("png slices") }, new() { Overwrite = true });
            if (recipe.Output.Tiff) VolumeFile.Save(volume, Path.Combine(project.Folder, last + ".tif"), walk with { Progress = begin("tiff volume") }, new() { Overwrite = true });
        }
        MeasurementFiles.Write(project.Folder, result.Measured);
        WriteReport(result, score);
        AtomicFile.WriteAllText(stamp, key);
    }

    private void WriteReport(RunResult result, JsonObject? score)
    {
        var open = new Dictionary<string, ZarrVolume>();
        try
        {
            // all volumes are open at once and share the cache's bytes
            foreach (var name in result.Volumes.Keys) open[name] = OpenVolume(name, CacheBytes / result.Volumes.Count);
            var steps = recipe.Steps.Select(s => new ReportStep(
                s.Id, s.Declared.Name, s.Declared.Summary, _records[s.Id].Parameters, _records[s.Id].Facts, _records[s.Id].Seconds, open[s.From], open[s.Id], _skipped.Contains(s.Id)));
            var provenance = new JsonObject
            {
                ["version"] = Machine.Version,
                ["machine"] = Machine.Description,
                ["seed"] = recipe.Seed,
                ["input"] = _records[Recipe.Raw].Parameters.DeepClone(),
                ["inputHash"] = _records[Recipe.Raw].Inputs["slices"]?.DeepClone(),
                ["seconds"] = new JsonObject(_records.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)Math.Round(r.Value.Seconds, 2)))),
                ["keys"] = new JsonObject(_keys.Select(k => KeyValuePair.Create(k.Key, (JsonNode?)k.Value[..12]))),
            };
            var report = new ReportInput(recipe.Title, recipe.Description, [.. steps], result.Measured.Measurements, result.Measured.Curves, provenance, RecipeYaml.Write(recipe.Text))
            {
                Score = score,
                Figures = [.. _records.Keys.Select(Extras).Where(Directory.Exists).SelectMany(folder => Directory.GetFiles(folder, "*.svg").Order(StringComparer.Ordinal)).Select(File.ReadAllText)],
            };
            Report.Write(report, result.Report, walk with { Progress = begin("report") });
        }
        finally
        {
            foreach (var volume in open.Values) volume.Dispose();
        }
    }
}

using System.CommandLine;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Each step as a command of its own: kerf STEP IN OUT [--parameter value]…</summary>
public static class StepCommands
{
    /// <summary>One command per step of the catalogue.</summary>
    public static IEnumerable<Command> All() => Catalogue.Steps.Select(Make);

    /// <summary>Options for the parameters of an operation, as text; <see cref="Values"/> reads them.</summary>
    public static IReadOnlyList<Option> Options(Declared declared) => [.. declared.Parameters.Select(p => p.IsSwitch
        ? (Option)new Option<string?>("--" + p.Name) { Description = Describe(p), Arity = ArgumentArity.ZeroOrOne, HelpName = "true|false" }
        : new Option<string[]>("--" + p.Name) { Description = Describe(p), HelpName = p.IsPath ? "path" : "value", AllowMultipleArgumentsPerToken = p.IsList })];

    /// <summary>What was typed for the parameters.</summary>
    public static IEnumerable<KeyValuePair<string, Typed>> Values(Declared declared, IReadOnlyList<Option> options, ParseResult parsed)
    {
        for (var i = 0; i < options.Count; i++)
        {
            if (parsed.GetResult(options[i]) is not { } result) continue;
            var tokens = result.Tokens.Select(t => t.Value).ToArray();
            yield return new(declared.Parameters[i].Name, new(tokens.Length == 0 && declared.Parameters[i].IsSwitch ? "true" : string.Join(",", tokens), options[i].Name));
        }
    }

    private static string Describe(DeclaredParameter p) => $"{p.Description} {p.Legend}";

    private static Command Make(Declared declared)
    {
        var input = new Argument<string>("IN") { Description = "A slice folder, a TIFF, a PNG or a .zarr." };
        var output = new Argument<string>("OUT") { Description = "Where the result goes: .zarr, .tif, .png, .npy, or a folder/ of slices." };
        var options = Options(declared);
        var command = new Command(declared.Name, declared.Summary) { input, output };
        foreach (var option in options) command.Add(option);
        // a parameter of the step wins over a shared option of the same name
        var own = options.Select(o => o.Name).ToHashSet();
        foreach (var shared in Invocation.Making(Invocation.Reading(Invocation.Running(new Command("shared")))).Options)
            if (!own.Contains(shared.Name)) command.Add(shared);
        return Invocation.With(command, (parsed, session) =>
        {
            var step = (Step)declared.Build(Values(declared, options, parsed));
            Run(declared, step, parsed.GetValue(input)!, parsed.GetValue(output)!, session);
        });
    }

    /// <summary>Runs one step from a file to a file. An interrupted run is taken up again from the folder OUT.KEY.partial.</summary>
    public static void Run(Declared declared, Step step, string input, string output, Invocation session)
    {
        VolumeFile.CheckPlace(output, new() { Overwrite = session.Forced });
        var source = VolumeFile.Open(input, session.Opening);
        VolumeFile.CheckFinite(source, session.Walk, input);
        var work = WorkFolder(output, Key(declared, step, input, source.Info, session));
        var partial = Path.Combine(work, "volume.zarr");
        var run = new StepRun(source, info => ZarrVolume.Create(partial, info, new() { TakeUpComplete = true }), work)
        {
            Walk = session.Walk with { Progress = session.Progress.Begin(declared.Name) },
            Seed = session.SeedValue,
        };
        step.Run(run);
        using (var target = (ZarrVolume)run.Target!)
        {
            target.Complete(session.Walk);
            if (!output.EndsWith(".zarr", StringComparison.Ordinal))
                VolumeFile.Save(target, output, session.Walk with { Progress = session.Progress.Begin("writing") }, new() { Overwrite = session.Forced });
        }
        (source as IDisposable)?.Dispose();
        if (output.EndsWith(".zarr", StringComparison.Ordinal))
        {
            if (Directory.Exists(output)) Directory.Delete(output, recursive: true);
            Directory.Move(partial, output);
        }
        Directory.Delete(work, recursive: true);
        var json = run.Facts;
        foreach (var (name, text) in run.Deliveries)
        {
            var beside = Path.ChangeExtension(output.TrimEnd('/'), name);
            AtomicFile.WriteAllText(beside, text);
            json[Path.GetFileNameWithoutExtension(name) + "File"] = beside;
        }
        json["output"] = output;
        session.Print(json, () => $"{output}: {declared.Name} done{Summary(run.Facts)}");
    }

    // what the result depends on; files by length and time, as reading all of them twice would take long
    private static string Key(Declared declared, Step step, string input, VolumeInfo info, Invocation session)
    {
        var files = declared.Parameters.Where(p => p.IsPath).Select(p => p.TextOf(step)).Where(path => path.Length > 0).Prepend(input);
        return Fingerprint.OfText(string.Join('\n', [declared.Name, declared.Json(step).ToJsonString(), .. files.Select(Fingerprint.OfStamps),
            $"{info}", session.Opening.Channel, session.SeedValue, Machine.Version]));
    }

    // the key in its name keeps what an interrupted run left from being taken up by a run of other parameters or another input, which removes it
    private static string WorkFolder(string output, string key)
    {
        var place = Path.GetFullPath(output.TrimEnd('/'));
        var work = $"{place}.{key[..12]}{AtomicFile.PartialSuffix}";
        foreach (var stale in Directory.GetDirectories(Path.GetDirectoryName(place)!, $"{Path.GetFileName(place)}.????????????{AtomicFile.PartialSuffix}"))
            if (stale != work) Directory.Delete(stale, recursive: true);
        return Directory.CreateDirectory(work).FullName;
    }

    private static string Summary(JsonObject facts)
    {
        var shortFacts = facts.Where(f => f.Key != "output" && f.Value?.ToJsonString() is { Length: < 80 }).Select(f => $"{f.Key} {f.Value!.ToJsonString()}");
        return string.Join(", ", shortFacts) is { Length: > 0 } text ? " (" + text + ")" : "";
    }
}

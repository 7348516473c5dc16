using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf train forest IMAGE LABELS --out MODEL.</summary>
public static class TrainCommands
{
    /// <summary>The parameters of a forest; those of the step, less what the arguments say.</summary>
    private static readonly Declared Parameters = Declared.Of<ForestSegmentation>();

    /// <summary>The command with one subcommand per kind of model.</summary>
    public static Command Make() => new("train", "Trains a model on labelled images.") { Forest(), TrainBoostedCommand.Make(), TrainNetworkCommand.Make(), TrainFillCommand.Make() };

    /// <summary>Options for some parameters of an operation; each takes one value, a list is comma-separated.</summary>
    public static IReadOnlyList<Option> Options(Declared declared, Func<DeclaredParameter, bool> chosen) => [.. declared.Parameters.Where(chosen).Select(p => p.IsSwitch
        ? (Option)new Option<bool>("--" + p.Name) { Description = $"{p.Description} {p.Legend}" }
        : new Option<string?>("--" + p.Name) { Description = $"{p.Description} {p.Legend}", HelpName = "value" })];

    /// <summary>The operation with what was typed for its options.</summary>
    /// <exception cref="InputError">A value is not allowed.</exception>
    public static T Build<T>(Declared declared, IReadOnlyList<Option> options, ParseResult parsed) where T : class =>
        (T)declared.Build(options.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => KeyValuePair.Create(
            option.Name[2..], new Typed(option is Option<bool> ? "true" : parsed.GetValue((Option<string?>)option) ?? "", option.Name))));

    private static Command Forest()
    {
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var labels = new Argument<string>("LABELS") { Description = "Labels drawn on it, 0 where nothing is labelled: TIFF, PNG, .zarr or .npy, 8-bit or whole numbers up to 255." };
        var model = new Option<string>("--out") { Description = "The model file to write.", HelpName = "MODEL", Required = true };
        var channel = ChannelSet.Option();
        var options = Options(Parameters, p => p.Name is not ("model" or "labels" or "channel"));
        var command = new Command("forest", "Trains a random forest on a few brush strokes.") { image, labels, model, channel };
        foreach (var option in options) command.Add(option);
        return Invocation.With(Invocation.Making(Invocation.ReadingChannels(Invocation.Running(command))), (parsed, session) =>
        {
            var clock = Stopwatch.StartNew();
            var (step, path) = (Build<ForestSegmentation>(Parameters, options, parsed), parsed.GetValue(model)!);
            CheckModelPlace(path, session.Forced);
            using var channels = ChannelSet.Open(parsed.GetValue(image)!, parsed.GetValue(channel) ?? [], session.Opening);
            var walk = session.Walk with { Progress = session.Progress.Begin("train forest") };
            var trained = step.Train(channels.All, parsed.GetValue(labels)!, walk, session.SeedValue, session.Opening);
            ForestFile.Save(trained, path);
            var json = Json(trained, path, clock.Elapsed);
            session.Print(json, () => Text(trained, path, clock.Elapsed));
        });
    }

    /// <summary>Refuses a place where no model can go, before hours of work.</summary>
    /// <exception cref="InputError">A folder, a file that is there, or a parent that is not.</exception>
    public static void CheckModelPlace(string path, bool force)
    {
        if (Directory.Exists(path)) throw new InputError($"{path}: is a folder; a model is a file, like pores.kerf.");
        if (File.Exists(path) && !force) throw new InputError($"{path}: is there already; choose another name or add --force.");
        var parent = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(parent)) throw new InputError($"{path}: the folder {parent} does not exist; make it first.");
    }

    private static JsonObject Json(ForestModel model, string path, TimeSpan time) => new()
    {
        ["outOfBagError"] = double.IsNaN(model.Training.Findings.OutOfBagError) ? null : model.Training.Findings.OutOfBagError,
        ["classes"] = model.Phases.Count,
        ["seconds"] = Math.Round(time.TotalSeconds, 3),
        ["model"] = path,
        ["phases"] = Phases(model),
        ["channels"] = new JsonArray([.. model.Channels.Select(name => JsonValue.Create(name))]),
        ["features"] = model.FeatureNames.Count,
        ["samples"] = model.Training.Samples.Sum(),
    };

    /// <summary>The phases of a model as JSON: label, name, colour and, when it was trained on them, voxels.</summary>
    public static JsonArray Phases(PixelClassifier model) => [.. model.Phases.Select((phase, i) => (JsonNode)new JsonObject
    {
        ["label"] = phase.Label, ["name"] = phase.Name, ["colour"] = phase.Colour, ["samples"] = model.Samples[i],
    })];

    private static string Text(ForestModel model, string path, TimeSpan time)
    {
        var error = model.Training.Findings.OutOfBagError;
        var phases = string.Join(", ", model.Phases.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{p.Name} (label {p.Label}, {model.Training.Samples[i]} voxels)")));
        return string.Create(CultureInfo.InvariantCulture, $"{path}: {model.Forest.Trees.Count} trees on {model.FeatureNames.Count} features, {time.TotalSeconds:0.0} s; ")
            + string.Create(CultureInfo.InvariantCulture, $"phases: {phases}; out-of-bag error {(double.IsNaN(error) ? "unknown" : $"{error:P1}")}");
    }
}

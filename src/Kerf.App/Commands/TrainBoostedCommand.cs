using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;

namespace Kerf.App;

/// <summary>kerf train boosted IMAGE LABELS --out MODEL.</summary>
public static class TrainBoostedCommand
{
    private const int Listed = 10;

    private static readonly Declared Parameters = Declared.Of<BoostedSegmentation>();

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var labels = new Argument<string>("LABELS") { Description = "Labels drawn on it, 0 where nothing is labelled: TIFF, PNG, .zarr or .npy, 8-bit or whole numbers up to 255." };
        var model = new Option<string>("--out") { Description = "The model file to write.", HelpName = "MODEL", Required = true };
        var channel = ChannelSet.Option();
        var options = TrainCommands.Options(Parameters, p => p.Name is not ("model" or "labels" or "channel"));
        var command = new Command("boosted", "Trains gradient-boosted trees (XGBoost) on brush strokes, by features of a network's first blocks, of filters, or both.") { image, labels, model, channel };
        foreach (var option in options) command.Add(option);
        return Invocation.With(Invocation.Making(Invocation.ReadingChannels(Invocation.Running(command))), (parsed, session) =>
        {
            var clock = Stopwatch.StartNew();
            var (step, path) = (TrainCommands.Build<BoostedSegmentation>(Parameters, options, parsed), parsed.GetValue(model)!);
            TrainCommands.CheckModelPlace(path, session.Forced);
            using var channels = ChannelSet.Open(parsed.GetValue(image)!, parsed.GetValue(channel) ?? [], session.Opening);
            var walk = session.Walk with { Progress = session.Progress.Begin("train boosted") };
            var trained = step.Train(channels.All, parsed.GetValue(labels)!, walk, session.SeedValue, session.Opening);
            BoostedFile.Save(trained, path);
            session.Print(Json(trained, path, clock.Elapsed), () => Text(trained, path, clock.Elapsed));
        });
    }

    private static IEnumerable<(string Name, double Share)> Important(BoostedModel model) =>
        model.FeatureNames.Zip(model.Trees.Importance).OrderByDescending(f => f.Second).Take(Listed).Where(f => f.Second > 0);

    private static JsonObject Json(BoostedModel model, string path, TimeSpan time) => new()
    {
        ["trees"] = model.Trees.Count,
        ["classes"] = model.Phases.Count,
        ["seconds"] = Math.Round(time.TotalSeconds, 3),
        ["model"] = path,
        ["trainingError"] = model.Training.Error,
        ["phases"] = TrainCommands.Phases(model),
        ["channels"] = new JsonArray([.. model.Channels.Select(name => JsonValue.Create(name))]),
        ["features"] = model.FeatureNames.Count,
        ["samples"] = model.Samples.Sum(),
        ["importance"] = new JsonArray([.. Important(model).Select(f => new JsonObject { ["feature"] = f.Name, ["share"] = Math.Round(f.Share, 6) })]),
    };

    private static string Text(BoostedModel model, string path, TimeSpan time)
    {
        var phases = string.Join(", ", model.Phases.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{p.Name} (label {p.Label}, {model.Samples[i]} voxels)")));
        return string.Create(CultureInfo.InvariantCulture, $"{path}: {model.Trees.Count} trees on {model.FeatureNames.Count} features, {time.TotalSeconds:0.0} s; ")
            + string.Create(CultureInfo.InvariantCulture, $"phases: {phases}; error on the strokes themselves {model.Training.Error:P1}; most by {string.Join(", ", Important(model).Take(3).Select(f => f.Name))}");
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf train network IMAGE LABELS --out MODEL.</summary>
public static class TrainNetworkCommand
{
    private static readonly Declared Parameters = Declared.Of<NetworkOptions>();

    /// <summary>Where libtorch computes.</summary>
    public static Option<string> Device() => new("--device") { Description = "auto takes a GPU when there is one; cpu, cuda or cuda:N chooses.", HelpName = "name", DefaultValueFactory = _ => "auto" };

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var labels = new Argument<string>("LABELS") { Description = "Labels drawn on it, 0 where nothing is labelled: TIFF, PNG, .zarr or .npy, 8-bit or whole numbers up to 255." };
        var model = new Option<string>("--out") { Description = "The model file to write. Beside it: checkpoints while it trains, and MODEL.html with the curves.", HelpName = "MODEL", Required = true };
        var channel = ChannelSet.Option();
        var resume = new Option<bool>("--resume") { Description = "Go on where a training with the same parameters was stopped or killed." };
        var slice = new Option<string?>("--slice") { Description = "Numbers of the slices that the labels are, from 0, when they are not a volume of the image's size.", HelpName = "n,n,…" };
        var phases = new Option<string?>("--phases") { Description = "Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.", HelpName = "names" };
        var device = Device();
        var options = TrainCommands.Options(Parameters, _ => true);
        var command = new Command("network", "Trains a convolutional network through libtorch.") { image, labels, model, channel, resume, slice, phases, device };
        foreach (var option in options) command.Add(option);
        return Invocation.With(Invocation.Making(Invocation.ReadingChannels(Invocation.Running(command))), (parsed, session) =>
        {
            var clock = Stopwatch.StartNew();
            var (chosen, path) = (TrainCommands.Build<NetworkOptions>(Parameters, options, parsed), parsed.GetValue(model)!);
            var resumes = parsed.GetValue(resume);
            TrainCommands.CheckModelPlace(path, session.Forced || resumes);
            using var channels = ChannelSet.Open(parsed.GetValue(image)!, parsed.GetValue(channel) ?? [], session.Opening);
            var drawn = DrawnLabels.Open(parsed.GetValue(labels)!, channels.Image.Info, Slices(parsed.GetValue(slice)), session.Opening);
            using var held = drawn as IDisposable;
            var curves = new TrainingCurves(path, session);
            var training = new NetworkTraining(channels.All, drawn, chosen, session.SeedValue, path, session.Walk) { Report = curves.Add, Say = text => Console.Error.WriteLine("kerf: " + text) };
            var trained = Named(training.Run(resumes, parsed.GetValue(device)!), parsed.GetValue(phases));
            NetworkFile.Save(trained, path);
            training.Clean();
            session.Print(Json(trained, path, clock.Elapsed), () => Text(trained, path, clock.Elapsed));
        });
    }

    private static int[] Slices(string? text) => text is null ? [] : [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new InputError($"--slice is \"{text}\"; write numbers of slices like 0,40,80."))];

    private static NetworkModel Named(NetworkModel model, string? names)
    {
        if (names is null) return model;
        var named = PhaseNames.Of(model.Phases.Count, names.Split(',', StringSplitOptions.TrimEntries));
        return model with { Phases = [.. model.Phases.Zip(named, (phase, name) => name with { Label = phase.Label })] };
    }

    private static JsonObject Json(NetworkModel model, string path, TimeSpan time)
    {
        var record = model.Training;
        var curve = record.Curve;
        return new()
        {
            ["epochs"] = curve.Count,
            ["bestLoss"] = Number(record.BestLoss),
            ["parameters"] = model.Architecture.Build().Parameters,
            ["secondsPerEpoch"] = Math.Round(curve.Average(e => e.Seconds), 4),
            ["seconds"] = Math.Round(time.TotalSeconds, 3),
            ["model"] = path,
            ["device"] = Torch.DeviceName,
            ["classes"] = model.Phases.Count,
            ["phases"] = Phases(model),
            ["channels"] = new JsonArray([.. model.Channels.Select(name => JsonValue.Create(name))]),
            ["curve"] = new JsonArray([.. curve.Select(e => (JsonNode)new JsonObject
            {
                ["epoch"] = e.Epoch, ["loss"] = Number(e.Loss), ["validation"] = Number(e.Validation), ["accuracy"] = Number(e.Accuracy), ["f1"] = Number(e.F1), ["mse"] = Number(e.Mse), ["rate"] = e.Rate,
            })]),
            ["test"] = record.Test is { } test ? Score(test) : null,
            ["folds"] = new JsonArray([.. record.Folds.Select(Score)]),
        };
    }

    private static JsonNode Score(NetworkScore score) => new JsonObject
    {
        ["accuracy"] = Number(score.Accuracy),
        ["f1"] = new JsonArray([.. score.F1.Select(Number)]),
        ["mse"] = Number(score.Mse),
        ["loss"] = Number(score.Loss),
        ["voxels"] = score.Voxels,
    };

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    /// <summary>The phases of a model as JSON: label, name, colour.</summary>
    public static JsonArray Phases(NetworkModel model) =>
        [.. model.Phases.Select(phase => (JsonNode)new JsonObject { ["label"] = phase.Label, ["name"] = phase.Name, ["colour"] = phase.Colour })];

    private static string Text(NetworkModel model, string path, TimeSpan time)
    {
        var test = model.Training.Test is { } score ? string.Create(CultureInfo.InvariantCulture, $"; on the part held back: accuracy {score.Accuracy:P2}, F1 {score.MeanF1:0.0000}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{path}: {model.Architecture.Build().Parameters:N0} parameters, {model.Training.Curve.Count} epochs, {time.TotalSeconds:0} s on {Torch.DeviceName}; ")
            + string.Create(CultureInfo.InvariantCulture, $"phases: {string.Join(", ", model.Phases.Select(p => $"{p.Label} {p.Name}"))}; lowest validation loss {model.Training.BestLoss:0.0000}{test}");
    }
}

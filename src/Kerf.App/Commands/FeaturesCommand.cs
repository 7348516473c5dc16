using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf features IMAGE OUT.zarr: the features that a forest would see, as float channels.</summary>
public static class FeaturesCommand
{
    private static readonly Declared Parameters = Declared.Of<ForestSegmentation>();

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var output = new Argument<string>("OUT") { Description = "A .zarr, one channel per feature in ilastik's order." };
        var channel = ChannelSet.Option();
        var options = TrainCommands.Options(Parameters, p => p.Name is "dimensions" or "features" or "families" or "scales" or "scales-nm" or "physical");
        var version = new Option<string>("--ome-zarr") { Description = "0.5, or 0.4 for older programs such as python zarr 2.", HelpName = "version", DefaultValueFactory = _ => "0.5" };
        var command = new Command("features", "Writes pixel features as ilastik computes them, for other tools; training and prediction do not need them.")
        {
            image, output, channel, version, Invocation.Force,
        };
        foreach (var option in options) command.Add(option);
        return Invocation.With(Invocation.ReadingChannels(Invocation.Running(command)), (parsed, session) =>
        {
            session.HoldBudget();
            var (from, to, typed) = (parsed.GetValue(image)!, parsed.GetValue(output)!, parsed.GetValue(channel) ?? []);
            var step = TrainCommands.Build<ForestSegmentation>(Parameters, options, parsed);
            using var opened = ChannelSet.Open(from, typed, session.Opening);
            var info = opened.Image.Info;
            var set = step.Selection(info);
            if (step.HasLengths) set = set.Scaled(info.RequireVoxel("features with σ as a length"));
            var names = FeatureExtraction.Names(set, [.. opened.All.Select(c => c.Name)]);
            var target = new VolumeOutput(to, info with { Type = PixelType.Float32, Phases = null })
            {
                Channels = names,
                Options = new() { Version = Version(parsed.GetValue(version)!), Chunk = FeatureExtraction.Chunk, Pyramid = false },
            };
            var key = Fingerprint.OfText(string.Join('\n', "features", target.Options, Parameters.Json(step).ToJsonString(), ChannelSet.Fingerprint(from, typed), info.ToString(), Machine.Version));
            using var outputs = GrowingOutputs.Claim([target], key, session.Forced);
            var speed = 0.0;
            if (!outputs.AreWhole)
            {
                var channels = ChannelSet.InBlocks(
                    [.. opened.All.Select(c => c.Volume)], outputs.Folder, session.Opening.CacheBytes, session.Walk with { Progress = session.Progress.Begin("import") });
                var targets = outputs.Create(0).Cast<IWritableVolume<float>>().ToArray();
                speed = FeatureExtraction.Run(channels, set, targets, session.Walk with { Progress = session.Progress.Begin("features") });
            }
            outputs.Publish(session.Walk, session.Progress.Begin);
            var json = new JsonObject
            {
                ["voxelsPerSecond"] = Math.Round(speed),
                ["output"] = to,
                ["features"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]),
            };
            session.Print(json, () => string.Create(CultureInfo.InvariantCulture, $"{to}: {names.Count} features of {info.Size} voxels, {speed / 1e6:0.00} million voxels/s"));
        });
    }

    private static OmeZarrVersion Version(string typed) => typed switch
    {
        "0.5" => OmeZarrVersion.V05,
        "0.4" => OmeZarrVersion.V04,
        _ => throw new InputError($"--ome-zarr is \"{typed}\"; allowed: 0.4 or 0.5."),
    };
}

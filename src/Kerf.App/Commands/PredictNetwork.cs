using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What was typed for kerf predict, whatever the model.</summary>
/// <param name="Model">Path of the model.</param>
/// <param name="Image">Path of the image.</param>
/// <param name="Out">Where the labels go.</param>
/// <param name="Channels">Further channels.</param>
/// <param name="Probabilities">Where probabilities go, or null.</param>
/// <param name="Uncertainty">Where the uncertainty goes, or null.</param>
/// <param name="Dense">Phases from 0.</param>
internal sealed record PredictCall(string Model, string Image, string Out, string[] Channels, string? Probabilities, string? Uncertainty, bool Dense)
{
    /// <summary>Tiles of a network.</summary>
    public TileOptions Tiles { get; init; } = new();

    /// <summary>Where activations of <see cref="TileOptions.Layer"/> go, or null.</summary>
    public string? Activations { get; init; }

    /// <summary>Where libtorch computes.</summary>
    public string Device { get; init; } = "auto";
}

/// <summary>kerf predict with a network.</summary>
internal static class PredictNetwork
{
    /// <summary>Segments.</summary>
    public static void Run(PredictCall call, Invocation session)
    {
        session.HoldBudget();
        var clock = Stopwatch.StartNew();
        var model = NetworkFile.Load(call.Model);
        if (model.Architecture.Kind == ArchitectureKind.Inpaint)
            throw new InputError($"{call.Model}: makes planes between slices and segments no images; it is a model of kerf fill --method learned.");
        if (call.Dense) model = model with { Phases = [.. model.Phases.Select((phase, i) => phase with { Label = i })] };
        using var opened = ChannelSet.Open(call.Image, call.Channels, session.Opening, model.Channels[0]);
        var channels = model.Arrange(opened.Image, opened.Others);
        if (model.Doubt(channels[0].Info) is { } doubt) Console.Error.WriteLine("kerf: " + doubt);
        if (call.Activations is null == call.Tiles.Layer is not null)
            throw new InputError(call.Activations is null ? "--layer names a layer, and --activations is missing: say where they go." : "--activations needs --layer NAME: which layer's.");
        Torch.Start(session.Walk.Threads, call.Device);
        using var prediction = new NetworkPrediction(model, call.Tiles);
        using var outputs = Outputs(call, model, prediction, channels[0].Info, session.Forced);
        var speed = 0.0;
        if (!outputs.AreWhole)
        {
            var blocks = ChannelSet.InBlocks(channels, outputs.Folder, session.Opening.CacheBytes, session.Walk with { Progress = session.Progress.Begin("import") });
            var next = 0;
            var labels = (IWritableVolume<byte>)outputs.Create(next++)[0];
            var maps = new NetworkMaps
            {
                Probabilities = call.Probabilities is null ? null : [.. outputs.Create(next++).Cast<IWritableVolume<float>>()],
                Uncertainty = call.Uncertainty is null ? null : (IWritableVolume<float>)outputs.Create(next++)[0],
                Activations = call.Activations is null ? null : [.. outputs.Create(next++).Cast<IWritableVolume<float>>()],
            };
            speed = prediction.Run(blocks, labels, maps, session.Walk with { Progress = session.Progress.Begin("predict") });
            foreach (var copy in blocks.Except(channels).OfType<IDisposable>()) copy.Dispose();
        }
        outputs.Publish(session.Walk, session.Progress.Begin);
        var json = new JsonObject
        {
            ["voxelsPerSecond"] = Math.Round(speed),
            ["seconds"] = Math.Round(clock.Elapsed.TotalSeconds, 3),
            ["output"] = call.Out,
            ["device"] = Torch.DeviceName,
            ["phases"] = TrainNetworkCommand.Phases(model),
        };
        session.Print(json, () => string.Create(CultureInfo.InvariantCulture,
            $"{call.Out}: {channels[0].Info.Size} voxels, {clock.Elapsed.TotalSeconds:0.0} s, {speed / 1e6:0.00} million voxels/s on {Torch.DeviceName}; phases: {string.Join(", ", model.Phases.Select(p => $"{p.Label} {p.Name}"))}"));
    }

    private static GrowingOutputs Outputs(PredictCall call, NetworkModel model, NetworkPrediction prediction, VolumeInfo image, bool force)
    {
        var map = image with { Type = PixelType.Float32, Phases = null };
        var outputs = new List<VolumeOutput> { new(call.Out, image with { Type = PixelType.UInt8, Phases = model.VisiblePhases }) };
        if (call.Probabilities is { } probabilities) outputs.Add(new(probabilities, map) { Channels = [.. model.Phases.Select(p => p.Name)] });
        if (call.Uncertainty is { } uncertainty) outputs.Add(new(uncertainty, map));
        if (call.Activations is { } activations)
            outputs.Add(new(activations, map) { Channels = [.. Enumerable.Range(0, prediction.LayerChannels).Select(c => string.Create(CultureInfo.InvariantCulture, $"{call.Tiles.Layer} {c}"))] });
        var key = Fingerprint.OfText(string.Join('\n',
            "predict network", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(call.Model))), ChannelSet.Fingerprint(call.Image, call.Channels), image.ToString(),
            call.Probabilities is null, call.Uncertainty is null, call.Dense, call.Tiles with { Batch = 0 }, Machine.Version));
        return GrowingOutputs.Claim(outputs, key, force);
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf predict MODEL IMAGE OUT: segments a stack with a trained model of any kind.</summary>
public static class PredictCommand
{
    // small, and blocks of a prediction are made of whole ones: few are under construction at a time
    private static readonly ZarrOptions Maps = new() { Chunk = new(32, 64, 128) };

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var model = new Argument<string>("MODEL") { Description = "A file that kerf train wrote, or the name of a model that comes with the program: nanoporous-gold, cathode-particle-pores." };
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var output = new Argument<string>("OUT") { Description = "Where the labels go: .zarr, .tif, .png, .npy, or a folder/ of slices." };
        var channel = ChannelSet.Option();
        var probabilities = new Option<string?>("--probabilities") { Description = "Also write the probability of each phase, one channel each.", HelpName = "PATH.zarr" };
        var uncertainty = new Option<string?>("--uncertainty") { Description = "Also write 1 − (p₁ − p₂) of the two likeliest phases: 1 where they tie.", HelpName = "PATH" };
        var dense = new Option<bool>("--dense") { Description = "Number the phases 0, 1, 2 … instead of keeping the labels that were trained on." };
        var command = new Command("predict", "Segments a stack with a trained model.") { model, image, output, channel, probabilities, uncertainty, dense, Invocation.Force };
        var tile = new Option<int>("--tile") { Description = "Networks: edge of a tile (default 512, or 64 in 3-D).", HelpName = "voxels" };
        var overlap = new Option<int>("--overlap") { Description = "Networks: voxels that neighbouring tiles share (default an eighth of a tile, in 3-D a quarter).", HelpName = "voxels" };
        var batch = new Option<int>("--batch") { Description = "Networks: tiles computed at once. Never changes a phase.", HelpName = "n" };
        var flips = new Option<bool>("--flips") { Description = "Networks: average over the four mirror images in the slice." };
        var precision = new Option<string>("--precision") { Description = "Networks: bf16 is faster where the processor has units for it.", HelpName = "f32|bf16", DefaultValueFactory = _ => "f32" };
        var layer = new Option<string?>("--layer") { Description = "Networks: a layer whose activations are wanted too, like down0.second.relu.", HelpName = "name" };
        var activations = new Option<string?>("--activations") { Description = "Networks: where they go, one channel each.", HelpName = "PATH.zarr" };
        var device = TrainNetworkCommand.Device();
        foreach (var option in (Option[])[tile, overlap, batch, flips, precision, layer, activations, device]) command.Add(option);
        return Invocation.With(Invocation.ReadingChannels(Invocation.Running(command)), (parsed, session) =>
        {
            var call = new PredictCall(PretrainedModels.PathOf(parsed.GetValue(model)!), parsed.GetValue(image)!, parsed.GetValue(output)!, parsed.GetValue(channel) ?? [],
                parsed.GetValue(probabilities), parsed.GetValue(uncertainty), parsed.GetValue(dense))
            {
                Tiles = new()
                {
                    Tile = Checked(tile, parsed, 8, 4096),
                    Overlap = Checked(overlap, parsed, 1, 2048),
                    Batch = Checked(batch, parsed, 1, 1024),
                    Flips = parsed.GetValue(flips),
                    Precision = parsed.GetValue(precision) switch
                    {
                        "f32" => Precision.F32,
                        "bf16" => Precision.Bf16,
                        var other => throw new InputError($"--precision is \"{other}\"; write f32 or bf16."),
                    },
                    Layer = parsed.GetValue(layer),
                },
                Activations = parsed.GetValue(activations),
                Device = parsed.GetValue(device)!,
            };
            var start = Start(call.Model);
            // further kinds of models: one line each
            if (ForestFile.Recognises(start)) Classify(call, ForestFile.Load(call.Model), session);
            else if (BoostedFile.Recognises(start)) Classify(call, BoostedSegmentation.Load(call.Model), session);
            else if (NetworkFile.Recognises(start)) PredictNetwork.Run(call, session);
            else throw new InputError($"{call.Model}: is no model. Give the file that kerf train wrote.");
        });
    }

    // 0 when it was not typed
    private static int Checked(Option<int> option, ParseResult parsed, int min, int max)
    {
        var value = parsed.GetValue(option);
        return value == 0 || (value >= min && value <= max) ? value : throw new InputError($"{option.Name} is {value}; allowed: {min} to {max}.");
    }

    private static byte[] Start(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var start = new byte[16];
            return start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Give the file that kerf train wrote.", exception);
        }
    }

    private static void Classify(PredictCall call, PixelClassifier model, Invocation session)
    {
        session.HoldBudget();
        var clock = Stopwatch.StartNew();
        if (call.Dense) model = model with { Phases = [.. model.Phases.Select((phase, i) => phase with { Label = i })] };
        using var opened = ChannelSet.Open(call.Image, call.Channels, session.Opening, model.Channels[0]);
        var channels = model.Arrange(opened.Image, opened.Others);
        model.Check(channels);
        using var outputs = Outputs(call, model, channels[0].Info, session.Forced);
        var speed = 0.0;
        if (!outputs.AreWhole)
        {
            var blocks = ChannelSet.InBlocks(channels, outputs.Folder, session.Opening.CacheBytes, session.Walk with { Progress = session.Progress.Begin("import") });
            var labels = (IWritableVolume<byte>)outputs.Create(0)[0];
            var maps = new ForestMaps
            {
                Probabilities = call.Probabilities is null ? null : [.. outputs.Create(1).Cast<IWritableVolume<float>>()],
                Uncertainty = call.Uncertainty is null ? null : (IWritableVolume<float>)outputs.Create(call.Probabilities is null ? 1 : 2)[0],
            };
            speed = model.Predict(blocks, labels, maps, session.Walk with { Progress = session.Progress.Begin("predict") });
            foreach (var copy in blocks.Except(channels).OfType<IDisposable>()) copy.Dispose();
        }
        outputs.Publish(session.Walk, session.Progress.Begin);
        var json = new JsonObject
        {
            ["voxelsPerSecond"] = Math.Round(speed),
            ["seconds"] = Math.Round(clock.Elapsed.TotalSeconds, 3),
            ["output"] = call.Out,
            ["phases"] = TrainCommands.Phases(model),
        };
        session.Print(json, () => string.Create(CultureInfo.InvariantCulture,
            $"{call.Out}: {channels[0].Info.Size} voxels, {clock.Elapsed.TotalSeconds:0.0} s, {speed / 1e6:0.00} million voxels/s; phases: {string.Join(", ", model.Phases.Select(p => $"{p.Label} {p.Name}"))}"));
    }

    private static GrowingOutputs Outputs(PredictCall call, PixelClassifier model, VolumeInfo image, bool force)
    {
        var map = image with { Type = PixelType.Float32, Phases = null };
        var outputs = new List<VolumeOutput> { new(call.Out, image with { Type = PixelType.UInt8, Phases = model.VisiblePhases }) };
        if (call.Probabilities is { } probabilities)
            outputs.Add(new(probabilities, map) { Channels = [.. model.Phases.Select(p => p.Name)], Options = Maps });
        if (call.Uncertainty is { } uncertainty) outputs.Add(new(uncertainty, map) { Options = Maps });
        var key = Fingerprint.OfText(string.Join('\n',
            "predict", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(call.Model))), ChannelSet.Fingerprint(call.Image, call.Channels), image.ToString(),
            call.Probabilities is null, call.Uncertainty is null, call.Dense, Machine.Version));
        return GrowingOutputs.Claim(outputs, key, force);
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Pores in simulated particles of a nickel-rich cathode, as SEG segments real ones: 100 images of 256×256 from one particle for training, two-fold, 100 from
/// another one for the test; backscattered electrons at 2 kV, stripes and noise filtered; SegNet on raw, stretched and equalised images.
/// </summary>
/// <param name="Images">Images of each particle; 100 in the paper.</param>
/// <param name="Edge">Pixels along both sides of an image; 256 in the paper.</param>
/// <param name="Epochs">Of each training; 100 in the paper.</param>
/// <param name="Patch">Edge of a patch; the whole image in the paper.</param>
/// <param name="Batch">Patches of a step; 32 in the paper.</param>
/// <param name="Electrons">Per pixel.</param>
/// <param name="Seed">Of the training particle and the networks; the test particle has the next seed.</param>
public sealed record ParticleStudy(int Images, int Edge, int Epochs, int Patch, int Batch, int Electrons, ulong Seed)
{
    private static readonly VoxelSize Voxel = new(15, 9, 9);

    // stripes as deep as the paper's figure S1 shows them; images of a session jump in brightness
    private static readonly Session Milling = Session.Perfect with { CurtainGrey = 14, CurtainDensity = 0.1, BrightnessJump = 8, NoiseSigma = 4 };

    private sealed record Particle(Volume<byte> Truth, Volume<byte> Images);

    private sealed record Fold(double Accuracy, double Pores, double Grains, double Mse);

    /// <summary>Runs the study; what it made lies in the folder, and a killed study goes on with it.</summary>
    public JsonObject Run(string folder, Traversal walk, Action<string> say)
    {
        walk = walk with { Progress = null };
        var (train, test) = (Make(Seed, folder, walk, say), Make(Seed + 1, folder, walk, say));
        var rows = new JsonArray { Row("threshold (Otsu)", [Score(Otsu(train, test), null, test.Truth)], [], 0) };
        foreach (var (name, rule) in new[] { ("equalised", GreyRule.Equalised), ("raw", GreyRule.Raw), ("stretched", GreyRule.Stretched) })
        {
            NetworkModel[] models = [.. new[] { false, true }.Select(second => Train(name, rule, second, train, folder, walk, say))];
            rows.Add(Row(name, [.. models.Select(m => Predict(m, test, walk))], [.. models.Select(m => Predict(m, train, walk))], models[0].Architecture.Build().Parameters));
            say($"{name}: {rows[^1]!.ToJsonString()}");
        }
        return new()
        {
            ["images"] = Images,
            ["edge"] = Edge,
            ["epochs"] = Epochs,
            ["patch"] = Patch,
            ["batch"] = Batch,
            ["electronsPerPixel"] = Electrons,
            ["seed"] = Seed,
            ["testSeed"] = Seed + 1,
            ["porosity"] = (double)test.Truth.Data.Count(v => v == 1) / test.Truth.Data.Length,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = rows,
        };
    }

    // a particle of 3.5 µm whose middle is imaged: pores of 200 nm, some of which show what lies behind
    private Particle Make(ulong seed, string folder, Traversal walk, Action<string> say)
    {
        var size = new Size3(Images, Edge, Edge);
        var across = (int)Math.Ceiling(1.7 * Edge);
        var canvas = new Size3((int)Math.Ceiling(across * Voxel.Y / Voxel.Z), across, across);
        if (canvas.Z < Images + 60) canvas = canvas with { Z = Images + 60 };
        var whole = VirtualStructure.Make("particle", canvas, Voxel, 0.88, 450, seed, walk);
        var margin = Milling.Margin(new (double, double)[Images]);
        // deep pores are looked into: slices below the last image belong to the scene
        var start = new Size3((canvas.Z - Images) / 2, (across - Edge) / 2, (across - Edge) / 2);
        var box = new Box(start - new Size3(0, margin, margin), new(Math.Min(Images + 60, canvas.Z - start.Z), Edge + 2 * margin, Edge + 2 * margin));
        var scene = new Volume<byte>(new VolumeInfo(box.Size, PixelType.UInt8, Voxel) { Phases = whole.Info.Phases });
        whole.Read(box, scene.Data);
        var truth = new Volume<byte>(new VolumeInfo(size, PixelType.UInt8, Voxel) { Phases = whole.Info.Phases });
        scene.Read(new Box(new(0, margin, margin), size), truth.Data);
        var place = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"particle-{seed}-{Images}x{Edge}-{Electrons}.zarr"));
        if (!Directory.Exists(place))
        {
            say($"imaging particle {seed}");
            VolumeFile.Save(Image(scene, margin, truth, seed, walk), place, walk);
        }
        return new(truth, Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(place)));
    }

    // 2 kV, backscattered; then what the paper does to its images: a wedge of the spectrum against curtains, a Gaussian against noise
    private Volume<byte> Image(Volume<byte> scene, int margin, Volume<byte> truth, ulong seed, Traversal walk)
    {
        var shot = scene.Info.Size with { Z = Images };
        var (signal, error) = (new Volume<float>(new VolumeInfo(shot, PixelType.Float32, Voxel)), new Volume<float>(new VolumeInfo(shot, PixelType.Float32, Voxel)));
        var materials = new Dictionary<int, Material> { [1] = Material.Vacuum, [2] = Material.Parse("NMC811") };
        ElectronImage.Make(scene, materials, new() { KeV = 2, ElectronsPerPixel = Electrons, ProbeSigma = 3 }, signal, error, seed, walk, [.. Enumerable.Range(0, Images).Select(z => (double)z)]);
        var white = signal.Data.Order().ElementAt((int)(signal.Data.Length * 0.999));
        foreach (ref var v in signal.Data.AsSpan()) v = Math.Min(255, v * 240 / white);
        var images = new Volume<byte>(truth.Info with { Phases = null });
        Milling.Image(signal, new (double, double)[Images], images, null, seed, walk);
        var (straight, smooth) = (new Volume<float>(truth.Info.Size), new Volume<float>(truth.Info.Size));
        Destripe.Apply(images.AsFloat(), straight, new() { Method = StripeFilter.Wedge }, walk);
        GaussianDenoising.Filter(straight, smooth, (0, 1, 1), walk);
        return new(truth.Info.Size, Voxel, Array.ConvertAll(smooth.Data, v => (byte)Math.Clamp(Math.Round(v), 0, 255)));
    }

    // a half is trained on and the other one watched; the second fold exchanges them
    private NetworkModel Train(string name, GreyRule rule, bool second, Particle particle, string folder, Traversal walk, Action<string> say)
    {
        var path = Path.Combine(folder, $"particles-{name}-{(second ? 2 : 1)}.kerf");
        var (images, truth) = second ? (Reversed(particle.Images), Reversed(particle.Truth)) : (particle.Images, particle.Truth);
        var options = new NetworkOptions
        {
            Architecture = ArchitectureKind.Segnet,
            Grey = rule,
            EachSlice = true,
            Loss = Loss.Bce,
            Schedule = Schedule.Cosine,
            Rate = 1e-3,
            Stop = Epochs,
            Epochs = Epochs,
            Patch = Patch,
            Batch = Batch,
            // neighbouring images show nearly the same pores: half a particle is few
            Augment = [Augmentation.Flips, Augmentation.Crops],
            Split = [0.5, 0.5, 0],
        };
        return StudyTraining.Model(path, $"{name} {(second ? 2 : 1)}", [("bse", images)], truth, options, Seed, walk, say);
    }

    private static Volume<byte> Reversed(Volume<byte> volume)
    {
        var reversed = new Volume<byte>(volume.Info);
        var depth = volume.Info.Size.Z;
        for (var z = 0; z < depth; z++) volume.Slice(z).CopyTo(reversed.Slice(depth - 1 - z));
        return reversed;
    }

    private static Volume<byte> Otsu(Particle train, Particle test)
    {
        var threshold = GreyClasses.Thresholds(Histogram.OfStack(train.Images, Traversal.Default), 2)[0];
        return new(test.Truth.Info.Size, Voxel, Array.ConvertAll(test.Images.Data, v => (byte)(v >= threshold ? 2 : 1)));
    }

    private static Fold Predict(NetworkModel model, Particle particle, Traversal walk)
    {
        var size = particle.Truth.Info.Size;
        var (labels, pores, grains) = (new Volume<byte>(size), new Volume<float>(size), new Volume<float>(size));
        using var prediction = new NetworkPrediction(model, new());
        prediction.Run([particle.Images], labels, new() { Probabilities = [pores, grains] }, walk);
        return Score(labels, grains, particle.Truth);
    }

    private static Fold Score(Volume<byte> found, Volume<float>? grains, Volume<byte> truth)
    {
        var (confusion, squares) = (Confusion.Of(found, truth, Traversal.Default), 0.0);
        for (var i = 0; i < truth.Data.Length; i++)
        {
            var off = (grains?.Data[i] ?? found.Data[i] - 1) - (truth.Data[i] - 1);
            squares += (double)off * off;
        }
        // of one class F1 is its Dice coefficient
        return new(confusion.Score().Accuracy, confusion.Dice(1), confusion.Dice(2), squares / truth.Data.Length);
    }

    private static JsonObject Row(string input, Fold[] test, Fold[] train, long parameters)
    {
        static JsonObject? Mean(Fold[] folds) => folds.Length == 0 ? null : new()
        {
            ["accuracy"] = Math.Round(folds.Average(f => f.Accuracy), 5),
            ["f1Pores"] = Math.Round(folds.Average(f => f.Pores), 5),
            ["f1Grains"] = Math.Round(folds.Average(f => f.Grains), 5),
            ["mse"] = Math.Round(folds.Average(f => f.Mse), 6),
        };
        return new() { ["input"] = input, ["parameters"] = parameters, ["test"] = Mean(test), ["training"] = Mean(train), ["folds"] = new JsonArray([.. test.Select(f => JsonValue.Create(Math.Round(f.Accuracy, 5)))]) };
    }

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var paper = new Dictionary<string, string> { ["raw"] = "0.9742, 0.9935, 0.0062", ["stretched"] = "0.9740, 0.9932, 0.0070", ["equalised"] = "0.9756, 0.9946, 0.0049" };
        var text = new StringBuilder("# Pores in simulated cathode particles\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study particles`: {json["images"]} images of {json["edge"]}×{json["edge"]} pixels (9 nm, 15 nm apart) of a particle of NMC811 with {V(json["porosity"]):P1} pores of about 200 nm, seed {json["seed"]}; as many of another one, seed {json["testSeed"]}, for the test. ");
        text.Append(CultureInfo.InvariantCulture, $"Backscattered electrons of 2 kV, {json["electronsPerPixel"]} a pixel, empty pores, curtains, jumps of brightness; a wedge of the spectrum taken out and a Gaussian of 1 pixel, as in the paper. ");
        text.Append(CultureInfo.InvariantCulture, $"SegNet, binary cross-entropy, Adam from 1e-3 falling as a cosine, flips, {json["epochs"]} epochs (the paper: 100) of patches of {json["patch"]}² (256²) that overlap by half, in batches of {json["batch"]} (32); trained on one half of the training particle, watched on the other, and the other way round: means of the two on the test particle. Each image is scaled by itself. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append("| input | accuracy (two folds) | F1 of pores | F1 of grains | MSE | training particle: accuracy | SEG: accuracy, F1, MSE | parameters |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject()))
        {
            var (name, test) = (row["input"]!.GetValue<string>(), row["test"]!);
            var folds = row["folds"]!.AsArray() is { Count: > 1 } both ? string.Create(CultureInfo.InvariantCulture, $" ({V(both[0]):0.0000}, {V(both[1]):0.0000})") : "";
            var own = row["training"] is { } training ? string.Create(CultureInfo.InvariantCulture, $"{V(training["accuracy"]):0.0000}") : "";
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {V(test["accuracy"]):0.0000}{folds} | {V(test["f1Pores"]):0.0000} | {V(test["f1Grains"]):0.0000} | {V(test["mse"]):0.0000} | {own} | {paper.GetValueOrDefault(name)} | {row["parameters"]} |\n");
        }
        return text.ToString();
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Networks on simulated nanoporous gold, as T-I and T-III compare them: hierarchical gold in epoxy at 1, 2 and 4 kV, with the noise and the blurred edges of the
/// thesis, a specimen for training and another one for the score. k-means, single slices, adjacent slices, the volume; voltages fused early and late. The
/// members of the late fusion are the single networks with adjacent slices. Each network trains on one thread, as many side by side as there are threads: so
/// their number changes nothing.
/// </summary>
/// <param name="Edge">Pixels of a slice along both sides.</param>
/// <param name="Depth">Slices of the specimen that is trained on; the one that is scored has half as many.</param>
/// <param name="Electrons">Per pixel.</param>
/// <param name="Epochs">Of each network.</param>
/// <param name="Windows">Patches of 64×64 pixels in an epoch; in 3-D as many voxels.</param>
/// <param name="Seed">Of the training specimen and the networks; the other specimen has the next seed.</param>
public sealed record NetworkStudy(int Edge, int Depth, int Electrons, int Epochs, int Windows, ulong Seed)
{
    private static readonly double[] Voltages = [1, 2, 4];

    /// <summary>True for images as the simulation counts them: no further noise, sharp edges.</summary>
    public bool AsShot { get; init; }

    private sealed record Specimen(Volume<byte> Truth, (string Name, IVolume Volume)[] Images);

    private sealed record Network(string Name, string Method, int[] Voltages, NetworkOptions Options);

    private static readonly Network[] Networks =
    [
        new("late", "late fusion, 1 + 2 + 4 kV", [0, 1, 2], new() { Slices = 7, Fusion = Fusion.Late }),
        new("2-d", "2-D, 2 kV", [1], new()),
        new("early", "early fusion, 1 + 2 + 4 kV", [0, 1, 2], new() { Slices = 7, Fusion = Fusion.Early }),
        new("3-d", "3-D, 2 kV", [1], new() { Architecture = ArchitectureKind.Unet3d, Width = 8, Patch = 32, Batch = 2 }),
    ];

    /// <summary>Runs the study. Models go to the folder; a killed study goes on with the last epochs that it has.</summary>
    public JsonObject Run(string folder, Traversal walk, Action<string> say)
    {
        say("simulating");
        var train = Make(new(Depth, Edge, Edge), Seed, folder, walk);
        var test = Make(new(Depth / 2, Edge, Edge), Seed + 1, folder, walk);
        var (models, rows) = (new NetworkModel[Networks.Length], new JsonArray());
        walk.ForEach(Networks.Length, i => models[i] = Train(Networks[i], train, folder, walk with { Threads = 1, Progress = null }, say));
        Torch.Start(walk.Threads, "cpu");
        foreach (var (name, image) in test.Images) rows.Add(Row($"k-means, {name}", KMeans(image, walk), test, null));
        void Score(string method, NetworkModel model, int[] voltages) => rows.Add(Row(method, Predict(model, [.. voltages.Select(v => test.Images[v])], walk), test, model));
        foreach (var name in (string[])["2-d", "3-d"]) Score(Networks.Single(n => n.Name == name).Method, models[Array.FindIndex(Networks, n => n.Name == name)], [1]);
        for (var c = 0; c < Voltages.Length; c++) Score($"2-D, 7 adjacent slices, {train.Images[c].Name}", models[0].Member(c), [c]);
        foreach (var name in (string[])["early", "late"]) Score(Networks.Single(n => n.Name == name).Method, models[Array.FindIndex(Networks, n => n.Name == name)], [0, 1, 2]);
        return new()
        {
            ["conditions"] = AsShot ? "as shot" : "noise and blurred edges",
            ["training"] = train.Truth.Info.Size.ToString(),
            ["test"] = test.Truth.Info.Size.ToString(),
            ["electronsPerPixel"] = Electrons,
            ["epochs"] = Epochs,
            ["windows"] = Windows,
            ["seed"] = Seed,
            ["testSeed"] = Seed + 1,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["trainingSeconds"] = Math.Round(models.Sum(m => m.Training.Members.Append(m.Training.Curve).Sum(curve => curve.Sum(e => e.Seconds)))),
            ["rows"] = rows,
        };
    }

    private Specimen Make(Size3 size, ulong seed, string folder, Traversal walk)
    {
        walk = walk with { Progress = null };
        var truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", size, VoxelSize.Cube(5), 0.12, 170, seed, walk));
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        return new(truth, [.. Voltages.Select(keV =>
        {
            // hours of electrons: kept, so that a killed study does not count them again
            var place = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"gold-{seed}-{size.Z}x{size.Y}x{size.X}-{keV}kV-{Electrons}.zarr"));
            if (!Directory.Exists(place))
            {
                var (signal, error) = (new Volume<float>(truth.Info with { Phases = null }), new Volume<float>(truth.Info with { Phases = null }));
                ElectronImage.Make(truth, materials, new() { KeV = keV, ElectronsPerPixel = Electrons }, signal, error, seed, walk);
                VolumeFile.Save(signal, place, walk);
            }
            var grey = ThesisImage.Grey(Volume<float>.Load((IVolume<float>)VolumeFile.Open(place)));
            return (string.Create(CultureInfo.InvariantCulture, $"{keV} kV"), (IVolume)(AsShot ? grey : ThesisImage.Spoil(grey, truth, ThesisImage.NoiseAndBlur, seed, walk)));
        })]);
    }

    private NetworkModel Train(Network network, Specimen specimen, string folder, Traversal walk, Action<string> say)
    {
        var path = Path.Combine(folder, $"gold-{network.Name}.kerf");
        if (File.Exists(path)) return NetworkFile.Load(path);
        var (patch, planar) = (network.Options.Patch, network.Options.Architecture == ArchitectureKind.Unet);
        var options = network.Options with
        {
            Depth = 3,
            Width = network.Options.Width ?? 16,
            Loss = Loss.CrossEntropy,
            Schedule = Schedule.Cosine,
            Rate = 3e-3,
            Augment = [Augmentation.Flips, Augmentation.Turns, Augmentation.Crops],
            Epochs = Epochs,
            Stop = Epochs,
            Windows = planar ? Windows : Windows * 64 * 64 / (patch * patch * patch),
            Split = [0.8, 0.2, 0],
        };
        var training = new NetworkTraining([.. network.Voltages.Select(v => specimen.Images[v])], specimen.Truth, options, Seed, path, walk)
        {
            Report = (stage, e) => say(string.Create(CultureInfo.InvariantCulture, $"{network.Name} {stage} epoch {e.Epoch}: loss {e.Loss:0.0000}, validation {e.Validation:0.0000}, accuracy {e.Accuracy:0.0000}, {e.Seconds:0.0} s")),
        };
        var model = training.Run(resume: true, "cpu");
        NetworkFile.Save(model, path);
        training.Clean();
        return model;
    }

    // three clusters, the brightest is solid
    private static Volume<byte> KMeans(IVolume image, Traversal walk)
    {
        var threshold = GreyClasses.Thresholds(Histogram.OfStack(image, walk with { Progress = null }), 3)[1];
        var grey = Volume<float>.Load(image.AsFloat());
        return new(image.Info.Size, null, Array.ConvertAll(grey.Data, v => (byte)(v >= threshold ? 2 : 1)));
    }

    private static Volume<byte> Predict(NetworkModel model, (string Name, IVolume Volume)[] images, Traversal walk)
    {
        var labels = new Volume<byte>(images[0].Volume.Info.Size);
        using var prediction = new NetworkPrediction(model, new());
        prediction.Run([.. images.Select(i => i.Volume)], labels, new(), walk with { Progress = null });
        return labels;
    }

    private static JsonObject Row(string method, Volume<byte> found, Specimen specimen, NetworkModel? model)
    {
        var score = Confusion.Of(found, specimen.Truth, Traversal.Default).Score(solid: 2);
        return new()
        {
            ["method"] = method,
            ["mpPercent"] = score.Binary!.Mp,
            ["mgpPercent"] = score.Binary.Mgp,
            ["meanDice"] = score.MeanDice,
            ["solidFraction"] = score.Classes.First(c => c.Label == 2).Fraction,
            ["trueFraction"] = score.Classes.First(c => c.Label == 2).TrueFraction,
            ["parameters"] = model?.Architecture.Build().Parameters,
            ["epochs"] = model?.Training.Curve.Count,
            ["validation"] = model is null ? null : new JsonArray([.. model.Training.Curve.Select(e => JsonValue.Create(Math.Round(e.Validation, 5)))]),
        };
    }

    private static string Conditions(JsonObject json) => json["conditions"]!.GetValue<string>() == "as shot" ? "as shot"
        : "with the thesis' noise and blurred edges (see [shine-through](shine-through.md))";

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var paper = new Dictionary<string, string>
        {
            ["k-means, 1 kV"] = "4.455",
            ["k-means, 2 kV"] = "9.490",
            ["k-means, 4 kV"] = "18.626",
            ["2-D, 7 adjacent slices, 1 kV"] = "0.245",
            ["2-D, 7 adjacent slices, 2 kV"] = "0.654",
            ["2-D, 7 adjacent slices, 4 kV"] = "1.407",
            ["late fusion, 1 + 2 + 4 kV"] = "0.225",
            ["early fusion, 1 + 2 + 4 kV"] = "2.8",
        };
        var text = new StringBuilder("# Networks on simulated nanoporous gold\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study networks`: hierarchical gold (110 and 15 nm) in epoxy, voxels of 5 nm, {json["electronsPerPixel"]} electrons per pixel, images {Conditions(json)}. ");
        text.Append(CultureInfo.InvariantCulture, $"Trained on {json["training"]} voxels of seed {json["seed"]}, of which the last fifth is validation; scored once on {json["test"]} voxels of seed {json["testSeed"]}, which no training saw. ");
        text.Append(CultureInfo.InvariantCulture, $"Whatever had to be chosen was chosen on seeds 11 and 12. U-Nets of 3 blocks and 16 features (8 in 3-D), {json["epochs"]} epochs of {json["windows"]} patches of 64×64, in 3-D of as many voxels; cross-entropy, flips and quarter turns, ");
        text.Append(CultureInfo.InvariantCulture, $"the rate falling as a cosine from 0.003. k-means has three clusters, the brightest is solid. Training took {V(json["trainingSeconds"]) / 60:0} minutes of one thread, waiting for others included. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append("| method | MP % | T-III MP % | MGP % | mean Dice | solid fraction (true) | k-means' MP / MP | parameters | epochs |\n|---|---|---|---|---|---|---|---|---|\n");
        var rows = json["rows"]!.AsArray().Select(r => r!.AsObject()).ToArray();
        foreach (var row in rows)
        {
            var method = row["method"]!.GetValue<string>();
            var kV = method[^4..];
            // a fusion is held against the best of the thresholds
            var single = rows.Where(r => r["method"]!.GetValue<string>() is var m && m.StartsWith("k-means", StringComparison.Ordinal) && (method.Contains('+', StringComparison.Ordinal) || m.EndsWith(kV, StringComparison.Ordinal))).Min(r => V(r["mpPercent"]));
            text.Append(CultureInfo.InvariantCulture, $"| {method} | {V(row["mpPercent"]):0.00} | {paper.GetValueOrDefault(method)} | {V(row["mgpPercent"]):0.0} | {V(row["meanDice"]):0.000} | {V(row["solidFraction"]):0.000} ({V(row["trueFraction"]):0.000}) | {single / V(row["mpPercent"]):0.0} | {row["parameters"]} | {row["epochs"]} |\n");
        }
        return text.ToString();
    }
}

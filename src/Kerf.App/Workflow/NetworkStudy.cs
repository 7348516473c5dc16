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
/// members of the late fusion are the single networks with adjacent slices. T-I compares slices, adjacent slices and the volume at 2 kV with empty pores
/// instead. Each network trains on one thread, as many side by side as there are threads: so their number changes nothing.
/// </summary>
/// <param name="Edge">Pixels of a slice of the specimen that is trained on, along both sides; of the one that is scored two thirds.</param>
/// <param name="Depth">Slices of each specimen; the structure goes on below the last one.</param>
/// <param name="Electrons">Per pixel.</param>
/// <param name="Epochs">Of each network.</param>
/// <param name="Windows">Patches of 64×64 pixels in an epoch; in 3-D as many voxels.</param>
/// <param name="Seed">Of the training specimen and the networks; the other specimen has the next seed.</param>
public sealed record NetworkStudy(int Edge, int Depth, int Electrons, int Epochs, int Windows, ulong Seed)
{
    // a network with 7 adjacent slices lacks some of them there
    private const int Ends = 3;

    // what is not imaged, but shines through (nm): through empty pores electrons see far
    private const double Below = 750;

    /// <summary>What is done to the images as the simulation counts them: one of <see cref="ThesisImage.Sessions"/>.</summary>
    public string Noise { get; init; } = "thesis";

    /// <summary>True for T-I's comparison: pores are empty, 2 kV alone.</summary>
    public bool Vacuum { get; init; }

    /// <summary>Edge of a voxel in nanometres. T-II states 2.5 nm for the synthetic gold of the thesis; T-I and T-III state none.</summary>
    public double Voxel { get; init; } = 2.5;

    /// <summary>Name of the page, and of the models in front of what they see: one for each set of conditions.</summary>
    public string Name(string first) => $"{first}{(Vacuum ? "-vacuum" : "")}{(Noise == "thesis" ? "" : $"-{Noise}")}";

    private double[] Voltages => Vacuum ? [2] : [1, 2, 4];

    private sealed record Specimen(Volume<byte> Truth, (string Name, IVolume Volume)[] Images);

    private sealed record Network(string Name, string Method, int[] Voltages, NetworkOptions Options);

    // the thesis' networks of the late fusion have four blocks and are residual; the others here too
    private static readonly NetworkOptions Planar = new() { Depth = 4, Residual = true, Width = 16 };

    private static readonly NetworkOptions Whole = new() { Architecture = ArchitectureKind.Unet3d, Depth = 3, Width = 8, Patch = 32, Batch = 4 };

    // those that take longest first
    private Network[] Networks => Vacuum
        ?
        [
            new("adjacent", "2-D, 7 adjacent slices, 2 kV", [0], Planar with { Slices = 7 }),
            new("2-d", "2-D, 2 kV", [0], Planar),
            new("3-d", "3-D, 2 kV", [0], Whole),
        ]
        :
        [
            new("late", "late fusion, 1 + 2 + 4 kV", [0, 1, 2], Planar with { Slices = 7, Fusion = Fusion.Late }),
            new("2-d", "2-D, 2 kV", [1], Planar),
            new("early", "early fusion, 1 + 2 + 4 kV", [0, 1, 2], Planar with { Slices = 7, Fusion = Fusion.Early }),
            new("3-d", "3-D, 2 kV", [1], Whole),
        ];

    /// <summary>Runs the study. Models go to the folder; a killed study goes on with the last epochs that it has.</summary>
    public JsonObject Run(string folder, Traversal walk, Action<string> say)
    {
        say("simulating");
        var train = Make(new(Depth, Edge, Edge), Seed, folder, walk);
        var test = Make(new(Depth, Edge * 2 / 3, Edge * 2 / 3), Seed + 1, folder, walk);
        var (networks, rows) = (Networks, new JsonArray());
        var models = new NetworkModel[networks.Length];
        walk.ForEach(networks.Length, i => models[i] = Train(networks[i], train, folder, walk with { Threads = 1, Progress = null }, say));
        Torch.Start(walk.Threads, "cpu");
        foreach (var (name, image) in test.Images) rows.Add(Row($"k-means, {name}", KMeans(image, walk), test, null));
        void Score(string method, NetworkModel model, int[] voltages) => rows.Add(Row(method, Predict(model, [.. voltages.Select(v => test.Images[v])], walk), test, model));
        void ScoreAll(bool fused)
        {
            for (var i = 0; i < networks.Length; i++)
                if (networks[i].Voltages.Length > 1 == fused) Score(networks[i].Method, models[i], networks[i].Voltages);
        }
        ScoreAll(fused: false);
        for (var c = 0; c < Voltages.Length && models[0].Architecture.IsEnsemble; c++) Score($"2-D, 7 adjacent slices, {train.Images[c].Name}", models[0].Member(c), [c]);
        ScoreAll(fused: true);
        return new()
        {
            ["noise"] = Noise,
            ["pores"] = Vacuum ? "empty" : "epoxy",
            ["training"] = train.Truth.Info.Size.ToString(),
            ["test"] = test.Truth.Info.Size.ToString(),
            ["voxelNm"] = Voxel,
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
        var structure = Volume<byte>.Load(VirtualStructure.Make("hierarchical", size with { Z = size.Z + (int)(Below / Voxel) }, VoxelSize.Cube(Voxel), 0.12, 170, seed, walk));
        var truth = new Volume<byte>(structure.Info with { Size = size });
        structure.Data.AsSpan(0, truth.Data.Length).CopyTo(truth.Data);
        double[] cuts = [.. Enumerable.Range(0, size.Z).Select(z => (double)z)];
        var materials = new Dictionary<int, Material> { [1] = Vacuum ? Material.Vacuum : Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        return new(truth, [.. Voltages.Select(keV =>
        {
            // hours of electrons: kept, so that a killed study does not count them again
            var place = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"gold-{seed}-{size.Z}x{size.Y}x{size.X}-{Voxel}nm-{keV}kV-{Electrons}{(Vacuum ? "-vacuum" : "")}.zarr"));
            if (!Directory.Exists(place))
            {
                var (signal, error) = (new Volume<float>(truth.Info with { Phases = null }), new Volume<float>(truth.Info with { Phases = null }));
                ElectronImage.Make(structure, materials, new() { KeV = keV, ElectronsPerPixel = Electrons, Depth = Vacuum ? Below : 0 }, signal, error, seed, walk, cuts);
                VolumeFile.Save(signal, place, walk);
            }
            var grey = ThesisImage.Grey(Volume<float>.Load((IVolume<float>)VolumeFile.Open(place)));
            return (string.Create(CultureInfo.InvariantCulture, $"{keV} kV"), (IVolume)ThesisImage.Spoil(grey, truth, ThesisImage.Sessions[Noise], seed, walk));
        })]);
    }

    private NetworkModel Train(Network network, Specimen specimen, string folder, Traversal walk, Action<string> say)
    {
        var path = Path.Combine(folder, $"{Name("gold")}-{network.Name}.kerf");
        var (patch, planar) = (network.Options.Patch, network.Options.Architecture == ArchitectureKind.Unet);
        var options = network.Options with
        {
            Loss = Loss.CrossEntropy,
            Schedule = Schedule.Cosine,
            Rate = 3e-3,
            Augment = [Augmentation.Flips, Augmentation.Turns, Augmentation.Crops],
            Epochs = Epochs,
            Stop = Epochs,
            Windows = planar ? Windows : Windows * 64 * 64 / (patch * patch * patch),
            Split = [0.8, 0.2, 0],
        };
        return StudyTraining.Model(path, network.Name, [.. network.Voltages.Select(v => specimen.Images[v])], specimen.Truth, options, Seed, walk, say);
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
        using var prediction = new NetworkPrediction(model, new() { Flips = true });
        prediction.Run([.. images.Select(i => i.Volume)], labels, new(), walk with { Progress = null });
        return labels;
    }

    private static JsonObject Row(string method, Volume<byte> found, Specimen specimen, NetworkModel? model)
    {
        var size = specimen.Truth.Info.Size;
        var score = Confusion.Of(found, specimen.Truth, Traversal.Default).Score(solid: 2);
        var inside = Confusion.Of(found, specimen.Truth, Traversal.Default, size.Z > 2 * Ends ? new Box(new(Ends, 0, 0), size with { Z = size.Z - 2 * Ends }) : null).Score(solid: 2);
        return new()
        {
            ["method"] = method,
            ["mpPercent"] = score.Binary!.Mp,
            ["mpInsidePercent"] = inside.Binary!.Mp,
            ["mgpPercent"] = score.Binary.Mgp,
            ["meanDice"] = score.MeanDice,
            ["solidFraction"] = score.Classes.First(c => c.Label == 2).Fraction,
            ["trueFraction"] = score.Classes.First(c => c.Label == 2).TrueFraction,
            ["parameters"] = model?.Architecture.Build().Parameters,
            ["epochs"] = model?.Training.Curve.Count,
            ["trainingLoss"] = model?.Training.Curve[^1].Loss,
            ["validationLoss"] = model?.Training.Curve[^1].Validation,
            ["validation"] = model is null ? null : new JsonArray([.. model.Training.Curve.Select(e => JsonValue.Create(Math.Round(e.Validation, 5)))]),
        };
    }

    // T-I table 6 (levelled-wave structures at 2 kV); T-III tables 2 and 3
    private static readonly Dictionary<string, string> Empty = new() { ["k-means, 2 kV"] = "26", ["2-D, 2 kV"] = "4", ["2-D, 7 adjacent slices, 2 kV"] = "3", ["3-D, 2 kV"] = "3" };

    private static readonly Dictionary<string, string> Filled = new()
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

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        var empty = json["pores"]!.GetValue<string>() == "empty";
        var (source, paper) = empty ? ("T-I", Empty) : ("T-III", Filled);
        var noise = json["noise"]!.GetValue<string>();
        var conditions = noise switch
        {
            "none" => "as the simulation counts them",
            "gaussian" => "with the thesis' Gaussian noise and blurred edges (see [shine-through](shine-through.md)), without its Poisson noise: electrons are counted in the simulation, and not once more",
            _ => "with the thesis' noise and blurred edges (see [shine-through](shine-through.md))",
        };
        var text = new StringBuilder("# Networks on simulated nanoporous gold\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study networks{(empty ? " --vacuum" : "")}{(noise == "thesis" ? "" : $" --noise {noise}")} --voxel {json["voxelNm"]} --electrons-per-pixel {json["electronsPerPixel"]} --seed {json["seed"]}`: hierarchical gold (110 and 15 nm) {(empty ? "with empty pores" : "in epoxy")}, voxels of {json["voxelNm"]} nm{(V(json["voxelNm"]) == 2.5 ? " (T-II states them for its synthetic gold, T-I and T-III tell none)" : "")}, {json["electronsPerPixel"]} electrons per pixel (the thesis' microscope: 50 pA for 30 µs, 9,400), images {conditions}. ");
        text.Append(CultureInfo.InvariantCulture, $"Trained on {json["training"]} voxels of seed {json["seed"]}, of which a fifth is validation; scored once on {json["test"]} voxels of seed {json["testSeed"]}, which no training saw. ");
        text.Append(CultureInfo.InvariantCulture, $"Whatever had to be chosen was chosen on other seeds or on the validation part{(empty ? "" : "; that late fusion wanted another ensemble, a first score told (docs/methods/network.md)")}{(noise == "gaussian" ? "; that Poisson noise is left away, scores under it led to (docs/methods/network.md)" : "")}. Residual U-Nets of 4 blocks and 16 features, in 3-D plain ones of 3 blocks and 8, {json["epochs"]} epochs of {json["windows"]} patches of 64×64, in 3-D of as many voxels; cross-entropy, flips and quarter turns, ");
        text.Append(CultureInfo.InvariantCulture, $"the rate falling as a cosine from 0.003; probabilities are means over the four mirror images of a slice. k-means has three clusters, the brightest is solid. Training took {json["trainingSeconds"]!.GetValue<double>() / 60:0} minutes of one thread, waiting for others included. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| method | MP % | without the {Ends} slices at either end | {source} MP % | MGP % | mean Dice | solid fraction (true) | k-means' MP / MP | losses | parameters | epochs |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject())) text.Append(Line(row, json, paper));
        text.Append("\nLosses: of the training and the validation part in the last epoch. A fusion is held against the best k-means.\n\n").Append(Verdict(json));
        return text.ToString();
    }

    private static double V(JsonNode? node) => node!.GetValue<double>();

    private static string Line(JsonObject row, JsonObject json, Dictionary<string, string> paper)
    {
        var method = row["method"]!.GetValue<string>();
        var losses = row["trainingLoss"] is { } loss ? string.Create(CultureInfo.InvariantCulture, $"{V(loss):0.000}, {V(row["validationLoss"]):0.000}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"| {method} | {V(row["mpPercent"]):0.00} | {V(row["mpInsidePercent"]):0.00} | {paper.GetValueOrDefault(method)} | {V(row["mgpPercent"]):0.0} | {V(row["meanDice"]):0.000} | ")
            + string.Create(CultureInfo.InvariantCulture, $"{V(row["solidFraction"]):0.000} ({V(row["trueFraction"]):0.000}) | {Ratio(row, json):0.0} | {losses} | {row["parameters"]} | {row["epochs"]} |\n");
    }

    // a fusion is held against the best of the thresholds
    private static double Ratio(JsonObject row, JsonObject json, string score = "mpPercent")
    {
        var method = row["method"]!.GetValue<string>();
        return json["rows"]!.AsArray().Where(r => r!["method"]!.GetValue<string>() is var m && m.StartsWith("k-means", StringComparison.Ordinal)
            && (method.Contains('+', StringComparison.Ordinal) || m.EndsWith(method[^4..], StringComparison.Ordinal))).Min(r => V(r![score])) / V(row[score]);
    }

    private static string Verdict(JsonObject json)
    {
        JsonObject[] networks = [.. json["rows"]!.AsArray().Select(r => r!.AsObject()).Where(r => r["trainingLoss"] is not null)];
        string Names(bool reached, string score = "mpPercent") =>
            networks.Where(r => Ratio(r, json, score) >= 5 == reached).Select(r => string.Create(CultureInfo.InvariantCulture, $"{r["method"]} ({Ratio(r, json, score):0.0})")).ToArray() is { Length: > 0 } names
                ? string.Join("; ", names) : "none";
        return $"Five times below k-means: {Names(true)}. Not: {Names(false)}. "
            + $"Without the {Ends} slices at either end of the stack, where adjacent slices are missing and their mirror images stand in: {Names(true, "mpInsidePercent")}; not: {Names(false, "mpInsidePercent")}.\n";
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Networks on simulated nanoporous gold, as T-I and T-III compare them: hierarchical gold in epoxy at 1, 2 and 4 kV, a specimen for training and another one for
/// the score. k-means, single slices, adjacent slices, the volume; voltages fused early and late. The members of the late fusion are the single networks
/// with adjacent slices.
/// </summary>
/// <param name="Edge">Pixels of a slice along both sides.</param>
/// <param name="Depth">Slices of the specimen that is trained on; the one that is scored has two thirds as many.</param>
/// <param name="Electrons">Per pixel.</param>
/// <param name="Epochs">At most, of each network.</param>
/// <param name="Seed">Of the training specimen and the networks; the other specimen has the next seed.</param>
public sealed record NetworkStudy(int Edge, int Depth, int Electrons, int Epochs, ulong Seed)
{
    private static readonly double[] Voltages = [1, 2, 4];

    private sealed record Specimen(Volume<byte> Truth, (string Name, IVolume Volume)[] Images);

    /// <summary>Runs the study. Models go to the folder; a killed study goes on with the networks that it has.</summary>
    public JsonObject Run(string folder, Traversal walk, Action<string> say)
    {
        say("simulating");
        var train = Make(new(Depth, Edge, Edge), Seed, folder, walk);
        var test = Make(new(Depth * 2 / 3, Edge, Edge), Seed + 1, folder, walk);
        var rows = new JsonArray();
        foreach (var (name, image) in test.Images) rows.Add(Row($"k-means, {name}", KMeans(image, walk), test, null));
        var plain = Train("2-D", 1, train.Images[1..2], new(), train, folder, walk, say);
        rows.Add(Row("2-D, 2 kV", Predict(plain, test.Images[1..2], walk), test, plain));
        var volume = Train("3-D", 1, train.Images[1..2], new() { Architecture = ArchitectureKind.Unet3d, Width = 8, Patch = 24 }, train, folder, walk, say);
        rows.Add(Row("3-D, 2 kV", Predict(volume, test.Images[1..2], walk), test, volume));
        var early = Train("early", 7, train.Images, new() { Fusion = Fusion.Early }, train, folder, walk, say);
        var late = Train("late", 7, train.Images, new() { Fusion = Fusion.Late }, train, folder, walk, say);
        for (var c = 0; c < Voltages.Length; c++)
        {
            var member = late.Member(c);
            rows.Add(Row($"2-D, 7 adjacent slices, {member.Channels[0]}", Predict(member, [test.Images[c]], walk), test, member));
        }
        rows.Add(Row("early fusion, 1 + 2 + 4 kV", Predict(early, test.Images, walk), test, early));
        rows.Add(Row("late fusion, 1 + 2 + 4 kV", Predict(late, test.Images, walk), test, late));
        return new()
        {
            ["training"] = train.Truth.Info.Size.ToString(),
            ["test"] = test.Truth.Info.Size.ToString(),
            ["electronsPerPixel"] = Electrons,
            ["epochs"] = Epochs,
            ["seed"] = Seed,
            ["testSeed"] = Seed + 1,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = rows,
        };
    }

    private Specimen Make(Size3 size, ulong seed, string folder, Traversal walk)
    {
        var truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", size, VoxelSize.Cube(5), 0.12, 170, seed, walk with { Progress = null }));
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        return new(truth, [.. Voltages.Select(keV =>
        {
            // hours of electrons: kept, so that a killed study does not count them again
            var place = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"gold-{seed}-{size.Z}x{size.Y}x{size.X}-{keV}kV-{Electrons}.zarr"));
            if (!Directory.Exists(place))
            {
                var (signal, error) = (new Volume<float>(truth.Info with { Phases = null }), new Volume<float>(truth.Info with { Phases = null }));
                ElectronImage.Make(truth, materials, new() { KeV = keV, ElectronsPerPixel = Electrons }, signal, error, seed, walk with { Progress = null });
                VolumeFile.Save(signal, place, walk with { Progress = null });
            }
            return (string.Create(CultureInfo.InvariantCulture, $"{keV} kV"), (IVolume)Volume<float>.Load((IVolume<float>)VolumeFile.Open(place)));
        })]);
    }

    private NetworkModel Train(string name, int slices, (string Name, IVolume Volume)[] channels, NetworkOptions options, Specimen specimen, string folder, Traversal walk, Action<string> say)
    {
        var path = Path.Combine(folder, $"gold-{name.ToLowerInvariant()}.kerf");
        if (File.Exists(path)) return NetworkFile.Load(path);
        options = options with
        {
            Slices = slices,
            Depth = 3,
            Width = options.Width ?? 16,
            Patch = options.Patch == 64 ? 48 : options.Patch,
            Rate = 2e-3,
            Epochs = Epochs,
            Patience = 6,
            Stop = 14,
            Split = [0.8, 0.2, 0],
        };
        var training = new NetworkTraining(channels, specimen.Truth, options, Seed, path, walk with { Progress = null })
        {
            Report = (stage, e) => say(string.Create(CultureInfo.InvariantCulture, $"{name} {stage} epoch {e.Epoch}: loss {e.Loss:0.0000}, validation {e.Validation:0.0000}, {e.Seconds:0.0} s")),
        };
        var model = training.Run(resume: true, "cpu");
        NetworkFile.Save(model, path);
        training.Clean();
        return model;
    }

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
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study networks`: hierarchical gold (110 and 15 nm) in epoxy, voxels of 5 nm, {json["electronsPerPixel"]} electrons per pixel. Trained on {json["training"]} voxels of seed {json["seed"]}, ");
        text.Append(CultureInfo.InvariantCulture, $"of which the last fifth is validation; scored on {json["test"]} voxels of seed {json["testSeed"]}, which no training saw. U-Nets of 3 blocks and 16 features (8 in 3-D), at most {json["epochs"]} epochs. k-means has three clusters, the brightest is solid. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
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

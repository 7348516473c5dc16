using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Makes the models that come with the program: many small virtual specimens, each under a beam and in a session of its own, a U-Net on five adjacent slices, and
/// its score on specimens that it never saw beside Otsu and k-means.
/// </summary>
/// <param name="Training">Specimens that are trained on; of them a tenth is for validation and a tenth held back.</param>
/// <param name="Scored">Further specimens, of other seeds, that the table tells of.</param>
/// <param name="Epochs">Of 960 patches of 48×48.</param>
/// <param name="Seed">Of the training and its specimens; those of the score have the next seed.</param>
public sealed record PretrainedStudy(int Training, int Scored, int Epochs, ulong Seed)
{
    private static readonly Size3 Extent = new(12, 112, 112);

    // slices that a network sees, and those at either end of a specimen that lack neighbours
    private const int Slices = 5, Ends = Slices / 2;

    // what is not imaged, but shines through (nm)
    private const double Below = 750;

    /// <summary>Names of the models.</summary>
    public static readonly IReadOnlyList<string> Names = ["nanoporous-gold", "cathode-particle-pores"];

    private sealed record Draw(string Kind, double Solid, double Wavelength, double Voxel, string Medium, double KeV, Session Session)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{Kind}, {Wavelength:0} nm, solid {Solid:0.00}, voxels of {Voxel:0.0} nm, {Medium}, {KeV} kV, {Session.ElectronsAtWhite:0} electrons at white, noise {Session.NoiseSigma:0}, blur {Session.PointSpread:0.0}, curtains {Session.CurtainGrey:0}");
    }

    /// <summary>Makes one model, or scores the one that is there. A killed run goes on with the epochs that it has.</summary>
    public JsonObject Run(string name, string folder, Traversal walk, Action<string> say)
    {
        walk = walk with { Progress = null };
        var gold = name == Names[0];
        var path = Path.Combine(folder, name + ".kerf");
        var model = File.Exists(path) ? NetworkFile.Load(path) : Trained(name, gold, path, walk, say);
        return new()
        {
            ["model"] = name,
            ["network"] = string.Create(CultureInfo.InvariantCulture,
                $"{(model.Architecture.Residual ? "residual " : "")}U-Net on {model.Architecture.Slices} adjacent slices, {model.Architecture.Depth} blocks of {model.Architecture.Width} features"),
            ["parameters"] = model.Architecture.Build().Parameters,
            ["bytes"] = new FileInfo(path).Length,
            ["training"] = Training,
            ["epochs"] = model.Training.Curve.Count,
            ["seconds"] = Math.Round(model.Training.Curve.Sum(e => e.Seconds)),
            ["seed"] = Seed,
            ["testSeed"] = Seed + 1,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = new JsonArray([.. Enumerable.Range(0, Scored).Select(i => (JsonNode)Score(model, gold, i, walk, say))]),
        };
    }

    private NetworkModel Trained(string name, bool gold, string path, Traversal walk, Action<string> say)
    {
        var (image, labels) = Stacked(gold, walk, say);
        var options = new NetworkOptions
        {
            Slices = Slices,
            Depth = 4,
            Residual = true,
            Width = 16,
            Patch = 48,
            Batch = 8,
            Windows = 960,
            Loss = Loss.CrossEntropy,
            Schedule = Schedule.Cosine,
            Rate = 3e-3,
            Epochs = Epochs,
            Stop = Epochs,
            Split = [0.8, 0.1, 0.1],
            Augment = [Augmentation.Flips, Augmentation.Turns, Augmentation.Crops, Augmentation.Stretch, Augmentation.Brightness, Augmentation.Noise, Augmentation.Blur],
        };
        // voxels are of many sizes: none is the model's
        return StudyTraining.Model(path, name, [("image", image)], labels, options, Seed, walk, say,
            model => model with { Voxel = null, Phases = [new(1, "pore", "#2b2b33"), new(2, gold ? "gold" : "active material", gold ? "#e8b23a" : "#e8883a")] });
    }

    // one stack of all specimens, each scaled by itself as a stack is for the network; slices whose neighbours belong to another specimen have no label
    private (Volume<float> Image, Volume<byte> Labels) Stacked(bool gold, Traversal walk, Action<string> say)
    {
        var size = Extent with { Z = Extent.Z * Training };
        var (image, labels) = (new Volume<float>(size), new Volume<byte>(size));
        var count = (int)Extent.Count;
        for (var i = 0; i < Training; i++)
        {
            var (grey, truth) = Make(gold, Seed, i, walk, say);
            new GreyScaling(GreyRule.Standard, false).Of(grey, walk).Read(Box.Whole(Extent), image.Data.AsSpan(i * count, count));
            var end = Ends * (int)Extent.SliceCount;
            truth.Data.AsSpan(end, count - 2 * end).CopyTo(labels.Data.AsSpan(i * count + end));
        }
        return (image, labels);
    }

    private static Draw Drawn(bool gold, ulong seed, int item)
    {
        var random = new CounterRandom(seed, 0x5052_4554UL << 16 | (uint)item);
        double Between(double low, double high) => low + (high - low) * random.NextDouble();
        var session = Session.Perfect with
        {
            PointSpread = Between(0.5, 1.2),
            ElectronsAtWhite = Math.Pow(10, Between(2.2, 3.4)),
            NoiseSigma = Between(2, 14),
            CurtainGrey = Between(0, 8),
            BrightnessJump = Between(0, 6),
        };
        var keV = new[] { 1.0, 2, 3, 5 }[random.NextInt(4)];
        var medium = random.NextInt(2) == 0 ? "epoxy" : "vacuum";
        var second = item % 2 == 1;
        return gold
            ? second ? new("levelled-wave", Between(0.2, 0.4), Between(60, 200), Between(4, 8), medium, Math.Min(keV, 4), session)
                : new("hierarchical", Between(0.1, 0.2), Between(150, 220), Between(4, 5.5), medium, Math.Min(keV, 4), session)
            // inside a particle, or at its rim
            : second ? new("particle", Between(0.8, 0.95), Between(250, 600), Between(12, 20), medium, keV, session)
                : new("levelled-wave", Between(0.75, 0.95), Between(250, 700), Between(10, 20), medium, keV, session);
    }

    private static (Volume<byte> Image, Volume<byte> Truth) Make(bool gold, ulong seed, int item, Traversal walk, Action<string> say)
    {
        var draw = Drawn(gold, seed, item);
        say($"specimen {seed}.{item}: {draw}");
        var stream = seed * 1000 + (ulong)item;
        // a particle is a ball in its canvas: its middle is looked at
        var canvas = draw.Kind == "particle" ? new Size3(100, 140, 140) : Extent with { Z = Extent.Z + (int)(Below / draw.Voxel) };
        var whole = VirtualStructure.Make(draw.Kind, canvas, VoxelSize.Cube(draw.Voxel), draw.Solid, draw.Wavelength, stream, walk);
        var rest = canvas - Extent;
        var start = new Size3(draw.Kind == "particle" ? rest.Z / 2 : 0, rest.Y / 2, rest.X / 2);
        var scene = new Volume<byte>(whole.Info with { Size = Extent with { Z = canvas.Z - start.Z } });
        whole.Read(new(start, scene.Info.Size), scene.Data);
        var truth = new Volume<byte>(whole.Info with { Size = Extent });
        scene.Data.AsSpan(0, truth.Data.Length).CopyTo(truth.Data);
        double[] cuts = [.. Enumerable.Range(0, Extent.Z).Select(z => (double)z)];
        var materials = new Dictionary<int, Material> { [1] = Material.Parse(draw.Medium), [2] = Material.Parse(gold ? "Au" : "NMC811") };
        var (signal, error) = (new Volume<float>(truth.Info with { Phases = null }), new Volume<float>(truth.Info with { Phases = null }));
        ElectronImage.Make(scene, materials, new() { KeV = draw.KeV, ElectronsPerPixel = 100 }, signal, error, stream, walk, cuts);
        return (ThesisImage.Spoil(ThesisImage.Grey(signal), truth, draw.Session, stream, walk), truth);
    }

    private JsonObject Score(NetworkModel model, bool gold, int item, Traversal walk, Action<string> say)
    {
        var (image, truth) = Make(gold, Seed + 1, item, walk, say);
        var labels = new Volume<byte>(image.Info);
        using var prediction = new NetworkPrediction(model, new());
        prediction.Run([image], labels, new(), walk);
        var histogram = Histogram.OfStack(image, walk);
        double Missed(Func<int, byte> found) => 100.0 * Enumerable.Range(0, truth.Data.Length).Count(i => found(i) != truth.Data[i]) / truth.Data.Length;
        double Cut(double threshold) => Missed(i => (byte)(image.Data[i] >= threshold ? 2 : 1));
        return new()
        {
            ["specimen"] = Drawn(gold, Seed + 1, item).ToString(),
            ["otsuPercent"] = Cut(GreyClasses.Thresholds(histogram, 2)[0]),
            ["kmeansPercent"] = Cut(GreyClasses.Thresholds(histogram, 3)[1]),
            ["networkPercent"] = Missed(i => labels.Data[i]),
        };
    }

    /// <summary>The scores of a model as a table.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {json["model"]}\n\nBy `kerf study models --specimens {json["training"]} --epochs {json["epochs"]}`: {json["network"]}, {json["parameters"]} parameters, {json["bytes"]!.GetValue<long>() / 1024} KiB; trained on {json["training"]} specimens of seed {json["seed"]}, ");
        text.Append(CultureInfo.InvariantCulture, $"{json["epochs"]} epochs, {V(json["seconds"]):0} s. {json["version"]}, {json["machine"]}, {json["date"]}.\n\nSpecimens of seed {json["testSeed"]}, which no training saw; voxels misplaced in percent:\n\n");
        text.Append("| specimen | Otsu | k-means (3, the brightest solid) | network |\n|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray())
            text.Append(CultureInfo.InvariantCulture, $"| {row!["specimen"]} | {V(row["otsuPercent"]):0.0} | {V(row["kmeansPercent"]):0.0} | {V(row["networkPercent"]):0.0} |\n");
        double Mean(string of) => json["rows"]!.AsArray().Average(row => V(row![of]));
        return text.Append(CultureInfo.InvariantCulture, $"| **mean** | {Mean("otsuPercent"):0.0} | {Mean("kmeansPercent"):0.0} | {Mean("networkPercent"):0.0} |\n").ToString();
    }
}

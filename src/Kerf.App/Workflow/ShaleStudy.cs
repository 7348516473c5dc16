using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// A network beside a random forest on real images with labels drawn by hand: clay-rich regions of a Duvernay shale (Chen et al. 2020,
/// doi:10.1016/j.cageo.2020.104450). The tiles overlap by half and are cut from one strip, so they are put together again and the strip is cut into stretches
/// that share no pixel; each stretch is segmented by what learned on the others alone.
/// </summary>
/// <param name="Stretches">Parts of the strip along y; each is tested once.</param>
/// <param name="Epochs">Of each network.</param>
/// <param name="Seed">Of networks and forests.</param>
public sealed record ShaleStudy(int Stretches, int Epochs, ulong Seed)
{
    // how the tiles lie: numbered down a column, the next column half a tile to the right
    private const int Rows = 46, Edge = 256, Step = 128;

    private const int Clay = 1, Rest = 2;

    /// <summary>Runs the study; networks lie in the folder, and a killed study goes on with them.</summary>
    /// <param name="tiles">Holds raw/ and masks/, files in the order of their numbers.</param>
    /// <param name="folder">Receives networks and checkpoints.</param>
    /// <param name="walk">Threads.</param>
    /// <param name="say">Receives a line for each epoch.</param>
    /// <exception cref="InputError">The tiles do not lie as told, or the strip has no so many stretches.</exception>
    public JsonObject Run(string tiles, string folder, Traversal walk, Action<string> say)
    {
        walk = walk with { Progress = null };
        var (image, masks) = (Strip(Path.Combine(tiles, "raw")), Strip(Path.Combine(tiles, "masks")));
        var truth = new Volume<byte>(masks.Info with { Phases = [new(Clay, "clay", "#5a4632"), new(Rest, "rest", "#d8d4c8")] });
        for (var i = 0; i < truth.Data.Length; i++) truth.Data[i] = (byte)(masks.Data[i] == 0 ? Clay : Rest);
        var (byNetwork, byForest) = (new Volume<byte>(truth.Info), new Volume<byte>(truth.Info));
        var parameters = 0L;
        for (var k = 0; k < Stretches; k++)
        {
            int[] others = [.. Enumerable.Range(0, Stretches).Where(i => i != k)];
            var (seen, drawn, test) = (Slices(image, others), Slices(truth, others), Slices(image, [k]));
            var model = Train(k, seen, drawn, folder, walk, say);
            parameters = model.Architecture.Build().Parameters;
            var found = new Volume<byte>(test.Info);
            using (var prediction = new NetworkPrediction(model, new())) prediction.Run([test], found, new(), walk);
            found.Data.CopyTo(byNetwork.Slice(k));
            var forest = ForestTraining.Run([("sem", seen)], drawn, new() { Features = new() { Dimensions = 2 }, Forest = new() { Seed = Seed } }, walk).Model;
            ForestPrediction.Run(forest, [test], found, new(), walk);
            found.Data.CopyTo(byForest.Slice(k));
            say(string.Create(CultureInfo.InvariantCulture, $"stretch {k + 1}: network {Accuracy(byNetwork, truth, k):0.0000}, forest {Accuracy(byForest, truth, k):0.0000}"));
        }
        var nothing = new Volume<byte>(truth.Info);
        nothing.Data.AsSpan().Fill(Rest);
        return new()
        {
            ["strip"] = string.Create(CultureInfo.InvariantCulture, $"{Stretches * truth.Info.Size.Y}×{truth.Info.Size.X}"),
            ["tiles"] = Rows * ((truth.Info.Size.X - Edge) / Step + 1),
            ["stretches"] = Stretches,
            ["epochs"] = Epochs,
            ["seed"] = Seed,
            ["clay"] = (double)truth.Data.Count(v => v == Clay) / truth.Data.Length,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = new JsonArray(Row("no clay anywhere", nothing, truth, 0), Row("random forest", byForest, truth, 0), Row("U-Net", byNetwork, truth, parameters)),
        };
    }

    /// <summary>Tiles put together, cut into stretches: one slice each.</summary>
    internal Volume<byte> Strip(string folder)
    {
        var opened = VolumeFile.Open(folder);
        using var held = opened as IDisposable;
        var columns = opened.Info.Size.Z / Rows;
        if (opened is not IVolume<byte> { Info.Size: { Y: Edge, X: Edge } } source || columns == 0)
            throw new InputError($"{folder}: holds {opened.Info.Size} voxels of {opened.Info.Type.Name()}; give the {Rows} tiles of a column or more, {Edge}×{Edge} pixels of uint8 each.");
        var (tiles, height, width) = (Volume<byte>.Load(source), (Rows - 1) * Step + Edge, (columns - 1) * Step + Edge);
        if (height % Stretches != 0) throw new InputError($"--stretches is {Stretches}; the strip is {height} pixels high: choose a number that divides it, like 2, 4 or 8.");
        var (strip, placed) = (new byte[height * width], new bool[height * width]);
        for (var n = 0; n < columns * Rows; n++)
        {
            var tile = tiles.Slice(n);
            for (var i = 0; i < tile.Length; i++)
            {
                var at = (n % Rows * Step + i / Edge) * width + n / Rows * Step + i % Edge;
                if (placed[at] && strip[at] != tile[i]) throw new InputError($"{folder}: tile {n} differs from those it overlaps; the tiles do not lie half over half, {Rows} in a column.");
                (strip[at], placed[at]) = (tile[i], true);
            }
        }
        return new(new Size3(Stretches, height / Stretches, width), null, strip);
    }

    private static Volume<byte> Slices(Volume<byte> volume, int[] which)
    {
        var chosen = new Volume<byte>(volume.Info with { Size = volume.Info.Size with { Z = which.Length } });
        for (var i = 0; i < which.Length; i++) volume.Slice(which[i]).CopyTo(chosen.Slice(i));
        return chosen;
    }

    // the last fifth of each stretch is watched, not learned
    private NetworkModel Train(int stretch, Volume<byte> image, Volume<byte> labels, string folder, Traversal walk, Action<string> say)
    {
        var path = Path.Combine(folder, $"shale-{Stretches}-{stretch + 1}.kerf");
        var options = new NetworkOptions
        {
            Depth = 5,
            Width = 8,
            Loss = Loss.CrossEntropy,
            Schedule = Schedule.Cosine,
            Rate = 3e-3,
            Epochs = Epochs,
            Stop = Epochs,
            Patch = 256,
            Batch = 2,
            Augment = [Augmentation.Flips, Augmentation.Crops, Augmentation.Brightness, Augmentation.Stretch],
            Split = [0.8, 0.2, 0],
        };
        return StudyTraining.Model(path, $"stretch {stretch + 1}", [("sem", image)], labels, options, Seed, walk, say);
    }

    private static Box Stretch(Volume<byte> truth, int k) => Box.Slice(truth.Info.Size, k);

    private static double Accuracy(Volume<byte> found, Volume<byte> truth, int k) => Confusion.Of(found, truth, Traversal.Default, Stretch(truth, k)).Score().Accuracy;

    private static JsonObject Row(string method, Volume<byte> found, Volume<byte> truth, long parameters)
    {
        var score = Confusion.Of(found, truth, Traversal.Default).Score();
        // of one class F1 is its Dice coefficient
        var (clay, rest) = (score.Classes.First(c => c.Label == Clay), score.Classes.First(c => c.Label == Rest));
        return new()
        {
            ["method"] = method,
            ["accuracy"] = Math.Round(score.Accuracy, 5),
            ["f1Clay"] = Math.Round(clay.Dice, 5),
            ["f1Rest"] = Math.Round(rest.Dice, 5),
            ["iouClay"] = Math.Round(clay.Iou, 5),
            ["meanIou"] = Math.Round(score.MeanIoU, 5),
            ["parameters"] = parameters,
            ["stretches"] = new JsonArray([.. Enumerable.Range(0, truth.Info.Size.Z).Select(k => JsonValue.Create(Math.Round(Accuracy(found, truth, k), 5)))]),
        };
    }

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var text = new StringBuilder("# Clay-rich regions of a shale: a network beside a random forest\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study shale`: SEM tiles of 256×256 pixels with polygons drawn by hand (Chen et al. 2020, doi:10.1016/j.cageo.2020.104450), {V(json["clay"]):P0} clay-rich. ");
        text.Append(CultureInfo.InvariantCulture, $"The tiles overlap by half and all come from one strip: {json["tiles"]} of them, put together, are {json["strip"]} pixels without a seam, so there is one field, and it is split by stretches: {json["stretches"]} along y, no pixel in two of them. ");
        text.Append("Each is segmented by what learned on the others alone; neither method sees a pixel across a cut. Both run through Kerf's own code on the same stretches. The forest: ilastik's 49 features in 2-D, 100 trees, 200,000 pixels. ");
        text.Append(CultureInfo.InvariantCulture, $"The U-Net: 5 blocks, 8 features, patches of 256², {json["epochs"]} epochs, cross-entropy, the last fifth of each training stretch held back for the choice of the epoch. Seed {json["seed"]}; nothing was chosen on the scores. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append("| method | accuracy | F1 of clay | F1 of the rest | IoU of clay | mean IoU | accuracy of each stretch | parameters |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray())
        {
            var each = string.Join(", ", row!["stretches"]!.AsArray().Select(s => V(s).ToString("0.000", CultureInfo.InvariantCulture)));
            var parameters = row["parameters"]!.GetValue<long>();
            text.Append(CultureInfo.InvariantCulture, $"| {row["method"]} | {V(row["accuracy"]):0.000} | {V(row["f1Clay"]):0.000} | {V(row["f1Rest"]):0.000} | {V(row["iouClay"]):0.000} | {V(row["meanIou"]):0.000} | {each} | {(parameters > 0 ? parameters : "")} |\n");
        }
        return text.ToString();
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>
/// What textures beyond ilastik's gain on the superalloy scribbles: larger scales, auto-context (a second forest that also sees features of the first one's
/// probabilities; Tu and Bai 2010, doi:10.1109/TPAMI.2009.186), a smoothing prior at the end (probabilities blurred by a Gaussian before the argmax).
/// Strokes are held out whole to choose; the truth scores each variant once. kerf-benchmarks textures FOLDER OUT (without ending).
/// </summary>
public static class TextureStudy
{
    private const int Folds = 5;
    private const ulong Seed = 11;
    private static readonly Traversal Walk = new();

    private sealed record Variant(string Name, double[] Scales, bool Context, double Prior);

    private sealed record Score(string Name, double HeldOutIoU, double HeldOutAccuracy, double TruthIoU, double TruthAccuracy, double TruthAwe, double Seconds);

    public static int Run(string folder, string output)
    {
        var image = VolumeFile.Open(Path.Combine(folder, "superalloy_sem.tif"));
        var strokes = Load(Path.Combine(folder, "superalloy_scribbles.tif"));
        var truth = Load(Path.Combine(folder, "superalloy_ground_truth.tif"));
        var fold = Partition(strokes);
        double[] plain = [.. FeatureSet.AllScales];
        Variant[] variants =
        [
            new("plain", plain, false, 0), new("scale 15", [.. plain, 15], false, 0), new("scales 15 and 20", [.. plain, 15, 20], false, 0), new("auto-context", plain, true, 0),
            .. new double[] { 1, 2, 3, 5 }.Select(s => new Variant(FormattableString.Invariant($"prior {s}"), plain, false, s)),
            .. new double[] { 1, 2, 3 }.Select(s => new Variant(FormattableString.Invariant($"auto-context, prior {s}"), plain, true, s)),
        ];
        var scores = variants.Select(v => Judge(v, image, strokes, truth, fold)).ToList();
        var best = scores.MaxBy(s => s.HeldOutIoU)!;
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        File.WriteAllText(output + ".json", JsonSerializer.Serialize(
            new { data = "sem-scribbles superalloy, 2-D, 100 trees, seed 1", folds = Folds, foldSeed = Seed, chosenByHeldOutStrokes = best.Name, scores },
            new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }) + "\n");
        File.WriteAllText(output + ".md", Table(scores, best));
        Console.Write(Table(scores, best));
        return 0;
    }

    private static Volume<byte> Load(string path) => Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(path));

    // whole strokes, so that no held-out pixel has a neighbour in training; each class is dealt out by itself
    private static int[] Partition(Volume<byte> strokes)
    {
        var (fold, size) = (new int[strokes.Data.Length], strokes.Info.Size);
        Array.Fill(fold, -1);
        var dealt = new int[256];
        var random = new CounterRandom(Seed, 0);
        for (var label = 1; label < 256; label++) dealt[label] = random.NextInt(Folds);
        for (var i = 0; i < fold.Length; i++)
        {
            if (strokes.Data[i] == 0 || fold[i] >= 0) continue;
            var mine = dealt[strokes.Data[i]]++ % Folds;
            var open = new Stack<int>([i]);
            fold[i] = mine;
            while (open.TryPop(out var at))
            {
                for (var dy = -1; dy <= 1; dy++)
                {
                    for (var dx = -1; dx <= 1; dx++)
                    {
                        var (y, x) = (at / size.X + dy, at % size.X + dx);
                        var next = y * size.X + x;
                        if ((uint)y >= (uint)size.Y || (uint)x >= (uint)size.X || fold[next] >= 0 || strokes.Data[next] != strokes.Data[i]) continue;
                        fold[next] = mine;
                        open.Push(next);
                    }
                }
            }
        }
        return fold;
    }

    private static Score Judge(Variant variant, IVolume image, Volume<byte> strokes, Volume<byte> truth, int[] fold)
    {
        var held = new byte[strokes.Data.Length];
        for (var f = 0; f < Folds; f++)
        {
            var labels = Classify(variant, image, Without(strokes, fold, f), fold);
            for (var i = 0; i < held.Length; i++) if (fold[i] == f) held[i] = labels[i];
        }
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var whole = Classify(variant, image, strokes, fold);
        var seconds = clock.Elapsed.TotalSeconds;
        var (heldIoU, heldAccuracy, _) = Compare(held, strokes.Data);
        var (iou, accuracy, awe) = Compare(whole, truth.Data);
        return new(variant.Name, heldIoU, heldAccuracy, iou, accuracy, awe, seconds);
    }

    private static Volume<byte> Without(Volume<byte> strokes, int[] fold, int left) =>
        new(strokes.Info.Size, null, [.. strokes.Data.Select((label, i) => fold[i] == left ? (byte)0 : label)]);

    private static byte[] Classify(Variant variant, IVolume image, Volume<byte> strokes, int[] fold)
    {
        var options = new ForestTrainingOptions { Features = new FeatureSet { Dimensions = 2, Scales = variant.Scales } };
        var (model, _) = ForestTraining.Run([("sem", image)], strokes, options, Walk);
        var probabilities = Probabilities(model, [image]);
        if (variant.Context)
        {
            // what the second forest learns from must be as good as what it will meet: probabilities by forests that did not see the strokes nearby
            var honest = Honest(image, strokes, fold, options, model);
            var (second, _) = ForestTraining.Run([("sem", image), .. Channels(honest)], strokes, options, Walk);
            probabilities = Probabilities(second, [image, .. probabilities]);
        }
        if (variant.Prior > 0) probabilities = [.. probabilities.Select(p => Blur(p, variant.Prior))];
        var labels = new byte[strokes.Data.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            var best = 0;
            for (var c = 1; c < probabilities.Length; c++) if (probabilities[c].Data[i] > probabilities[best].Data[i]) best = c;
            labels[i] = (byte)model.Phases[best].Label;
        }
        return labels;
    }

    private static IEnumerable<(string, IVolume)> Channels(Volume<float>[] probabilities) => probabilities.Select((p, c) => ($"p{c}", (IVolume)p));

    private static Volume<float>[] Probabilities(ForestModel model, IReadOnlyList<IVolume> channels)
    {
        var size = channels[0].Info.Size;
        Volume<float>[] maps = [.. model.Phases.Select(_ => new Volume<float>(size))];
        ForestPrediction.Run(model, channels, new Volume<byte>(size), new() { Probabilities = maps }, Walk);
        return maps;
    }

    // each pixel by the forest that was trained without the fold of its nearest stroke
    private static Volume<float>[] Honest(IVolume image, Volume<byte> strokes, int[] fold, ForestTrainingOptions options, ForestModel like)
    {
        var size = strokes.Info.Size;
        var used = strokes.Data.Select((label, i) => label > 0 ? fold[i] : -1).ToArray();
        var nearest = Nearest(used, size);
        Volume<float>[] result = [.. like.Phases.Select(_ => new Volume<float>(size))];
        foreach (var f in used.Where(f => f >= 0).Distinct().ToArray())
        {
            var (model, _) = ForestTraining.Run([("sem", image)], Without(strokes, fold, f), options, Walk);
            var maps = Probabilities(model, [image]);
            for (var c = 0; c < maps.Length; c++)
            {
                var at = like.Phases.ToList().FindIndex(p => p.Label == model.Phases[c].Label);
                for (var i = 0; i < nearest.Length; i++) if (nearest[i] == f) result[at].Data[i] = maps[c].Data[i];
            }
        }
        return result;
    }

    // grown from the strokes in rings of four neighbours
    private static int[] Nearest(int[] seeds, Size3 size)
    {
        var result = seeds.ToArray();
        var open = new Queue<int>(Enumerable.Range(0, seeds.Length).Where(i => seeds[i] >= 0));
        while (open.TryDequeue(out var at))
        {
            foreach (var (dy, dx) in new[] { (-1, 0), (1, 0), (0, -1), (0, 1) })
            {
                var (y, x) = (at / size.X + dy, at % size.X + dx);
                if ((uint)y >= (uint)size.Y || (uint)x >= (uint)size.X || result[y * size.X + x] >= 0) continue;
                result[y * size.X + x] = result[at];
                open.Enqueue(y * size.X + x);
            }
        }
        return result;
    }

    private static Volume<float> Blur(Volume<float> source, double sigma)
    {
        var (size, taps) = (source.Info.Size, GaussianTaps.Smooth(sigma, GaussianTaps.Radius(sigma, 3.5)));
        var (across, result) = (new double[source.Data.Length], new Volume<float>(size));
        for (var i = 0; i < across.Length; i++)
        {
            for (var k = 1 - taps.Length; k < taps.Length; k++)
                across[i] += taps[Math.Abs(k)] * source.Data[i / size.X * size.X + Borders.Map(Border.Mirror, i % size.X + k, size.X)];
        }
        for (var i = 0; i < across.Length; i++)
        {
            var sum = 0.0;
            for (var k = 1 - taps.Length; k < taps.Length; k++) sum += taps[Math.Abs(k)] * across[Borders.Map(Border.Mirror, i / size.X + k, size.Y) * size.X + i % size.X];
            result.Data[i] = (float)sum;
        }
        return result;
    }

    // mean IoU, accuracy, average weighted error in per cent, where there is truth
    private static (double IoU, double Accuracy, double Awe) Compare(byte[] labels, byte[] truth)
    {
        int[] known = [.. Enumerable.Range(0, truth.Length).Where(i => truth[i] > 0)];
        var classes = known.Select(i => truth[i]).Distinct().Order().ToArray();
        double[] iou = [.. classes.Select(c => known.Count(i => labels[i] == c && truth[i] == c) / (double)known.Count(i => labels[i] == c || truth[i] == c))];
        var weighted = classes.Select((c, k) => iou[k] * known.Count(i => truth[i] == c) / known.Length).Sum();
        return (iou.Average(), known.Count(i => labels[i] == truth[i]) / (double)known.Length, 100 * (1 - weighted));
    }

    private static string Table(IReadOnlyList<Score> scores, Score best)
    {
        var text = new StringBuilder("# Textures beyond ilastik's, on the superalloy scribbles\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Made by `kerf-benchmarks textures`: 2-D features, 100 trees, seed 1. Held out: {Folds} folds of whole strokes (fold seed {Seed}); the best there is **{best.Name}**. The truth chose nothing.\n\n");
        text.Append("| variant | held out: mean IoU | accuracy | truth: mean IoU | accuracy | awe % | s |\n|---|---|---|---|---|---|---|\n");
        foreach (var s in scores)
            text.Append(CultureInfo.InvariantCulture, $"| {s.Name} | {s.HeldOutIoU:F3} | {s.HeldOutAccuracy:F3} | {s.TruthIoU:F3} | {s.TruthAccuracy:F3} | {s.TruthAwe:F1} | {s.Seconds:F1} |\n");
        return text.ToString();
    }
}

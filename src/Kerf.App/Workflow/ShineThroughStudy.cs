using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// What shine-through does to thresholds: levelled-wave gold (solid fraction 0.12; one wave with ligaments of about 80 nm, and two waves with
/// ligaments of about 110 and 15 nm as in the thesis) in vacuum and in epoxy, at 1, 2 and 4 kV, by two detectors, segmented by Otsu and by k-means
/// with three clusters of which the brightest is solid. Then the thesis' own conditions, one after the other, beside its tables.
/// </summary>
public static class ShineThroughStudy
{
    private static readonly double[] Energies = [1, 2, 4];

    // T-III tables 3 and 5, k-means: misplaced pixels, misplaced gold pixels (percent), mean Dice, solid fraction
    private static readonly JsonArray Paper = [new JsonArray(4.455, 8.776, 0.904, 0.147), new JsonArray(9.490, 15.573, 0.815, 0.180), new JsonArray(18.626, 20.904, 0.698, 0.258)];

    // what is shot once and looked at in several ways
    private static readonly (double Edge, int PerPixel, (string Name, Session? Session)[] Looks)[] Conditions =
    [
        (5, 100, [("as shot", null), ("noise", ThesisImage.Noise), ("noise, blurred edges", ThesisImage.NoiseAndBlur)]),
        (2.5, 100, [("noise, blurred edges; voxels of 2.5 nm", ThesisImage.NoiseAndBlur)]),
        (5, 25, [("noise, blurred edges; 25 electrons", ThesisImage.NoiseAndBlur)]),
    ];

    /// <summary>Runs the study.</summary>
    /// <param name="size">Voxels of 5 nm; half as many nanometres where voxels are 2.5 nm.</param>
    /// <param name="electrons">Per pixel.</param>
    /// <param name="seeds">Of the structures and the electrons; the first part takes the first one.</param>
    /// <param name="picture">Receives the figure; null for none.</param>
    /// <param name="walk">Threads.</param>
    public static JsonObject Run(Size3 size, int electrons, ulong[] seeds, string? picture, Traversal walk)
    {
        var (rows, montage) = (new JsonArray(), new Montage(5, 2 * size.Y, 2 * size.X));
        foreach (var (kind, edge, wavelength) in new[] { ("levelled-wave", 10.0, 200.0), ("hierarchical", 5.0, 170.0) })
        {
            var labels = Structure(kind, size, edge, wavelength, seeds[0], walk);
            foreach (var medium in new[] { "vacuum", "epoxy" })
                foreach (var detector in new[] { Detector.Tld, Detector.Icd })
                    foreach (var keV in Energies)
                    {
                        var part = walk.Part(rows.Count / 48.0, (rows.Count + 1) / 48.0);
                        var (signal, rate) = Shoot(labels, medium, new() { KeV = keV, ElectronsPerPixel = electrons, Detector = detector }, seeds[0], part);
                        rows.Add(Row(kind, medium, detector, keV, Scores(ThesisImage.Grey(signal), labels, part), signal, labels, rate));
                        if (kind == "hierarchical" && medium == "epoxy") Draw(montage, ThesisImage.Grey(signal), labels, part, keV == 1);
                    }
        }
        if (picture is not null) montage.Save(picture);
        return new()
        {
            ["study"] = "shine-through",
            ["size"] = size.ToString(),
            ["electronsPerPixel"] = electrons,
            ["seeds"] = new JsonArray([.. seeds.Select(s => JsonValue.Create(s))]),
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = rows,
            ["paper"] = Paper.DeepClone(),
            ["conditions"] = Thesis(size, seeds, walk.Part(0.5, 1)),
        };
    }

    private static JsonArray Thesis(Size3 size, ulong[] seeds, Traversal walk)
    {
        var rows = new JsonArray();
        var (done, count) = (0, Conditions.Length * Energies.Length * seeds.Length);
        foreach (var (edge, perPixel, looks) in Conditions)
        {
            Volume<byte>[] labels = [.. seeds.Select(seed => Structure("hierarchical", size, edge, 170, seed, walk))];
            // by energy and seed
            var greys = Energies.Select(keV => labels.Select((l, i) =>
            {
                var part = walk.Part((double)done / count, (done + 1.0) / count);
                done++;
                return ThesisImage.Grey(Shoot(l, "epoxy", new() { KeV = keV, ElectronsPerPixel = perPixel }, seeds[i], part).Signal);
            }).ToArray()).ToArray();
            foreach (var (name, session) in looks)
            {
                for (var e = 0; e < Energies.Length; e++)
                {
                    var scores = greys[e].Select((grey, i) => Scores(session is null ? grey : ThesisImage.Spoil(grey, labels[i], session, seeds[i], walk), labels[i], walk).KMeans).ToArray();
                    JsonArray Of(Func<IEnumerable<double>, double> take) => [.. Enumerable.Range(0, 4).Select(i => JsonValue.Create(Math.Round(take(scores.Select(s => s[i])), 4)))];
                    rows.Add(new JsonObject { ["condition"] = name, ["keV"] = Energies[e], ["mean"] = Of(v => v.Average()), ["lowest"] = Of(v => v.Min()), ["highest"] = Of(v => v.Max()) });
                }
            }
        }
        return rows;
    }

    private static Volume<byte> Structure(string kind, Size3 size, double edge, double wavelength, ulong seed, Traversal walk) =>
        Volume<byte>.Load(VirtualStructure.Make(kind, size, VoxelSize.Cube(edge), 0.12, wavelength, seed, walk with { Progress = null }));

    private static (Volume<float> Signal, double Rate) Shoot(Volume<byte> labels, string medium, Beam beam, ulong seed, Traversal walk)
    {
        var materials = new Dictionary<int, Material> { [1] = Material.Parse(medium), [2] = Material.Parse("Au") };
        var (signal, error) = (new Volume<float>(labels.Info.Size), new Volume<float>(labels.Info.Size));
        var result = ElectronImage.Make(labels, materials, beam, signal, error, seed, walk);
        return (signal, result.Electrons / result.Seconds);
    }

    // Otsu's misplaced percent; k-means: misplaced percent, misplaced gold percent, mean Dice, solid fraction
    private static (double Otsu, double[] KMeans, double Threshold) Scores(Volume<byte> grey, Volume<byte> labels, Traversal walk)
    {
        var histogram = Histogram.OfStack(grey, walk with { Progress = null });
        var (otsu, kmeans) = (GreyClasses.Thresholds(histogram, 2)[0], GreyClasses.Thresholds(histogram, 3)[1]);
        (double Both, double False, double Missed) Count(double threshold)
        {
            (double Both, double False, double Missed) n = default;
            for (var i = 0; i < grey.Data.Length; i++)
            {
                if (grey.Data[i] >= threshold && labels.Data[i] == 2) n.Both++;
                else if (grey.Data[i] >= threshold) n.False++;
                else if (labels.Data[i] == 2) n.Missed++;
            }
            return n;
        }
        double all = grey.Data.Length;
        var (o, k) = (Count(otsu), Count(kmeans));
        var pores = all - k.Both - k.False - k.Missed;
        var dice = k.Both / (2 * k.Both + k.False + k.Missed) + pores / (2 * pores + k.False + k.Missed);
        return (100 * (o.False + o.Missed) / all, [100 * (k.False + k.Missed) / all, 100 * k.Missed / (k.Both + k.Missed), dice, (k.Both + k.False) / all], kmeans);
    }

    private static JsonObject Row(
        string kind, string medium, Detector detector, double keV, (double Otsu, double[] KMeans, double Threshold) scores, Volume<float> signal, Volume<byte> labels, double rate)
    {
        double Mean(byte label) => signal.Data.Where((_, i) => labels.Data[i] == label).Average(v => (double)v);
        return new()
        {
            ["structure"] = kind,
            ["medium"] = medium,
            ["detector"] = detector.ToString().ToLowerInvariant(),
            ["keV"] = keV,
            ["otsuPercent"] = scores.Otsu,
            ["kmeansPercent"] = scores.KMeans[0],
            ["solidSignal"] = Mean(2),
            ["poreSignal"] = Mean(1),
            ["electronsPerSecond"] = rate,
        };
    }

    // a row of the figure, twice as large: truth, then 1, 2 and 4 kV, then what k-means finds at 4 kV
    private static void Draw(Montage montage, Volume<byte> grey, Volume<byte> labels, Traversal walk, bool first)
    {
        Volume<byte> Drawn(Func<int, byte> pixel) => new(grey.Info.Size, null, [.. Enumerable.Range(0, grey.Data.Length).Select(pixel)]);
        if (first) montage.Add(Drawn(i => labels.Data[i] == 2 ? (byte)235 : (byte)20), 0, 0, 0, 2);
        montage.Add(grey, 0, 0, 0, 2);
        if (montage.Count % 5 != 4) return;
        var threshold = Scores(grey, labels, walk).Threshold;
        montage.Add(Drawn(i => grey.Data[i] >= threshold ? (byte)235 : (byte)20), 0, 0, 0, 2);
    }
}

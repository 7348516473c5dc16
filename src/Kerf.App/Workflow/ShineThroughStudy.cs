using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// What shine-through does to thresholds: levelled-wave gold (solid fraction 0.12; two waves with ligaments of about 110 and 15 nm as in the thesis, and
/// either scale alone: one wave with ligaments of about 15 nm, one of about 80 nm) in vacuum and in epoxy, at 1, 2 and 4 kV, by two detectors, segmented
/// by Otsu and by k-means with three clusters of which the brightest is solid; and how bright a pore is that has gold below it. Then the thesis' own
/// conditions, one after the other, beside its tables.
/// </summary>
public static class ShineThroughStudy
{
    private static readonly double[] Energies = [1, 2, 4];

    private static readonly (string Name, string Kind, double Edge, double Wavelength)[] Kinds =
        [("hierarchical", "hierarchical", 5, 170), ("fine wave", "levelled-wave", 5, 37.5), ("coarse wave", "levelled-wave", 10, 200)];

    // T-III tables 3 and 5, k-means: misplaced pixels, misplaced gold pixels (percent), mean Dice, solid fraction
    private static readonly JsonArray Paper = [new JsonArray(4.455, 8.776, 0.904, 0.147), new JsonArray(9.490, 15.573, 0.815, 0.180), new JsonArray(18.626, 20.904, 0.698, 0.258)];

    // what is shot once and looked at in several ways
    private static readonly (double Edge, int PerPixel, (string Name, Session? Session)[] Looks)[] Conditions =
    [
        (5, 100, [("as shot", null), ("noise", ThesisImage.Noise), ("noise, blurred edges", ThesisImage.NoiseAndBlur)]),
        (2.5, 100, [("noise, blurred edges; voxels of 2.5 nm", ThesisImage.NoiseAndBlur)]),
        (5, 25, [("noise, blurred edges; 25 electrons", ThesisImage.NoiseAndBlur)]),
    ];

    // neighbours show nearly the same
    private static readonly double[] Cuts = [0, 12];

    // how often the electrons per pixel are shot where counting noise must not hide what a detector does: ICD counts few
    private const int Dose = 4;

    // slices below the last image, looked at in vacuum: without them pores would be shafts of mirror images
    private const int Below = 150;

    /// <summary>Depths in nm at which profiles change from one class to the next.</summary>
    private static readonly double[] Depths = [0, 10, 20, 30, 40, 60, 80, 120, 160];

    /// <summary>Runs the study.</summary>
    /// <param name="size">Voxels that are imaged, of 5 nm; half as many nanometres where voxels are 2.5 nm. Structures go on below.</param>
    /// <param name="electrons">Per pixel.</param>
    /// <param name="seeds">Of the structures and the electrons.</param>
    /// <param name="picture">Receives the figure; null for none.</param>
    /// <param name="walk">Threads.</param>
    public static JsonObject Run(Size3 size, int electrons, ulong[] seeds, string? picture, Traversal walk)
    {
        var (rows, montage) = (new JsonArray(), new Montage(5, 2 * size.Y, 2 * size.X));
        foreach (var (name, kind, edge, wavelength) in Kinds)
        {
            Volume<byte>[] structures = [.. seeds.Select(seed => Structure(kind, size, edge, wavelength, seed, walk))];
            foreach (var medium in new[] { "vacuum", "epoxy" })
                foreach (var detector in new[] { Detector.Tld, Detector.Icd })
                    foreach (var keV in Energies)
                    {
                        var part = walk.Part(0.7 * rows.Count / (12 * Kinds.Length), 0.7 * (rows.Count + 1) / (12 * Kinds.Length));
                        var beam = new Beam { KeV = keV, ElectronsPerPixel = electrons, Detector = detector, Depth = medium == "vacuum" ? Below * edge : 0 };
                        Look[] looks = [.. structures.Select((labels, i) => Look.At(labels, medium, beam, seeds[i], Cuts, part))];
                        var clear = detector == Detector.Icd ? Look.At(structures[0], medium, beam with { ElectronsPerPixel = Dose * electrons }, seeds[0], Cuts[..1], part) : null;
                        rows.Add(Row(name, medium, detector, keV, looks, clear, edge));
                        if (name == "hierarchical" && medium == "epoxy") Draw(montage, looks[0], keV == 1);
                    }
        }
        if (picture is not null) montage.Save(picture);
        return new()
        {
            ["study"] = "shine-through",
            ["size"] = size.ToString(),
            ["electronsPerPixel"] = electrons,
            ["dose"] = Dose,
            ["below"] = Below,
            ["seeds"] = new JsonArray([.. seeds.Select(s => JsonValue.Create(s))]),
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["depths"] = new JsonArray([.. Depths.Select(d => JsonValue.Create(d))]),
            ["rows"] = rows,
            ["paper"] = Paper.DeepClone(),
            ["conditions"] = Thesis(size, seeds, walk.Part(0.7, 1)),
        };
    }

    private static JsonArray Thesis(Size3 size, ulong[] seeds, Traversal walk)
    {
        var rows = new JsonArray();
        double[] cuts = [.. Enumerable.Range(0, size.Z / 2).Select(z => 2.0 * z)];
        var (done, count) = (0, Conditions.Length * Energies.Length * seeds.Length);
        foreach (var (edge, perPixel, looks) in Conditions)
        {
            Volume<byte>[] labels = [.. seeds.Select(seed => Structure("hierarchical", size, edge, 170, seed, walk))];
            // by energy and seed
            var shots = Energies.Select(keV => labels.Select((l, i) =>
            {
                var part = walk.Part((double)done / count, (done + 1.0) / count);
                done++;
                return Look.At(l, "epoxy", new() { KeV = keV, ElectronsPerPixel = perPixel }, seeds[i], cuts, part);
            }).ToArray()).ToArray();
            foreach (var (name, session) in looks)
            {
                for (var e = 0; e < Energies.Length; e++)
                {
                    var scores = shots[e].Select((shot, i) => Look.Scores(session is null ? shot.Grey : ThesisImage.Spoil(shot.Grey, shot.Labels, session, seeds[i], walk), shot.Labels).KMeans).ToArray();
                    JsonArray Of(Func<IEnumerable<double>, double> take) => [.. Enumerable.Range(0, 4).Select(i => JsonValue.Create(Math.Round(take(scores.Select(s => s[i])), 4)))];
                    rows.Add(new JsonObject { ["condition"] = name, ["keV"] = Energies[e], ["mean"] = Of(v => v.Average()), ["lowest"] = Of(v => v.Min()), ["highest"] = Of(v => v.Max()) });
                }
            }
        }
        return rows;
    }

    private static Volume<byte> Structure(string kind, Size3 size, double edge, double wavelength, ulong seed, Traversal walk) =>
        Volume<byte>.Load(VirtualStructure.Make(kind, size with { Z = size.Z + Below }, VoxelSize.Cube(edge), 0.12, wavelength, seed, walk with { Progress = null }));

    private static JsonObject Row(string kind, string medium, Detector detector, double keV, Look[] looks, Look? clear, double edge)
    {
        static JsonArray Three(IEnumerable<double> values)
        {
            double[] v = [.. values];
            return [.. new[] { v.Average(), v.Min(), v.Max() }.Select(x => JsonValue.Create(Math.Round(x, 4)))];
        }
        return new()
        {
            ["structure"] = kind,
            ["medium"] = medium,
            ["detector"] = detector.ToString().ToLowerInvariant(),
            ["keV"] = keV,
            ["otsuPercent"] = Three(looks.Select(l => l.Score.Otsu)),
            ["kmeansPercent"] = Three(looks.Select(l => l.Score.KMeans[0])),
            ["otsuPercentClear"] = clear is null ? null : Math.Round(clear.Score.Otsu, 4),
            ["kmeansPercentClear"] = clear is null ? null : Math.Round(clear.Score.KMeans[0], 4),
            ["solidSignal"] = Three(looks.Select(l => l.Mean(2))),
            ["poreSignal"] = Three(looks.Select(l => l.Mean(1))),
            ["lost"] = Math.Round(looks.Average(l => l.Lost), 4),
            ["shineThrough"] = Three(looks.Select(l => l.ShineThrough(edge))),
            ["profile"] = new JsonArray([.. Enumerable.Range(0, Depths.Length - 1).Select(i => Profile(looks, edge, Depths[i], Depths[i + 1]))]),
        };
    }

    // signal of pores with gold that deep below over gold's; null where a structure has none
    private static JsonNode? Profile(Look[] looks, double edge, double from, double to)
    {
        var share = looks.Average(l => l.Pores(edge, from, to) / l.Mean(2));
        return double.IsFinite(share) ? JsonValue.Create(Math.Round(share, 4)) : null;
    }

    // a row of the figure, twice as large: truth, then 1, 2 and 4 kV, then what k-means finds at 4 kV
    private static void Draw(Montage montage, Look look, bool first)
    {
        Volume<byte> Drawn(Func<int, byte> pixel) => new(look.Grey.Info.Size, null, [.. Enumerable.Range(0, look.Grey.Data.Length).Select(pixel)]);
        if (first) montage.Add(Drawn(i => look.Labels.Data[i] == 2 ? (byte)235 : (byte)20), 0, 0, 0, 2);
        montage.Add(look.Grey, 0, 0, 0, 2);
        if (montage.Count % 5 != 4) return;
        var threshold = look.Score.Threshold;
        montage.Add(Drawn(i => look.Grey.Data[i] >= threshold ? (byte)235 : (byte)20), 0, 0, 0, 2);
    }
}

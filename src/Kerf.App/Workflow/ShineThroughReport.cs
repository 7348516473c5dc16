using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Kerf.App;

/// <summary>The result of <see cref="ShineThroughStudy"/> as a page.</summary>
public static class ShineThroughReport
{
    /// <summary>The page.</summary>
    public static string Markdown(JsonObject json)
    {
        var text = new StringBuilder("# Shine-through against voltage, medium and detector\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study shine-through`: gold of solid fraction 0.12, {json["size"]} voxels, seeds {string.Join(", ", json["seeds"]!.AsArray())}, ");
        text.Append(CultureInfo.InvariantCulture, $"{json["electronsPerPixel"]} electrons per pixel, no artefacts unless told. {json["version"]}, {json["machine"]}, {json["date"]}. With its figures: `shine-through.html`.\n\n");
        foreach (var paragraph in Introduction(json)) text.Append(paragraph).Append("\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| structure | medium | detector | kV | Otsu % | {Clear(json)} | k-means % | {Clear(json)} | pore / solid | shine-through | lost % |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        foreach (var row in Rows(json))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row["structure"]} | {row["medium"]} | {row["detector"]} | {row["keV"]} | {Three(row["otsuPercent"], "0.0")} | {Sharp(row["otsuPercentClear"])} | ");
            text.Append(CultureInfo.InvariantCulture, $"{Three(row["kmeansPercent"], "0.0")} | {Sharp(row["kmeansPercentClear"])} | {V(row["poreSignal"]![0]) / V(row["solidSignal"]![0]):0.000} | {Three(row["shineThrough"], "0.000")} | {100 * V(row["lost"]):0.0} |\n");
        }
        text.Append("\n![hierarchical gold in epoxy](shine-through.png)\n\n").Append(Caption).Append('\n');
        text.Append("\n## The thesis' conditions\n\nHierarchical gold in epoxy, TLD, k-means, beside T-III's tables 3 and 5: its simulated images were given the noise and the blur of its article I, ");
        text.Append("section 2.2: Poisson noise of 256 electrons at white, Gaussian noise of variance 0.001, blurred edges. Not stated there: voxel size, electrons per pixel, width of the blur. ");
        text.Append("Mean over the seeds, lowest to highest in brackets; nothing was fitted to the figures.\n\n");
        text.Append("| condition | kV | misplaced % | of gold missed % | mean Dice | solid fraction |\n|---|---|---|---|---|---|\n");
        string[] places = ["0.0", "0.0", "0.000", "0.000"];
        foreach (var row in json["conditions"]!.AsArray().Select(r => r!.AsObject()))
        {
            string At(string key, int i) => V(row[key]![i]).ToString(places[i], CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"| {row["condition"]} | {row["keV"]} |{string.Concat(Enumerable.Range(0, 4).Select(i => $" {At("mean", i)} ({At("lowest", i)} to {At("highest", i)}) |"))}\n");
        }
        double[] keV = [1, 2, 4];
        for (var e = 0; e < keV.Length; e++)
            text.Append(CultureInfo.InvariantCulture, $"| **T-III** | {keV[e]} |{string.Concat(Enumerable.Range(0, 4).Select(i => $" {V(json["paper"]![e]![i]).ToString(places[i], CultureInfo.InvariantCulture)} |"))}\n");
        return text.ToString();
    }

    /// <summary>The page with charts and the figure, which lies at <paramref name="picture"/>, within it.</summary>
    public static string Page(JsonObject json, string picture)
    {
        double[] keV = [1, 2, 4];
        JsonObject[] Of(string structure, string medium, string detector) => [.. Rows(json).Where(r => r["structure"]!.GetValue<string>() == structure && r["medium"]!.GetValue<string>() == medium
            && r["detector"]!.GetValue<string>() == detector)];
        Series Line(string name, JsonArray?[] triples, int colour, int at = 0) => new(name, [.. triples.Select(t => V(t![at]))], Chart.Colours[colour])
        {
            Band = ([.. triples.Select(t => V(t![1]))], [.. triples.Select(t => V(t![2]))]),
        };
        Chart Against(string structure, string title, string key, string unit) => new($"{title}, {structure}", "kV", keV,
            [.. new[] { "epoxy", "vacuum" }.SelectMany((medium, m) => new[] { "tld", "icd" }.Select((detector, d) => Line($"{medium}, {detector.ToUpperInvariant()}", [.. Of(structure, medium, detector).Select(r => r[key]!.AsArray())], 2 * m + d)))])
        {
            Unit = unit,
            FromZero = true,
        };
        Series Condition(string name, int i, int colour)
        {
            var rows = json["conditions"]!.AsArray().Where(r => r!["condition"]!.GetValue<string>() == name).ToArray();
            return new(name, [.. rows.Select(r => V(r!["mean"]![i]))], Chart.Colours[colour]) { Band = ([.. rows.Select(r => V(r!["lowest"]![i]))], [.. rows.Select(r => V(r!["highest"]![i]))]) };
        }
        Chart Thesis(string title, int i, string unit) => new(title, "kV", keV,
            [new("T-III", [.. keV.Select((_, e) => V(json["paper"]![e]![i]))], "var(--ink)"), Condition("as shot", i, 0), Condition("noise, blurred edges", i, 1)])
        {
            Unit = unit,
            FromZero = i != 2,
        };
        double[] edges = [.. json["depths"]!.AsArray().Select(V)];
        Chart Profile(string structure, string medium) => new($"Pores by the depth of gold below, {structure} in {medium}", "nm to the first gold", [.. edges.Zip(edges.Skip(1), (a, b) => (a + b) / 2)],
            [.. new[] { "tld", "icd" }.SelectMany((detector, d) => new[] { 0, 2 }.Select((e, i) => new Series($"{detector.ToUpperInvariant()}, {keV[e]} kV",
                [.. Of(structure, medium, detector)[e]["profile"]!.AsArray().Select(v => v is null ? double.NaN : V(v))], Chart.Colours[2 * d + i])))])
        {
            Unit = "signal / gold's",
            FromZero = true,
        };
        var image = $"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(picture))}";
        string[] kinds = ["hierarchical", "fine wave", "coarse wave"];
        return Report.Page("Shine-through against voltage, medium and detector", Html.Of($"""
            <section id="figure"><h2>Hierarchical gold in epoxy</h2><figure class="scene"><img src="{image}" alt="{Caption}" style="width:100%;image-rendering:pixelated"><figcaption>{Caption}</figcaption></figure></section>
            <section id="text">{Introduction(json).Select(p => Html.Of($"<p>{p}</p>"))}<p>{json["version"]!.ToString()}, {json["machine"]!.ToString()}, {json["date"]!.ToString()}. Numbers: shine-through.md and shine-through.json.</p></section>
            <section id="thesis"><h2>Beside the thesis</h2><p>Hierarchical gold in epoxy, TLD, k-means; bands: lowest to highest of the seeds.</p>
            <div class="charts">{new[] { Thesis("Misplaced voxels", 0, "%"), Thesis("Gold that is missed", 1, "%"), Thesis("Mean Dice", 2, ""), Thesis("Solid fraction found (true: 0.12)", 3, "") }.Select(c => c.Draw())}</div></section>
            <section id="direct"><h2>Shine-through itself</h2><div class="charts">{kinds.Select(k => Against(k, "Shine-through", "shineThrough", "").Draw())}
            {kinds.SelectMany(k => new[] { Profile(k, "epoxy").Draw(), Profile(k, "vacuum").Draw() })}</div></section>
            <section id="errors"><h2>Errors of thresholds</h2><div class="charts">{kinds.SelectMany(k => new[] { Against(k, "k-means", "kmeansPercent", "% misplaced").Draw(), Against(k, "Otsu", "otsuPercent", "% misplaced").Draw() })}</div></section>
            """));
    }

    private const string Caption = "Hierarchical gold in epoxy, slice 0: truth; 1, 2 and 4 kV; what k-means takes for gold at 4 kV. Above TLD, below ICD.";

    private static IEnumerable<JsonObject> Rows(JsonObject json) => json["rows"]!.AsArray().Select(r => r!.AsObject());

    private static string Clear(JsonObject json) => $"at {V(json["dose"]) * V(json["electronsPerPixel"])} a pixel";

    private static string[] Introduction(JsonObject json) =>
    [
        "hierarchical: waves of 170 and 23 nm (mean chords of the solid 110 and 15 nm, as in the thesis); either scale alone: fine wave, 37.5 nm (solid 15 nm), and coarse wave, 200 nm (solid 80 nm). Voxels of 5 nm, of the coarse wave 10 nm. "
            + $"Slices 0 and 12 are imaged (for the thesis' conditions every second one), the structure goes on {json["below"]} slices below the last image. Errors are misplaced voxels in percent, k-means with three clusters of which the brightest is solid. Mean over the seeds, lowest to highest in brackets.",
        "Shine-through is measured without any threshold: (signal of pores with gold up to 20 nm straight below − that of pores with none within 80 nm) / (signal of gold − the latter). It is a ratio of means over pixels, so counting noise cancels.",
        .. Verdicts(json),
        $"ICD counts only what kept 85 % of its energy, a third of what TLD counts or less: at {json["electronsPerPixel"]} electrons per pixel the counts of gold scatter so much that a threshold cuts gold in two. "
            + $"The columns at {V(json["dose"]) * V(json["electronsPerPixel"])} electrons a pixel (first seed) tell that noise from shine-through.",
        "In vacuum nothing slows an electron down on its way to the floor of a pore, however deep that lies: pores are bright at any voltage, and errors are large from the start. What voltage adds is gold that electrons pass through. "
            + "Half of gold's signal comes from above 1.3, 2.8 and 7 nm at 1, 2 and 4 kV: much of a ligament of 15 nm, little of one of 80 nm. "
            + "Nor is there anything in an empty pore to lose energy in: ICD's window takes as much from gold as from the floor of a shallow pore, and what leaves steeply, which it prefers, leaves pores best.",
    ];

    // counted, not claimed
    private static IEnumerable<string> Verdicts(JsonObject json)
    {
        var rows = Rows(json).ToArray();
        string S(JsonObject row, string key) => row[key]!.GetValue<string>();
        string Name(JsonObject row) => $"{S(row, "structure")} in {S(row, "medium")}";
        var series = rows.Where(r => S(r, "detector") == "tld").GroupBy(Name).ToArray();
        foreach (var (key, name) in new[] { ("otsuPercent", "Otsu's error"), ("kmeansPercent", "k-means' error"), ("shineThrough", "Shine-through") })
        {
            double[] Values(IEnumerable<JsonObject> group) => [.. group.OrderBy(r => V(r["keV"])).Select(r => V(r[key]![0]))];
            var grown = series.Where(g => Values(g) is var v && v[0] < v[1] && v[1] < v[2]).ToArray();
            var rest = series.Except(grown).Select(g => $"{g.Key} ({string.Join(", ", Values(g).Select(v => v.ToString(key == "shineThrough" ? "0.000" : "0.0", CultureInfo.InvariantCulture)))})").ToArray();
            yield return $"{name} grows with voltage from 1 to 2 and from 2 to 4 kV in {grown.Length} of {series.Length} cases (TLD){(rest.Length == 0 ? "." : "; not so: " + string.Join(", ", rest) + ".")}";
        }
        var pairs = rows.GroupBy(r => $"{Name(r)} at {r["keV"]} kV").ToArray();
        double At(IEnumerable<JsonObject> pair, string detector) => V(pair.Single(r => S(r, "detector") == detector)["shineThrough"]![0]);
        var more = pairs.Where(p => At(p, "icd") >= At(p, "tld")).Select(p => p.Key).ToArray();
        yield return $"ICD shows less shine-through than TLD in {pairs.Length - more.Length} of {pairs.Length} cases{(more.Length == 0 ? "." : "; not so: " + string.Join(", ", more) + ".")}";
    }

    private static string Three(JsonNode? values, string format)
    {
        string At(int i) => V(values![i]).ToString(format, CultureInfo.InvariantCulture);
        return $"{At(0)} ({At(1)} to {At(2)})";
    }

    private static string Sharp(JsonNode? value) => value is null ? "" : V(value).ToString("0.0", CultureInfo.InvariantCulture);

    private static double V(JsonNode? node) => node!.GetValue<double>();
}

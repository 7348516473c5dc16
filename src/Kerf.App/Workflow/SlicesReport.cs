using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kerf.App;

/// <summary>The result of <see cref="SlicesStudy"/> as JSON and as a page, beside the paper's tables.</summary>
public static class SlicesReport
{
    // MP, MGP, mean Dice, e_TPCF, e_LPF, e_D of article II; 250 sets
    private static readonly Dictionary<string, double[]> Paper = new()
    {
        ["original"] = [0, 0, 1, 0.104, 0.019, 0.014],
        ["DNN"] = [19.97, 81.62, 0.53, 0.210, 0.063, 0.039],
        ["SRCS"] = [5.29, 22.38, 0.88, 0.115, 0.072, 0.046],
        ["RNN"] = [4.89, 19.98, 0.89, 0.115, 0.048, 0.031],
        ["RCS"] = [3.12, 13.52, 0.93, 0.109, 0.048, 0.030],
        ["RML"] = [2.35, 10.04, 0.95, 0.109, 0.034, 0.021],
    };

    private static readonly string[] Columns = ["mp", "mgp", "dice", "eTpcf", "eLpf", "eD"];

    // what should be worse first: the paper's order, and the best method without a network
    private static readonly (string Worse, string Better)[] Order = [("DNN", "SRCS"), ("SRCS", "RNN"), ("RNN", "RCS"), ("RCS", "RML"), ("shape", "RML")];

    /// <summary>Everything that was measured, and on what.</summary>
    public static JsonObject Json(SlicesStudy study, CutStructure[] structures, SlicesStudy? also, CutStructure[] others, DroppedResult? real)
    {
        var json = Block(study, structures);
        json.Insert(0, "study", "slices");
        json["machine"] = Machine.Description;
        json["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        json["also"] = also is null ? null : Block(also, others);
        json["real"] = real is null ? null : JsonSerializer.SerializeToNode(real, MeasurementFiles.Json);
        return json;
    }

    private static JsonObject Block(SlicesStudy study, CutStructure[] structures)
    {
        JsonObject Row(string name, params double[][] columns)
        {
            var row = new JsonObject { ["method"] = name };
            foreach (var (column, values) in Columns[^columns.Length..].Zip(columns))
                row[column] = new JsonObject { ["mean"] = Math.Round(values.Average(), 4), ["sd"] = Math.Round(Deviation(values), 4) };
            return row;
        }
        var rows = new JsonArray { Row("original", [.. Enumerable.Range(0, 3).Select(e => structures.Select(s => s.Truth[e]).ToArray())]) };
        string[] methods = [.. structures[0].Cuts[0].Select(r => r.Method)];
        for (var m = 0; m < methods.Length; m++)
        {
            var all = structures.SelectMany(s => s.Cuts).Select(cut => cut[m]).ToArray();
            var measured = all.Select(r => r.Anisotropy).OfType<double[]>().ToArray();
            rows.Add(Row(methods[m], [all.Select(r => r.Mp).ToArray(), all.Select(r => r.Mgp).ToArray(), all.Select(r => r.Dice).ToArray(),
                .. Enumerable.Range(0, 3).Select(e => measured.Select(a => a[e]).ToArray())]));
        }
        var order = Order.Select(pair => (pair.Worse, pair.Better, A: Array.IndexOf(methods, pair.Worse), B: Array.IndexOf(methods, pair.Better))).Where(pair => pair.A >= 0 && pair.B >= 0);
        return new()
        {
            ["edgeVoxels"] = study.Edge,
            ["voxelNm"] = SlicesStudy.Grid,
            ["wavelengthNm"] = study.CoarseWavelength,
            ["seeds"] = new JsonArray([.. structures.Select(s => JsonValue.Create(s.Seed))]),
            ["draws"] = study.Draws,
            ["versions"] = new JsonArray([.. structures.Select(s => s.Version).Distinct().Select(v => JsonValue.Create(v))]),
            ["rows"] = rows,
            ["order"] = new JsonArray([.. order.Select(pair => Difference(pair.Worse, pair.Better, structures, pair.A, pair.B))]),
        };
    }

    // cuts of one structure are no independent draws: the error is that of the structures' means
    private static JsonObject Difference(string worse, string better, CutStructure[] structures, int a, int b)
    {
        double[][] each = [.. structures.Select(s => s.Cuts.Select(cut => cut[a].Mp - cut[b].Mp).ToArray())];
        double[] means = [.. each.Select(cuts => cuts.Average())];
        return new()
        {
            ["worse"] = worse,
            ["better"] = better,
            ["mp"] = Math.Round(means.Average(), 4),
            ["standardError"] = Math.Round(Deviation(means) / Math.Sqrt(means.Length), 4),
            ["structures"] = means.Count(d => d > 0),
            ["ofStructures"] = means.Length,
            ["cuts"] = each.Sum(cuts => cuts.Count(d => d > 0)),
            ["ofCuts"] = each.Sum(cuts => cuts.Length),
        };
    }

    /// <summary>The page.</summary>
    public static string Markdown(JsonObject json)
    {
        var text = new StringBuilder("# Uneven slices: rebuilt, beside article II\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study slices`. {json["machine"]}, {json["date"]}. ");
        text.Append("Mean ± standard deviation over cuts; e over the first cut of each structure. Nothing was tuned on these seeds, and the network of RML was trained on others. In brackets the paper's mean (250 ");
        text.Append("sets, its own structures and size: a stack that is longer drifts further from where DNN puts it). shape and held are no methods of the paper: shape moves outlines without a network, held goes on with ");
        text.Append("each slice until the next one. (held is what comes out like the paper's RNN, which may therefore have taken the slice before instead of the nearest.)\n\n");
        text.Append("With wavelengths of 256 and 35 nm the ligament diameters are the paper's 110 and 15 nm, measured as it does (area under L/φ).\n\n");
        Append(text, json);
        if (json["also"] is JsonObject also)
        {
            text.Append("\n# The same with finer ligaments\n\nWavelengths whose mean chords, not ligament diameters, are 110 and 15 nm: the study's choice before. Outlines move further from slice to slice than in the ");
            text.Append("paper's structures.\n\n");
            Append(text, also);
        }
        if (json["real"] is JsonObject real) AppendReal(text, real);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonObject block)
    {
        var wavelength = (double)block["wavelengthNm"]!;
        text.Append(CultureInfo.InvariantCulture, $"Hierarchical levelled-wave structures (solid fraction 0.12, {wavelength:0} and {wavelength * 15 / 110:0} nm) of {block["edgeVoxels"]}³ voxels of {block["voxelNm"]} nm, ");
        text.Append(CultureInfo.InvariantCulture, $"seeds {string.Join(", ", block["seeds"]!.AsArray())}, each cut {block["draws"]} times (10.16 ± 3.12 nm). {string.Join(", ", block["versions"]!.AsArray())}.\n\n");
        text.Append("| | MP % | MGP % | mean Dice | e_TPCF | e_LPF | e_D |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in block["rows"]!.AsArray().Select(r => r!.AsObject()))
        {
            var name = (string)row["method"]!;
            text.Append(CultureInfo.InvariantCulture, $"| {name} |{string.Concat(Columns.Select((column, c) => $" {Cell(row[column], name, c)} |"))}\n");
        }
        var order = block["order"]!.AsArray();
        if (!order.Any(pair => (string)pair!["better"]! == "RML")) text.Append("\nRML, the learned one, is missing: give --model, a network that kerf train fill wrote.\n");
        text.Append("\n| MP, of the same cut | difference ± standard error | of structures | of cuts |\n|---|---|---|---|\n");
        foreach (var pair in order.Select(p => p!))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {pair["worse"]} − {pair["better"]} | {(double)pair["mp"]!:0.000} ± {(double)pair["standardError"]!:0.000} ");
            text.Append(CultureInfo.InvariantCulture, $"| above 0 in {pair["structures"]} of {pair["ofStructures"]} | {pair["cuts"]} of {pair["ofCuts"]} |\n");
        }
    }

    private static void AppendReal(StringBuilder text, JsonObject real)
    {
        text.Append("\n# A real stack: every second slice dropped and predicted\n\nFourteen slices of shale (heavy shot noise), aligned by whole pixels. ");
        text.Append(CultureInfo.InvariantCulture, $"The {real["count"]} dropped slices have noise of {(double)real["noise"]!:0.00} grey levels, below which no prediction can come. ");
        text.Append("Beyond noise: √(RMS² − noise²), which holds the noise of the slices that the prediction is made of as well.\n\n| grey values | RMS error | beyond noise |\n|---|---|---|\n");
        foreach (var row in real["grey"]!.AsArray().Select(r => r!))
            text.Append(CultureInfo.InvariantCulture, $"| {row["method"]} | {(double)row["rms"]!:0.00} | {(double)row["beyondNoise"]!:0.00} |\n");
        text.Append("\nThe same slices segmented (each denoised by non-local means, one threshold by Otsu for all), beside the dropped slices' own segmentation; MGP in percent of the dark phase. noise: the dropped slices ");
        text.Append("against themselves, the denoised slice given its noise once more and denoised again: about what noise alone changes, no strict bound. The network saw no shale: it is the one of RML.\n\n");
        text.Append("| phases | MP % | MGP % | mean Dice |\n|---|---|---|---|\n");
        foreach (var row in real["phases"]!.AsArray().Select(r => r!))
            text.Append(CultureInfo.InvariantCulture, $"| {row["method"]} | {(double)row["mp"]!:0.00} | {(double)row["mgp"]!:0.00} | {(double)row["dice"]!:0.000} |\n");
    }

    private static string Cell(JsonNode? cell, string method, int column)
    {
        if (cell is null) return "";
        var places = column < 2 ? "0.00" : "0.000";
        string Number(string key) => ((double)cell[key]!).ToString(places, CultureInfo.InvariantCulture);
        return $"{Number("mean")} ± {Number("sd")} {Bracket(method, column)}".TrimEnd();
    }

    private static string Bracket(string method, int column) =>
        Paper.TryGetValue(method, out var values) ? $"[{values[column].ToString(column < 2 ? "0.00" : column < 3 ? "0.00" : "0.000", CultureInfo.InvariantCulture)}]" : "";

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
    }
}

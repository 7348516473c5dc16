using System.Globalization;
using System.Text;
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

    /// <summary>Everything that was measured, and on what.</summary>
    public static JsonObject Json(int edge, double wavelength, ulong[] seeds, int draws, IReadOnlyList<(double[] Truth, Rebuilt[][] Draws)> runs, (Predicted[] Lines, double Noise, int Dropped)? real)
    {
        JsonObject Row(string name, params double[][] columns)
        {
            var row = new JsonObject { ["method"] = name };
            foreach (var (column, values) in Columns[^columns.Length..].Zip(columns))
                row[column] = new JsonObject { ["mean"] = Math.Round(values.Average(), 4), ["sd"] = Math.Round(Deviation(values), 4) };
            return row;
        }
        var rows = new JsonArray { Row("original", [.. Enumerable.Range(0, 3).Select(e => runs.Select(run => run.Truth[e]).ToArray())]) };
        for (var m = 0; m < runs[0].Draws[0].Length; m++)
        {
            var all = runs.SelectMany(run => run.Draws).Select(draw => draw[m]).ToArray();
            var measured = all.Select(r => r.Anisotropy).OfType<double[]>().ToArray();
            rows.Add(Row(SlicesStudy.Methods[m], [all.Select(r => r.Mp).ToArray(), all.Select(r => r.Mgp).ToArray(), all.Select(r => r.Dice).ToArray(),
                .. Enumerable.Range(0, 3).Select(e => measured.Select(a => a[e]).ToArray())]));
        }
        return new()
        {
            ["study"] = "slices",
            ["edgeVoxels"] = edge,
            ["voxelNm"] = SlicesStudy.Grid,
            ["wavelengthNm"] = wavelength,
            ["seeds"] = new JsonArray([.. seeds.Select(s => JsonValue.Create(s))]),
            ["draws"] = draws,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = rows,
            ["real"] = real is not { } r ? null : new JsonObject
            {
                ["dropped"] = r.Dropped,
                ["noise"] = Math.Round(r.Noise, 3),
                ["methods"] = new JsonArray([.. r.Lines.Select(l => new JsonObject
                    { ["method"] = l.Method, ["rms"] = Math.Round(l.Rms, 3), ["beyondNoise"] = Math.Round(l.BeyondNoise, 3) })]),
            },
        };
    }

    /// <summary>The page.</summary>
    public static string Markdown(JsonObject json)
    {
        var text = new StringBuilder("# Uneven slices: rebuilt, beside article II\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study slices`: hierarchical levelled-wave structures (solid fraction 0.12, {(double)json["wavelengthNm"]!:0} and {(double)json["wavelengthNm"]! * 15 / 110:0} nm) of {json["edgeVoxels"]}³ voxels of {json["voxelNm"]} nm, ");
        text.Append(CultureInfo.InvariantCulture, $"seeds {string.Join(", ", json["seeds"]!.AsArray())}, each cut {json["draws"]} times (10.16 ± 3.12 nm). {json["version"]}, {json["machine"]}, {json["date"]}. ");
        text.Append("Mean ± standard deviation over cuts; e over the first cut of each structure. Nothing was tuned on these seeds. In brackets the paper's mean (250 sets, its own structures and size: a stack ");
        text.Append("that is longer drifts further from where DNN puts it). With wavelengths of 256 and 35 nm the ligament diameters are the paper's 110 and 15 nm, measured as it does (area under L/φ).\n\n");
        var rows = json["rows"]!.AsArray().Count;
        text.Append("| | MP % | MGP % | mean Dice | e_TPCF | e_LPF | e_D |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject()))
        {
            var name = (string)row["method"]!;
            text.Append(CultureInfo.InvariantCulture, $"| {name} |{string.Concat(Columns.Select((column, c) => $" {Cell(row[column], name, c)} |"))}\n");
        }
        if (rows < SlicesStudy.Methods.Count + 1) text.Append("\nRML, the learned one, is missing: give --model, a network that kerf train fill wrote.\n");
        if (json["real"] is not JsonObject real) return text.ToString();
        text.Append("\n# A real stack: every second slice dropped and predicted\n\nFourteen slices of shale (heavy shot noise), aligned by whole pixels. ");
        text.Append(CultureInfo.InvariantCulture, $"The {real["dropped"]} dropped slices have noise of {(double)real["noise"]!:0.00} grey levels, below which no prediction can come. ");
        text.Append("Beyond noise: √(RMS² − noise²), which holds the noise of the slices that the prediction is made of as well.\n\n| | RMS error | beyond noise |\n|---|---|---|\n");
        foreach (var row in real["methods"]!.AsArray().Select(r => r!))
            text.Append(CultureInfo.InvariantCulture, $"| {row["method"]} | {(double)row["rms"]!:0.00} | {(double)row["beyondNoise"]!:0.00} |\n");
        return text.ToString();
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

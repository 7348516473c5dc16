using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The result of <see cref="LadderStudy"/> as JSON and as a page, beside the paper's table.</summary>
public static class LadderReport
{
    // full field / crop
    private static readonly (double Full, double Crop)[] Paper = [(60.8, 30.8), (30.8, 24.9), (23.2, 16.5), (12.3, 17.6), (10.3, 16.2), (6.1, 11.0)];

    /// <summary>Everything that was measured, and on what.</summary>
    public static JsonObject Json(Size3 size, ulong[] seeds, IReadOnlyList<IReadOnlyList<Rung>> runs)
    {
        double Mean(int method, Func<Rung, double> of) => Math.Round(runs.Average(run => of(run[method])), 3);
        var means = LadderStudy.Methods.Select((_, m) => Mean(m, r => r.Awe)).ToArray();
        return new()
        {
            ["study"] = "ladder",
            ["size"] = size.ToString(),
            ["voxelNm"] = 20,
            ["seeds"] = new JsonArray([.. seeds.Select(s => JsonValue.Create(s))]),
            ["tuningSeeds"] = new JsonArray([.. LadderStudy.TuningSeeds.Select(s => JsonValue.Create(s))]),
            ["version"] = Machine.Version,
            ["machine"] = $"{RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["methods"] = new JsonArray([.. LadderStudy.Methods.Select((name, m) => (JsonNode)new JsonObject
            {
                ["method"] = name,
                ["awe"] = means[m],
                ["cropAwe"] = Mean(m, r => r.CropAwe),
                ["accuracy"] = Mean(m, r => r.Accuracy),
                ["iou"] = new JsonArray([.. Enumerable.Range(0, runs[0][m].Iou.Length).Select(c => JsonValue.Create(Math.Round(runs.Average(run => run[m].Iou[c]), 3)))]),
                ["awePerSeed"] = new JsonArray([.. runs.Select(run => JsonValue.Create(Math.Round(run[m].Awe, 3)))]),
                ["paperAwe"] = Paper[m].Full,
                ["paperCropAwe"] = Paper[m].Crop,
            })]),
            ["inPapersOrder"] = means.Zip(means.Skip(1)).All(pair => pair.First > pair.Second),
            ["orderHoldsInEachSeed"] = runs.All(run => run.Zip(run.Skip(1)).All(pair => pair.First.Awe > pair.Second.Awe)),
            ["lastBelowOneSignal"] = Math.Round(1 - means[5] / means[3], 3),
        };
    }

    /// <summary>The page.</summary>
    public static string Markdown(JsonObject json)
    {
        var text = new StringBuilder();
        string List(string key) => string.Join(", ", json[key]!.AsArray().Select(v => v!.ToJsonString()));
        text.Append(CultureInfo.InvariantCulture, $"# Ladder: average weighted error in percent\n\nSimulated cathode, {json["size"]} voxels of {json["voxelNm"]} nm, seeds {List("seeds")} ");
        text.Append(CultureInfo.InvariantCulture, $"(choices were made on seeds {List("tuningSeeds")}). {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append("| method | awe | per seed | crop | accuracy | IoU void, carbon, NMC | paper: awe / crop |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in json["methods"]!.AsArray().Select(row => row!))
        {
            string Joined(string key) => string.Join(", ", row[key]!.AsArray().Select(v => v!.GetValue<double>().ToString("0.0##", CultureInfo.InvariantCulture)));
            text.Append(CultureInfo.InvariantCulture, $"| {row["method"]} | {(double)row["awe"]!:0.0} | {Joined("awePerSeed")} | {(double)row["cropAwe"]!:0.0} | {(double)row["accuracy"]!:0.000} ");
            text.Append(CultureInfo.InvariantCulture, $"| {Joined("iou")} | {(double)row["paperAwe"]!:0.0} / {(double)row["paperCropAwe"]!:0.0} |\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"\nIn the paper's order: {((bool)json["inPapersOrder"]! ? "yes" : "no")}; in each seed: {((bool)json["orderHoldsInEachSeed"]! ? "yes" : "no")}. ");
        text.Append(CultureInfo.InvariantCulture, $"The last lies {(double)json["lastBelowOneSignal"]! * 100:0} % below the forest on one signal.\n");
        return text.ToString();
    }
}

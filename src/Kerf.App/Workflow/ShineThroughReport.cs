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
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study shine-through`: gold of solid fraction 0.12, {json["size"]} voxels, seeds {string.Join(", ", json["seeds"]!.AsArray())} (the first table: the first), ");
        text.Append(CultureInfo.InvariantCulture, $"{json["electronsPerPixel"]} electrons per pixel, no artefacts unless told. {json["version"]}, {json["machine"]}, {json["date"]}. ");
        text.Append("levelled-wave: 200 nm in voxels of 10 nm; hierarchical: 170 and 23 nm (mean chords of the solid 110 and 15 nm) in voxels of 5 nm. ");
        text.Append("Errors: misplaced voxels in percent, k-means with three clusters of which the brightest is solid.\n\n");
        text.Append("| structure | medium | detector | kV | Otsu % | k-means % | pore / solid signal |\n|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject()))
            text.Append(CultureInfo.InvariantCulture, $"| {row["structure"]} | {row["medium"]} | {row["detector"]} | {row["keV"]} | {V(row["otsuPercent"]):0.0} | {V(row["kmeansPercent"]):0.0} | {V(row["poreSignal"]) / V(row["solidSignal"]):0.000} |\n");
        text.Append("\n![hierarchical gold in epoxy](shine-through.png)\n\nHierarchical gold in epoxy, slice 0: truth; 1, 2 and 4 kV; what k-means takes for gold at 4 kV. Above TLD, below ICD.\n");
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

    private static double V(JsonNode? node) => node!.GetValue<double>();
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// What shine-through does to thresholds: levelled-wave gold (solid fraction 0.12; one wave with ligaments of about 80 nm, and two waves with
/// ligaments of about 110 and 15 nm as in the thesis) in vacuum and in epoxy, at 1, 2 and 4 kV, by two detectors, segmented by Otsu and by k-means
/// with three clusters of which the brightest is solid. Beside the thesis' table for k-means.
/// </summary>
public static class ShineThroughStudy
{
    private static readonly double[] Paper = [4.455, 9.490, 18.626];

    /// <summary>Runs the study.</summary>
    /// <param name="size">Voxels.</param>
    /// <param name="electrons">Per pixel.</param>
    /// <param name="seed">Of the structures and the electrons.</param>
    /// <param name="walk">Threads.</param>
    public static JsonObject Run(Size3 size, int electrons, ulong seed, Traversal walk)
    {
        var rows = new JsonArray();
        foreach (var (kind, edge, wavelength) in new[] { ("levelled-wave", 10.0, 200.0), ("hierarchical", 5.0, 170.0) })
        {
            var labels = Volume<byte>.Load(VirtualStructure.Make(kind, size, VoxelSize.Cube(edge), 0.12, wavelength, seed, walk with { Progress = null }));
            foreach (var medium in new[] { "vacuum", "epoxy" })
                foreach (var detector in new[] { Detector.Tld, Detector.Icd })
                    foreach (var keV in new[] { 1.0, 2, 4 })
                    {
                        var row = Row(labels, medium, new() { KeV = keV, ElectronsPerPixel = electrons, Detector = detector }, seed, walk.Part(rows.Count / 24.0, (rows.Count + 1) / 24.0));
                        row.Insert(0, "structure", kind);
                        rows.Add(row);
                    }
        }
        return new() { ["size"] = size.ToString(), ["electronsPerPixel"] = electrons, ["seed"] = seed, ["rows"] = rows };
    }

    private static JsonObject Row(Volume<byte> labels, string medium, Beam beam, ulong seed, Traversal walk)
    {
        var materials = new Dictionary<int, Material> { [1] = Material.Parse(medium), [2] = Material.Parse("Au") };
        var (signal, error) = (new Volume<float>(labels.Info.Size), new Volume<float>(labels.Info.Size));
        var result = ElectronImage.Make(labels, materials, beam, signal, error, seed, walk);
        var histogram = Histogram.OfStack(signal, walk with { Progress = null });
        double Mean(byte label) => signal.Data.Where((_, i) => labels.Data[i] == label).Average(v => (double)v);
        // percent of all voxels on the wrong side of the threshold
        double Wrong(double threshold) => 100.0 * signal.Data.Where((v, i) => v >= threshold != (labels.Data[i] == 2)).Count() / signal.Data.Length;
        return new()
        {
            ["medium"] = medium,
            ["detector"] = beam.Detector.ToString().ToLowerInvariant(),
            ["keV"] = beam.KeV,
            ["otsuPercent"] = Wrong(GreyClasses.Thresholds(histogram, 2)[0]),
            ["kmeansPercent"] = Wrong(GreyClasses.Thresholds(histogram, 3)[1]),
            ["solidSignal"] = Mean(2),
            ["poreSignal"] = Mean(1),
            ["electronsPerSecond"] = result.Electrons / result.Seconds,
        };
    }

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var text = new StringBuilder("# Shine-through against voltage, medium and detector\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study shine-through`: gold of solid fraction 0.12, {json["size"]} voxels, seed {json["seed"]}, {json["electronsPerPixel"]} electrons per pixel, no artefacts. ");
        text.Append("levelled-wave: 200 nm in voxels of 10 nm; hierarchical: 170 and 23 nm (mean chords of the solid 110 and 15 nm) in voxels of 5 nm. ");
        text.Append("Errors: misplaced voxels in percent, k-means with three clusters of which the brightest is solid. T-III: the thesis' table 3, hierarchical gold.\n\n");
        text.Append("| structure | medium | detector | kV | Otsu % | k-means % | T-III k-means % | pore / solid signal |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject()))
        {
            var tld = row["detector"]!.GetValue<string>() == "tld" && row["structure"]!.GetValue<string>() == "hierarchical";
            var paper = tld ? Paper[(int)Math.Log2(V(row["keV"]))].ToString("0.0", CultureInfo.InvariantCulture) : "";
            text.Append(CultureInfo.InvariantCulture, $"| {row["structure"]} | {row["medium"]} | {row["detector"]} | {row["keV"]} | {V(row["otsuPercent"]):0.0} | {V(row["kmeansPercent"]):0.0} | {paper} | {V(row["poreSignal"]) / V(row["solidSignal"]):0.000} |\n");
        }
        return text.ToString();
    }
}

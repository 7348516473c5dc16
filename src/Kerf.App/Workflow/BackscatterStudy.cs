using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Bulk backscatter coefficients beside Hunger and Küchler's formula (doi:10.1002/pssa.2210560157, measured from 4 to 40 keV) and beside what was
/// measured; and the fast transport beside the scalar one.
/// </summary>
public static class BackscatterStudy
{
    private static readonly double[] Energies = [1, 2, 4, 5, 10, 20];

    // all values at just these energies in D. C. Joy's "A database of electron-solid interactions", revision 01-01 (2001), doi:10.1002/sca.4950170501;
    // silver is not among the elements that were transcribed. A row an element, a group an energy
    private static readonly (string Symbol, double[][] Measured)[] Elements =
    [
        ("C", [[.076, .133], [.0771, .107, .071], [.0886, .058], [.082, .085, .0857, .082, .058], [.066, .072, .069, .0743], [.061, .06, .064]]),
        ("Al", [[.192, .195, .2346, .134, .217, .212], [.17, .14, .146, .2, .203], [.151, .131, .185, .191], [.153, .148, .2, .186, .135, .158, .168, .185],
            [.15, .1875, .177, .14, .149], [.148, .164, .139, .14]]),
        ("Si", [[.235, .228, .21], [.204, .21], [.189, .2], [.188, .206, .197, .184, .2], [.174, .2, .186, .174, .19], [.159, .194, .169, .164]]),
        ("Cu", [[.265, .4375, .43, .381, .31], [.301, .419, .406, .379, .322], [.306, .34, .321], [.323, .311, .325, .3842, .352, .398, .298, .319],
            [.316, .311, .3566, .339, .318, .29, .356], [.311, .339, .309, .328, .29]]),
        ("Ag", [[], [], [], [], [], []]),
        ("Au", [[.289, .419, .395], [.373, .45, .428], [.443, .461, .459], [.469, .448, .459, .489, .43, .432, .461], [.476, .471, .501, .483, .47],
            [.482, .506, .516, .48]]),
    ];

    /// <summary>Runs the study.</summary>
    /// <param name="electrons">Electrons per coefficient; ten times as many for the speed.</param>
    /// <param name="walk">Threads.</param>
    public static JsonObject Run(long electrons, Traversal walk)
    {
        var rows = new JsonArray();
        foreach (var (symbol, measured) in Elements)
        {
            for (var i = 0; i < Energies.Length; i++)
            {
                var result = BulkYield.Of(Material.Parse(symbol), Energies[i], electrons, 1, walk with { Progress = null });
                var formula = HungerKuechler(Element.Of(symbol)!.Number, Energies[i]);
                rows.Add(new JsonObject
                {
                    ["element"] = symbol,
                    ["keV"] = Energies[i],
                    ["eta"] = result.Eta,
                    ["standardError"] = result.StandardError,
                    ["formula"] = formula,
                    ["formulaValid"] = Energies[i] >= 4,
                    ["deviationPercent"] = (result.Eta / formula - 1) * 100,
                    ["measured"] = new JsonArray([.. measured[i].Order().Select(v => JsonValue.Create(v))]),
                    ["halfDepthNanometres"] = result.HalfDepth,
                    ["rangeNanometres"] = result.RangeNanometres,
                });
                walk.Progress?.Report(0.8 * rows.Count / 36);
            }
        }
        return new()
        {
            ["study"] = "backscatter",
            ["electrons"] = electrons,
            ["seed"] = 1,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["rows"] = rows,
            ["speed"] = Speed(10 * electrons, walk),
        };
    }

    /// <summary>η(Z, E) of METHODS, E in keV.</summary>
    public static double HungerKuechler(double z, double keV)
    {
        var l = Math.Log(z);
        return Math.Pow(keV, 0.1382 - 0.9211 / Math.Sqrt(z)) * (0.1904 - 0.2236 * l + 0.1292 * l * l - 0.01491 * l * l * l);
    }

    // 2 keV on bulk gold, both forms on the same threads, and whether they tell the same story
    private static JsonObject Speed(long electrons, Traversal walk)
    {
        var gold = Material.Parse("Au");
        var transport = new Transport(gold, 2);
        var scalar = new Trajectory[Math.Min(electrons / 20, 200_000)];
        var (clock, processors) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        walk.ForEach(scalar.Length, i => scalar[i] = ScalarTransport.Follow(transport, 2, 0, new CounterRandom(2, (ulong)i)));
        var (scalarSeconds, scalarProcessors) = (clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - processors).TotalSeconds);
        processors = Environment.CpuUsage.TotalTime;
        var fast = BulkYield.Of(gold, 2, electrons, 1, walk with { Progress = null });
        var fastProcessors = (Environment.CpuUsage.TotalTime - processors).TotalSeconds;
        var back = scalar.Where(t => t.Escaped).ToArray();
        return new()
        {
            ["threads"] = walk.Threads,
            ["electronsPerSecond"] = fast.Electrons / fast.Seconds,
            ["scalarElectronsPerSecond"] = scalar.Length / scalarSeconds,
            // a loaded machine shows in the clock, hardly in the processors' time
            ["electronsPerSecondByProcessors"] = walk.Threads * fast.Electrons / fastProcessors,
            ["scalarElectronsPerSecondByProcessors"] = walk.Threads * scalar.Length / scalarProcessors,
            ["eta"] = fast.Eta,
            ["scalarEta"] = (double)back.Length / scalar.Length,
            ["energyDistance"] = Distance([.. back.Select(t => t.Energy / 2)], fast.Energies, 1),
            ["depthDistance"] = Distance([.. back.Select(t => t.Depth / transport.Range(2))], fast.Depths, 0.5),
            ["criticalDistance"] = 1.63 * Math.Sqrt(1.0 / back.Length + 1.0 / fast.Backscattered),
        };
    }

    // Kolmogorov and Smirnov's: the largest difference of the cumulative distributions, at the bins' edges
    private static double Distance(double[] sample, long[] histogram, double top)
    {
        Array.Sort(sample);
        double worst = 0, total = histogram.Sum(), sum = 0;
        for (var (bin, at) = (0, 0); bin < histogram.Length; bin++)
        {
            sum += histogram[bin];
            while (at < sample.Length && sample[at] < top * (bin + 1) / histogram.Length) at++;
            worst = Math.Max(worst, Math.Abs(sum / total - (double)at / sample.Length));
        }
        return worst;
    }

    /// <summary>The study as a page.</summary>
    public static string Markdown(JsonObject json)
    {
        static double V(JsonNode? node) => node!.GetValue<double>();
        var text = new StringBuilder("# Bulk backscatter coefficients\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study backscatter`, {json["electrons"]} electrons each, seed 1, normal incidence. {json["version"]}, {json["machine"]}, {json["date"]}. The formula is Hunger and Küchler's (doi:10.1002/pssa.2210560157): ");
        text.Append("fitted to measurements from 4 to 40 keV, so below 4 keV (in brackets) it is an extrapolation. \"Measured\": lowest and highest of n values in Joy's database (doi:10.1002/sca.4950170501).\n\n");
        text.Append("| element | keV | η | ± | formula | deviation % | measured (n) | half depth nm |\n|---|---|---|---|---|---|---|---|\n");
        foreach (var row in json["rows"]!.AsArray().Select(r => r!.AsObject()))
        {
            var valid = row["formulaValid"]!.GetValue<bool>();
            var measured = row["measured"]!.AsArray().Select(V).ToArray();
            var span = measured.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{measured[0]:0.000} to {measured[^1]:0.000} ({measured.Length})");
            var formula = string.Create(CultureInfo.InvariantCulture, $"{V(row["formula"]):0.0000}");
            var deviation = string.Create(CultureInfo.InvariantCulture, $"{Math.Round(V(row["deviationPercent"]), 1) + 0.0:+0.0;−0.0;0.0}");
            text.Append(CultureInfo.InvariantCulture, $"| {row["element"]} | {row["keV"]} | {V(row["eta"]):0.0000} | {V(row["standardError"]):0.0000} | ");
            text.Append(CultureInfo.InvariantCulture, $"{(valid ? formula : $"({formula})")} | {(valid ? deviation : $"({deviation})")} | {span} | {V(row["halfDepthNanometres"]):0.0} |\n");
        }
        var speed = json["speed"]!;
        text.Append(CultureInfo.InvariantCulture, $"\n2 keV on bulk gold, {speed["threads"]} threads: {V(speed["electronsPerSecond"]) / 1e6:0.00} million electrons per second, ");
        text.Append(CultureInfo.InvariantCulture, $"the scalar form {V(speed["scalarElectronsPerSecond"]) / 1e6:0.000} million; by processor time {V(speed["electronsPerSecondByProcessors"]) / 1e6:0.00} and {V(speed["scalarElectronsPerSecondByProcessors"]) / 1e6:0.000} million. Kolmogorov–Smirnov distances between the two: exit energy {V(speed["energyDistance"]):0.0000}, ");
        text.Append(CultureInfo.InvariantCulture, $"greatest depth {V(speed["depthDistance"]):0.0000}; significant at 1 % from {V(speed["criticalDistance"]):0.0000} on.\n");
        return text.ToString();
    }
}

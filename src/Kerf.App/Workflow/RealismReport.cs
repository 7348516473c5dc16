using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Kerf.App;

/// <summary>The result of <see cref="RealismStudy"/> as a page.</summary>
public static class RealismReport
{
    private static readonly (string Key, string Name, string Format)[] Lines =
    [
        ("mean", "mean grey", "0.0"), ("deviation", "standard deviation", "0.0"), ("skewness", "skewness of the histogram", "0.00"), ("noise", "noise level (`kerf measure noise`)", "0.0"),
        ("noiseMatrix", "noise in the matrix", "0.0"), ("noiseDark", "noise in the darkest 2 %", "0.0"), ("noiseAlongRow", "noise: correlation with the next pixel of the row", "0.000"),
        ("nextSlice", "covariance with the next slice / variance", "0.000"),
    ];

    /// <summary>The page.</summary>
    public static string Markdown(JsonObject json)
    {
        var (statistics, fit) = (json["statistics"]!, json["fit"]!);
        double V(string part, string key) => statistics[part]![key]!.GetValue<double>();
        string F(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
        var text = new StringBuilder("# Simulated beside real images\n\n");
        text.Append(CultureInfo.InvariantCulture, $"By `kerf study realism --stack ../shared/data/shale-fibsem-stack/raw`: real slices of shale, beside {json["simulated"]} voxels of a virtual rock under the virtual microscope, ");
        text.Append(CultureInfo.InvariantCulture, $"seed {json["seed"]}. Fitted on {json["fittedOn"]} by formula, compared with {json["comparedWith"]}. {json["version"]}, {json["machine"]}, {json["date"]}.\n\n");
        text.Append("![real and simulated](realism.png)\n\nAbove a real slice of the half that nothing was fitted on, below a simulated one; right the part of it with most structure, three times as large.\n\n");
        text.Append("| | real, fitted half | real, other half | simulated |\n|---|---|---|---|\n");
        foreach (var (key, name, format) in Lines)
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {F(V("fitted", key), format)} | {F(V("compared", key), format)} | {F(V("made", key), format)} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| largest difference of cumulative histograms to the other half | {F(json["histogramDistance"]!["halves"]!.GetValue<double>(), "0.000")} | | {F(json["histogramDistance"]!["simulated"]!.GetValue<double>(), "0.000")} |\n");
        string List(string part, string key, string format) => string.Join(" ", statistics[part]![key]!.AsArray().Select(v => F(v!.GetValue<double>(), format)));
        void Rows(string key, string name, string format) => text.Append(CultureInfo.InvariantCulture, $"| {name} | {List("fitted", key, format)} | {List("compared", key, format)} | {List("made", key, format)} |\n");
        Rows("likenessX", $"autocorrelation along x at {string.Join(", ", ImageStatistics.Lags)} pixels", "0.00");
        Rows("likenessY", "autocorrelation along y", "0.00");
        Rows("localGreyQuantiles", "quantiles of 7×7 means: 1, 2, 5, 10, 25, 50, 75, 95, 99, 99.9 %", "0");
        text.Append(CultureInfo.InvariantCulture, $"\nThe fit: {fit["electrons"]} electrons per pixel, detector noise {F(fit["session"]!["noiseSigma"]!.GetValue<double>(), "0.0")}, scan lag {F(fit["session"]!["scanLag"]!.GetValue<double>(), "0.000")}, ");
        text.Append(CultureInfo.InvariantCulture, $"matrix {fit["matrixGrey"]}, dark phase {fit["darkGrey"]}, {F(100 * fit["poreShare"]!.GetValue<double>(), "0.0")} % of it, grains of {fit["grain"]} nm and slices of {fit["thickness"]} nm where a pixel is 10 nm. ");
        text.Append("Not fitted: materials (SiO₂, an organic solid, siderite), 2 keV, TLD, probe of 6 nm, drift of 0.3 pixels a slice, a tenth of the pores open.\n");
        return text.ToString();
    }
}

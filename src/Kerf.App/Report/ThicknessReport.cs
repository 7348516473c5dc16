using System.Text.Json.Nodes;
using Kerf.Imaging;

namespace Kerf.App;

/// <summary>The page of <c>kerf thickness --report</c>: each slice, the histogram with its gamma law, and the ruler's band.</summary>
internal static class ThicknessReport
{
    /// <summary>The page.</summary>
    /// <param name="input">What was measured.</param>
    /// <param name="method">How.</param>
    /// <param name="found">The thicknesses; null when they were refused.</param>
    /// <param name="ruler">PNG of the ruler's band, or null.</param>
    /// <param name="fault">Why they were refused.</param>
    public static string Page(string input, string method, SliceThickness? found, byte[]? ruler, string? fault)
    {
        var picture = ruler is null ? Html.Empty : Html.Of($"""
            <figure><img style="max-width:100%;image-rendering:pixelated" alt="The ruler's band through all slices" src="data:image/png;base64,{Convert.ToBase64String(ruler)}">
            <figcaption>The band of the ruler, slice by slice from top to bottom: marks that stay are blue, those that move orange; slices that show too few are red.</figcaption></figure>
            """);
        var told = fault is null ? Html.Join((found?.Warnings ?? []).Select(w => Html.Of($"<p class=\"note\"><b>Mind:</b> {w}</p>"))) : Html.Of($"<p class=\"note\"><b>Refused.</b> {fault}</p>");
        return Report.Page($"Slice thickness of {Path.GetFileName(input.TrimEnd('/', '\\'))}", Html.Of($"""
            <section><h2>By {method}</h2>{told}{(found is null ? Html.Empty : Numbers(found))}{picture}</section>
            """));
    }

    private static Html Numbers(SliceThickness found)
    {
        double? Finite(double value, int digits) => double.IsFinite(value) ? Math.Round(value, digits) : null;
        var told = found.Uncertainty.Where(double.IsFinite).ToArray();
        var facts = new JsonObject
        {
            ["slices"] = found.Thickness.Length + 1,
            ["mean, nm"] = Finite(found.Mean, 2),
            ["standard deviation, nm"] = Finite(found.Sd, 2),
            ["outliers"] = found.Outliers.Length,
            ["gamma shape"] = Finite(found.Gamma.Shape, 2),
            ["gamma scale, nm"] = Finite(found.Gamma.Scale, 3),
            ["depth of the last slice, nm"] = Finite(found.Depths[^1], 1),
        };
        if (told.Length > 0) facts["standard error of a thickness, nm"] = Finite(Math.Sqrt(told.Average(u => u * u)), 2);
        return Html.Of($"{Tables.Value(facts)}<div class=\"charts\">{Slices(found).Draw()}{Histogram(found)?.Draw() ?? Html.Empty}</div>");
    }

    private static Chart Slices(SliceThickness found)
    {
        double[] kept = [.. found.Thickness];
        foreach (var k in found.Outliers) kept[k] = double.NaN;
        double[] Edge(int side) => [.. kept.Zip(found.Uncertainty, (t, u) => t + side * u)];
        return new("Thickness", "slice", [.. Enumerable.Range(0, kept.Length).Select(k => (double)k)],
        [
            new("outliers", found.Thickness, Chart.Colours[1]),
            new("thickness", kept, Chart.Colours[0]) { Band = found.Uncertainty.Any(double.IsFinite) ? (Edge(-1), Edge(1)) : null },
        ])
        { Unit = "nm", FromZero = true, Note = "The band is one standard error." };
    }

    // of what the law was fitted to
    private static Chart? Histogram(SliceThickness found)
    {
        double[] kept = [.. Enumerable.Range(0, found.Thickness.Length).Except(found.Outliers).Select(k => found.Thickness[k]).Order()];
        if (kept.Length < 8 || !double.IsFinite(found.Gamma.Shape)) return null;
        // Freedman and Diaconis 1981, doi:10.1007/BF01025868
        var width = 2 * (kept[kept.Length * 3 / 4] - kept[kept.Length / 4]) / Math.Cbrt(kept.Length);
        if (!(width > 0)) return null;
        const int fine = 16;
        var bins = (int)Math.Min(200, Math.Ceiling((kept[^1] - kept[0]) / width) + 2);
        var low = Math.Max(0, kept[0] - width);
        var share = new double[bins];
        foreach (var value in kept) share[Math.Clamp((int)((value - low) / width), 0, bins - 1)] += 1 / (kept.Length * width);
        double[] x = [.. Enumerable.Range(0, bins * fine).Select(i => low + (i + 0.5) * width / fine)];
        return new("Histogram with the fitted gamma law", "thickness, nm", x,
        [
            new("slices that are no outliers", [.. x.Select((_, i) => share[i / fine])], Chart.Colours[0]) { Filled = true },
            new("gamma law", [.. x.Select(v => Gamma.Density(v, found.Gamma.Shape, found.Gamma.Scale))], Chart.Colours[1]),
        ])
        { Unit = "share per nm", FromZero = true };
    }
}

using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Measured curves as charts with bands. Curves that differ in nothing but the axis, or the phase, at the end of their names share a chart.</summary>
internal static class CurveCharts
{
    private static readonly string[] Axes = ["x", "y", "z"], Planes = ["xy", "xz", "yz"];

    private static readonly Dictionary<string, string> Titles = new()
    {
        ["twoPoint"] = "Two-point correlation S₂",
        ["linealPath"] = "Lineal path L",
        ["chordLength"] = "Chord lengths, density",
        ["thickness-volume"] = "Local thickness, share of volume",
        ["thickness-cumulative"] = "Local thickness, cumulative",
        ["particle-diameter-number"] = "Particle diameter, share of number",
        ["particle-diameter-volume"] = "Particle diameter, share of volume",
        ["poreSize"] = "Filled by balls set anywhere",
        ["intrusion"] = "Filled by balls from outside",
        ["pathLength-share"] = "Path length, cumulative",
        ["representativeness-mean"] = "Mean fraction of subvolumes",
        ["representativeness-spread"] = "Spread of fraction of subvolumes",
    };

    /// <summary>The section; nothing when there are no curves.</summary>
    public static Html Draw(IReadOnlyList<Curve> curves, IReadOnlyList<Phase> phases) => curves.Count == 0 ? Html.Empty : Html.Of($"""
        <section id="curves"><h2>Curves</h2><div class="charts">{curves.Select(curve => Split(curve, phases)).GroupBy(part => (part.Stem, part.Curve.Unit, part.Kind)).SelectMany(Charts)
        .Select(chart => chart.Draw())}</div></section>
        """);

    // what a curve is of, what tells it from its fellows, and its colour
    private readonly record struct Part(Curve Curve, string Stem, string Kind, string Label, string? Colour);

    private static Part Split(Curve curve, IReadOnlyList<Phase> phases)
    {
        if (phases.FirstOrDefault(p => curve.Name.EndsWith("-" + p.Name.Replace(' ', '-'), StringComparison.OrdinalIgnoreCase)) is { } phase)
            return new(curve, curve.Name[..^(phase.Name.Length + 1)], "phase", phase.Name, phase.Colour);
        var dash = curve.Name.LastIndexOf('-');
        var end = curve.Name[(dash + 1)..];
        if (dash > 0 && Array.IndexOf(Axes, end) is >= 0 and var axis) return new(curve, curve.Name[..dash], "axis", end, Chart.Colours[axis]);
        if (dash > 0 && Array.IndexOf(Planes, end) is >= 0 and var plane) return new(curve, curve.Name[..dash], "plane", end, Chart.Colours[3 + plane]);
        return new(curve, curve.Name, "", Wording.Words(curve.Name), null);
    }

    private static IEnumerable<Chart> Charts(IGrouping<(string Stem, string Unit, string Kind), Part> group)
    {
        Part[] parts = [.. group.Where(part => part.Curve.X.Length > 0)];
        // several measures may give a curve of the same name: a chart each
        var rounds = parts.GroupBy(part => part.Label).Select(same => same.Count()).DefaultIfEmpty(0).Max();
        for (var round = 0; round < rounds; round++)
        {
            Part[] shown = [.. parts.GroupBy(part => part.Label).Where(same => same.Count() > round).Select(same => same.ElementAt(round))];
            var x = Common([.. shown.Select(part => part.Curve.X)]);
            var (key, kind) = (group.Key.Stem, group.Key.Kind switch { "axis" => ", along axes", "plane" => ", mean over directions of planes", _ => "" });
            yield return new(Titles.GetValueOrDefault(key, Wording.Title(key)) + kind, Wording.Unit(group.Key.Unit), x, [.. shown.Select((part, i) => Line(part, i, x, shown.Length == 1))])
            {
                FromZero = Array.TrueForAll(shown, part => part.Curve.Y.All(y => !(y < 0))) && group.Key.Kind != "phase" && !key.EndsWith("mean", StringComparison.Ordinal),
                Note = shown.Any(part => part.Curve.Low is not null) ? "Bands: 95 % by block bootstrap." : "",
            };
        }
    }

    private static Series Line(Part part, int i, double[] x, bool alone)
    {
        var curve = part.Curve;
        double[] At(double[] y) => x.SequenceEqual(curve.X) ? y : [.. x.Select(place => Between(curve.X, y, place))];
        var share = part.Curve.Name.EndsWith("-volume", StringComparison.Ordinal) || part.Curve.Name.EndsWith("-number", StringComparison.Ordinal) || part.Curve.Name.StartsWith("chord", StringComparison.Ordinal);
        return new(part.Label, At(curve.Y), part.Colour ?? Chart.Colours[i % Chart.Colours.Length])
        {
            Band = curve is { Low: { } low, High: { } high } ? (At(low), At(high)) : null,
            Filled = alone && share,
        };
    }

    // lines of one chart share their abscissae: the finest of them over all that any reaches
    private static double[] Common(double[][] all)
    {
        if (all.All(x => x.SequenceEqual(all[0]))) return all[0];
        var finest = all.MinBy(x => x.Length > 1 ? (x[^1] - x[0]) / (x.Length - 1) : double.PositiveInfinity)!;
        var (step, longest) = (finest.Length > 1 ? (finest[^1] - finest[0]) / (finest.Length - 1) : 1, all.Max(x => x[^1]));
        return [.. finest, .. Enumerable.Range(1, (int)Math.Max(0, Math.Floor((longest - finest[^1]) / step + 1e-9))).Select(k => finest[^1] + k * step)];
    }

    private static double Between(double[] x, double[] y, double place)
    {
        if (place < x[0] - 1e-9 || place > x[^1] + 1e-9) return double.NaN;
        var after = Array.FindIndex(x, at => at >= place - 1e-9);
        if (after <= 0 || x[after] - place < 1e-9) return y[Math.Max(after, 0)];
        return y[after - 1] + (y[after] - y[after - 1]) * (place - x[after - 1]) / (x[after] - x[after - 1]);
    }
}

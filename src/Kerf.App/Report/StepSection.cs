using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The part of the page that lets a reader judge one step.</summary>
internal static class StepSection
{
    public static Html Draw(int number, ReportStep step, VolumeScan before, VolumeScan after, GreyWindow window, Pictures pictures)
    {
        var id = $"step-{number}";
        IReadOnlyList<Chart> charts = [.. FactCharts.Of(step.Facts, step.Parameters, before), .. step.IsMap ? [] : Own(step, before, after, window)];
        var viewer = ReferenceEquals(step.Before, step.After) ? Html.Empty : Viewer.Draw(id, step, before, after, window, pictures);
        var change = Change(step.Before.Info, step.After.Info);
        var time = step.Skipped ? "unchanged, kept from an earlier run" : step.Seconds > 0 ? Wording.Duration(step.Seconds) : "";
        return Html.Of($"""
            <section class="step" id="{id}"><header><span class="number">{number}</span><div><h3>{step.Name}</h3>
            <p class="sub"><code>{step.Operation}</code> {(time.Length > 0 ? Html.Of($"<span>{time}</span>") : Html.Empty)} <span>{change}</span></p></div></header>
            <p class="summary">{step.Summary}</p>{(step.IsMap ? Html.Empty : Verdict(before, after))}{viewer}{Legend(step, after)}
            <div class="charts">{charts.Select(c => c.Draw())}</div>
            {Tables.Listing("Parameters", step.Parameters, open: true)}
            {Tables.Listing("What the step found", FactCharts.Scalars(step.Facts))}</section>
            """);
    }

    private static string Change(VolumeInfo before, VolumeInfo after)
    {
        var size = before.Size == after.Size ? $"{after.Size} voxels" : $"{before.Size} → {after.Size} voxels";
        var type = before.Type == after.Type ? "" : $", {before.Type.Name()} → {after.Type.Name()}";
        var voxel = before.Voxel == after.Voxel || after.Voxel is null ? "" : $", voxel {after.Voxel} nm";
        return size + type + voxel;
    }

    // three numbers that say at a glance whether a grey step helped
    private static Html Verdict(VolumeScan before, VolumeScan after)
    {
        if (before.Info.Phases is not null || after.Info.Phases is not null || before == after) return Html.Empty;
        static double Typical(double[] values) =>
            values.Where(double.IsFinite).Order().ToArray() is { Length: > 0 } sorted ? sorted[sorted.Length / 2] : double.NaN;
        (string Name, double Before, double After)[] tiles = [
            ("Noise (σ, median slice)", Typical(before.Noise), Typical(after.Noise)),
            ("Likeness of neighbouring slices", Typical(before.Similarity), Typical(after.Similarity)),
            ("Brightness (mean)", before.Mean.Average(), after.Mean.Average()),
            ("Contrast (σ)", before.Sigma.Average(), after.Sigma.Average())];
        return Html.Of($"""
            <dl class="tiles">{tiles.Where(t => double.IsFinite(t.Before) && double.IsFinite(t.After)).Select(t => Html.Of($"""
            <div class="tile"><dt>{t.Name}</dt>
            <dd>{Wording.Number(t.Before, 3)} <span class="to">→</span> <b>{Wording.Number(t.After, 3)}</b>
            <small>{Relative(t.Before, t.After)}</small></dd></div>
            """))}</dl>
            """);
    }

    // changes below 0.1 % are not worth a number
    private static string Relative(double a, double b) =>
        a == 0 || Math.Abs(b / a - 1) < 1e-3 ? "" : $"{(b >= a ? "+" : "−")}{Wording.Number(Math.Abs(b / a - 1) * 100, 2)} %";

    private static Html Legend(ReportStep step, VolumeScan after) => step.After.Info.Phases is not { } phases ? Html.Empty : Html.Of($"""
        <ul class="phases">{phases.Select((p, i) => Html.Of(
            $"<li><i style=\"background:{p.Colour}\"></i>{p.Name} <b>{after.Fraction(i) * 100:0.00} %</b></li>"))}</ul>
        """);

    private static IEnumerable<Chart> Own(ReportStep step, VolumeScan before, VolumeScan after, GreyWindow window)
    {
        if (step.After.Info.Phases is { } phases)
        {
            yield return Fractions(after, phases);
            if (step.Before.Info.Phases is null && step.Facts["histogram"] is null)
                yield return Histogram(window, before, null, FactCharts.Thresholds(step.Facts));
            yield break;
        }
        if (step.Before.Info.Phases is not null || before == after) yield break;
        double[] z = [.. before.Slices.Select(s => (double)s)];
        var same = before.Slices.SequenceEqual(after.Slices);
        if (same && step.Facts["meanBefore"] is null)
        {
            yield return Pair("Brightness per slice", "mean grey level", before.Mean, after.Mean);
        }
        if (same)
        {
            yield return Pair("Noise per slice", "σ in grey levels", before.Noise, after.Noise) with
            {
                Note = "Immerkær 1996, doi:10.1006/cviu.1996.0060",
            };
            if (before.Complete && z.Length > 2)
            {
                yield return Pair("Likeness to the next slice", "correlation", before.Similarity, after.Similarity) with
                {
                    Note = "Slices averaged to 128 columns first, so that shot noise hides no shift.",
                };
            }
        }
        yield return Histogram(window, before, after, []);

        Chart Pair(string title, string unit, double[] a, double[] b) => new(title, "slice", z, [
            new("before", a, "var(--before)"), new("after", b, "var(--after)")])
        { Unit = unit };
    }

    // of three or more phases one that fills most of the volume would press the others flat; it is the rest to 1
    private static Chart Fractions(VolumeScan scan, IReadOnlyList<Phase> phases)
    {
        var rest = phases.Count < 3 ? -1 : Enumerable.Range(0, phases.Count).FirstOrDefault(i => scan.Fraction(i) > 0.6, -1);
        var shown = Enumerable.Range(0, phases.Count).Where(i => i != rest);
        var lines = shown.Select(i => new Series(phases[i].Name, scan.Fractions[i], phases[i].Colour)
        {
            Band = (Edge(i, -1.96), Edge(i, 1.96)),
        });
        return new("Phase fractions per slice", "slice", [.. scan.Slices.Select(s => (double)s)], [.. lines])
        {
            FromZero = true,
            Unit = "share of the slice",
            Note = "Bands: 95 % from the spread over 8 × 8 tiles of the slice." + (rest < 0 ? "" : $" The rest is {phases[rest].Name}."),
        };

        double[] Edge(int phase, double by) => [.. scan.Fractions[phase].Zip(scan.Errors[phase], (f, e) => Math.Clamp(f + by * e, 0, 1))];
    }

    private static Chart Histogram(GreyWindow window, VolumeScan before, VolumeScan? after, IReadOnlyList<double> thresholds)
    {
        const int bins = 128;
        var margin = (window.High - window.Low) * 0.12;
        var (low, high) = (window.Low - margin, window.High + margin);
        // integer levels: bins of whole levels, or the chart would show a comb
        if (before.Info.Type != PixelType.Float32)
        {
            var width = Math.Max(1, Math.Ceiling((high - low) / bins));
            low = Math.Max(0, Math.Floor(low));
            high = low + width * Math.Ceiling((high - low) / width);
            return Drawn((int)Math.Round((high - low) / width));
        }
        return Drawn(bins);

        Chart Drawn(int count)
        {
            var half = before.Info.Type == PixelType.Float32 ? 0 : 0.5;
            double[] levels = [.. Enumerable.Range(0, count).Select(i => low + (i + 0.5) * (high - low) / count - half)];
            var first = before.Histogram.Density(low, high, count);
            List<Series> lines = [new(after is null ? "density" : "before", first, "var(--before)") { Filled = true }];
            if (after is not null) lines.Add(new("after", after.Histogram.Density(low, high, count), "var(--after)"));
            return new Chart("Histogram", "grey level", levels, lines)
            { FromZero = true, Unit = "share per grey level", Marks = [.. thresholds.Select(t => (t, Wording.Number(t)))] };
        }
    }
}

/// <summary>Charts of what a step left as facts.</summary>
internal static class FactCharts
{
    private static readonly HashSet<string> Known = ["histogram", "thresholds", "threshold"];

    /// <summary>Drift, histogram with thresholds, pairs named …Before and …After, and every other numeric array against the slice.</summary>
    public static IEnumerable<Chart> Of(JsonObject facts, JsonObject parameters, VolumeScan before)
    {
        if (facts["histogram"] is JsonObject histogram && Numbers(histogram["levels"]) is { } levels
            && Numbers(histogram["counts"]) is { } counts && levels.Length == counts.Length)
        {
            var thresholds = Thresholds(facts);
            if (thresholds.Count == 0) thresholds = Thresholds(parameters);
            yield return new Chart("Histogram with thresholds", "grey level", levels, [new("voxels", counts, "var(--before)") { Filled = true }])
            { FromZero = true, Marks = [.. thresholds.Select(t => (t, Wording.Number(t)))] };
        }
        foreach (var (name, node) in facts)
        {
            if (Known.Contains(name) || node is not JsonArray array || array.Count < 2) continue;
            var drawnBefore = name.EndsWith("After", StringComparison.Ordinal) && Numbers(facts[name[..^5] + "Before"])?.Length == array.Count;
            if (drawnBefore) continue;
            if (Columns(array) is { } columns) yield return Vectors(name, columns, before);
            else if (Numbers(array) is { Length: > 6 } values) yield return Scalars(name, values, facts, before);
        }
    }

    /// <summary>The facts that are words, single numbers or short lists.</summary>
    public static JsonObject Scalars(JsonObject facts)
    {
        var few = new JsonObject();
        foreach (var (name, node) in facts)
        {
            if (node is JsonValue || (node is JsonArray { Count: <= 6 } array && array.All(item => item is JsonValue)))
                few[name] = node.DeepClone();
        }
        return few;
    }

    /// <summary>"thresholds" or "threshold", as numbers.</summary>
    public static IReadOnlyList<double> Thresholds(JsonObject facts) =>
        Numbers(facts["thresholds"]) ?? (facts["threshold"] is JsonValue one && Number(one) is { } value ? [value] : []);

    private static Chart Vectors(string name, double[][] columns, VolumeScan before)
    {
        var drift = name == "shifts" && columns.Length == 2;
        string[] parts = drift ? ["dy", "dx"] : [.. Enumerable.Range(1, columns.Length).Select(i => $"{i}")];
        return new(drift ? "Drift: shift of each slice" : Wording.Title(name), Axis(columns[0].Length, before), Items(columns[0].Length, before),
            [.. columns.Select((c, i) => new Series(parts[i], c, Chart.Colours[i % Chart.Colours.Length]))])
        {
            Unit = drift ? "pixels" : "",
            Note = drift && before.Info.Voxel is { } voxel ? $"1 pixel is {Wording.Length(voxel.Y)} in y, {Wording.Length(voxel.X)} in x" : "",
        };
    }

    private static Chart Scalars(string name, double[] values, JsonObject facts, VolumeScan before)
    {
        var x = Items(values.Length, before);
        var axis = Axis(values.Length, before);
        return name.EndsWith("Before", StringComparison.Ordinal) && Numbers(facts[name[..^6] + "After"]) is { } after && after.Length == values.Length
            ? new(Wording.Title(name[..^6]), axis, x, [new("before", values, "var(--before)"), new("after", after, "var(--after)")])
            : new(Wording.Title(name), axis, x, [new(Wording.Words(name), values, Chart.Colours[0])]);
    }

    // one value per slice, or per gap between two slices; anything else is simply counted
    private static double[] Items(int count, VolumeScan before) =>
        [.. Enumerable.Range(0, count).Select(i => count == before.Info.Size.Z - 1 ? i + 0.5 : (double)i)];

    private static string Axis(int count, VolumeScan before) => before.Info.Size.Z - count is 0 or 1 ? "slice" : "item";

    private static double[][]? Columns(JsonArray rows)
    {
        if (rows[0] is not JsonArray { Count: >= 1 and <= 6 } first) return null;
        var columns = Enumerable.Range(0, first.Count).Select(_ => new double[rows.Count]).ToArray();
        for (var i = 0; i < rows.Count; i++)
        {
            if (Numbers(rows[i]) is not { } row || row.Length != first.Count) return null;
            for (var c = 0; c < row.Length; c++) columns[c][i] = row[c];
        }
        return columns;
    }

    private static double[]? Numbers(JsonNode? node)
    {
        if (node is not JsonArray array || array.Count == 0) return null;
        var values = new double[array.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (array[i] is null) values[i] = double.NaN;
            else if (array[i] is JsonValue value && Number(value) is { } number) values[i] = number;
            else return null;
        }
        return values;
    }

    // a value that was parsed is a JsonElement, one that was set is a .NET number: its JSON text is the same for both
    private static double? Number(JsonValue value) =>
        value.GetValueKind() == JsonValueKind.Number ? double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) : null;
}

using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>What the report shows of one step.</summary>
/// <param name="Name">The step's name in the recipe.</param>
/// <param name="Operation">kebab-case: "destripe".</param>
/// <param name="Summary">One sentence for a microscopist.</param>
/// <param name="Parameters">All parameters, defaults included.</param>
/// <param name="Facts">
/// What the step found out. Drawn as curves: <c>shifts</c> [[dy, dx], …], pairs named <c>…Before</c> and <c>…After</c>, every other numeric
/// array; <c>histogram</c> {levels, counts} with <c>thresholds</c> [..] as marks.
/// </param>
/// <param name="Seconds">Duration.</param>
/// <param name="Before">The volume the step read.</param>
/// <param name="After">The volume it wrote.</param>
/// <param name="Skipped">The volume was kept from an earlier run.</param>
public sealed record ReportStep(
    string Name, string Operation, string Summary, JsonObject Parameters, JsonObject Facts, double Seconds, IVolume Before, IVolume After,
    bool Skipped)
{
    /// <summary>True when <see cref="After"/> shows something else than grey values, so that its noise or brightness is not to be compared with theirs.</summary>
    public bool IsMap { get; init; }
}

/// <summary>All that goes into a report.</summary>
/// <param name="Title">Headline.</param>
/// <param name="Description">A sentence below it.</param>
/// <param name="Steps">In the order they ran.</param>
/// <param name="Measurements">The table.</param>
/// <param name="Curves">Measured curves; names that end in "-PHASE" share a chart.</param>
/// <param name="Provenance">Version, seed, machine, durations, hashes: shown as it is.</param>
/// <param name="RecipeText">The recipe as it was run.</param>
public sealed record ReportInput(
    string Title, string Description, IReadOnlyList<ReportStep> Steps, IReadOnlyList<Measurement> Measurements, IReadOnlyList<Curve> Curves,
    JsonObject Provenance, string RecipeText)
{
    /// <summary>Agreement with a known truth, when there is one.</summary>
    public JsonObject? Score { get; init; }

    /// <summary>Figures of the measures: SVG that stands alone.</summary>
    public IReadOnlyList<string> Figures { get; init; } = [];

    /// <summary>Phases, where no step made them.</summary>
    public IReadOnlyList<Phase> Phases { get; init; } = [];
}

/// <summary>
/// <c>report.html</c>: one file that opens offline and asks nothing of any network. It lets a reader judge each step: the same sections before and
/// after at one grey scale, curves against the slice, phases over the grey values, measurements with intervals, recipe and provenance, and the
/// phases as surfaces one can turn.
/// </summary>
public static class Report
{
    // base64 makes 4 bytes of 3, and noise packs to about 0.85 byte a pixel
    private const double PixelBudget = 8.5e6 / (0.85 * 4 / 3);

    /// <summary>Writes the report. Volumes are streamed slice by slice; a large one is sampled.</summary>
    /// <param name="input">What to show.</param>
    /// <param name="path">The file to write; it is there whole or not at all.</param>
    /// <param name="walk">Threads, memory, progress.</param>
    /// <exception cref="InputError">The file cannot be written.</exception>
    public static void Write(ReportInput input, string path, Traversal walk)
    {
        var volumes = input.Steps.SelectMany(s => new[] { s.Before, s.After }).Distinct(ReferenceEqualityComparer.Instance).Cast<IVolume>().ToArray();
        var scans = new Dictionary<IVolume, VolumeScan>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < volumes.Length; i++)
            scans[volumes[i]] = VolumeScan.Of(volumes[i], walk.Part(0.7 * i / volumes.Length, 0.7 * (i + 1) / volumes.Length));
        var windows = Windows(input.Steps, scans);
        var pictures = new Pictures(Width(input.Steps, windows));
        var steps = input.Steps.Select((s, i) => StepSection.Draw(i + 1, s, scans[s.Before], scans[s.After], windows[i], pictures)).ToArray();
        var phases = input.Steps.Select(s => s.After.Info.Phases).LastOrDefault(p => p is not null) ?? input.Phases;
        var result = Result(input, scans, windows, walk.Part(0.8, 1));
        var score = Tables.Score(input.Score);
        var measurements = Tables.Measurements(input.Measurements, phases);
        var figures = input.Figures.Count == 0 ? Html.Empty
            : Html.Of($"<section id=\"figures\"><h2>Figures</h2>{input.Figures.Select(svg => Html.Of($"<figure class=\"scene\">{new Html(svg)}</figure>"))}</section>");
        var curves = CurveCharts.Draw(input.Curves, phases);
        var recipe = Tables.Recipe(input.RecipeText);
        var provenance = Tables.Provenance(input.Provenance);
        var stages = steps.Length == 0 ? Html.Empty : Html.Of($"<section id=\"steps\" class=\"steps\"><h2>Steps</h2>{steps}</section>");
        var body = Html.Of($"""
            {result}{score}{stages}{measurements}{figures}{curves}{recipe}{provenance}
            """);
        (string Id, string Name, Html Part)[] parts = [("result", "Result", result), ("score", "Score", score),
            ("measurements", "Measurements", measurements), ("figures", "Figures", figures), ("curves", "Curves", curves), ("recipe", "Recipe", recipe),
            ("provenance", "Provenance", provenance)];
        static Html Link((string Id, string Name, Html Part) part) => Html.Of($"<li><a href=\"#{part.Id}\">{part.Name}</a></li>");
        var (first, last) = (parts.Take(2).Where(p => p.Part.Text.Length > 0), parts.Skip(2).Where(p => p.Part.Text.Length > 0));
        var links = input.Steps.Select((s, i) => Html.Of($"<li class=\"sub\"><a href=\"#step-{i + 1}\"><span>{i + 1}</span>{s.Name}</a></li>"));
        var nav = Html.Of($"<ol>{first.Select(Link)}{links}{last.Select(Link)}</ol>");
        var page = Resource("report.html")
            .Replace("{{style}}", Resource("report.css"), StringComparison.Ordinal)
            .Replace("{{script}}", Resource("report.js") + Resource("volume.js"), StringComparison.Ordinal)
            .Replace("{{title}}", Html.Escape(input.Title), StringComparison.Ordinal)
            .Replace("{{description}}", Html.Escape(input.Description), StringComparison.Ordinal)
            .Replace("{{glance}}", Glance(input).Text, StringComparison.Ordinal)
            .Replace("{{nav}}", nav.Text, StringComparison.Ordinal)
            .Replace("{{body}}", body.Text, StringComparison.Ordinal);
        AtomicFile.WriteAllText(path, page);
        walk.Progress?.Report(1);
    }

    /// <summary>A page of its own in the report's look: a title and what is below it.</summary>
    internal static string Page(string title, Html body) => Resource("report.html")
        .Replace("{{style}}", Resource("report.css"), StringComparison.Ordinal)
        .Replace("{{script}}", Resource("report.js"), StringComparison.Ordinal)
        .Replace("{{title}}", Html.Escape(title), StringComparison.Ordinal)
        .Replace("{{description}}", "", StringComparison.Ordinal)
        .Replace("{{glance}}", "", StringComparison.Ordinal)
        .Replace("{{nav}}", "", StringComparison.Ordinal)
        .Replace("{{body}}", body.Text, StringComparison.Ordinal);

    // a step starts from its own 0.5–99.5 % window; one that hardly differs from the last is kept, so that images are shared and steps compare
    private static GreyWindow[] Windows(IReadOnlyList<ReportStep> steps, Dictionary<IVolume, VolumeScan> scans)
    {
        var windows = new GreyWindow[steps.Count];
        GreyWindow? last = null;
        for (var i = 0; i < windows.Length; i++)
        {
            var grey = steps[i].Before.Info.Phases is null ? steps[i].Before : steps[i].After;
            if (grey.Info.Phases is null)
            {
                var own = GreyWindow.Of(scans[grey]);
                last = last is { } kept && kept.Overlap(own) > 0.8 ? kept : own;
            }
            windows[i] = last ?? new(0, 255);
        }
        return windows;
    }

    // how wide an image may be for all of them together to stay within the budget
    private static int Width(IReadOnlyList<ReportStep> steps, GreyWindow[] windows)
    {
        var shown = new HashSet<(IVolume, GreyWindow)>();
        for (var i = 0; i < steps.Count; i++)
            foreach (var volume in new[] { steps[i].Before, steps[i].After })
                if (volume.Info.Phases is null) shown.Add((volume, windows[i]));
        double Pixels(int width) => shown.Sum(s =>
        {
            var size = s.Item1.Info.Size;
            var factor = (Math.Max(size.X, size.Y) + width - 1) / width;
            var (w, h) = (size.X / factor, size.Y / factor);
            return (3.0 * w * h) + Math.Min(size.Z, width) * (w + h) + (factor > 1 ? 400 * 400 : 0);
        });
        var width = 1024;
        while (width > 192 && Pixels(width) > PixelBudget) width -= 32;
        return width;
    }

    private static Html Result(ReportInput input, Dictionary<IVolume, VolumeScan> scans, GreyWindow[] windows, Traversal walk)
    {
        if (input.Steps.Count == 0) return Html.Empty;
        var volume = input.Steps.Select(s => s.After).LastOrDefault(v => v.Info.Phases is not null) ?? input.Steps[^1].After;
        (Phase Phase, double Share)[] phases = [.. (volume.Info.Phases ?? []).Select((p, i) => (p, scans[volume].Fraction(i)))];
        return Html.Of($"""
            <section id="result"><h2>Result</h2>{VolumeView.Of(volume, windows[^1], walk).Draw(phases)}
            <ul class="phases large">{phases.Select(p => Fraction(p.Phase, p.Share, input.Measurements))}</ul></section>
            """);
    }

    private static Html Fraction(Phase phase, double share, IReadOnlyList<Measurement> measurements)
    {
        var measured = measurements.FirstOrDefault(m => m is { Name: "fraction" or "volumeFraction", Axis: null } && m.Phase == phase.Name);
        var interval = measured is { Low: { } low, High: { } high } ? $"{low * 100:0.0}–{high * 100:0.0} %" : "";
        return Html.Of($"""
            <li><i style="background:{phase.Colour}"></i><span>{phase.Name}</span> <b>{(measured?.Value ?? share) * 100:0.0} %</b>
            <small>{interval}</small></li>
            """);
    }

    private static Html Glance(ReportInput input)
    {
        var facts = new List<(string Name, string Value)>();
        if (input.Steps.Count > 0)
        {
            var (first, last) = (input.Steps[0].Before.Info, input.Steps[^1].After.Info);
            facts.Add(("Volume", first.Size == last.Size ? $"{last.Size} voxels" : $"{first.Size} → {last.Size} voxels"));
            if (last.Voxel is { } voxel)
            {
                facts.Add(("Voxel z × y × x", $"{Wording.Number(voxel.Z)} × {Wording.Number(voxel.Y)} × {Wording.Number(voxel.X)} nm"));
                facts.Add(("Extent z × y × x", string.Join(" × ", Enumerable.Range(0, 3).Select(a => Wording.Length(last.Size[a] * voxel[a])))));
            }
            facts.Add(("Steps", $"{input.Steps.Count} in {Wording.Duration(input.Steps.Sum(s => s.Seconds))}"));
        }
        foreach (var name in new[] { "version", "seed", "started" })
            if (input.Provenance[name] is JsonValue value) facts.Add((Wording.Title(name), value.ToString()));
        return Html.Join(facts.Select(f => Html.Of($"<div><dt>{f.Name}</dt><dd>{f.Value}</dd></div>")));
    }

    private static string Resource(string name)
    {
        using var stream = typeof(Report).Assembly.GetManifestResourceStream(name)!;
        return new StreamReader(stream).ReadToEnd();
    }
}

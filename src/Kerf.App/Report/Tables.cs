using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Measurements, curves, recipe and provenance as tables and lists.</summary>
internal static partial class Tables
{
    public static Html Measurements(IReadOnlyList<Measurement> all, IReadOnlyList<Phase> phases)
    {
        if (all.Count == 0) return Html.Empty;
        var groups = all.GroupBy(m => (m.Name, m.Unit));
        return Html.Of($"""
            <section id="measurements"><header class="plain"><h2>Measurements</h2>
            <button type="button" class="copy" data-copy="csv">Copy as CSV</button></header>
            <div class="wide"><table class="measurements"><thead><tr><th>Quantity</th><th>Phase</th><th>Axis</th><th class="n">Value</th><th>Unit</th>
            <th class="n">Interval</th><th class="whisker"><span class="sr">Interval, drawn</span></th><th>Method</th></tr></thead>
            <tbody>{groups.SelectMany(g => g.Select((m, i) => Row(m, i == 0, [.. g], phases)))}</tbody></table></div></section>
            """);
    }

    /// <summary>A JSON object as a list of names and values; nested objects and lists of objects as tables.</summary>
    public static Html Listing(string title, JsonObject values, bool open = false) => values.Count == 0 ? Html.Empty : Html.Of($"""
        <details class="listing"{Html.When(open, " open")}><summary>{title}</summary>{Value(values)}</details>
        """);

    /// <summary>Any JSON value.</summary>
    public static Html Value(JsonNode? node) => node switch
    {
        null => new("–"),
        JsonObject rows when rows.Count > 1 && rows.All(p => p.Value is JsonObject) => Table([.. rows.Select(p => (p.Key, (JsonObject)p.Value!))]),
        JsonObject nested => Html.Of($"""
            <dl class="values">{nested.Select(p => Html.Of($"<div><dt>{Wording.Words(p.Key)}</dt><dd>{Value(p.Value)}</dd></div>"))}</dl>
            """),
        JsonArray list when list.Count > 0 && list.All(i => i is JsonObject) => Table([.. list.Select((i, n) => ($"{n + 1}", (JsonObject)i!))]),
        JsonArray list => Html.Of($"{string.Join(", ", list.Take(32).Select(Scalar))}{(list.Count > 32 ? $" … ({list.Count} values)" : "")}"),
        _ => Html.Of($"{Scalar(node)}"),
    };

    /// <summary>The score as tiles, nested parts as tables.</summary>
    public static Html Score(JsonObject? score) => score is null || score.Count == 0 ? Html.Empty : Html.Of($"""
        <section id="score"><h2>Score against the known truth</h2><dl class="tiles">{score.Where(p => p.Value is JsonValue).Select(p => Html.Of(
            $"<div class=\"tile\"><dt>{Wording.Title(p.Key)}</dt><dd><b>{Scalar(p.Value)}</b></dd></div>"))}</dl>
        {score.Where(p => p.Value is JsonObject or JsonArray).Select(p => Html.Of(
            $"<h3 class=\"minor\">{Wording.Title(p.Key)}</h3>{Value(p.Value)}"))}</section>
        """);

    public static Html Recipe(string text) => string.IsNullOrWhiteSpace(text) ? Html.Empty : Html.Of($"""
        <section id="recipe"><header class="plain"><h2>Recipe</h2><button type="button" class="copy" data-copy="recipe">Copy</button></header>
        <pre class="recipe"><code>{text.TrimEnd().Split('\n').Select(Line)}</code></pre></section>
        """);

    public static Html Provenance(JsonObject provenance) => provenance.Count == 0 ? Html.Empty : Html.Of($"""
        <section id="provenance"><h2>Provenance</h2>{Value(provenance)}</section>
        """);

    /// <summary>A phase's colour and name.</summary>
    public static Html Swatch(string? name, IReadOnlyList<Phase> phases) => name is null ? Html.Empty
        : phases.FirstOrDefault(p => p.Name == name) is not { } phase ? Html.Of($"{name}")
        : Html.Of($"<span class=\"swatch\"><i style=\"background:{phase.Colour}\"></i>{name}</span>");

    private static Html Row(Measurement m, bool first, Measurement[] group, IReadOnlyList<Phase> phases)
    {
        var bounded = m is { Low: not null, High: not null };
        var (value, low, high) = bounded ? Wording.Interval(m.Value, m.Low!.Value, m.High!.Value) : (Wording.Number(m.Value), "", "");
        return Html.Of($"""
            <tr{Html.When(first, " class=\"first\"")}><th scope="row">{Wording.Title(m.Name)}</th><td>{Swatch(m.Phase, phases)}</td><td>{m.Axis}</td>
            <td class="n" data-value="{m.Value:R}"><b>{value}</b></td><td data-unit="{m.Unit}">{Wording.Unit(m.Unit)}</td>
            <td class="n" data-low="{Exact(m.Low)}" data-high="{Exact(m.High)}">{(bounded ? $"{low} – {high}" : "–")}{Doubt(m)}</td>
            <td class="whisker">{Whisker(m, group)}</td><td><code>{m.Method}</code></td></tr>
            """);
    }

    private static Html Doubt(Measurement m) => m is not { DoubtLow: { } low, DoubtHigh: { } high } ? Html.Empty
        : Html.Of($"<br><small title=\"the range that the doubt of the segmentation leaves\">segmentation {Wording.Number(low)} – {Wording.Number(high)}</small>");

    // value and interval on a scale that the rows of one quantity share
    private static Html Whisker(Measurement m, Measurement[] group)
    {
        var ends = group.SelectMany(g => new[] { g.Low ?? g.Value, g.High ?? g.Value, g.Value }).Where(double.IsFinite).ToArray();
        if (m.Low is not { } low || m.High is not { } high || ends.Length == 0 || ends.Max() <= ends.Min()) return Html.Empty;
        double Px(double value) => 4 + (value - ends.Min()) / (ends.Max() - ends.Min()) * 92;
        return Html.Of($"""
            <svg viewBox="0 0 100 12" aria-hidden="true"><path d="M{Px(low):0.#} 6H{Px(high):0.#}M{Px(low):0.#} 3v6M{Px(high):0.#} 3v6"/>
            <circle cx="{Px(m.Value):0.#}" cy="6" r="2.6"/></svg>
            """);
    }

    private static string Exact(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static Html Table((string Key, JsonObject Row)[] rows)
    {
        var columns = rows.SelectMany(r => r.Row.Select(p => p.Key)).Distinct().ToArray();
        return Html.Of($"""
            <div class="wide"><table><thead><tr><th></th>{columns.Select(c => Html.Of($"<th>{Wording.Words(c)}</th>"))}</tr></thead>
            <tbody>{rows.Select(r => Html.Of(
                $"<tr><th scope=\"row\">{r.Key}</th>{columns.Select(c => Html.Of($"<td>{Value(r.Row[c])}</td>"))}</tr>"))}</tbody></table></div>
            """);
    }

    private static string Scalar(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "–",
        JsonValueKind.String => node.GetValue<string>(),
        JsonValueKind.Number => Digits(node.ToJsonString()),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => node.ToJsonString(),
    };

    // whole numbers such as seeds keep every digit
    private static string Digits(string json) =>
        json.All(c => char.IsAsciiDigit(c) || c == '-') ? json : Wording.Number(double.Parse(json, CultureInfo.InvariantCulture), 5);

    private static Html Line(string line)
    {
        var parts = YamlLine().Match(line.TrimEnd('\r'));
        return Html.Of($"{parts.Groups[1].Value}<b>{parts.Groups[2].Value}</b>{parts.Groups[3].Value}<em>{parts.Groups[4].Value}</em>\n");
    }

    [GeneratedRegex(@"^(\s*(?:- )?)([\w.-]+:(?=\s|$))?((?:[^#]|(?<=\S)#)*)(#.*)?$")]
    private static partial Regex YamlLine();
}

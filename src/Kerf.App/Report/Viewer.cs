using System.Security.Cryptography;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Sections as images of the page; an image that was embedded once is not embedded again.</summary>
internal sealed class Pictures(int maxWidth)
{
    private readonly Dictionary<(IVolume, GreyWindow?), IReadOnlyList<(Plane Plane, byte[] Png)>> _sections = [];
    private readonly Dictionary<string, string> _embedded = [];

    /// <summary>The planes of a volume, grey in a window or, without one, as coloured labels.</summary>
    public IReadOnlyList<(Plane Plane, byte[] Png)> Sections(IVolume volume, VolumeScan scan, GreyWindow? window)
    {
        if (_sections.TryGetValue((volume, window), out var known)) return known;
        var made = Plane.Of(volume, scan, maxWidth)
            .Select(plane => (plane with { Values = [] }, window is { } grey ? plane.Grey(grey) : plane.Coloured(volume.Info.Phases!))).ToArray();
        return _sections[(volume, window)] = made;
    }

    /// <summary>An image element: with its data the first time, afterwards a note of whom it equals.</summary>
    public Html Image(byte[] png, string role, string alt)
    {
        var hash = Convert.ToHexString(SHA256.HashData(png));
        if (_embedded.TryGetValue(hash, out var id)) return Html.Of($"<img class=\"{role}\" data-same=\"{id}\" alt=\"{alt}\">");
        _embedded[hash] = id = "image-" + _embedded.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Html.Of($"<img class=\"{role}\" id=\"{id}\" alt=\"{alt}\" src=\"data:image/png;base64,{Convert.ToBase64String(png)}\">");
    }
}

/// <summary>How a step's before and after are set beside each other.</summary>
internal enum Comparison
{
    /// <summary>Two grey volumes of one size: wipe, blink, side by side, difference.</summary>
    Grey,

    /// <summary>Phases over the grey volume they were found in.</summary>
    Overlay,

    /// <summary>Two label volumes of one size: wipe, blink, side by side, changed voxels.</summary>
    Labels,

    /// <summary>Sizes differ: side by side, each with its own scale.</summary>
    Apart,
}

/// <summary>The image part of a step: tabs for the sections, a stage where before and after lie over each other, and its tools.</summary>
internal static class Viewer
{
    public static Html Draw(string id, ReportStep step, VolumeScan before, VolumeScan after, GreyWindow window, Pictures pictures)
    {
        var (first, last) = (step.Before, step.After);
        var kind = first.Info.Size != last.Info.Size ? Comparison.Apart
            : last.Info.Phases is null ? Comparison.Grey
            : first.Info.Phases is null ? Comparison.Overlay : Comparison.Labels;
        var left = pictures.Sections(first, before, first.Info.Phases is null ? window : null);
        var right = pictures.Sections(last, after, last.Info.Phases is null ? window : null);
        var count = Math.Min(left.Count, right.Count);
        var planes = Enumerable.Range(0, count).Select(i => Draw(left[i], right[i], i, step.Name, pictures));
        (string, string)[] names = [.. left.Take(count).Select((p, i) => ($"{i}", p.Plane.Name))];
        var phases = last.Info.Phases ?? [];
        return Html.Of($"""
            <figure class="viewer" data-kind="{kind.ToString().ToLowerInvariant()}" data-window="{window.Low},{window.High}">
            <div class="tools">{Choice("Section", id + "-plane", names)}{Modes(id, kind)}{Zoom}</div>
            {(kind is Comparison.Overlay ? Overlay(phases, after) : Html.Empty)}{planes}
            <figcaption>{Caption(kind, window, first.Info)}</figcaption></figure>
            """);
    }

    private static Html Zoom => new("""
        <label class="zoom">Zoom <select><option value="1">1×</option><option value="2">2×</option>
        <option value="4">4×</option><option value="8">8×</option></select></label>
        """);

    private static (string, string)[] Over => [("wipe", "wipe"), ("blink", "blink"), ("side", "side by side")];

    private static Html Modes(string id, Comparison kind) => kind switch
    {
        Comparison.Grey => Choice("Compare", id + "-mode", [.. Over, ("difference", "difference")]),
        Comparison.Labels => Choice("Compare", id + "-mode", [.. Over, ("difference", "changed")]),
        Comparison.Overlay => Choice("Phases as", id + "-mode", [("fill", "fill"), ("outline", "outline"), ("side", "side by side")]),
        _ => Html.Empty,
    };

    private static Html Overlay(IReadOnlyList<Phase> phases, VolumeScan scan) => Html.Of($"""
        <div class="tools overlay"><label>Opacity <input type="range" class="opacity" min="0" max="100" value="45"></label>
        {phases.Select((p, i) => Html.Of($"""
        <label class="phase" data-colour="{p.Colour}"><input type="checkbox"{Html.When(!Covers(scan, i), " checked")}>
        <i style="background:{p.Colour}"></i>{p.Name}</label>
        """))}</div>
        """);

    // a phase that fills most of the image would only veil it: it starts unticked
    private static bool Covers(VolumeScan scan, int phase) => scan.Fractions.Length > 1 && scan.Fraction(phase) > 0.5;

    private static Html Choice(string label, string name, (string Value, string Text)[] options) => Html.Of($"""
        <div class="choice" role="radiogroup" aria-label="{label}">{options.Select((o, i) => Html.Of($"""
        <label><input type="radio" name="{name}" value="{o.Value}"{Html.When(i == 0, " checked")}><span>{o.Text}</span></label>
        """))}</div>
        """);

    private static Html Draw((Plane Plane, byte[] Png) before, (Plane Plane, byte[] Png) after, int index, string step, Pictures pictures)
    {
        var (a, b) = (before.Plane, after.Plane);
        var strip = a.Across > 2.2 * a.Down ? " strip" : "";
        return Html.Of($"""
            <div class="plane{strip}" data-plane="{index}" style="--w:{a.Across};--h:{a.Down}">
            {Pane("before", a, before.Png, step, pictures)}{Pane("after", b, after.Png, step, pictures)}
            <input type="range" class="wipe" min="0" max="1000" value="500" aria-label="Boundary between before and after">
            <p class="where">{a.Caption}{(a.Caption == b.Caption ? "" : " · after: " + b.Caption)}</p></div>
            """);
    }

    private static Html Pane(string side, Plane plane, byte[] png, string step, Pictures pictures)
    {
        var (length, label) = ScaleBar(plane.Across, plane.Physical);
        var unit = plane.Physical ? "nm" : "px";
        var coarse = plane.Width < 300 || plane.Height < 60 ? " coarse" : "";
        return Html.Of($"""
            <div class="pane {side}{coarse}" style="--w:{plane.Across};--h:{plane.Down}" data-across="{plane.Across}" data-unit="{unit}">
            <div class="view">{pictures.Image(png, side, $"{step}: {side}, {plane.Caption}")}</div><span class="tag">{side}</span>
            <div class="scalebar" style="width:{length / plane.Across * 100:0.##}%"><span>{label}</span></div></div>
            """);
    }

    /// <summary>The round length (1, 2 or 5 times a power of ten) nearest below a quarter of the width.</summary>
    private static (double Length, string Label) ScaleBar(double across, bool physical)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(across / 4)));
        var length = (across / 4 / power) switch { >= 5 => 5, >= 2 => 2, _ => 1 } * power;
        return (length, physical ? Wording.Length(length) : $"{Wording.Number(length)} px");
    }

    private static Html Caption(Comparison kind, GreyWindow window, VolumeInfo info)
    {
        var grey = $"black {Wording.Number(window.Low)}, white {Wording.Number(window.High)} grey levels "
            + "(0.5 and 99.5 % quantiles before this step, or before an earlier one if they hardly differ)";
        var span = Wording.Number((window.High - window.Low) / 2, 3);
        return kind switch
        {
            Comparison.Grey => Html.Of($"""
                Before and after at the same grey scale: {grey}.
                <span class="difference-key">Difference = after − before: <i></i> −{span} to +{span}.</span>
                """),
            Comparison.Overlay => Html.Of($"Phases over the volume before; {grey}."),
            Comparison.Labels => Html.Of($"Labels before and after; changed voxels are shown in red."),
            _ => Html.Of($"The size changed, so each side has its own scale{(info.Phases is null ? "; " + grey : "")}."),
        };
    }
}

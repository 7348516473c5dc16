using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Kerf.App;

/// <summary>One line of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Y">Ordinates; values that are not finite leave a gap.</param>
/// <param name="Colour">Any CSS colour.</param>
internal sealed record Series(string Name, double[] Y, string Colour)
{
    /// <summary>Lower and upper edge of a band around the line.</summary>
    public (double[] Low, double[] High)? Band { get; init; }

    /// <summary>Draws the area below the line.</summary>
    public bool Filled { get; init; }
}

/// <summary>A line chart as inline SVG, with the numbers that the page's script needs to read values out.</summary>
/// <param name="Title">What is shown.</param>
/// <param name="XTitle">Abscissa with unit.</param>
/// <param name="X">Abscissae, ascending.</param>
/// <param name="Lines">What is drawn; all as long as <paramref name="X"/>.</param>
internal sealed record Chart(string Title, string XTitle, double[] X, IReadOnlyList<Series> Lines)
{
    private const int MostPoints = 1200;
    private const double Left = 56, Top = 10, PlotWidth = 412, PlotHeight = 164;

    /// <summary>Colours for lines that have none of their own; the style sheet gives them for light and dark.</summary>
    public static readonly string[] Colours = ["var(--line-1)", "var(--line-2)", "var(--line-3)", "var(--line-4)", "var(--line-5)", "var(--line-6)"];

    /// <summary>Unit of the ordinate, shown after the title.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Vertical marks such as thresholds.</summary>
    public IReadOnlyList<(double X, string Label)> Marks { get; init; } = [];

    /// <summary>The ordinate starts at 0.</summary>
    public bool FromZero { get; init; }

    /// <summary>Said below the chart.</summary>
    public string Note { get; init; } = "";

    /// <summary>The chart; nothing when there is no finite value to draw.</summary>
    public Html Draw()
    {
        if (X.Length > MostPoints) return Thinned().Draw();
        var values = Lines.SelectMany(s => s.Band is { } band ? s.Y.Concat(band.Low).Concat(band.High) : s.Y).Where(double.IsFinite).ToArray();
        if (values.Length == 0 || X.Length == 0) return Html.Empty;
        var (x0, x1) = (X.Min(), X.Max());
        if (x1 <= x0) (x0, x1) = (x0 - 0.5, x1 + 0.5);
        var (y0, y1) = (FromZero ? Math.Min(0, values.Min()) : values.Min(), values.Max());
        var flat = Math.Max(1e-12, Math.Abs(y1) * 1e-6);
        if (y1 - y0 < flat) (y0, y1) = (y0 - flat - Math.Abs(y0) * 0.05, y1 + flat + Math.Abs(y1) * 0.05);
        var step = Nice((y1 - y0) / 4);
        (y0, y1) = (Math.Floor(y0 / step + 1e-9) * step, Math.Ceiling(y1 / step - 1e-9) * step);
        string Px(double x) => Coordinate(Left + (x - x0) / (x1 - x0) * PlotWidth);
        string Py(double y) => Coordinate(Top + PlotHeight - (y - y0) / (y1 - y0) * PlotHeight);
        var data = JsonSerializer.Serialize(new { x = X.Select(Brief), s = Lines.Select(s => s.Y.Select(Brief)), box = new[] { x0, x1, y0, y1 } });
        var described = $"{Title}, from {Wording.Number(values.Min())} to {Wording.Number(values.Max())} {Unit}";
        var floor = Top + PlotHeight;
        var xStep = Nice((x1 - x0) / 6);
        var rows = Ticks(y0, y1, step).Select(y => Html.Of($"""
            <path d="M{Left} {Py(y)}h{PlotWidth}"/><text x="{Left - 6}" y="{Py(y)}" dy=".32em" text-anchor="end">{Tick(y, step)}</text>
            """));
        var columns = Ticks(x0, x1, xStep).Select(x => Html.Of($"""
            <path d="M{Px(x)} {floor}v4"/><text x="{Px(x)}" y="{floor + 16}" text-anchor="middle">{Tick(x, xStep)}</text>
            """));
        var marks = Marks.Where(m => m.X >= x0 && m.X <= x1).Select((m, i) => Html.Of($"""
            <g class="mark"><path d="M{Px(m.X)} {Top}v{PlotHeight}"/><text x="{Px(m.X)}" y="{Top + 9 + i % 3 * 12}" dx="4">{m.Label}</text></g>
            """));
        var legend = Lines.Select(s => Html.Of($"<span><i style=\"background:{s.Colour}\"></i>{s.Name} <output></output></span>"));
        return Html.Of($"""
            <figure class="chart"><figcaption><b>{Title}</b> <span class="unit">{Unit}</span></figcaption>
            <div class="legend">{legend}<span class="at"></span></div>
            <svg viewBox="0 0 480 208" role="img" tabindex="0" aria-label="{described}" data-chart="{data}">
            <g class="grid">{rows}</g><g class="axis"><path d="M{Left} {floor}h{PlotWidth}"/>{columns}
            <text class="title" x="{Left + PlotWidth}" y="{floor + 30}" text-anchor="end">{XTitle}</text></g>
            {Lines.Select(s => Draw(s, Px, Py))}{marks}<g class="cursor"></g></svg>
            {(Note.Length > 0 ? Html.Of($"<p class=\"note\">{Note}</p>") : Html.Empty)}</figure>
            """);
    }

    private Html Draw(Series series, Func<double, string> px, Func<double, string> py)
    {
        var path = new StringBuilder();
        var pen = false;
        for (var i = 0; i < X.Length; i++)
        {
            if (!double.IsFinite(series.Y[i])) { pen = false; continue; }
            path.Append(pen ? 'L' : 'M').Append(px(X[i])).Append(' ').Append(py(series.Y[i]));
            pen = true;
        }
        var band = "";
        if (series.Band is { } edges)
        {
            var use = Enumerable.Range(0, X.Length).Where(i => double.IsFinite(edges.Low[i]) && double.IsFinite(edges.High[i])).ToArray();
            var (there, back) = (use.Select(i => $"{px(X[i])} {py(edges.High[i])}"), use.Reverse().Select(i => $"{px(X[i])} {py(edges.Low[i])}"));
            band = "M" + string.Join('L', there.Concat(back)) + "Z";
        }
        else if (series.Filled)
        {
            band = $"{path}L{px(X[^1])} {py(0)}L{px(X[0])} {py(0)}Z";
        }
        var line = path.ToString();
        var single = X.Length == 1 ? Html.Of($"<circle cx=\"{px(X[0])}\" cy=\"{py(series.Y[0])}\" r=\"3\" fill=\"{series.Colour}\"/>") : Html.Empty;
        return Html.Of($"""
            <g style="--c:{series.Colour}">{(band.Length > 0 ? Html.Of($"<path class=\"band\" d=\"{band}\"/>") : Html.Empty)}
            <path class="under" d="{line}"/><path class="line" d="{line}"/>{single}</g>
            """);
    }

    // the lowest and the highest value of each stretch stay, so that no spike is lost
    private Chart Thinned()
    {
        var parts = MostPoints / 2;
        var keep = new SortedSet<int>();
        for (var part = 0; part < parts; part++)
        {
            var (from, to) = ((int)((long)part * X.Length / parts), (int)((long)(part + 1) * X.Length / parts));
            var y = Lines[0].Y;
            var (low, high) = (from, from);
            for (var i = from; i < to; i++) (low, high) = (y[i] < y[low] ? i : low, y[i] > y[high] ? i : high);
            keep.UnionWith([low, high]);
        }
        double[] Kept(double[] all) => [.. keep.Select(i => all[i])];
        return this with
        {
            X = Kept(X),
            Lines = [.. Lines.Select(s => s with { Y = Kept(s.Y), Band = s.Band is { } band ? (Kept(band.Low), Kept(band.High)) : null })],
        };
    }

    private static double? Brief(double value) =>
        double.IsFinite(value) ? double.Parse(value.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static string Coordinate(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static double Nice(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 } * power;
    }

    private static IEnumerable<double> Ticks(double low, double high, double step)
    {
        for (var i = Math.Ceiling(low / step - 1e-9); i * step <= high + step * 1e-9; i++) yield return i * step;
    }

    private static string Tick(double value, double step)
    {
        if (Math.Abs(value) >= 1e6 || step < 1e-4) return Wording.Number(value, 3);
        var decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
        return (value + 0.0).ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).Replace('-', '−');
    }
}

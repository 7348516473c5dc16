using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Colours of values, from dark violet (low) to yellow (high): viridis by S. van der Walt and N. Smith, of even lightness steps.</summary>
/// <param name="low">The lowest value.</param>
/// <param name="high">The highest.</param>
/// <param name="logarithmic">Colours go by the logarithm.</param>
internal sealed class ColourScale(double low, double high, bool logarithmic)
{
    private static readonly (double R, double G, double B)[] Stops =
    [
        (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37),
    ];

    public (double R, double G, double B) Of(double value)
    {
        var share = logarithmic ? Math.Log(value / low) / Math.Log(high / low) : (value - low) / (high - low);
        return At(double.IsFinite(share) ? share : 0.5);
    }

    /// <summary>The value at a share of the scale.</summary>
    public double Value(double share) => logarithmic ? low * Math.Pow(high / low, share) : low + share * (high - low);

    public static (double R, double G, double B) At(double share)
    {
        var at = Math.Clamp(share, 0, 1) * (Stops.Length - 1);
        var below = Math.Min((int)at, Stops.Length - 2);
        var (a, b, t) = (Stops[below], Stops[below + 1], at - below);
        return (a.R + t * (b.R - a.R), a.G + t * (b.G - a.G), a.B + t * (b.B - a.B));
    }

    public static string Css(double share)
    {
        var (r, g, b) = At(share);
        return $"#{(int)(r + 0.5):x2}{(int)(g + 0.5):x2}{(int)(b + 0.5):x2}";
    }
}

/// <summary>A scene as a figure that stands alone: an SVG with the picture in it, a colour bar and a scale bar.</summary>
internal static class SceneFigure
{
    private const int Width = 960, Height = 640, Bar = 112, Head = 48;

    /// <summary>The figure; it has the same bytes for any number of threads.</summary>
    public static string Draw(Scene scene, Traversal walk)
    {
        var values = (scene.Lines.Count > 0 ? scene.Lines.SelectMany(line => line.Values) : scene.Bodies.Data.Select(value => (double)value)).Where(double.IsFinite).ToArray();
        var (low, high) = values.Length > 0 ? (values.Min(), values.Max()) : (0, 1);
        if (!(high > low)) (low, high) = (low - Math.Max(0.5 * Math.Abs(low), 1e-9), high + Math.Max(0.5 * Math.Abs(high), 1e-9));
        var colours = new ColourScale(low, high, scene.Logarithmic && low > 0);
        var view = new SceneView(scene, Width - Bar, Height - Head);
        var picture = Convert.ToBase64String(Png.EncodeRgb(view.Draw(colours, walk), Width - Bar, Height - Head));
        var stops = Enumerable.Range(0, 11).Select(i => Html.Of($"<stop offset=\"{i * 10}%\" stop-color=\"{ColourScale.Css(1 - i / 10.0)}\"/>"));
        var (top, bottom) = (90, Height - 90);
        var ticks = Enumerable.Range(0, 5).Select(i => Html.Of($"""
            <text x="{Width - Bar + 36}" y="{bottom - i * (bottom - top) / 4.0}" dy=".35em">{Wording.Number(colours.Value(i / 4.0), 3)}</text>
            """));
        var (length, said) = ScaleBar(180 * view.PixelSize, scene.LengthUnit);
        var pixels = length / view.PixelSize;
        return Html.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" width="{Width}" height="{Height}" font-family="sans-serif" font-size="15" fill="#1e2226" role="img" aria-label="{scene.Title}">
            <defs><linearGradient id="{scene.Name}-colours" x2="0" y2="1">{stops}</linearGradient></defs><rect width="{Width}" height="{Height}" fill="#f6f5f2"/>
            <image y="{Head}" width="{Width - Bar}" height="{Height - Head}" href="data:image/png;base64,{picture}"/>
            <rect x="{Width - Bar + 10}" y="{top}" width="18" height="{bottom - top}" fill="url(#{scene.Name}-colours)"/>{ticks}
            <text x="{Width - Bar + 10}" y="{top - 44}">{scene.Quantity}</text><text x="{Width - Bar + 10}" y="{top - 22}" fill="#5f666d">{(scene.Unit == "1" ? "" : scene.Unit)}</text>
            <path d="M24 {Height - 40}h{pixels}" stroke="#1e2226" stroke-width="4"/><text x="24" y="{Height - 16}">{said}</text>
            <text x="24" y="34" font-weight="bold">{scene.Title}</text></svg>
            """).Text;
    }

    // the largest round length that is not longer
    private static (double Length, string Said) ScaleBar(double longest, string unit)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(longest)));
        var length = (longest / power) switch { >= 5 => 5, >= 2 => 2, _ => 1 } * power;
        return (length, unit == "nm" ? Wording.Length(length) : $"{Wording.Number(length)} {unit}");
    }
}

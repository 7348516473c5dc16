using Kerf.Imaging;

namespace Kerf.App;

/// <summary>
/// Importance of features as a box plot, an SVG that stands alone: a row per group and per feature, a column per kind of importance. A box spans the
/// middle half of the trees, its line is the median, the whiskers reach 5 and 95 %, the dot is the mean.
/// </summary>
internal static class BoxChart
{
    private const double Names = 250, Column = 190, Gap = 18, Row = 13, Top = 44;

    /// <summary>The picture; colours tell the groups apart, which the names of the groups do too.</summary>
    public static string Draw(IReadOnlyList<ImportanceTable> tables, string title)
    {
        var first = tables[0];
        var rows = first.Groups.Count + first.Features.Count;
        var (width, height) = (Names + tables.Count * (Column + Gap), Top + (rows + 2) * Row + 20);
        var names = first.Groups.Concat(first.Features).Select((box, i) => Html.Of($"""
            <text x="{Names - 8}" y="{Y(i)}" dy=".35em" text-anchor="end" fill="{Colour(box.Group)}">{box.Name}</text>
            """));
        return Html.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="10" role="img" aria-label="{title}">
            <rect width="100%" height="100%" fill="#ffffff"/><text x="8" y="18" font-size="13" font-weight="bold">{title}</text>
            {names}{tables.Select((table, i) => Panel(table, Names + i * (Column + Gap)))}</svg>
            """).Text;

        // groups first, a row of air, then features
        double Y(int row) => Top + (row + (row < first.Groups.Count ? 0.5 : 1.5)) * Row;

        // sums of groups are larger than single features: each has its own scale
        Html Panel(ImportanceTable table, double left)
        {
            var groups = Boxes(table.Groups, 0);
            var features = Boxes(table.Features, table.Groups.Count);
            return Html.Of($"""<g transform="translate({left} 0)"><text x="0" y="36" font-weight="bold">{table.Kind}</text>{groups}{features}</g>""");
        }

        Html Boxes(IReadOnlyList<ImportanceBox> boxes, int row)
        {
            var values = boxes.SelectMany(b => b.Quantiles.Append(b.Mean)).Where(double.IsFinite).Append(0).ToArray();
            var (low, high) = (values.Min(), values.Max());
            if (high <= low) high = low + 1;
            double X(double value) => (value - low) / (high - low) * Column;
            var bottom = Y(row + boxes.Count - 1) + Row / 2;
            var drawn = boxes.Select((box, i) => !double.IsFinite(box.Mean) ? Html.Empty : Html.Of($"""
                <g stroke="{Colour(box.Group)}" fill="{Colour(box.Group)}"><title>{box.Name}: median {Wording.Number(box.Quantiles[2])}, mean {Wording.Number(box.Mean)}</title>
                <path d="M{X(box.Quantiles[0]):0.#} {Y(row + i)}H{X(box.Quantiles[4]):0.#}"/>
                <rect x="{X(box.Quantiles[1]):0.#}" y="{Y(row + i) - 4}" width="{X(box.Quantiles[3]) - X(box.Quantiles[1]):0.#}" height="8" fill-opacity=".3"/>
                <path d="M{X(box.Quantiles[2]):0.#} {Y(row + i) - 4}v8" stroke-width="2"/><circle cx="{X(box.Mean):0.#}" cy="{Y(row + i)}" r="1.6"/></g>
                """));
            return Html.Of($"""
                <path d="M{X(0):0.#} {Y(row) - Row / 2}V{bottom}" stroke="#bbbbbb"/>{drawn}
                <text x="{Column}" y="{bottom + 9}" text-anchor="end" fill="#666666">{Wording.Number(high, 3)}</text><text x="0" y="{bottom + 9}" fill="#666666">{Wording.Number(low, 3)}</text>
                """);
        }
    }

    private static string Colour(FeatureGroup group) => group switch { FeatureGroup.Smoothing => "#2f6fb5", FeatureGroup.Edge => "#c2571a", FeatureGroup.Texture => "#2d7d46", _ => "#7d4ba0" };
}

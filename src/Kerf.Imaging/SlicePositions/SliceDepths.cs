using System.Globalization;
using System.Text;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Where slices were cut: the depth of each, in nanometres from the first, as a CSV file and in a volume's metadata.</summary>
public static class SliceDepths
{
    /// <summary>Where a volume's metadata keep the depths of its slices, in nanometres, with commas between.</summary>
    public const string DepthsKey = "slicePositionsNm";

    /// <summary>Where a repositioned volume's metadata say which of its planes hold a slice: indices with commas between.</summary>
    public const string PlanesKey = "slicePlanes";

    /// <summary>As CSV: slice, depth_nm, thickness_nm (to the next slice; empty for the last).</summary>
    public static string ToCsv(IReadOnlyList<double> depths)
    {
        var text = new StringBuilder("slice,depth_nm,thickness_nm\n");
        for (var k = 0; k < depths.Count; k++)
        {
            var thickness = k + 1 < depths.Count ? Number(depths[k + 1] - depths[k]) : "";
            text.Append(CultureInfo.InvariantCulture, $"{k},{Number(depths[k])},{thickness}\n");
        }
        return text.ToString();
    }

    /// <summary>Numbers with commas between, for <see cref="DepthsKey"/> and <see cref="PlanesKey"/>.</summary>
    public static string Join<T>(IEnumerable<T> numbers) where T : IFormattable => string.Join(',', numbers.Select(n => n.ToString(null, CultureInfo.InvariantCulture)));

    /// <summary>The numbers that a volume's metadata keep under a key; null when they keep none.</summary>
    public static double[]? Of(VolumeInfo info, string key) => info.Metadata.TryGetValue(key, out var text)
        ? [.. text.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture))] : null;

    /// <summary>
    /// Reads the depths of <paramref name="slices"/> slices (of as many as there are, when null) from a table with commas, semicolons or tabs. A column whose heading begins with depth, position or z holds
    /// depths; one that begins with thickness holds the distance from each slice to the next (the last one may be missing), as microscope logs have it. Without
    /// headings the last column holds depths. Depths count from the first slice.
    /// </summary>
    /// <exception cref="InputError">Missing, no such table, another number of slices, or depths that do not increase.</exception>
    public static double[] Read(string path, int? slices)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({fault.Message}). Give a CSV file with the depth or the thickness of each slice in nanometres.", fault);
        }
        var rows = lines.Select((line, i) => (Line: i + 1, Cells: line.Split([',', ';', '\t'], StringSplitOptions.TrimEntries)))
            .Where(row => row.Cells.Any(cell => cell.Length > 0) && !row.Cells[0].StartsWith('#')).ToArray();
        if (rows.Length == 0) throw new InputError($"{path}: is empty; give the depth or the thickness of each slice in nanometres, a line a slice.");
        var headings = rows[0].Cells.All(cell => !IsNumber(cell, out _)) ? rows[0].Cells : null;
        var depth = Column(headings, "depth", "position", "z");
        var thickness = Column(headings, "thickness");
        if (headings is not null && depth < 0 && thickness < 0)
            throw new InputError($"{path}: no column is named depth or thickness (it has {string.Join(", ", headings)}); name one of them depth_nm or thickness_nm.");
        var areDepths = headings is null || depth >= 0;
        var column = headings is null ? rows[0].Cells.Length - 1 : areDepths ? depth : thickness;
        var values = Values(path, rows[(headings is null ? 0 : 1)..], column, mayEndEmpty: !areDepths);
        if (!areDepths)
        {
            var count = slices ?? values.Count + 1;
            if (values.Count != count && values.Count != count - 1)
                throw new InputError($"{path}: holds {values.Count} thicknesses for {count} slices; give one for each slice, or for each gap between two ({count - 1}).");
            if (values.FindIndex(value => !(value.Value > 0)) is >= 0 and var bad)
                throw new InputError(string.Create(CultureInfo.InvariantCulture, $"{path}: line {values[bad].Line}: thickness {values[bad].Value} nm; it must be above 0."));
            var depths = new double[count];
            for (var k = 1; k < count; k++) depths[k] = depths[k - 1] + values[k - 1].Value;
            return depths;
        }
        if (slices is not null && values.Count != slices) throw new InputError($"{path}: holds {values.Count} depths for {slices} slices; give one for each slice.");
        for (var k = 1; k < values.Count; k++)
        {
            if (!(values[k].Value > values[k - 1].Value))
            {
                throw new InputError(string.Create(CultureInfo.InvariantCulture,
                    $"{path}: line {values[k].Line}: depth {values[k].Value} nm does not lie below the slice before ({values[k - 1].Value} nm); depths must increase."));
            }
        }
        return [.. values.Select(value => value.Value - values[0].Value)];
    }

    private static List<(int Line, double Value)> Values(string path, (int Line, string[] Cells)[] rows, int column, bool mayEndEmpty)
    {
        var values = new List<(int, double)>();
        for (var i = 0; i < rows.Length; i++)
        {
            var cell = column < rows[i].Cells.Length ? rows[i].Cells[column] : "";
            if (cell.Length == 0 && mayEndEmpty && i == rows.Length - 1) continue;
            if (!IsNumber(cell, out var value) || !double.IsFinite(value)) throw new InputError($"{path}: line {rows[i].Line}: \"{cell}\" is no number of nanometres.");
            values.Add((rows[i].Line, value));
        }
        return values;
    }

    private static int Column(string[]? headings, params string[] names) =>
        headings is null ? -1 : Array.FindIndex(headings, heading => names.Any(name => heading.Trim('"').StartsWith(name, StringComparison.OrdinalIgnoreCase)));

    private static bool IsNumber(string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static string Number(double value) => Math.Round(value, 6).ToString(CultureInfo.InvariantCulture);
}

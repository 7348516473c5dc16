using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The grey values that are shown as black and white.</summary>
internal readonly record struct GreyWindow(double Low, double High)
{
    /// <summary>The 0.5 % and 99.5 % quantiles of a volume.</summary>
    public static GreyWindow Of(VolumeScan scan)
    {
        var (low, high) = (scan.Histogram.Quantile(0.005), scan.Histogram.Quantile(0.995));
        return new(low, high > low ? high : low + 1);
    }

    /// <summary>Length of the common part over length of the union.</summary>
    public double Overlap(GreyWindow other) =>
        Math.Max(0, Math.Min(High, other.High) - Math.Max(Low, other.Low)) / (Math.Max(High, other.High) - Math.Min(Low, other.Low));
}

/// <summary>A section of a volume, reduced for the screen.</summary>
/// <param name="Name">Short, for a tab: "xy 2", "xz".</param>
/// <param name="Caption">Where it lies.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Values">Grey values or labels.</param>
internal sealed record Plane(string Name, string Caption, int Width, int Height, float[] Values)
{
    // a strip more elongated than this shows its middle part only; the voxels keep their proportions
    private const double WidestStrip = 6, TallestStrip = 3;

    /// <summary>Physical width, in nm (or voxels when the voxel size is unknown).</summary>
    public double Across { get; init; }

    /// <summary>Physical height.</summary>
    public double Down { get; init; }

    /// <summary>True when <see cref="Across"/> and <see cref="Down"/> are nanometres.</summary>
    public bool Physical { get; init; }

    /// <summary>
    /// Three xy slices (10, 50 and 90 %), the central xz and yz sections, and a detail at full resolution where the slices were reduced.
    /// </summary>
    public static IEnumerable<Plane> Of(IVolume volume, VolumeScan scan, int maxWidth)
    {
        var size = volume.Info.Size;
        var source = volume.AsFloat();
        var labels = volume.Info.Phases is not null;
        var voxel = volume.Info.Voxel ?? VoxelSize.Cube(1);
        var physical = volume.Info.Voxel is not null;
        var factor = (Math.Max(size.X, size.Y) + maxWidth - 1) / maxWidth;
        var slice = new float[size.SliceCount];
        foreach (var z in new[] { 0.1, 0.5, 0.9 }.Select(share => (int)(share * size.Z)).Distinct())
        {
            source.Read(Box.Slice(size, z), slice);
            var (values, w, h) = labels ? Pick(slice, size.X, size.Y, factor) : Average(slice, size.X, size.Y, factor);
            var reduced = factor > 1 ? $", shown at 1 : {factor}" : "";
            yield return new($"xy {z}", $"xy slice {z} of {size.Z}{reduced}", w, h, values)
            { Across = w * factor * voxel.X, Down = h * factor * voxel.Y, Physical = physical };
        }
        yield return Strip(new("xz", $"xz section at y = {size.Y / 2}", size.X, scan.Slices.Length, scan.Xz)
        { Across = size.X * voxel.X, Down = size.Z * voxel.Z, Physical = physical }, maxWidth, labels);
        yield return Strip(new("yz", $"yz section at x = {size.X / 2}", scan.Slices.Length, size.Y, Transposed(scan.Yz, size.Y))
        { Across = size.Z * voxel.Z, Down = size.Y * voxel.Y, Physical = physical }, maxWidth, labels);
        if (factor > 1) yield return Detail(source, voxel, physical, Math.Min(400, maxWidth));
    }

    /// <summary>
    /// Averages squares of <paramref name="factor"/> × <paramref name="factor"/> pixels; an incomplete last row or column of squares is dropped.
    /// </summary>
    public static (float[] Values, int Width, int Height) Average(ReadOnlySpan<float> slice, int width, int height, int factor)
    {
        if (factor == 1) return (slice.ToArray(), width, height);
        var (w, h) = (Math.Max(1, width / factor), Math.Max(1, height / factor));
        var values = new float[w * h];
        for (var y = 0; y < h; y++)
        {
            for (var x = 0; x < w; x++)
            {
                var sum = 0f;
                var count = 0;
                for (var j = y * factor; j < Math.Min(height, (y + 1) * factor); j++)
                    for (var i = x * factor; i < Math.Min(width, (x + 1) * factor); i++, count++) sum += slice[j * width + i];
                values[y * w + x] = sum / count;
            }
        }
        return (values, w, h);
    }

    /// <summary>The pixels as 8-bit grey in a window.</summary>
    public byte[] Grey(GreyWindow window)
    {
        var pixels = new byte[Values.Length];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)Math.Clamp((Values[i] - window.Low) / (window.High - window.Low) * 255 + 0.5, 0, 255);
        return Png.Encode(pixels, Width, Height);
    }

    /// <summary>The pixels in their phases' colours; label 0 is transparent.</summary>
    public byte[] Coloured(IReadOnlyList<Phase> phases)
    {
        return Png.EncodeLabels(Array.ConvertAll(Values, v => (byte)v), Width, Height, phases, transparentNone: true);
    }

    private static (float[] Values, int Width, int Height) Pick(ReadOnlySpan<float> slice, int width, int height, int factor)
    {
        var (w, h) = (Math.Max(1, width / factor), Math.Max(1, height / factor));
        var values = new float[w * h];
        for (var y = 0; y < h; y++)
            for (var x = 0; x < w; x++)
                values[y * w + x] = slice[Math.Min(height - 1, y * factor + factor / 2) * width + Math.Min(width - 1, x * factor + factor / 2)];
        return (values, w, h);
    }

    private static float[] Transposed(float[] rows, int length)
    {
        var count = rows.Length / length;
        var columns = new float[rows.Length];
        for (var i = 0; i < count; i++)
            for (var j = 0; j < length; j++) columns[j * count + i] = rows[i * length + j];
        return columns;
    }

    // crops the long side of an elongated section, then reduces each side on its own: the page restores the physical proportions
    private static Plane Strip(Plane plane, int maxWidth, bool labels)
    {
        var (w, h) = (plane.Width, plane.Height);
        if (plane.Across > WidestStrip * plane.Down) w = Math.Max(1, (int)(w * WidestStrip * plane.Down / plane.Across));
        if (plane.Down > TallestStrip * plane.Across) h = Math.Max(1, (int)(h * TallestStrip * plane.Across / plane.Down));
        var (left, top) = ((plane.Width - w) / 2, (plane.Height - h) / 2);
        var (fx, fy) = ((w + maxWidth - 1) / maxWidth, (h + maxWidth - 1) / maxWidth);
        var (columns, rows) = (w / fx, h / fy);
        var values = new float[columns * rows];
        for (var y = 0; y < rows; y++)
        {
            for (var x = 0; x < columns; x++)
            {
                var sum = 0f;
                var (countX, countY) = labels ? (1, 1) : (fx, fy);
                for (var j = 0; j < countY; j++)
                    for (var i = 0; i < countX; i++) sum += plane.Values[(top + y * fy + j) * plane.Width + left + x * fx + i];
                values[y * columns + x] = sum / (countX * countY);
            }
        }
        return plane with
        {
            Values = values,
            Width = columns,
            Height = rows,
            Across = plane.Across * columns * fx / plane.Width,
            Down = plane.Down * rows * fy / plane.Height,
            Caption = plane.Caption + (w < plane.Width || h < plane.Height ? ", central part" : ""),
        };
    }

    private static Plane Detail(IVolume<float> source, VoxelSize voxel, bool physical, int edge)
    {
        var size = source.Info.Size;
        var (w, h) = (Math.Min(edge, size.X), Math.Min(edge, size.Y));
        var values = new float[w * h];
        source.Read(new Box(new(size.Z / 2, (size.Y - h) / 2, (size.X - w) / 2), new(1, h, w)), values);
        return new("detail", $"centre of xy slice {size.Z / 2} at full resolution", w, h, values)
        { Across = w * voxel.X, Down = h * voxel.Y, Physical = physical };
    }
}

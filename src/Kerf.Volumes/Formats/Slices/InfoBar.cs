namespace Kerf.Volumes;

/// <summary>
/// Finds the bar with text that a microscope draws below an image. Conservative: rows at the bottom that hold few grey levels, most of them one
/// and the same, with some text on it, below rows that are nothing of the kind. A black margin holds no text and is no bar.
/// </summary>
internal static class InfoBar
{
    // text is drawn in a handful of grey levels, a row of a noisy image has dozens
    private const int MostLevels = 8;

    /// <summary>Rows of the bar at the bottom of a slice; 0 when there is none for certain.</summary>
    public static int Rows<T>(ReadOnlySpan<T> slice, int height, int width) where T : unmanaged, IEquatable<T>
    {
        if (width < 64) return 0;
        var (rows, below) = (0, 0);
        long inked = 0;
        T? ground = null;
        var top = 1.0;
        for (var y = height - 1; y >= height * 3 / 4 - 1; y--)
        {
            var (level, share) = Flat(slice.Slice(y * width, width));
            if (share < 0.5)
            {
                // some bars leave the last row to the image
                if (y >= height - 2 && rows == 0)
                {
                    below = height - y;
                    continue;
                }
                // the edge between image and bar is a clean one, the bar neither a line nor a quarter of the image, its text sparse
                var share500 = inked * 500 / (rows * (long)width + 1);
                return rows >= Math.Max(8, height / 50) && top > 0.95 && share500 is >= 1 and < 250 ? rows + below : 0;
            }
            // the bar's own lowest rows may be a frame in another colour
            if (rows == 4) ground = level;
            if (ground is { } background && !level.Equals(background) && share < 0.95) return 0;
            inked += (long)((1 - share) * width);
            top = share;
            rows++;
        }
        return 0;
    }

    // the commonest grey level of a row and its share; share 0 when the row holds many levels
    private static (T Level, double Share) Flat<T>(ReadOnlySpan<T> row) where T : unmanaged, IEquatable<T>
    {
        Span<T> levels = stackalloc T[MostLevels];
        Span<int> counts = stackalloc int[MostLevels];
        var known = 0;
        foreach (var value in row)
        {
            var at = levels[..known].IndexOf(value);
            if (at < 0)
            {
                if (known == MostLevels) return (default, 0);
                levels[at = known++] = value;
            }
            counts[at]++;
        }
        var best = 0;
        for (var i = 1; i < known; i++) if (counts[i] > counts[best]) best = i;
        return (levels[best], counts[best] / (double)row.Length);
    }
}

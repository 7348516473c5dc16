using Kerf.Imaging;

namespace Kerf.App;

/// <summary>The band of a ruler through all slices (down) along x (right), with the marks that were followed, red where too few were found: what to look at when a thickness seems wrong.</summary>
internal static class RulerPicture
{
    private static readonly (byte R, byte G, byte B)[] Colours = [(0x3b, 0x7d, 0xd8), (0x3b, 0x7d, 0xd8), (0xe8, 0x88, 0x3a), (0xe8, 0x88, 0x3a)];

    // low stacks are drawn taller
    private const int LeastHeight = 300;

    /// <summary>RGB, row-major.</summary>
    public static (byte[] Rgb, int Width, int Height) Draw(RulerSight sight)
    {
        var (slices, width) = (sight.Profiles.Length, sight.Profiles[0].Length);
        var rows = Math.Max(1, LeastHeight / slices);
        var (low, high) = (sight.Profiles.Min(p => p.Min()), sight.Profiles.Max(p => p.Max()));
        var rgb = new byte[slices * rows * width * 3];
        for (var y = 0; y < slices * rows; y++)
        {
            var profile = sight.Profiles[y / rows];
            var lost = sight.Lost.Contains(y / rows);
            for (var x = 0; x < width; x++)
            {
                var (grey, at) = ((byte)(255 * (profile[x] - low) / Math.Max(1e-6f, high - low)), (y * width + x) * 3);
                (rgb[at], rgb[at + 1], rgb[at + 2]) = lost ? ((byte)(128 + grey / 2), (byte)(grey / 2), (byte)(grey / 2)) : (grey, grey, grey);
            }
            for (var m = 0; m < sight.Marks.Length; m++)
            {
                if (!double.IsFinite(sight.Marks[m][y / rows])) continue;
                var x = Math.Clamp((int)Math.Round(sight.Marks[m][y / rows]), 0, width - 1);
                var at = (y * width + x) * 3;
                (rgb[at], rgb[at + 1], rgb[at + 2]) = Colours[Math.Min(m, Colours.Length - 1)];
            }
        }
        return (rgb, width, slices * rows);
    }
}

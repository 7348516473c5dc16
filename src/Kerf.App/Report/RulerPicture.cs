using Kerf.Imaging;

namespace Kerf.App;

/// <summary>The band of a ruler through all slices (down) along x (right), with the marks that were followed: what to look at when a thickness seems wrong.</summary>
internal static class RulerPicture
{
    private static readonly (byte R, byte G, byte B)[] Colours = [(0x3b, 0x7d, 0xd8), (0x3b, 0x7d, 0xd8), (0xe8, 0x88, 0x3a), (0xe8, 0x88, 0x3a)];

    // low stacks are drawn taller
    private const int LeastHeight = 300;

    /// <summary>RGB, row-major.</summary>
    public static (byte[] Rgb, int Width, int Height) Draw(RulerReading reading)
    {
        var (slices, width) = (reading.Profiles.Length, reading.Profiles[0].Length);
        var rows = Math.Max(1, LeastHeight / slices);
        var (low, high) = (reading.Profiles.Min(p => p.Min()), reading.Profiles.Max(p => p.Max()));
        var rgb = new byte[slices * rows * width * 3];
        for (var y = 0; y < slices * rows; y++)
        {
            var profile = reading.Profiles[y / rows];
            for (var x = 0; x < width; x++) rgb.AsSpan((y * width + x) * 3, 3).Fill((byte)(255 * (profile[x] - low) / Math.Max(1e-6f, high - low)));
            for (var m = 0; m < reading.Marks.Length; m++)
            {
                if (!double.IsFinite(reading.Marks[m][y / rows])) continue;
                var x = Math.Clamp((int)Math.Round(reading.Marks[m][y / rows]), 0, width - 1);
                var at = (y * width + x) * 3;
                (rgb[at], rgb[at + 1], rgb[at + 2]) = Colours[Math.Min(m, Colours.Length - 1)];
            }
        }
        return (rgb, width, slices * rows);
    }
}

using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// A ruler on a specimen, as it looks in its cross-sections: a dark carbon band with four bright spots, trenches filled with platinum. Two trenches run along the milling
/// direction and stay where they are, two are inclined and move apart with depth. Geometry after T-II (doi:10.1016/j.ultramic.2023.113878, Fig. 2).
/// </summary>
public sealed record VirtualRuler
{
    /// <summary>First row of the band, pixels.</summary>
    public int Top { get; init; }

    /// <summary>Rows of the band.</summary>
    public int Height { get; init; } = 40;

    /// <summary>Angle between inclined and parallel trenches, degrees.</summary>
    public double Angle { get; init; } = 45;

    /// <summary>Columns of the marks in slice 0 as shares of the width: the two that stay, then the two that move, to the right and to the left.</summary>
    public double[] Columns { get; init; } = [0.1, 0.9, 0.55, 0.45];

    /// <summary>Standard deviation of a mark's profile, pixels.</summary>
    public double Width { get; init; } = 3;

    /// <summary>Grey of the band.</summary>
    public float Carbon { get; init; } = 60;

    /// <summary>Grey in the middle of a mark.</summary>
    public float Platinum { get; init; } = 190;

    /// <summary>Looks at all parameters.</summary>
    /// <exception cref="InputError">One is out of its range.</exception>
    public void Check()
    {
        if (Columns is not { Length: 4 }) throw new InputError($"ruler: columns has {Columns?.Length ?? 0} values; give four shares of the width, the two that stay first.");
        Range(Top, 0, 1e5, "top (pixels)");
        Range(Height, 3, 1e5, "height (pixels)");
        Range(Angle, 5, 85, "angle (degrees)");
        Range(Width, 0.5, 100, "width (pixels)");
        Range(Carbon, 0, 255, "carbon (grey)");
        Range(Platinum, 0, 255, "platinum (grey)");
        static void Range(double value, double low, double high, string name)
        {
            if (!(value >= low && value <= high)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"ruler: {name} is {value}; choose {low} to {high}."));
        }
    }

    /// <summary>Column of a mark at a depth, pixels.</summary>
    public double At(int mark, double depth, int width, double pixel)
    {
        var move = depth * Math.Tan(Angle * Math.PI / 180) / pixel;
        return Columns[mark] * width + (mark switch { 2 => move, 3 => -move, _ => 0 });
    }

    /// <summary>Draws the ruler into a slice that was cut at a depth, displaced by a drift.</summary>
    /// <param name="image">Row-major greys.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="depth">Nanometres below the first slice.</param>
    /// <param name="pixel">Pixel width in nanometres.</param>
    /// <param name="shift">Displacement of the content (y, x), pixels.</param>
    public void Draw(Span<float> image, int height, int width, double depth, double pixel, (double Y, double X) shift)
    {
        for (var y = 0; y < height; y++)
        {
            var inside = y - shift.Y - Top;
            // edges of the band fall over one row
            var cover = (float)(Math.Clamp(inside + 0.5, 0, 1) * Math.Clamp(Height - inside - 0.5, 0, 1));
            if (cover == 0) continue;
            var row = image.Slice(y * width, width);
            for (var x = 0; x < width; x++)
            {
                var mark = 0.0;
                for (var m = 0; m < 4; m++)
                {
                    var d = (x - shift.X - At(m, depth, width, pixel)) / Width;
                    mark = Math.Max(mark, Math.Exp(-d * d / 2));
                }
                row[x] += cover * (Carbon + (Platinum - Carbon) * (float)mark - row[x]);
            }
        }
    }
}

using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The reduced volume from an oblique angle, drawn here: what the page shows where there is no WebGL, and prints.</summary>
internal static class VolumePicture
{
    private const int Width = 720, Height = 480;
    private const double Azimuth = -0.6, Elevation = 0.42;

    /// <summary>An RGB PNG of the visible phases; of all that is bright when the volume holds grey values.</summary>
    public static byte[] Draw(VolumeView view, IReadOnlyList<Phase> visible)
    {
        var colours = new (byte R, byte G, byte B)?[256];
        if (view.Info.Phases is null)
            for (var level = 152; level < 256; level++) colours[level] = (196, 190, 178);
        foreach (var phase in visible) colours[phase.Label] = phase.Rgb;
        var extent = view.Extent();
        var scale = Math.Max(extent.X, Math.Max(extent.Y, extent.Z)) / 2;
        var half = new double[] { extent.X / 2 / scale, extent.Y / 2 / scale, extent.Z / 2 / scale };
        var (ca, sa, ce, se) = (Math.Cos(Azimuth), Math.Sin(Azimuth), Math.Cos(Elevation), Math.Sin(Elevation));
        double[] back = [sa * ce, se, ca * ce], right = [ca, 0, -sa], up = [-sa * se, ce, -ca * se];
        // the smallest frame that holds the whole box
        double Reach(double[] axis) => half[0] * Math.Abs(axis[0]) + half[1] * Math.Abs(axis[1]) + half[2] * Math.Abs(axis[2]);
        var zoom = 1.06 * Math.Max(Reach(right) / Width, Reach(up) / Height) * 2;
        var pixels = new byte[Width * Height * 3];
        for (var row = 0; row < Height; row++)
        {
            for (var column = 0; column < Width; column++)
            {
                var (u, v) = ((column - Width / 2 + 0.5) * zoom, (Height / 2 - row - 0.5) * zoom);
                var origin = Along(i => right[i] * u + up[i] * v + back[i] * 4);
                var (r, g, b) = Ray(view, colours, half, origin, back);
                var at = (row * Width + column) * 3;
                (pixels[at], pixels[at + 1], pixels[at + 2]) = (r, g, b);
            }
        }
        return Png.EncodeRgb(pixels, Width, Height);
    }

    private static double[] Along(Func<int, double> value) => [value(0), value(1), value(2)];

    private static (byte, byte, byte) Ray(VolumeView view, (byte R, byte G, byte B)?[] colours, double[] half, double[] origin, double[] back)
    {
        double enter = 0, leave = 100;
        var face = 0;
        for (var axis = 0; axis < 3; axis++)
        {
            var (a, b) = ((origin[axis] - half[axis]) / back[axis], (origin[axis] + half[axis]) / back[axis]);
            if (a > b) (a, b) = (b, a);
            if (a > enter) (enter, face) = (a, axis);
            leave = Math.Min(leave, b);
        }
        if (enter >= leave) return (246, 245, 242);
        var size = view.Size;
        var step = 2 * half.Max() / Math.Max(size.X, Math.Max(size.Y, size.Z)) * 0.7;
        for (var t = enter + 1e-9; t < leave; t += step)
        {
            // object axes are x right, y up, z towards the viewer; rows run down and slices run away
            var x = Math.Clamp((int)((1 + (origin[0] - back[0] * t) / half[0]) / 2 * size.X), 0, size.X - 1);
            var y = Math.Clamp((int)((1 - (origin[1] - back[1] * t) / half[1]) / 2 * size.Y), 0, size.Y - 1);
            var z = Math.Clamp((int)((1 - (origin[2] - back[2] * t) / half[2]) / 2 * size.Z), 0, size.Z - 1);
            if (colours[view.Voxels[(z * size.Y + y) * size.X + x]] is not { } colour) continue;
            var light = t <= enter + step ? 0.72 + 0.12 * face : Light(view, colours, x, y, z);
            return ((byte)(colour.R * light), (byte)(colour.G * light), (byte)(colour.B * light));
        }
        return (238, 236, 231);
    }

    // the surface faces where the emptiness around it is; the light comes from above the viewer's left shoulder
    private static double Light(VolumeView view, (byte R, byte G, byte B)?[] colours, int x, int y, int z)
    {
        double nx = 0, ny = 0, nz = 0;
        for (var k = -2; k <= 2; k++)
        {
            for (var j = -2; j <= 2; j++)
            {
                for (var i = -2; i <= 2; i++)
                {
                    var (p, q, r) = (x + i, y + j, z + k);
                    var inside = p >= 0 && q >= 0 && r >= 0 && p < view.Size.X && q < view.Size.Y && r < view.Size.Z;
                    if (inside && colours[view.Voxels[(r * view.Size.Y + q) * view.Size.X + p]] is not null) continue;
                    (nx, ny, nz) = (nx + i, ny - j, nz - k);
                }
            }
        }
        var length = Math.Sqrt(nx * nx + ny * ny + nz * nz);
        if (length == 0) return 0.6;
        return 0.38 + 0.6 * Math.Max(0, (-0.55 * nx + 0.55 * ny + 0.63 * nz) / length);
    }
}

using Kerf.Volumes;

namespace Kerf.App;

/// <summary>A scene seen from an oblique angle, in parallel projection: x runs right, y down, slices away from the viewer.</summary>
/// <param name="scene">What is seen.</param>
/// <param name="width">Pixels.</param>
/// <param name="height">Pixels.</param>
internal sealed class SceneView(Scene scene, int width, int height)
{
    private const double Azimuth = -0.6, Elevation = 0.42;
    private const int Samples = 2;
    private static readonly Vector Back = new(Math.Sin(Azimuth) * Math.Cos(Elevation), Math.Sin(Elevation), Math.Cos(Azimuth) * Math.Cos(Elevation));
    private static readonly Vector Right = new(Math.Cos(Azimuth), 0, -Math.Sin(Azimuth));
    private static readonly Vector Up = new(-Math.Sin(Azimuth) * Math.Sin(Elevation), Math.Cos(Elevation), -Math.Cos(Azimuth) * Math.Sin(Elevation));
    private static readonly Vector Light = new Vector(-0.5, 0.65, 0.6).Unit();
    private static readonly Vector Ground = new(246, 245, 242);
    private readonly Vector _half = new(scene.Extent.X / 2, scene.Extent.Y / 2, scene.Extent.Z / 2);
    private readonly (int Columns, int Rows) _rays = (width * Samples, height * Samples);

    /// <summary>Lengths of the scene per pixel of the picture.</summary>
    public double PixelSize => Samples * RaySize;

    private double RaySize
    {
        get
        {
            double Reach(Vector axis) => _half.X * Math.Abs(axis.X) + _half.Y * Math.Abs(axis.Y) + _half.Z * Math.Abs(axis.Z);
            return 1.08 * 2 * Math.Max(Reach(Right) / _rays.Columns, Reach(Up) / _rays.Rows);
        }
    }

    /// <summary>Three numbers: a place, a direction, or red, green and blue.</summary>
    private readonly record struct Vector(double X, double Y, double Z)
    {
        public static Vector operator +(Vector a, Vector b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z);
        public static Vector operator -(Vector a, Vector b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z);
        public static Vector operator *(Vector a, double k) => new(a.X * k, a.Y * k, a.Z * k);
        public double Dot(Vector other) => X * other.X + Y * other.Y + Z * other.Z;
        public Vector Unit() => this * (1 / Math.Max(1e-30, Math.Sqrt(Dot(this))));
    }

    /// <summary>The picture, three bytes a pixel.</summary>
    public byte[] Draw(ColourScale colours, Traversal walk)
    {
        var (colour, depth) = (new Vector[_rays.Columns * _rays.Rows], new double[_rays.Columns * _rays.Rows]);
        Array.Fill(colour, Ground);
        Array.Fill(depth, double.NegativeInfinity);
        Frame(colour, depth);
        foreach (var line in scene.Lines) Tube(line, colours, colour, depth);
        var bodies = new SceneBodies(scene.Bodies);
        walk.ForEach(_rays.Rows, row =>
        {
            for (var column = 0; column < _rays.Columns; column++)
            {
                var at = row * _rays.Columns + column;
                var origin = Right * ((column - _rays.Columns / 2 + 0.5) * RaySize) + Up * ((_rays.Rows / 2 - row - 0.5) * RaySize);
                if (scene.Lines.Count > 0) Veil(bodies, origin, depth[at], ref colour[at]);
                else Surface(bodies, origin, colours, ref colour[at], ref depth[at]);
            }
        });
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            var sum = default(Vector);
            for (var s = 0; s < Samples * Samples; s++) sum += colour[(i / width * Samples + s / Samples) * _rays.Columns + i % width * Samples + s % Samples];
            sum *= 1.0 / (Samples * Samples);
            (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = (Byte(sum.X), Byte(sum.Y), Byte(sum.Z));
        }
        return pixels;

        static byte Byte(double value) => (byte)Math.Clamp(value + 0.5, 0, 255);
    }

    // where a ray is inside the box, by the distance towards the viewer: from the nearest to the farthest
    private (double Near, double Far, Vector Face)? Inside(Vector origin)
    {
        var (near, far, face) = (double.PositiveInfinity, double.NegativeInfinity, default(Vector));
        (double, double, double, Vector)[] axes = [(origin.X, Back.X, _half.X, new(1, 0, 0)), (origin.Y, Back.Y, _half.Y, new(0, 1, 0)), (origin.Z, Back.Z, _half.Z, new(0, 0, 1))];
        far = double.NegativeInfinity;
        foreach (var (at, direction, half, normal) in axes)
        {
            var (a, b) = ((-half - at) / direction, (half - at) / direction);
            if (a > b) (a, b) = (b, a);
            if (b < near) (near, face) = (b, normal * Math.Sign(direction));
            far = Math.Max(far, a);
        }
        return near > far ? (near, far, face) : null;
    }

    private (double Z, double Y, double X) Cell(Vector place) => (
        (1 - place.Z / _half.Z) / 2 * scene.Bodies.Info.Size.Z - 0.5,
        (1 - place.Y / _half.Y) / 2 * scene.Bodies.Info.Size.Y - 0.5,
        (1 + place.X / _half.X) / 2 * scene.Bodies.Info.Size.X - 0.5);

    // the object's axes of a gradient over cells
    private Vector Normal(SceneBodies bodies, Vector place)
    {
        var (z, y, x) = bodies.Gradient(Cell(place));
        var size = scene.Bodies.Info.Size;
        return (new Vector(x * size.X / _half.X, -y * size.Y / _half.Y, -z * size.Z / _half.Z) * -1).Unit();
    }

    private double Step => 0.5 * Math.Min(2 * _half.X / scene.Bodies.Info.Size.X, Math.Min(2 * _half.Y / scene.Bodies.Info.Size.Y, 2 * _half.Z / scene.Bodies.Info.Size.Z));

    private void Surface(SceneBodies bodies, Vector origin, ColourScale colours, ref Vector colour, ref double depth)
    {
        if (Inside(origin) is not { } box) return;
        for (var t = box.Near - 1e-9; t > box.Far && t > depth; t -= Step)
        {
            if (bodies.Filled(Cell(origin + Back * t)) < 0.5) continue;
            var cut = t > box.Near - Step;
            var at = cut ? t : Refined(bodies, origin, t);
            var place = origin + Back * at;
            var normal = cut ? box.Face : Normal(bodies, place);
            var (value, seam) = bodies.Value(Cell(place - normal * Step));
            var (r, g, b) = colours.Of(value);
            var shade = (0.36 + 0.64 * Math.Max(0, normal.Dot(Light))) * (cut ? 1 : 1 - 0.55 * bodies.Crowd(Cell(place + normal * (6 * Step)))) * (seam ? 0.6 : 1);
            var shine = cut ? 0 : 40 * Math.Pow(Math.Max(0, normal.Dot((Light + Back).Unit())), 24);
            colour = new Vector(r, g, b) * shade + new Vector(shine, shine, shine);
            depth = at;
            return;
        }
    }

    private double Refined(SceneBodies bodies, Vector origin, double inside)
    {
        var outside = inside + Step;
        for (var i = 0; i < 5; i++)
        {
            var middle = (inside + outside) / 2;
            if (bodies.Filled(Cell(origin + Back * middle)) < 0.5) outside = middle;
            else inside = middle;
        }
        return inside;
    }

    // surfaces before the line as a veil that is dense where one looks along them
    private void Veil(SceneBodies bodies, Vector origin, double depth, ref Vector colour)
    {
        if (Inside(origin) is not { } box) return;
        var (clear, veil) = (1.0, default(Vector));
        var inside = bodies.Filled(Cell(origin + Back * (box.Near - 1e-9))) >= 0.5;
        for (var t = box.Near - Step; t > box.Far && t > depth && clear > 0.05; t -= Step)
        {
            var now = bodies.Filled(Cell(origin + Back * t)) >= 0.5;
            if (now != inside)
            {
                var normal = Normal(bodies, origin + Back * t);
                var edge = 1 - Math.Abs(normal.Dot(Back));
                var dense = 0.035 + 0.3 * edge * edge * edge;
                var grey = 120 + 60 * Math.Abs(normal.Dot(Light));
                veil += new Vector(grey * 0.95, grey, grey * 1.06) * (clear * dense);
                clear *= 1 - dense;
            }
            inside = now;
        }
        colour = colour * clear + veil;
    }

    private void Tube(SceneLine line, ColourScale colours, Vector[] colour, double[] depth)
    {
        var radius = 2.4 * RaySize * Samples;
        for (var i = 0; i + 1 < line.Points.Count; i++)
        {
            var (from, to) = (Place(line.Points[i]), Place(line.Points[i + 1]));
            var count = Math.Max(1, (int)Math.Ceiling(Math.Sqrt((to - from).Dot(to - from)) / (0.35 * radius)));
            for (var s = 0; s <= count; s++)
            {
                var part = (double)s / count;
                Ball(from + (to - from) * part, radius, colours.Of(line.Values[i] + (line.Values[i + 1] - line.Values[i]) * part), colour, depth);
            }
        }
    }

    private Vector Place((double Z, double Y, double X) point) => new(point.X - _half.X, _half.Y - point.Y, _half.Z - point.Z);

    private void Ball(Vector centre, double radius, (double R, double G, double B) paint, Vector[] colour, double[] depth)
    {
        var (u, v, t) = (centre.Dot(Right) / RaySize + _rays.Columns / 2 - 0.5, _rays.Rows / 2 - 0.5 - centre.Dot(Up) / RaySize, centre.Dot(Back));
        var reach = radius / RaySize;
        for (var row = (int)Math.Max(0, v - reach); row <= Math.Min(_rays.Rows - 1, v + reach); row++)
        {
            for (var column = (int)Math.Max(0, u - reach); column <= Math.Min(_rays.Columns - 1, u + reach); column++)
            {
                var (across, down) = ((column - u) / reach, (row - v) / reach);
                var rest = 1 - across * across - down * down;
                if (rest < 0) continue;
                var (height, at) = (Math.Sqrt(rest), row * _rays.Columns + column);
                if (t + height * radius <= depth[at]) continue;
                depth[at] = t + height * radius;
                var normal = Right * across - Up * down + Back * height;
                colour[at] = new Vector(paint.R, paint.G, paint.B) * (0.5 + 0.5 * Math.Max(0, normal.Dot(Light)));
            }
        }
    }

    private void Frame(Vector[] colour, double[] depth)
    {
        var (x, y, z) = (_half.X, _half.Y, _half.Z);
        foreach (var (a, b) in (double[])[-1, 1] is var ends ? ends.SelectMany(p => ends.Select(q => (p, q))) : [])
        {
            Edge(new(-x, a * y, b * z), new(x, a * y, b * z));
            Edge(new(a * x, -y, b * z), new(a * x, y, b * z));
            Edge(new(a * x, b * y, -z), new(a * x, b * y, z));
        }

        void Edge(Vector from, Vector to)
        {
            var count = (int)(Math.Sqrt((to - from).Dot(to - from)) / RaySize) + 1;
            for (var s = 0; s <= count; s++) Ball(from + (to - from) * ((double)s / count), 1.3 * RaySize, (150, 152, 156), colour, depth);
        }
    }
}

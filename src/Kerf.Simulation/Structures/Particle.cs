using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// A particle of active material: a convex polyhedron with rounded edges, its faces in pairs that a half turn about its long axis exchanges,
/// the long axis leaning away from z. Lengths in nanometres.
/// </summary>
internal sealed class Particle
{
    private const int Pairs = 5;
    private readonly float[] _nz = new float[2 * Pairs + 2], _ny = new float[2 * Pairs + 2], _nx = new float[2 * Pairs + 2];
    private readonly double _elongation;

    public Particle(ref CounterRandom random, double z, double y, double x, double radius, double leanY, double leanX, ElectrodeParameters p)
    {
        (Z, Y, X, Radius, LeanY, LeanX, _elongation) = (z, y, x, radius, leanY, leanX, p.Elongation);
        var turn = random.NextDouble() * Math.PI;
        for (var i = 0; i < Pairs; i++)
        {
            // faces spread around the axis, steep for the most part: crystals grown long
            var angle = turn + (i + 0.7 * (random.NextDouble() - 0.5)) * Math.PI / Pairs;
            var up = 0.9 * (2 * random.NextDouble() - 1);
            var height = radius * (0.78 + 0.3 * random.NextDouble());
            var flat = Math.Sqrt(1 - up * up);
            (_nz[2 * i], _ny[2 * i], _nx[2 * i]) = ((float)(up / height), (float)(flat * Math.Sin(angle) / height), (float)(flat * Math.Cos(angle) / height));
            (_nz[2 * i + 1], _ny[2 * i + 1], _nx[2 * i + 1]) = (_nz[2 * i], -_ny[2 * i], -_nx[2 * i]);
        }
        _nz[2 * Pairs] = (float)(1 / radius);
        _nz[2 * Pairs + 1] = (float)(-1 / radius);
        Grey = (float)(8 * random.NextDouble() - 4);
        Porous = random.NextDouble() < p.PorousShare;
        CrackWidth = random.NextDouble() < p.CrackedShare ? (float)(15 + 10 * random.NextDouble()) : 0;
        CrackAngle = random.NextDouble() * Math.PI;
        CrackOffset = (random.NextDouble() - 0.5) * 0.7 * radius;
    }

    /// <summary>Centre and radius across the long axis.</summary>
    public double Z { get; }
    public double Y { get; }
    public double X { get; }
    public double Radius { get; }

    /// <summary>Sideways nanometres of the long axis per nanometre along z.</summary>
    public double LeanY { get; }
    public double LeanX { get; }

    /// <summary>Grey levels by which its crystal orientation makes it brighter or darker, −4 to 4.</summary>
    public float Grey { get; }

    /// <summary>True when there are pores inside.</summary>
    public bool Porous { get; }

    /// <summary>Half the width of its crack; 0 without one.</summary>
    public float CrackWidth { get; }
    public double CrackAngle { get; }
    public double CrackOffset { get; }

    /// <summary>Beyond this distance along z or across it, the particle cannot matter.</summary>
    public double ReachZ => 1.35 * Radius * _elongation;
    public double Reach => 1.5 * Radius;

    /// <summary>
    /// Distance to the surface (negative inside, exact at the surface) for <paramref name="distance"/>.Length positions from
    /// <paramref name="x"/> on, in steps of <paramref name="step"/>, all relative to the centre.
    /// </summary>
    public void Distances(double z, double y, double x, double step, Span<float> distance)
    {
        y -= LeanY * z;
        x -= LeanX * z;
        z /= _elongation;
        distance.Clear();
        for (var i = 0; i < _nx.Length; i++)
        {
            var start = (float)(_nz[i] * z + _ny[i] * y + _nx[i] * x);
            var slope = (float)(_nx[i] * step);
            for (var k = 0; k < distance.Length; k++)
            {
                var t = Math.Max(0f, start + slope * k);
                t *= t;
                t *= t;
                distance[k] += t * t;
            }
        }
        var radius = (float)Radius;
        for (var k = 0; k < distance.Length; k++) distance[k] = (MathF.Sqrt(MathF.Sqrt(MathF.Sqrt(distance[k]))) - 1) * radius;
    }
}

/// <summary>Fills a canvas with particles that touch but hardly overlap: random sequential placing, the large ones first.</summary>
internal static class Packing
{
    public static Particle[] Fill(Size3 canvas, VoxelSize voxel, ElectrodeParameters p, ulong seed)
    {
        var random = new CounterRandom(seed, 0x50414b);
        var pad = 1.5 * p.MedianRadius;
        double depth = canvas.Z * voxel.Z + 2 * pad * p.Elongation, height = canvas.Y * voxel.Y + 2 * pad, width = canvas.X * voxel.X + 2 * pad;
        // nominal share above the wanted one: the level set decides in the end, and faces then meet as in a pressed powder
        var wanted = Math.Min(0.78, p.ActiveFraction + 0.12) * depth * height * width;
        var radii = new List<double>();
        while (wanted > 0 && radii.Count < 200_000)
        {
            var radius = p.MedianRadius * Math.Exp(p.RadiusSpread * Math.Clamp(random.NextNormal(), -2, 2));
            radii.Add(radius);
            wanted -= 3.4 * radius * radius * radius * p.Elongation;
        }
        radii.Sort((a, b) => b.CompareTo(a));
        var particles = new List<Particle>();
        foreach (var radius in radii)
        {
            for (var attempt = 0; attempt < 400; attempt++)
            {
                var (z, y, x) = (random.NextDouble() * depth - pad * p.Elongation, random.NextDouble() * height - pad, random.NextDouble() * width - pad);
                // the demanded distance shrinks with every failure, so that the last small ones squeeze in
                var closeness = 0.95 - 0.25 * attempt / 400;
                if (particles.Exists(other => Near(other, z, y, x, (other.Radius + radius) * closeness, p.Elongation))) continue;
                particles.Add(Lean(ref random, z, y, x, radius, p));
                break;
            }
        }
        return [.. particles];
    }

    private static bool Near(Particle other, double z, double y, double x, double distance, double elongation)
    {
        double dz = (z - other.Z) / elongation, dy = y - other.Y, dx = x - other.X;
        return dz * dz + dy * dy + dx * dx < distance * distance;
    }

    // towards +y for the most part: a slant that the whole stack shares
    private static Particle Lean(ref CounterRandom random, double z, double y, double x, double radius, ElectrodeParameters p)
    {
        var leans = random.NextDouble() < p.LeaningShare;
        var lean = Math.Tan(p.LeanDegrees * Math.PI / 180 * Math.Clamp(1 + 0.5 * random.NextNormal(), 0, 2));
        var towards = 0.6 * random.NextNormal();
        if (!leans) lean = 0;
        return new(ref random, z, y, x, radius, lean * Math.Cos(towards), lean * Math.Sin(towards), p);
    }
}

using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What a virtual cathode of porous secondary particles looks like. Lengths in nanometres.</summary>
public sealed record PorousCathodeParameters
{
    /// <summary>Mean diameter of the secondary particles, 200 to 50,000; the radii vary by 20 %.</summary>
    public double Diameter { get; init; } = 2600;

    /// <summary>Share of the volume that lies inside secondary particles, 0.1 to 0.7.</summary>
    public double ParticleFraction { get; init; } = 0.5;

    /// <summary>Share of pores inside a particle, 0.05 to 0.7. The measured particles of the two-detector study have 0.406.</summary>
    public double InnerPorosity { get; init; } = 0.4;

    /// <summary>Size of the primary grains and of the pores between them, 20 to 2000.</summary>
    public double Grain { get; init; } = 190;

    /// <summary>Share of the space between particles that carbon and binder fill, 0.05 to 0.9.</summary>
    public double CarbonFraction { get; init; } = 0.35;

    internal PorousCathodeParameters Checked()
    {
        Range(Diameter, 200, 50_000, "diameter");
        Range(ParticleFraction, 0.1, 0.7, "particle fraction");
        Range(InnerPorosity, 0.05, 0.7, "inner porosity");
        Range(Grain, 20, 2000, "grain");
        Range(CarbonFraction, 0.05, 0.9, "carbon fraction");
        return this;
    }

    private static void Range(double value, double low, double high, string name)
    {
        if (!(value >= low && value <= high)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"cathode: {name} is {value}; choose {low} to {high}."));
    }
}

/// <summary>
/// A virtual battery cathode: round secondary particles of NMC grains with pores between them, and a carbon-binder sponge between the particles.
/// Labels 1 void, 2 carbon-binder, 3 NMC. See docs/methods/two-detectors.md.
/// </summary>
public static class PorousCathode
{
    /// <summary>Label of the pores, inside particles and between them.</summary>
    public const byte Void = 1;

    /// <summary>Label of carbon and binder.</summary>
    public const byte Carbon = 2;

    /// <summary>Label of the active material.</summary>
    public const byte Nmc = 3;

    /// <summary>The three phases, in label order.</summary>
    public static readonly IReadOnlyList<Phase> Phases = [new(Void, "void", "#2b2b33"), new(Carbon, "carbon-binder", "#4ca66b"), new(Nmc, "NMC", "#d9c544")];

    private sealed record Ball(double Z, double Y, double X, double Radius);

    /// <summary>A whole cathode.</summary>
    /// <param name="size">Extent in voxels.</param>
    /// <param name="voxel">Edge lengths; the structure is laid out in nanometres.</param>
    /// <param name="parameters">What it looks like.</param>
    /// <param name="seed">Another seed gives another specimen of the same kind.</param>
    /// <param name="walk">Threads; they do not change a byte.</param>
    /// <exception cref="InputError">A parameter is out of its range.</exception>
    public static Volume<byte> Generate(Size3 size, VoxelSize voxel, PorousCathodeParameters parameters, ulong seed, Traversal walk)
    {
        var p = parameters.Checked();
        var balls = Pack(size, voxel, p, seed);
        double g = p.Grain;
        // coarse and fine shape of the pores between grains; the particles' bumps; the sponge, and the holes in it
        LatticeNoise[] noises = [.. new[] { 0.75 * g, 0.35 * g, 1.5 * g, 1.5 * g, 0.6 * g }.Select((cell, i) => new LatticeNoise(seed, 20 + i, size, voxel, cell, cell, cell))];
        var sampled = new List<(float Depth, float Pores, float Sponge)>();
        for (var z = 0; z < size.Z; z += Math.Max(1, size.Z / 16))
            Slice(z, size, voxel, balls, noises, 4, (_, depth, pores, sponge) => sampled.Add((depth, pores, sponge)));
        // the packing leaves more space than wanted: particles grow until they fill their share
        var skin = Quantile(sampled.Select(s => s.Depth), p.ParticleFraction);
        var inner = Quantile(sampled.Where(s => s.Depth < skin).Select(s => s.Pores), 1 - p.InnerPorosity);
        var carbon = Quantile(sampled.Where(s => s.Depth >= skin).Select(s => s.Sponge), 1 - p.CarbonFraction);
        var volume = new Volume<byte>(new VolumeInfo(size, PixelType.UInt8, voxel) { Phases = Phases });
        walk.ForEach(size.Z, z => Slice(z, size, voxel, balls, noises, 1, (at, depth, pores, sponge) =>
            volume.Slice(z)[at] = depth < skin ? pores > inner ? Void : Nmc : sponge > carbon ? Carbon : Void));
        return volume;
    }

    // per voxel: distance from the particles' surface (negative inside) and the two fields that decide
    private static void Slice(int z, Size3 size, VoxelSize voxel, Ball[] balls, LatticeNoise[] noises, int step, Action<int, float, float, float> take)
    {
        var zNm = z * voxel.Z;
        Ball[] here = [.. balls.Where(b => Math.Abs(b.Z - zNm) < 1.3 * b.Radius)];
        float[][] planes = [.. noises.Select(noise => noise.Slice(z))], rows = [.. noises.Select(_ => new float[size.X])];
        for (var y = 0; y < size.Y; y += step)
        {
            for (var i = 0; i < noises.Length; i++) noises[i].Row(planes[i], y, rows[i]);
            for (var x = 0; x < size.X; x++)
            {
                var depth = 1e6;
                foreach (var b in here)
                {
                    double dz = zNm - b.Z, dy = y * voxel.Y - b.Y, dx = x * voxel.X - b.X;
                    depth = Math.Min(depth, Math.Sqrt(dz * dz + dy * dy + dx * dx) - b.Radius);
                }
                take(y * size.X + x, (float)depth + 45 * rows[2][x], rows[0][x] + 0.45f * rows[1][x], rows[3][x] + 0.7f * rows[4][x]);
            }
        }
    }

    // random sequential addition, the large ones first; later ones may press into earlier ones a little more
    private static Ball[] Pack(Size3 canvas, VoxelSize voxel, PorousCathodeParameters p, ulong seed)
    {
        var random = new CounterRandom(seed, 0x42414C4C);
        var pad = 0.5 * p.Diameter;
        double depth = canvas.Z * voxel.Z + 2 * pad, height = canvas.Y * voxel.Y + 2 * pad, width = canvas.X * voxel.X + 2 * pad;
        var wanted = p.ParticleFraction * 1.1 * depth * height * width;
        var radii = new List<double>();
        while (wanted > 0 && radii.Count < 100_000)
        {
            var radius = 0.5 * p.Diameter * Math.Clamp(1 + 0.2 * random.NextNormal(), 0.5, 1.5);
            radii.Add(radius);
            wanted -= 4.0 / 3 * Math.PI * radius * radius * radius;
        }
        radii.Sort((a, b) => b.CompareTo(a));
        var balls = new List<Ball>();
        foreach (var radius in radii)
        {
            for (var attempt = 0; attempt < 400; attempt++)
            {
                var (z, y, x) = (random.NextDouble() * depth - pad, random.NextDouble() * height - pad, random.NextDouble() * width - pad);
                var closeness = 1 - 0.25 * attempt / 400;
                if (balls.Exists(b => (b.Z - z) * (b.Z - z) + (b.Y - y) * (b.Y - y) + (b.X - x) * (b.X - x) < Math.Pow((b.Radius + radius) * closeness, 2))) continue;
                balls.Add(new(z, y, x, radius));
                break;
            }
        }
        return [.. balls];
    }

    private static float Quantile(IEnumerable<float> values, double share)
    {
        float[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)(share * sorted.Length), 0, sorted.Length - 1)];
    }
}

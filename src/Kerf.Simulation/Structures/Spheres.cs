using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// How deep each voxel lies inside the nearest of many ellipsoids: radius minus distance in nanometres, negative outside, no less than −reach. The
/// axis along z may be stretched.
/// </summary>
internal sealed class Spheres : IField
{
    /// <summary>Centre and radii in nanometres.</summary>
    public readonly record struct Sphere(double Z, double Y, double X, double Radius, double Stretch);

    private readonly Sphere[] _spheres;
    private readonly Size3 _size;
    private readonly VoxelSize _voxel;
    private readonly double _reach;

    public Spheres(Size3 size, VoxelSize voxel, IEnumerable<Sphere> spheres, double reach)
    {
        (_size, _voxel, _reach) = (size, voxel, reach);
        _spheres = [.. spheres];
    }

    public void Slice(int z, Span<float> values)
    {
        values.Fill((float)-_reach);
        foreach (var s in _spheres)
        {
            var dz = (z * _voxel.Z - s.Z) / s.Stretch;
            var limit = s.Radius + _reach;
            if (Math.Abs(dz) >= limit) continue;
            var half = Math.Sqrt(limit * limit - dz * dz);
            var (top, bottom) = (Math.Max(0, (int)Math.Ceiling((s.Y - half) / _voxel.Y)), Math.Min(_size.Y - 1, (int)((s.Y + half) / _voxel.Y)));
            var (left, right) = (Math.Max(0, (int)Math.Ceiling((s.X - half) / _voxel.X)), Math.Min(_size.X - 1, (int)((s.X + half) / _voxel.X)));
            for (var y = top; y <= bottom; y++)
            {
                var dy = y * _voxel.Y - s.Y;
                var flat = dz * dz + dy * dy;
                for (var x = left; x <= right; x++)
                {
                    var dx = x * _voxel.X - s.X;
                    ref var value = ref values[y * _size.X + x];
                    value = Math.Max(value, (float)(s.Radius - Math.Sqrt(flat + dx * dx)));
                }
            }
        }
    }

    /// <summary>Overlapping spheres of Gaussian radii (standard deviation a fifth of the mean) that would leave the share <paramref name="outside"/>.</summary>
    public static Spheres Boolean(Size3 size, VoxelSize voxel, double diameter, double outside, ulong seed)
    {
        var random = new CounterRandom(seed, 0x424f4f4c);
        var (radius, pad) = (diameter / 2, 1.5 * diameter);
        double depth = size.Z * voxel.Z + 2 * pad, height = size.Y * voxel.Y + 2 * pad, width = size.X * voxel.X + 2 * pad;
        // E[ρ³] of a Gaussian radius with σ = 0.2 is 1.12 ρ̄³
        var count = -Math.Log(outside) * depth * height * width / (4 * Math.PI / 3 * 1.12 * radius * radius * radius);
        if (count > 3e6) throw new InputError($"random-pores: {count:G3} pores are too many to place; choose a longer wavelength or a smaller volume.");
        var spheres = new Sphere[Math.Max(1, (int)count)];
        for (var i = 0; i < spheres.Length; i++)
        {
            spheres[i] = new(random.NextDouble() * depth - pad, random.NextDouble() * height - pad, random.NextDouble() * width - pad,
                radius * Math.Clamp(1 + 0.2 * random.NextNormal(), 0.3, 1.7), 1);
        }
        return new(size, voxel, spheres, diameter / 2);
    }

    /// <summary>Spheres on a grid of one pitch across; along z each layer is stretched, and its distance to the next grown, by 15 % more than the one before.</summary>
    public static Spheres Stretched(Size3 size, VoxelSize voxel, double pitch)
    {
        var spheres = new List<Sphere>();
        double z = 0, stretch = 1;
        while (z - pitch * stretch < size.Z * voxel.Z)
        {
            for (var y = 0.0; y < size.Y * voxel.Y + pitch; y += pitch)
                for (var x = 0.0; x < size.X * voxel.X + pitch; x += pitch) spheres.Add(new(z, y, x, pitch / 2, stretch));
            z += pitch * (stretch + 0.075);
            stretch += 0.15;
        }
        return new(size, voxel, spheres, pitch);
    }

    /// <summary>Particles that hardly overlap: random sequential placing of lognormal radii (σ 0.25), large ones first.</summary>
    public static Spheres Packed(Size3 size, VoxelSize voxel, double diameter, double share, ulong seed)
    {
        var random = new CounterRandom(seed, 0x5041434b);
        var pad = diameter;
        double depth = size.Z * voxel.Z + 2 * pad, height = size.Y * voxel.Y + 2 * pad, width = size.X * voxel.X + 2 * pad;
        var (wanted, radii) = (Math.Min(0.6, share) * depth * height * width, new List<double>());
        while (wanted > 0 && radii.Count < 100_000)
        {
            radii.Add(diameter / 2 * Math.Exp(0.25 * Math.Clamp(random.NextNormal(), -2, 2)));
            wanted -= 4 * Math.PI / 3 * Math.Pow(radii[^1], 3);
        }
        var placed = new List<Sphere>();
        foreach (var radius in radii.OrderDescending())
        {
            for (var attempt = 0; attempt < 300; attempt++)
            {
                var s = new Sphere(random.NextDouble() * depth - pad, random.NextDouble() * height - pad, random.NextDouble() * width - pad, radius, 1);
                var closeness = 1 - 0.25 * attempt / 300;
                if (placed.Exists(o => Math.Sqrt((o.Z - s.Z) * (o.Z - s.Z) + (o.Y - s.Y) * (o.Y - s.Y) + (o.X - s.X) * (o.X - s.X)) < (o.Radius + radius) * closeness)) continue;
                placed.Add(s);
                break;
            }
        }
        return new(size, voxel, placed, diameter);
    }
}

using Kerf.Volumes;

namespace Kerf.Tests;

/// <summary>A drifting stack of soft-edged ellipsoids whose axes slant, rendered analytically at any sub-pixel position, with shot noise.</summary>
internal sealed record DriftPhantom(int Slices, int Height, int Width)
{
    public ulong Seed { get; init; } = 1;

    /// <summary>Standard deviation of the drift's step per slice in pixels.</summary>
    public double Step { get; init; } = 0.8;

    /// <summary>Electrons per grey level: noise variance = grey / dose.</summary>
    public double Dose { get; init; } = 1;

    /// <summary>Pixels per slice that the axes slant by on average, along x, and how much that varies.</summary>
    public double Slant { get; init; }

    public double SlantSpread { get; init; } = 0.15;

    /// <summary>Share of the particles that slant; the others stand straight.</summary>
    public double SlantedShare { get; init; } = 1;

    /// <summary>Rows of a cap above the particles, whose marks run straight along z.</summary>
    public int Cap { get; init; }

    /// <summary>Another seed for drift and noise of another image of the same specimen.</summary>
    public ulong? ImageSeed { get; init; }

    /// <summary>Another voltage: every second particle has its contrast inverted, marks are fainter, and what lies this many slices deeper shines through.</summary>
    public int ShineThrough { get; init; }

    public double Radius { get; init; } = 14;

    public double RadiusZ { get; init; } = 14;

    /// <summary>Particles per pixel of the image and slice.</summary>
    public double Density { get; init; } = 6e-5;

    public (double Y, double X)[] Drift()
    {
        var drift = new (double Y, double X)[Slices];
        var random = new CounterRandom(ImageSeed ?? Seed, 1);
        for (var z = 1; z < Slices; z++) drift[z] = (drift[z - 1].Y + Step * random.NextNormal(), drift[z - 1].X + Step * random.NextNormal());
        return drift;
    }

    public Volume<byte> Render()
    {
        var volume = new Volume<byte>(new Size3(Slices, Height, Width));
        var (particles, drift) = (Particles(), Drift());
        Traversal.Default.ForEach(Slices, z =>
        {
            var image = new float[Height * Width];
            Array.Fill(image, 70f);
            (int At, float Strength)[] cuts = ShineThrough > 0 ? [(z + ShineThrough, 0.6f), (z, 1)] : [(z, 1)];
            foreach (var (cut, p, strength, i) in cuts.SelectMany(c => particles.Select((p, i) => (c.At, p, c.Strength, i))))
            {
                var grey = ShineThrough > 0 && i % 2 == 0 ? 200 - p.Grey : p.Grey;
                var share = 1 - (cut - p.Z) * (cut - p.Z) / (p.Rz * p.Rz);
                if (share <= 0) continue;
                var r = p.R * Math.Sqrt(share);
                var (cy, cx) = (p.Y + p.Vy * (cut - p.Z) + drift[z].Y, p.X + p.Vx * (cut - p.Z) + drift[z].X);
                for (var y = (int)Math.Max(0, cy - r - 2); y < Math.Min(Height, cy + r + 3); y++)
                {
                    for (var x = (int)Math.Max(0, cx - r - 2); x < Math.Min(Width, cx + r + 3); x++)
                    {
                        var inside = Math.Clamp((r - Math.Sqrt((y - cy) * (y - cy) + (x - cx) * (x - cx))) / 2 + 0.5, 0, 1);
                        ref var pixel = ref image[y * Width + x];
                        pixel += strength * (float)(inside * inside * (3 - 2 * inside)) * (grey - pixel);
                    }
                }
            }
            for (var y = 0; Cap > 0 && y < Math.Min(Height, Cap + drift[z].Y); y++)
            {
                for (var x = 0; x < Width; x++)
                {
                    var (v, u) = (y - drift[z].Y, x - drift[z].X);
                    // marks at growing distances
                    image[y * Width + x] = (float)(160 + (ShineThrough > 0 ? 35 : 60) * Math.Tanh(3 * Math.Sin(u * u / 4000 + u / 6) * Math.Sin(v * v / 200 + v / 4)));
                }
            }
            var random = new CounterRandom(ImageSeed ?? Seed, 1000 + (ulong)z);
            var slice = volume.Slice(z);
            for (var i = 0; i < slice.Length; i++)
                slice[i] = (byte)Math.Clamp(Math.Round(image[i] + Math.Sqrt(image[i] / Dose) * random.NextNormal()), 0, 255);
        });
        return volume;
    }

    private List<(double Z, double Y, double X, double Rz, double R, double Vy, double Vx, float Grey)> Particles()
    {
        var random = new CounterRandom(Seed, 2);
        var margin = 40;
        var count = (int)(Density * (Slices + 2 * RadiusZ) * (Height + 2 * margin) * (Width + 2 * margin));
        var list = new List<(double, double, double, double, double, double, double, float)>();
        var spread = (Y: 0.0, X: 0.0);
        for (var i = 0; i < count; i++)
        {
            var (z, y, x) = (-RadiusZ + (Slices + 2 * RadiusZ) * random.NextDouble(), -margin + (Height + 2 * margin) * random.NextDouble(), -margin + (Width + 2 * margin) * random.NextDouble());
            var (size, rz) = (0.4 + 0.8 * random.NextDouble(), RadiusZ * (0.6 + 0.6 * random.NextDouble()));
            // every second one slants against the one before, about the mean
            spread = i % 2 == 0 ? (SlantSpread * random.NextNormal(), SlantSpread * random.NextNormal()) : (-spread.Y, -spread.X);
            var (vy, vx) = (spread.Y, Slant + spread.X);
            if (random.NextDouble() >= SlantedShare) (vy, vx) = (0, 0);
            list.Add((z, y, x, rz, Radius * size, vy, vx, random.NextDouble() < 0.3 ? 25 : 110 + 90 * random.NextFloat()));
        }
        return list;
    }
}

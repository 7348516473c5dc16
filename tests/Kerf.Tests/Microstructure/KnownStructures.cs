using Kerf.Volumes;

namespace Kerf.Tests;

/// <summary>Two-phase structures (phase 1 inside, 2 outside) whose measures are known in closed form; coordinates in nanometres.</summary>
internal static class KnownStructures
{
    /// <summary>Phase 1 where the function of the voxel's centre says so.</summary>
    public static Volume<byte> Where(Size3 size, VoxelSize voxel, Func<double, double, double, bool> inside)
    {
        var volume = new Volume<byte>(size, voxel);
        new Traversal().ForEach(size.Z, z =>
        {
            var slice = volume.Slice(z);
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++, i++) slice[i] = inside((z + 0.5) * voxel.Z, (y + 0.5) * voxel.Y, (x + 0.5) * voxel.X) ? (byte)1 : (byte)2;
            }
        });
        return volume;
    }

    /// <summary>A Boolean model in a periodic box: phase 1 is what no ball covers. Balls of one radius at Poisson points.</summary>
    public static Volume<byte> Boolean(Size3 size, VoxelSize voxel, double radius, double density, ulong seed)
    {
        var volume = new Volume<byte>(size, voxel);
        volume.Data.AsSpan().Fill(1);
        var random = new CounterRandom(seed, 0);
        var balls = random.NextPoisson(density * size.Count * voxel.Volume);
        for (var ball = 0; ball < balls; ball++)
        {
            var (cz, cy, cx) = (random.NextDouble() * size.Z, random.NextDouble() * size.Y, random.NextDouble() * size.X);
            var (rz, ry, rx) = ((int)(radius / voxel.Z) + 1, (int)(radius / voxel.Y) + 1, (int)(radius / voxel.X) + 1);
            for (var z = (int)cz - rz; z <= cz + rz; z++)
            {
                for (var y = (int)cy - ry; y <= cy + ry; y++)
                {
                    for (var x = (int)cx - rx; x <= cx + rx; x++)
                    {
                        var (dz, dy, dx) = ((z + 0.5 - cz) * voxel.Z, (y + 0.5 - cy) * voxel.Y, (x + 0.5 - cx) * voxel.X);
                        if (dz * dz + dy * dy + dx * dx <= radius * radius) volume[Wrap(z, size.Z), Wrap(y, size.Y), Wrap(x, size.X)] = 2;
                    }
                }
            }
        }
        return volume;
        static int Wrap(int at, int extent) => ((at % extent) + extent) % extent;
    }

    /// <summary>
    /// A levelled-wave field: waves of one length in random directions with random phases, scaled to variance 1; phase 1 where it is above the level.
    /// Directions are spread evenly (a shifted Fibonacci lattice), so that few waves do.
    /// </summary>
    public static Volume<byte> Levelled(Size3 size, VoxelSize voxel, double wavelength, double level, int waves, ulong seed)
    {
        var random = new CounterRandom(seed, 0);
        var turn = random.NextDouble();
        var (k, amplitude) = (2 * Math.PI / wavelength, Math.Sqrt(2.0 / waves));
        var all = Enumerable.Range(0, waves).Select(i =>
        {
            var up = 1 - (i + random.NextDouble()) / waves;
            var (sin, cos) = Math.SinCos(2 * Math.PI * (turn + i * 0.6180339887498949));
            var across = Math.Sqrt(1 - up * up);
            return (Z: k * up, Y: k * across * sin, X: k * across * cos, Phase: 2 * Math.PI * random.NextDouble());
        }).ToArray();
        var volume = new Volume<byte>(size, voxel);
        new Traversal().ForEach(size.Z, z =>
        {
            var field = new float[size.X];
            for (var y = 0; y < size.Y; y++)
            {
                field.AsSpan().Clear();
                foreach (var wave in all)
                {
                    // cos(a + bx) by turning a pointer
                    var (s, c) = Math.SinCos(wave.Z * z * voxel.Z + wave.Y * y * voxel.Y + wave.Phase);
                    var (bySin, byCos) = Math.SinCos(wave.X * voxel.X);
                    for (var x = 0; x < size.X; x++)
                    {
                        field[x] += (float)c;
                        (s, c) = (s * byCos + c * bySin, c * byCos - s * bySin);
                    }
                }
                var row = volume.Slice(z).Slice(y * size.X, size.X);
                for (var x = 0; x < size.X; x++) row[x] = field[x] * amplitude > level ? (byte)1 : (byte)2;
            }
        });
        return volume;
    }

    /// <summary>Balls on a grid in a solid, stretched along +z more and more with depth, their spacing growing along z (the test structure of T-I).</summary>
    public static Volume<byte> Stretched(int edge)
    {
        var volume = new Volume<byte>(Size3.Cube(edge), VoxelSize.Cube(5));
        volume.Data.AsSpan().Fill(2);
        const int Pitch = 16;
        const double Radius = 5.5;
        double top = 8;
        for (var layer = 0; top < edge; layer++)
        {
            var stretch = 1 + 0.15 * layer;
            for (var z = 0; z < edge; z++)
            {
                var dz = z + 0.5 - top;
                if (dz > 0) dz /= stretch;
                for (var y = 0; y < edge && Math.Abs(dz) < Radius; y++)
                {
                    for (var x = 0; x < edge; x++)
                    {
                        var (dy, dx) = (y % Pitch + 0.5 - Pitch / 2, x % Pitch + 0.5 - Pitch / 2);
                        if (dz * dz + dy * dy + dx * dx <= Radius * Radius) volume[z, y, x] = 1;
                    }
                }
            }
            top += Pitch + 2 * layer;
        }
        return volume;
    }
}

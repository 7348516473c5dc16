using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// Where a tight rock has its pores, highest first: wedges that open along the facets between grains, coarse and fine ones, as wide as a smooth field
/// allows, and specks between them. Lengths follow the size of the grains.
/// </summary>
internal sealed class RockPores(Size3 size, VoxelSize voxel, double grain, ulong seed) : IField
{
    // cells of the smooth fields, in grains: where coarse and fine facets open, specks, their clusters, ragged walls
    private static readonly double[] Scales = [0.5, 0.3, 0.05, 0.5, 0.035];

    private readonly LatticeNoise[] _noises = [.. Scales.Select((s, i) => new LatticeNoise(seed, 70 + i, size, voxel, s * grain, s * grain, s * grain))];
    private readonly Facets _coarse = new(seed, grain), _fine = new(seed + 1, 0.35 * grain);

    public void Slice(int z, Span<float> values)
    {
        float[][] planes = [.. _noises.Select(noise => noise.Slice(z))], rows = [.. _noises.Select(_ => new float[size.X])];
        for (var y = 0; y < size.Y; y++)
        {
            for (var i = 0; i < _noises.Length; i++) _noises[i].Row(planes[i], y, rows[i]);
            for (var x = 0; x < size.X; x++)
            {
                var (coarse, fine, speck, cluster, ragged) = (rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x]);
                var wall = 0.008f * ragged;
                var (a, b) = (0.05f * Math.Min(coarse - 0.2f, 1.3f), 0.03f * Math.Min(fine + 0.5f * coarse - 0.8f, 1.3f));
                // distances to facets are dear: only where a pore could be
                var best = 0.025f * (speck + 0.6f * cluster - 2.1f);
                if (a + wall > best) best = Math.Max(best, a + wall - _coarse.Distance(z * voxel.Z, y * voxel.Y, x * voxel.X));
                if (b + wall > best) best = Math.Max(best, b + wall - 0.35f * _fine.Distance(z * voxel.Z, y * voxel.Y, x * voxel.X));
                values[y * size.X + x] = best;
            }
        }
    }
}

/// <summary>Polyhedral grains around random points, one in each cell of a grid (Voronoi).</summary>
internal sealed class Facets(ulong seed, double cell)
{
    /// <summary>Distance to the facet between the two nearest grains, in cells.</summary>
    public float Distance(double z, double y, double x)
    {
        double pz = z / cell, py = y / cell, px = x / cell;
        int cz = (int)Math.Floor(pz), cy = (int)Math.Floor(py), cx = (int)Math.Floor(px);
        double first = 1e9, second = 1e9;
        for (var k = cz - 1; k <= cz + 1; k++)
            for (var j = cy - 1; j <= cy + 1; j++)
                for (var i = cx - 1; i <= cx + 1; i++)
                {
                    var random = new CounterRandom(seed, (ulong)(uint)(k + 8) << 42 | (ulong)(uint)(j + 8) << 21 | (uint)(i + 8));
                    double dz = k + random.NextFloat() - pz, dy = j + random.NextFloat() - py, dx = i + random.NextFloat() - px;
                    var d = dz * dz + dy * dy + dx * dx;
                    if (d < first) (first, second) = (d, first);
                    else if (d < second) second = d;
                }
        return (float)(0.5 * (Math.Sqrt(second) - Math.Sqrt(first)));
    }
}

/// <summary>One smooth field of a cell size.</summary>
internal sealed class SmoothNoise(Size3 size, VoxelSize voxel, double cell, ulong seed, int stream) : IField
{
    private readonly LatticeNoise _noise = new(seed, stream, size, voxel, cell, cell, cell);

    public void Slice(int z, Span<float> values)
    {
        var plane = _noise.Slice(z);
        for (var y = 0; y < size.Y; y++) _noise.Row(plane, y, values.Slice(y * size.X, size.X));
    }
}

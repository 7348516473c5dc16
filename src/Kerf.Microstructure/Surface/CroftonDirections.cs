using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// The 13 directions from a voxel to its neighbours, each with its share of the sphere: the solid angle that is nearer to it than to any other
/// (weights of Lang, Ohser and Hilfer 2001, doi:10.1046/j.1365-2818.2001.00911.x for cubes; here for voxels of any shape, by 200 000 equally spread points).
/// </summary>
internal static class CroftonDirections
{
    private const int Points = 200_000;

    /// <summary>Steps (z, y, x) to half of the 26 neighbours; the others are their opposites.</summary>
    public static readonly (int Z, int Y, int X)[] Steps =
    [
        (0, 0, 1), (0, 1, 0), (1, 0, 0),
        (0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1), (1, 1, 0), (1, -1, 0),
        (1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1),
    ];

    /// <summary>Lengths of the steps.</summary>
    public static double[] StepLengths(VoxelSize voxel) => [.. Steps.Select(s => Math.Sqrt(s.Z * s.Z * voxel.Z * voxel.Z + s.Y * s.Y * voxel.Y * voxel.Y + s.X * s.X * voxel.X * voxel.X))];

    /// <summary>Shares of the sphere; their sum is 1.</summary>
    public static double[] Weights(VoxelSize voxel)
    {
        var lengths = StepLengths(voxel);
        var directions = Steps.Select((s, i) => (Z: s.Z * voxel.Z / lengths[i], Y: s.Y * voxel.Y / lengths[i], X: s.X * voxel.X / lengths[i])).ToArray();
        var counts = new int[Steps.Length];
        var golden = Math.PI * (3 - Math.Sqrt(5));
        for (var point = 0; point < Points; point++)
        {
            // a spiral of equal areas (Fibonacci lattice)
            var z = 1 - (2 * point + 1.0) / Points;
            var (sin, cos) = Math.SinCos(golden * point);
            var radius = Math.Sqrt(1 - z * z);
            var (best, nearest) = (-1.0, 0);
            for (var i = 0; i < directions.Length; i++)
            {
                var along = Math.Abs(directions[i].Z * z + directions[i].Y * radius * sin + directions[i].X * radius * cos);
                if (along > best) (best, nearest) = (along, i);
            }
            counts[nearest]++;
        }
        return Symmetric(counts, voxel);
    }

    // directions that mirrors (and, for equal edges, exchanges) make the same get the same weight
    private static double[] Symmetric(int[] counts, VoxelSize voxel)
    {
        double[] edges = [voxel.Z, voxel.Y, voxel.X];
        var keys = Steps.Select(s => string.Join(' ', new[] { s.Z * edges[0], s.Y * edges[1], s.X * edges[2] }.Select(Math.Abs).Order())).ToArray();
        return [.. keys.Select(key => keys.Index().Where(k => k.Item == key).Average(k => (double)counts[k.Index]) / Points)];
    }
}

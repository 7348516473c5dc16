using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Area from crossings (Crofton; Lang and Ohser, see Ohser and Schladitz 2009, doi:10.1002/9783527628308): the 13 directions from a voxel to its 26
/// neighbours, each standing for the part of the sphere that is nearest to it on voxels of this shape.
/// A surface that pairs of neighbours in direction k cross n(k) times has the area Σ n(k)·<see cref="Area"/>(k).
/// </summary>
internal sealed class Directions
{
    private const int Samples = 200_000;

    public Directions(VoxelSize voxel)
    {
        Steps = [.. from z in (int[])[0, 1] from y in (int[])[-1, 0, 1] from x in (int[])[-1, 0, 1] where z > 0 || y > 0 || (y == 0 && x > 0) select (z, y, x)];
        var lengths = Array.ConvertAll(Steps, s => Math.Sqrt(s.Z * s.Z * voxel.Z * voxel.Z + s.Y * s.Y * voxel.Y * voxel.Y + s.X * s.X * voxel.X * voxel.X));
        var share = Shares(voxel, lengths);
        // lines in direction k are volume/length(k) apart; a unit area is crossed by half of them on average over all directions
        Area = [.. share.Select((s, k) => 2 * s * voxel.Volume / lengths[k])];
    }

    /// <summary>From a voxel to its neighbour, z ≥ 0.</summary>
    public (int Z, int Y, int X)[] Steps { get; }

    /// <summary>Area that one crossing stands for.</summary>
    public double[] Area { get; }

    // by a spiral of points that covers the half sphere evenly
    private double[] Shares(VoxelSize voxel, double[] lengths)
    {
        var counts = new long[Steps.Length];
        var turn = Math.PI * (3 - Math.Sqrt(5));
        for (var i = 0; i < Samples; i++)
        {
            var z = (i + 0.5) / Samples;
            var flat = Math.Sqrt(1 - z * z);
            var (y, x) = (flat * Math.Sin(i * turn), flat * Math.Cos(i * turn));
            var (best, nearest) = (0, -1.0);
            for (var k = 0; k < Steps.Length; k++)
            {
                var s = Steps[k];
                var along = Math.Abs(s.Z * voxel.Z * z + s.Y * voxel.Y * y + s.X * voxel.X * x) / lengths[k];
                if (along > nearest) (best, nearest) = (k, along);
            }
            counts[best]++;
        }
        return Array.ConvertAll(counts, count => (double)count / Samples);
    }
}

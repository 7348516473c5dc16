using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// A Gaussian field of mean 0 and variance 1 at every voxel: independent normal numbers on a cubic lattice, joined by cubic B-splines. Its correlation
/// is ½ at the lattice's spacing, 0.07 at two and 0 at four. Nothing is stored: a value follows from the seed and its place alone.
/// </summary>
internal sealed class SmoothNoise
{
    private readonly (int First, double[] Weights)[][] _along = new (int, double[])[3][];
    private readonly Size3 _nodes;
    private readonly ulong _seed;

    /// <summary>A field on a grid of voxels.</summary>
    /// <param name="size">Extent in voxels.</param>
    /// <param name="voxel">Voxel edges.</param>
    /// <param name="length">Distance at which the correlation is ½, in the edges' unit.</param>
    /// <param name="seed">Seed of the numbers on the lattice.</param>
    public SmoothNoise(Size3 size, VoxelSize voxel, double length, ulong seed)
    {
        for (var axis = 0; axis < 3; axis++) _along[axis] = [.. Enumerable.Range(0, size[axis]).Select(i => Weights((i + 0.5) * voxel[axis] / length))];
        (_nodes, _seed) = (new(_along[0][^1].First + 4, _along[1][^1].First + 4, _along[2][^1].First + 4), seed);
    }

    /// <summary>Fills <paramref name="target"/> with the values in a box, x fastest.</summary>
    public void Read(Box box, Span<float> target)
    {
        var (start, end) = (box.Start, box.End - new Size3(1, 1, 1));
        var (firstY, firstX) = (_along[1][start.Y].First, _along[2][start.X].First);
        var (rows, columns) = (_along[1][end.Y].First + 4 - firstY, _along[2][end.X].First + 4 - firstX);
        var (planes, plane, row) = (new SortedDictionary<int, double[]>(), new double[rows * columns], new double[columns]);
        for (int z = start.Z, i = 0; z <= end.Z; z++)
        {
            var (atZ, weightsZ) = _along[0][z];
            plane.AsSpan().Clear();
            for (var k = 0; k < 4; k++)
            {
                if (!planes.TryGetValue(atZ + k, out var nodes)) planes[atZ + k] = nodes = Plane(atZ + k, firstY, firstX, rows, columns);
                for (var j = 0; j < plane.Length; j++) plane[j] += weightsZ[k] * nodes[j];
            }
            while (planes.Keys.First() < atZ) planes.Remove(planes.Keys.First());
            for (var y = start.Y; y <= end.Y; y++)
            {
                var (atY, weightsY) = _along[1][y];
                for (var j = 0; j < columns; j++)
                {
                    row[j] = 0;
                    for (var k = 0; k < 4; k++) row[j] += weightsY[k] * plane[(atY - firstY + k) * columns + j];
                }
                for (var x = start.X; x <= end.X; x++, i++)
                {
                    var (atX, w) = _along[2][x];
                    var from = atX - firstX;
                    target[i] = (float)(w[0] * row[from] + w[1] * row[from + 1] + w[2] * row[from + 2] + w[3] * row[from + 3]);
                }
            }
        }
    }

    private double[] Plane(int z, int firstY, int firstX, int rows, int columns)
    {
        var plane = new double[rows * columns];
        for (var j = 0; j < plane.Length; j++)
        {
            var node = ((long)z * _nodes.Y + firstY + j / columns) * _nodes.X + firstX + j % columns;
            plane[j] = new CounterRandom(_seed, (ulong)node).NextNormal();
        }
        return plane;
    }

    // of the four nodes around a place, with squares that add up to 1
    private static (int First, double[] Weights) Weights(double at)
    {
        var first = (int)at;
        var t = at - first;
        double[] w = [(1 - t) * (1 - t) * (1 - t), 4 - 6 * t * t + 3 * t * t * t, 1 + 3 * t + 3 * t * t - 3 * t * t * t, t * t * t];
        var norm = Math.Sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3]);
        return (first, [.. w.Select(weight => weight / norm)]);
    }
}

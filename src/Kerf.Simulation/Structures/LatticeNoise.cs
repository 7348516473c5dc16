using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// A smooth random field of mean 0 and variance about 1: independent numbers on a lattice, joined by cubic B-splines. Its value is a function of
/// the seed and of the position alone. Evaluated slice by slice and row by row, so that a voxel costs four multiplications.
/// </summary>
internal sealed class LatticeNoise
{
    // the sum of squared cubic B-spline weights, averaged over a cell, is 151/315 along each axis
    private static readonly float Unit = (float)Math.Pow(315.0 / 151.0, 1.5);

    private readonly ulong _seed;
    private readonly VoxelSize _voxel;
    private readonly double _cellZ, _cellY;
    private readonly int _rows, _columns;
    private readonly int[] _column;
    private readonly float[] _weights;

    /// <summary>A field over a canvas, its lattice cells given in nanometres.</summary>
    public LatticeNoise(ulong seed, int stream, Size3 canvas, VoxelSize voxel, double cellZ, double cellY, double cellX)
    {
        _seed = seed + (ulong)(stream + 1) * 0x9E3779B97F4A7C15;
        (_voxel, _cellZ, _cellY) = (voxel, cellZ, cellY);
        _rows = (int)(canvas.Y * voxel.Y / cellY) + 5;
        _columns = (int)(canvas.X * voxel.X / cellX) + 5;
        (_column, _weights) = (new int[canvas.X], new float[4 * canvas.X]);
        for (var x = 0; x < canvas.X; x++) _column[x] = Weights(x * voxel.X / cellX, _weights.AsSpan(4 * x, 4));
    }

    /// <summary>The lattice as seen from one slice: pass it to <see cref="Row"/>.</summary>
    public float[] Slice(int z)
    {
        Span<float> w = stackalloc float[4];
        var first = Weights(z * _voxel.Z / _cellZ, w);
        var plane = new float[_rows * _columns];
        for (var k = 0; k < 4; k++)
        {
            for (var y = 0; y < _rows; y++)
            {
                var row = plane.AsSpan(y * _columns, _columns);
                for (var x = 0; x < row.Length; x++) row[x] += w[k] * Node(first + k, y, x);
            }
        }
        return plane;
    }

    /// <summary>The field along one row of the slice.</summary>
    public void Row(float[] plane, int y, Span<float> row)
    {
        Span<float> w = stackalloc float[4];
        var first = Weights(y * _voxel.Y / _cellY, w) * _columns;
        var line = new float[_columns];
        for (var x = 0; x < _columns; x++)
            line[x] = w[0] * plane[first + x] + w[1] * plane[first + _columns + x] + w[2] * plane[first + 2 * _columns + x] + w[3] * plane[first + 3 * _columns + x];
        for (var x = 0; x < row.Length; x++)
        {
            var c = _column[x];
            row[x] = _weights[4 * x] * line[c] + _weights[4 * x + 1] * line[c + 1] + _weights[4 * x + 2] * line[c + 2] + _weights[4 * x + 3] * line[c + 3];
        }
    }

    // the sum of four uniforms is normal enough for a texture, and one counter block
    private float Node(int z, int y, int x)
    {
        var random = new CounterRandom(_seed, (ulong)(uint)z << 42 | (ulong)(uint)y << 21 | (uint)x);
        return (random.NextFloat() + random.NextFloat() + random.NextFloat() + random.NextFloat() - 2f) * 1.7320508f * Unit;
    }

    private static int Weights(double position, Span<float> w)
    {
        var cell = (int)position;
        var t = position - cell;
        w[0] = (float)((1 - t) * (1 - t) * (1 - t) / 6);
        w[1] = (float)((3 * t * t * t - 6 * t * t + 4) / 6);
        w[2] = (float)((-3 * t * t * t + 3 * t * t + 3 * t + 1) / 6);
        w[3] = (float)(t * t * t / 6);
        return cell;
    }
}

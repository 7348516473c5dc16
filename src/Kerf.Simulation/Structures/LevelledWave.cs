using System.Numerics;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>A random field: values slice by slice, functions of seed and position. Its level sets are structures.</summary>
internal interface IField
{
    /// <summary>Fills one slice, x fastest.</summary>
    void Slice(int z, Span<float> values);
}

/// <summary>
/// A Gaussian field of one wavelength: 120 plane waves of random directions and phases (Cahn 1965, doi:10.1063/1.1695731). Cut at a level it looks
/// like nanoporous gold (Soyarslan et al. 2018, doi:10.1016/j.actamat.2018.01.005).
/// </summary>
internal sealed class LevelledWave : IField
{
    private const int Waves = 120;
    private readonly Size3 _size;
    private readonly double[] _stepZ = new double[Waves], _stepY = new double[Waves], _phase = new double[Waves];
    private readonly float[] _cos, _sin;

    public LevelledWave(Size3 size, VoxelSize voxel, double wavelength, ulong seed, ulong stream)
    {
        _size = size;
        (_cos, _sin) = (new float[Waves * size.X], new float[Waves * size.X]);
        var random = new CounterRandom(seed, 0x57415645 + stream);
        for (var w = 0; w < Waves; w++)
        {
            var up = 2 * random.NextDouble() - 1;
            var (turn, flat, k) = (2 * Math.PI * random.NextDouble(), Math.Sqrt(1 - up * up), 2 * Math.PI / wavelength);
            (_stepZ[w], _stepY[w], _phase[w]) = (k * up * voxel.Z, k * flat * Math.Sin(turn) * voxel.Y, 2 * Math.PI * random.NextDouble());
            var stepX = k * flat * Math.Cos(turn) * voxel.X;
            for (var x = 0; x < size.X; x++) (_sin[w * size.X + x], _cos[w * size.X + x]) = ((float)Math.Sin(stepX * x), (float)Math.Cos(stepX * x));
        }
    }

    public void Slice(int z, Span<float> values)
    {
        for (var y = 0; y < _size.Y; y++)
        {
            var row = values.Slice(y * _size.X, _size.X);
            row.Clear();
            for (var w = 0; w < Waves; w++)
            {
                var (s, c) = Math.SinCos(_stepZ[w] * z + _stepY[w] * y + _phase[w]);
                Add(row, _cos.AsSpan(w * _size.X, _size.X), _sin.AsSpan(w * _size.X, _size.X), (float)c, (float)s);
            }
        }
    }

    // cos(a + b) = cos a · cos b − sin a · sin b
    private static void Add(Span<float> row, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin, float c, float s)
    {
        var rows = MemoryMarshal.Cast<float, Vector<float>>(row);
        var coss = MemoryMarshal.Cast<float, Vector<float>>(cos);
        var sins = MemoryMarshal.Cast<float, Vector<float>>(sin);
        for (var i = 0; i < rows.Length; i++) rows[i] += coss[i] * c - sins[i] * s;
        for (var x = rows.Length * Vector<float>.Count; x < row.Length; x++) row[x] += cos[x] * c - sin[x] * s;
    }
}

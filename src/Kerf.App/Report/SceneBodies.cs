using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Bodies as a smooth field between their cells, for surfaces without steps. Places are cells, 0 the middle of the first.</summary>
internal sealed class SceneBodies
{
    private readonly Size3 _size;
    private readonly float[] _values;
    private readonly float[] _filled;
    private readonly float[] _crowd;

    public SceneBodies(Volume<float> bodies)
    {
        (_size, _values) = (bodies.Info.Size, bodies.Data);
        _filled = Array.ConvertAll(_values, value => float.IsNaN(value) ? 0f : 1);
        for (var axis = 0; axis < 3; axis++) _filled = Mean(_filled, axis, 1);
        _crowd = _filled;
        for (var axis = 0; axis < 3; axis++) _crowd = Mean(_crowd, axis, 4);
    }

    /// <summary>How much of a place is filled: surfaces lie at ½.</summary>
    public double Filled((double Z, double Y, double X) cell) => At(_filled, cell);

    /// <summary>How much of the surroundings is filled.</summary>
    public double Crowd((double Z, double Y, double X) cell) => At(_crowd, cell);

    /// <summary>Change of <see cref="Filled"/> per cell.</summary>
    public (double Z, double Y, double X) Gradient((double Z, double Y, double X) c) => (
        Filled((c.Z + 1, c.Y, c.X)) - Filled((c.Z - 1, c.Y, c.X)),
        Filled((c.Z, c.Y + 1, c.X)) - Filled((c.Z, c.Y - 1, c.X)),
        Filled((c.Z, c.Y, c.X + 1)) - Filled((c.Z, c.Y, c.X - 1)));

    /// <summary>The value of the body at or next to a place, and whether another body lies beside it.</summary>
    public (float Value, bool Seam) Value((double Z, double Y, double X) cell)
    {
        var (z, y, x) = ((int)Math.Round(cell.Z), (int)Math.Round(cell.Y), (int)Math.Round(cell.X));
        var (value, seam) = (float.NaN, false);
        // the nearest first: the middle, faces, then the rest
        for (var reach = 0; reach <= 2 && float.IsNaN(value); reach++)
        {
            for (var dz = -reach; dz <= reach; dz++)
            {
                for (var dy = -reach; dy <= reach; dy++)
                {
                    for (var dx = -reach; dx <= reach; dx++)
                        if (float.IsNaN(value)) value = Of(z + dz, y + dy, x + dx);
                }
            }
        }
        foreach (var (dz, dy, dx) in ((int, int, int)[])[(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)])
        {
            var other = Of(z + dz, y + dy, x + dx);
            seam |= !float.IsNaN(other) && other != value;
        }
        return (value, seam);
    }

    private float Of(int z, int y, int x) =>
        (uint)z < (uint)_size.Z && (uint)y < (uint)_size.Y && (uint)x < (uint)_size.X ? _values[(z * _size.Y + y) * _size.X + x] : float.NaN;

    // between cells by trilinear interpolation; the border goes on outside
    private double At(float[] field, (double Z, double Y, double X) cell)
    {
        var (z, y, x) = (Math.Clamp(cell.Z, 0, _size.Z - 1), Math.Clamp(cell.Y, 0, _size.Y - 1), Math.Clamp(cell.X, 0, _size.X - 1));
        var (z0, y0, x0) = ((int)z, (int)y, (int)x);
        var (z1, y1, x1) = (Math.Min(z0 + 1, _size.Z - 1), Math.Min(y0 + 1, _size.Y - 1), Math.Min(x0 + 1, _size.X - 1));
        var (fz, fy, fx) = (z - z0, y - y0, x - x0);
        double Row(int atZ, int atY)
        {
            var row = (atZ * _size.Y + atY) * _size.X;
            return field[row + x0] + fx * (field[row + x1] - field[row + x0]);
        }
        double Slice(int atZ) => Row(atZ, y0) + fy * (Row(atZ, y1) - Row(atZ, y0));
        return Slice(z0) + fz * (Slice(z1) - Slice(z0));
    }

    // with weights 1 2 1 for a reach of one cell, else equal ones; the border cells count on outside
    private float[] Mean(float[] field, int axis, int reach)
    {
        var (extent, stride) = (_size[axis], axis switch { 0 => _size.Y * _size.X, 1 => _size.X, _ => 1 });
        var mean = new float[field.Length];
        for (var i = 0; i < field.Length; i++)
        {
            var at = i / stride % extent;
            var (sum, weight) = (0f, 0f);
            for (var by = -reach; by <= reach; by++)
            {
                var w = reach == 1 && by == 0 ? 2 : 1;
                sum += w * field[i + (Math.Clamp(at + by, 0, extent - 1) - at) * stride];
                weight += w;
            }
            mean[i] = sum / weight;
        }
        return mean;
    }
}

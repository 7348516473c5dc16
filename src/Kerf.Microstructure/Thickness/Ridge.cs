using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Of the largest balls around all voxels of a phase, those that no ball around a neighbour holds entirely. The others add nothing to a local
/// thickness. Whether one ball holds another is decided on their voxels, by a table over squared radii (Dougherty and Kunzelmann 2007,
/// doi:10.1017/S1431927607074430; Remy and Thiel 2002, doi:10.1016/S0167-8655(01)00141-6), so nothing is approximated.
/// </summary>
internal sealed class Ridge
{
    // squared radii above this (in x edges) are judged by the triangle inequality, which keeps a few balls too many
    private const int Tabled = 40_000;

    private readonly float[][] _needed;
    private readonly (int Z, int Y, int X, int Class)[] _neighbours;

    /// <summary>Tables for squared radii up to <paramref name="largest"/>, in units of the x edge.</summary>
    public Ridge(double largest, (float Z, float Y) weights)
    {
        var bins = Bin((float)largest) + 1;
        _needed = new float[8][];
        for (var shift = 1; shift < 8; shift++) _needed[shift] = Needed(bins, shift >> 2, shift >> 1 & 1, shift & 1, weights);
        _neighbours = [.. from z in (int[])[0, -1, 1] from y in (int[])[0, -1, 1] from x in (int[])[0, -1, 1]
                          let shift = (z * z) << 2 | (y * y) << 1 | x * x where shift != 0 orderby z * z + y * y + x * x select (z, y, x, shift)];
    }

    /// <summary>One of the balls.</summary>
    public readonly record struct Ball(int Z, int Y, int X, float Squared);

    /// <summary>The balls of slice <paramref name="z"/> of a region of squared distances.</summary>
    public Ball[] OfSlice(float[] squared, Size3 size, int z, int firstZ)
    {
        var balls = new List<Ball>();
        var plane = (long)size.Y * size.X;
        var around = Array.ConvertAll(_neighbours, n => n.Z * plane + n.Y * size.X + n.X);
        for (var y = 0; y < size.Y; y++)
        {
            var row = z * plane + (long)y * size.X;
            for (var x = 0; x < size.X; x++)
            {
                var own = squared[row + x];
                if (own == 0) continue;
                var inside = z > 0 && z < size.Z - 1 && y > 0 && y < size.Y - 1 && x > 0 && x < size.X - 1;
                if (!(inside ? Held(squared, row + x, own, around) : HeldAtBorder(squared, size, z, y, x, own))) balls.Add(new(firstZ + z, y, x, own));
            }
        }
        return [.. balls];
    }

    private bool Held(float[] squared, long at, float own, long[] around)
    {
        var bin = Bin(own);
        for (var i = 0; i < around.Length; i++)
        {
            var other = squared[at + around[i]] * (1 - LocalThickness.Tie);
            if (other > own && other > _needed[_neighbours[i].Class][bin]) return true;
        }
        return false;
    }

    private bool HeldAtBorder(float[] squared, Size3 size, int z, int y, int x, float own)
    {
        foreach (var n in _neighbours)
        {
            if ((uint)(z + n.Z) >= size.Z || (uint)(y + n.Y) >= size.Y || (uint)(x + n.X) >= size.X) continue;
            if (squared[((long)(z + n.Z) * size.Y + y + n.Y) * size.X + x + n.X] * (1 - LocalThickness.Tie) > _needed[n.Class][Bin(own)]) return true;
        }
        return false;
    }

    // squared norms below the squared radius all fall into bins up to this one
    private static int Bin(float squaredRadius) => (int)MathF.Ceiling(squaredRadius) - 1;

    // per bin of the squared radius: the furthest squared distance of a voxel of the ball from a centre that is moved by (z, y, x)
    private static float[] Needed(int bins, int z, int y, int x, (float Z, float Y) weights)
    {
        var needed = new float[bins];
        var tabled = Math.Min(bins, Tabled);
        for (var k = 0; weights.Z * ((double)k * k) < tabled; k++)
        {
            for (var j = 0; weights.Z * ((double)k * k) + weights.Y * ((double)j * j) is var flat && flat < tabled; j++)
            {
                var moved = weights.Z * (double)((k + z) * (k + z)) + weights.Y * (double)((j + y) * (j + y));
                for (var i = 0; flat + i * i is var norm && norm < tabled; i++)
                {
                    ref var entry = ref needed[(int)norm];
                    // rounded up: a ball too many does no harm
                    entry = Math.Max(entry, MathF.BitIncrement((float)(moved + (i + x) * (i + x))));
                }
            }
        }
        for (var bin = 1; bin < tabled; bin++) needed[bin] = Math.Max(needed[bin], needed[bin - 1]);
        var step = Math.Sqrt(z * (double)weights.Z + y * (double)weights.Y + x);
        for (var bin = tabled; bin < bins; bin++) needed[bin] = (float)((Math.Sqrt(bin + 1) + step) * (Math.Sqrt(bin + 1) + step) * (1 + 1e-6));
        return needed;
    }
}

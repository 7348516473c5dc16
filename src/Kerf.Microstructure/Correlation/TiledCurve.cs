using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A curve over distance with the share of each tile in it, so that it can be drawn anew from the tiles.</summary>
/// <param name="Name">"x", "xy" …</param>
/// <param name="X">Distances, from 0, equal steps.</param>
/// <param name="Tiles">By tile and distance; their sum is the curve.</param>
/// <param name="Y">The curve.</param>
internal sealed record TiledCurve(string Name, double[] X, double[][] Tiles, double[] Y)
{
    /// <summary>A curve that is the sum of its tiles.</summary>
    public TiledCurve(string name, double[] x, double[][] tiles) : this(name, x, tiles, Sum(tiles)) { }

    /// <summary>A curve's value between its points, by linear interpolation.</summary>
    public static double At(double[] values, double position)
    {
        var below = (int)position;
        if (below >= values.Length - 1) return values[^1];
        return values[below] + (position - below) * (values[below + 1] - values[below]);
    }

    /// <summary>Intervals of numbers that follow from several curves.</summary>
    /// <param name="curves">The curves, over the same tiles.</param>
    /// <param name="grid">The tiles.</param>
    /// <param name="weights">Voxels of the specimen in each tile.</param>
    /// <param name="numbers">From the curves' values to the numbers.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="walk">Threads.</param>
    public static Interval?[] Intervals(TiledCurve[] curves, TileGrid grid, double[] weights, Func<double[][], double[]> numbers, ulong seed, Traversal walk)
    {
        var all = weights.Sum();
        var sums = weights.Select((weight, tile) => (double[])[weight, .. curves.SelectMany(curve => curve.Tiles[tile])]).ToArray();
        return BlockBootstrap.Intervals(sums, grid, drawn =>
        {
            var (values, at) = (new double[curves.Length][], 1);
            for (var i = 0; i < curves.Length; i++)
            {
                var scale = all / drawn[0];
                values[i] = new double[curves[i].X.Length];
                for (var k = 0; k < values[i].Length; k++) values[i][k] = drawn[at++] * scale;
            }
            return numbers(values);
        }, seed, walk);
    }

    /// <summary>The intervals of the numbers, and of each point of the curves.</summary>
    public static (Interval?[] Numbers, Interval?[][] Points) WithBands(
        TiledCurve[] curves, TileGrid grid, double[] weights, Func<double[][], double[]> numbers, ulong seed, Traversal walk)
    {
        var points = curves.Sum(curve => curve.X.Length);
        var all = Intervals(curves, grid, weights, drawn => [.. drawn.SelectMany(y => y), .. numbers(drawn)], seed, walk);
        var at = 0;
        return (all[points..], [.. curves.Select(curve => all[at..(at += curve.X.Length)])]);
    }

    private static double[] Sum(double[][] tiles)
    {
        var sum = new double[tiles[0].Length];
        foreach (var tile in tiles)
        {
            for (var i = 0; i < sum.Length; i++) sum[i] += tile[i];
        }
        return sum;
    }
}

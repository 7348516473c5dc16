using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Two ends of an interval.</summary>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>High − low.</summary>
    public double Width => High - Low;
}

/// <summary>Bands around curves.</summary>
internal static class Bands
{
    /// <summary>The curve with an interval at each of its points; as it is when no point has one.</summary>
    public static Curve With(this Curve curve, IReadOnlyList<Interval?> points) => points.All(point => point is null) ? curve
        : curve with { Low = [.. points.Select(point => point?.Low ?? double.NaN)], High = [.. points.Select(point => point?.High ?? double.NaN)] };
}

/// <summary>
/// 95 % intervals for anything that follows from sums over the volume: a fraction, an area per volume, a mean thickness, a curve's norm. Tiles are
/// drawn with replacement, as many as there are, their sums added up and the numbers computed from them, 1000 times; the 2.5th and 97.5th
/// percentiles are the interval. That is repeated for blocks of 2×2×2 tiles, and again, while 27 blocks or more are left, and the widest interval
/// is given: structures longer than a block make small blocks too sure of themselves (Lahiri 2003, doi:10.1007/978-1-4757-3803-2).
/// </summary>
/// <remarks>
/// The interval is for the material that the volume was cut from. It is too narrow when structures are longer than a quarter of the volume.
/// </remarks>
public static class BlockBootstrap
{
    /// <summary>With fewer blocks there is no interval.</summary>
    public const int FewestBlocks = 27;

    private const int Resamples = 1000;

    /// <summary>The intervals of several numbers; null when there are too few blocks, or when a number is not finite in some resample.</summary>
    /// <param name="tiles">Per tile of the grid, what is summed up; whole numbers, or sums whose order is fixed. A tile of zeros counts as not there.</param>
    /// <param name="grid">The tiles.</param>
    /// <param name="numbers">From the sums over all drawn tiles to the numbers; called from several threads.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="walk">Threads and cancellation.</param>
    public static Interval?[] Intervals(double[][] tiles, TileGrid grid, Func<double[], double[]> numbers, ulong seed, Traversal walk)
    {
        Interval?[]? widest = null;
        for (var level = 0; ; level++)
        {
            var blocks = Merge(tiles, grid, level);
            if (blocks.Length < FewestBlocks) break;
            var intervals = Draw(blocks, numbers, seed, walk with { Progress = null });
            widest = widest is null ? intervals : [.. widest.Zip(intervals, Wider)];
        }
        return widest ?? new Interval?[numbers(new double[tiles[0].Length]).Length];
    }

    /// <summary>The interval of one number.</summary>
    public static Interval? Of(double[][] tiles, TileGrid grid, Func<double[], double> number, ulong seed, Traversal walk) =>
        Intervals(tiles, grid, sums => [number(sums)], seed, walk)[0];

    /// <summary>Sums of 2^level tiles along each axis; blocks of zeros are left out.</summary>
    internal static double[][] Merge(double[][] tiles, TileGrid grid, int level)
    {
        var n = grid.Tiles;
        var blocks = new SortedDictionary<(int, int, int), double[]>();
        for (var tile = 0; tile < tiles.Length; tile++)
        {
            var key = (tile / (n.Y * n.X) >> level, tile / n.X % n.Y >> level, tile % n.X >> level);
            if (!blocks.TryGetValue(key, out var block)) blocks[key] = block = new double[tiles[tile].Length];
            for (var i = 0; i < block.Length; i++) block[i] += tiles[tile][i];
        }
        return [.. blocks.Values.Where(block => block.AsSpan().ContainsAnyExcept(0.0))];
    }

    private static Interval? Wider(Interval? a, Interval? b) => a is { } x && b is { } y ? y.Width > x.Width ? b : a : null;

    private static Interval?[] Draw(double[][] blocks, Func<double[], double[]> numbers, ulong seed, Traversal walk)
    {
        var drawn = new double[Resamples][];
        walk.ForEach(Resamples, resample =>
        {
            var random = new CounterRandom(seed, (ulong)resample);
            var sums = new double[blocks[0].Length];
            for (var draw = 0; draw < blocks.Length; draw++)
            {
                var block = blocks[random.NextInt(blocks.Length)];
                for (var i = 0; i < sums.Length; i++) sums[i] += block[i];
            }
            drawn[resample] = numbers(sums);
        });
        var intervals = new Interval?[drawn[0].Length];
        for (var i = 0; i < intervals.Length; i++)
        {
            var sample = drawn.Select(numbers => numbers[i]).Order().ToArray();
            // NaN sorts first
            if (double.IsFinite(sample[0]) && double.IsFinite(sample[^1])) intervals[i] = new(sample[(int)(0.025 * Resamples)], sample[(int)(0.975 * Resamples) - 1]);
        }
        return intervals;
    }
}

namespace Kerf.Imaging;

/// <summary>
/// The grid on which a forest splits: up to 255 ascending thresholds per feature, at quantiles of the labelled samples and midway between two
/// neighbouring values. A value's bin is the number of thresholds below it, so "bin &gt; b" and "value &gt; threshold[b]" are the same question:
/// trees that compare bins give the same answer as trees that compare floats. NaN falls in bin 0.
/// </summary>
public sealed class FeatureBins
{
    /// <summary>Bins per feature, at most.</summary>
    public const int Most = 256;

    // enough for quantiles of 1/256; sorting more of a large sample changes thresholds by less than a bin
    private const int SortedValues = 1 << 16;
    private readonly float[][] _thresholds;

    /// <summary>A grid from its thresholds.</summary>
    /// <param name="thresholds">Per feature: strictly ascending, finite, at most 255.</param>
    /// <exception cref="ArgumentException">They are not.</exception>
    public FeatureBins(IReadOnlyList<float[]> thresholds)
    {
        foreach (var row in thresholds)
        {
            var ascending = row.Length < Most && row.All(float.IsFinite);
            for (var i = 1; i < row.Length; i++) ascending &= row[i] > row[i - 1];
            if (!ascending) throw new ArgumentException("thresholds must ascend, be finite and at most 255", nameof(thresholds));
        }
        _thresholds = [.. thresholds];
    }

    /// <summary>How many features.</summary>
    public int Features => _thresholds.Length;

    /// <summary>Thresholds of one feature, ascending.</summary>
    public ReadOnlySpan<float> Thresholds(int feature) => _thresholds[feature];

    /// <summary>A grid that follows the quantiles of the samples.</summary>
    /// <param name="columns">One column of values per feature.</param>
    /// <param name="walk">Threads.</param>
    public static FeatureBins Of(IReadOnlyList<float[]> columns, Volumes.Traversal walk)
    {
        var thresholds = new float[columns.Count][];
        walk.ForEach(columns.Count, f => thresholds[f] = Quantiles(columns[f]));
        return new(thresholds);
    }

    private static float[] Quantiles(float[] column)
    {
        var step = Math.Max(1, column.Length / SortedValues);
        var values = new List<float>(column.Length / step + 1);
        for (var i = 0; i < column.Length; i += step)
            if (float.IsFinite(column[i])) values.Add(column[i]);
        var sorted = values.ToArray();
        Array.Sort(sorted);
        // distinct values, and how many samples come before each
        var (distinct, before) = (new List<float>(), new List<int>());
        for (var i = 0; i < sorted.Length; i++)
        {
            if (i > 0 && sorted[i] == sorted[i - 1]) continue;
            distinct.Add(sorted[i]);
            before.Add(i);
        }
        var thresholds = new List<float>();
        for (var i = 1; i < distinct.Count; i++)
        {
            // with few distinct values a threshold between each two; else where a quantile of 1/256 is passed
            var passes = distinct.Count <= Most || (long)before[i] * Most / sorted.Length > (long)before[i - 1] * Most / sorted.Length;
            if (passes && thresholds.Count < Most - 1) thresholds.Add(Between(distinct[i - 1], distinct[i]));
        }
        return [.. thresholds];
    }

    // low ≤ result < high, so that the two fall on different sides
    private static float Between(float low, float high)
    {
        var middle = (float)(low + ((double)high - low) / 2);
        return middle < high ? middle : low;
    }

    /// <summary>The bin of one value.</summary>
    public byte Bin(int feature, float value)
    {
        var thresholds = _thresholds[feature];
        var (low, high) = (0, thresholds.Length);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (value > thresholds[middle]) low = middle + 1;
            else high = middle;
        }
        return (byte)low;
    }
}

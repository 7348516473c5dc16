using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// The best split of a histogram into classes: the cuts that leave the least variance within them. It is Otsu's criterion
/// (doi:10.1109/TSMC.1979.4310076), its extension to several thresholds, and k-means on grey values, all of which are one problem in one
/// dimension. Solved exactly by dynamic programming; the cost of an interval obeys the quadrangle inequality, so that a layer takes
/// O(n log n) and 65,536 levels stay quick. Of equally good cuts the lowest is taken, as scikit-image does.
/// </summary>
public static class GreyClasses
{
    /// <summary>
    /// Grey levels between the classes, ascending. A threshold lies half a bin above the last level of the lower class: a voxel at or above it
    /// belongs to the higher class. For integers that is scikit-image's threshold plus ½.
    /// </summary>
    /// <param name="histogram">Counted grey levels.</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="what">What was counted, for the error: "the stack".</param>
    /// <exception cref="InputError">Fewer grey levels than classes.</exception>
    public static double[] Thresholds(Histogram histogram, int classes, string what = "the stack")
    {
        var step = histogram.Bins > 1 ? histogram.LevelOf(1) - histogram.LevelOf(0) : 1;
        return Array.ConvertAll(Cuts(histogram.Counts, classes, what), bin => histogram.LevelOf(bin) + step / 2);
    }

    /// <summary>The last bin of each class but the highest.</summary>
    public static int[] Cuts(ReadOnlySpan<long> counts, int classes, string what = "the stack")
    {
        if (classes < 2) throw new InputError($"classes is {classes}; it must be 2 or more.");
        var levels = new List<int>();
        for (var bin = 0; bin < counts.Length; bin++)
        {
            if (counts[bin] > 0) levels.Add(bin);
        }
        if (levels.Count < classes)
            throw new InputError($"{what} holds {levels.Count} grey level(s), too few for {classes} classes; "
                + "ask for fewer classes or give thresholds by hand.");
        var sums = new Sums(levels, counts);
        // best[j]: highest Σ S²/W that the first j levels reach in the classes so far; from[c][j]: where their last class begins
        var best = new double[levels.Count + 1];
        for (var j = 1; j <= levels.Count; j++) best[j] = sums.Gain(0, j);
        var from = new int[classes][];
        for (var c = 1; c < classes; c++)
        {
            var next = new double[levels.Count + 1];
            from[c] = new int[levels.Count + 1];
            var first = c == classes - 1 ? levels.Count : c + 1;
            Layer(sums, best, next, from[c], first, levels.Count, c, levels.Count - 1);
            best = next;
        }
        var cuts = new int[classes - 1];
        for (int c = classes - 1, j = levels.Count; c > 0; c--)
        {
            j = from[c][j];
            cuts[c - 1] = levels[j - 1];
        }
        return cuts;
    }

    // fills next[first … last]; the optimal split is monotone in j, so the middle one bounds both halves
    private static void Layer(Sums sums, double[] best, double[] next, int[] from, int first, int last, int low, int high)
    {
        if (first > last) return;
        var j = (first + last) / 2;
        next[j] = double.NegativeInfinity;
        for (var i = low; i <= Math.Min(high, j - 1); i++)
        {
            var gain = best[i] + sums.Gain(i, j);
            if (gain > next[j]) (next[j], from[j]) = (gain, i);
        }
        Layer(sums, best, next, from, first, j - 1, low, from[j]);
        Layer(sums, best, next, from, j + 1, last, from[j], high);
    }

    private sealed class Sums
    {
        private readonly long[] _weight;
        private readonly long[] _moment;

        public Sums(List<int> levels, ReadOnlySpan<long> counts)
        {
            (_weight, _moment) = (new long[levels.Count + 1], new long[levels.Count + 1]);
            // levels are counted from the middle one: moments stay small and exact
            var centre = levels[levels.Count / 2];
            for (var i = 0; i < levels.Count; i++)
            {
                _weight[i + 1] = _weight[i] + counts[levels[i]];
                _moment[i + 1] = _moment[i] + counts[levels[i]] * (levels[i] - centre);
            }
        }

        // what levels i … j − 1 as one class add to the variance between classes
        public double Gain(int i, int j)
        {
            double moment = _moment[j] - _moment[i];
            return moment * moment / (_weight[j] - _weight[i]);
        }
    }
}

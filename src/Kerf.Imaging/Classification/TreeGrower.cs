using System.Numerics;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>The labelled samples as a forest is grown on them: bins by feature for counting, bins by sample for walking.</summary>
internal sealed class BinnedSamples
{
    public BinnedSamples(FeatureBins bins, IReadOnlyList<float[]> columns, byte[] classes, int classCount, bool balance, Traversal walk)
    {
        (Classes, ClassCount, Features) = (classes, classCount, columns.Count);
        ByFeature = new byte[Features][];
        BySample = new byte[(long)classes.Length * Features];
        walk.ForEach(Features, f =>
        {
            var column = ByFeature[f] = new byte[classes.Length];
            for (var i = 0; i < column.Length; i++) BySample[(long)i * Features + f] = column[i] = bins.Bin(f, columns[f][i]);
        });
        var counts = new int[classCount];
        foreach (var c in classes) counts[c]++;
        Weights = [.. counts.Select(n => balance ? classes.Length / ((double)classCount * n) : 1)];
    }

    public byte[][] ByFeature { get; }

    public byte[] BySample { get; }

    public byte[] Classes { get; }

    public int ClassCount { get; }

    public int Features { get; }

    /// <summary>Weight of a sample of each class.</summary>
    public double[] Weights { get; }

    public int Count => Classes.Length;

    public ReadOnlySpan<byte> Sample(int i) => BySample.AsSpan(checked(i * Features), Features);
}

/// <summary>
/// Grows one tree (Breiman 2001, doi:10.1023/A:1010933404324): bootstrap with replacement, at each node the best Gini split among a random few
/// features that vary there, until nodes are pure. Candidates are counted in bins; the bins that a node occupies are kept as a bit mask, so that
/// a small node costs what it holds and not 256 bins. A split that gains nothing is taken too: what follows may (exclusive or).
/// </summary>
internal sealed class TreeGrower(BinnedSamples samples, int tries, int minSplit)
{
    private readonly int[] _histogram = new int[FeatureBins.Most * samples.ClassCount];
    private readonly int[] _features = [.. Enumerable.Range(0, samples.Features)];
    // a sample in the bag: index, class in bits 32–39, times drawn above
    private readonly ulong[] _bag = new ulong[samples.Count], _scratch = new ulong[samples.Count];
    private readonly double[] _total = new double[samples.ClassCount], _left = new double[samples.ClassCount];
    private readonly List<ulong> _nodes = [];
    private readonly List<int[]> _votes = [];

    /// <summary>How often each sample was drawn for the latest tree; 0 is out of the bag.</summary>
    public int[] Drawn { get; } = new int[samples.Count];

    /// <summary>Weighted decrease of impurity by each feature in the latest tree.</summary>
    public double[] Decrease { get; } = new double[samples.Features];

    public DecisionTree Grow(ref CounterRandom random)
    {
        Array.Clear(Drawn);
        Array.Clear(Decrease);
        for (var i = 0; i < _features.Length; i++) _features[i] = i;
        for (var i = 0; i < Drawn.Length; i++) Drawn[random.NextInt(Drawn.Length)]++;
        var count = 0;
        for (var i = 0; i < Drawn.Length; i++)
            if (Drawn[i] > 0) _bag[count++] = (ulong)Drawn[i] << 40 | (ulong)samples.Classes[i] << 32 | (uint)i;
        _nodes.Clear();
        _votes.Clear();
        _votes.AddRange(DecisionTree.PureVotes(samples.ClassCount));
        _nodes.Add(0);
        var open = new Stack<(int Node, int Start, int Count)>([(0, 0, count)]);
        while (open.TryPop(out var node))
        {
            var bag = _bag.AsSpan(node.Start, node.Count);
            if (!(Count(bag) >= minSplit) || !Impure() || BestSplit(bag, ref random) is not { } split)
            {
                _nodes[node.Node] = DecisionTree.Node(node.Node, Row(), 255);
                continue;
            }
            var (feature, bin) = split;
            var left = Partition(bag, samples.ByFeature[feature], bin);
            var child = _nodes.Count + 1;
            _nodes[node.Node] = DecisionTree.Node(child, feature, bin);
            CollectionsMarshal.SetCount(_nodes, child + 1);
            open.Push((child - 1, node.Start + left, node.Count - left));
            open.Push((child, node.Start, left));
        }
        return DecisionTree.Arrange(CollectionsMarshal.AsSpan(_nodes), _votes, samples.ClassCount);
    }

    // weight of each class in the node; gives the number of draws
    private long Count(ReadOnlySpan<ulong> bag)
    {
        Span<long> counts = stackalloc long[samples.ClassCount];
        foreach (var s in bag) counts[(byte)(s >> 32)] += (long)(s >> 40);
        var all = 0L;
        for (var c = 0; c < counts.Length; c++)
        {
            all += counts[c];
            _total[c] = counts[c] * samples.Weights[c];
        }
        return all;
    }

    private bool Impure()
    {
        var present = 0;
        foreach (var weight in _total) present += weight > 0 ? 1 : 0;
        return present > 1;
    }

    private (int Feature, int Bin)? BestSplit(ReadOnlySpan<ulong> bag, ref CounterRandom random)
    {
        var (sum, squares) = (0.0, 0.0);
        foreach (var weight in _total) (sum, squares) = (sum + weight, squares + weight * weight);
        var (best, feature, bin) = (double.NegativeInfinity, -1, 0);
        // features that do not vary in this node do not count as tries
        for (var (next, tried) = (0, 0); next < _features.Length && tried < tries; next++)
        {
            var pick = next + random.NextInt(_features.Length - next);
            (_features[next], _features[pick]) = (_features[pick], _features[next]);
            var (score, at) = Best(bag, samples.ByFeature[_features[next]], sum, squares);
            if (at < 0) continue;
            tried++;
            if (score > best) (best, feature, bin) = (score, _features[next], at);
        }
        if (feature < 0) return null;
        // Σ w²/W grows as the Gini impurity W − Σ w²/W falls
        Decrease[feature] += Math.Max(0, best - squares / sum);
        return (feature, bin);
    }

    // the best of one feature: maximal Σ l²/L + Σ r²/R; bin −1 when the feature does not vary
    private (double Score, int Bin) Best(ReadOnlySpan<ulong> bag, byte[] bins, double sum, double squares)
    {
        Span<ulong> occupied = stackalloc ulong[4];
        var (histogram, classes) = (_histogram, samples.ClassCount);
        foreach (var s in bag)
        {
            var bin = bins[(uint)s];
            occupied[bin >> 6] |= 1UL << bin;
            histogram[bin * classes + (byte)(s >> 32)] += (int)(s >> 40);
        }
        Array.Clear(_left);
        var (best, at, previous) = (double.NegativeInfinity, -1, -1);
        var (left, leftSquares, rightSquares) = (0.0, 0.0, squares);
        for (var word = 0; word < 4; word++)
        {
            for (var bits = occupied[word]; bits != 0; bits &= bits - 1)
            {
                var bin = word * 64 + BitOperations.TrailingZeroCount(bits);
                if (previous >= 0)
                {
                    var right = sum - left;
                    var score = (leftSquares * right + rightSquares * left) / (left * right);
                    // midway through the empty bins between
                    if (score > best) (best, at) = (score, (previous + bin) >> 1);
                }
                previous = bin;
                var row = histogram.AsSpan(bin * classes, classes);
                for (var c = 0; c < row.Length; c++)
                {
                    var weight = row[c] * samples.Weights[c];
                    leftSquares += weight * (2 * _left[c] + weight);
                    rightSquares -= weight * (2 * (_total[c] - _left[c]) - weight);
                    _left[c] += weight;
                    left += weight;
                }
                row.Clear();
            }
        }
        return (best, at);
    }

    // stable: those at or below the bin first; gives their number
    private int Partition(Span<ulong> bag, byte[] bins, int bin)
    {
        var (left, right) = (0, 0);
        foreach (var s in bag)
        {
            var above = bins[(uint)s] > bin ? 1 : 0;
            bag[left] = s;
            _scratch[right] = s;
            left += 1 - above;
            right += above;
        }
        _scratch.AsSpan(0, right).CopyTo(bag[left..]);
        return left;
    }

    // a leaf's votes: shares of its classes in whole parts of One, what rounding leaves going to the largest
    private int Row()
    {
        var (sum, largest, present) = (_total.Sum(), 0, 0);
        for (var c = 0; c < _total.Length; c++)
        {
            if (_total[c] > _total[largest]) largest = c;
            present += _total[c] > 0 ? 1 : 0;
        }
        if (present == 1) return largest;
        int[] votes = [.. _total.Select(w => (int)(w / sum * DecisionTree.One))];
        votes[largest] += DecisionTree.One - votes.Sum();
        _votes.Add(votes);
        return _votes.Count - 1;
    }
}

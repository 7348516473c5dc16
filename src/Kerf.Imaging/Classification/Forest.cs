using System.Collections.Concurrent;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How a forest is grown.</summary>
public sealed record ForestOptions
{
    /// <summary>Trees, 1 to 10,000.</summary>
    public int Trees { get; init; } = 100;

    /// <summary>Seed; tree i draws its random numbers from stream i of it alone.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Weighs samples so that every class counts the same, however many strokes it got.</summary>
    public bool Balance { get; init; }

    /// <summary>A node with fewer samples becomes a leaf; 2 grows trees fully.</summary>
    public int MinSplit { get; init; } = 2;
}

/// <summary>What training tells about a forest. Classes count from 0 in the order of their labels.</summary>
/// <param name="OutOfBagError">Share of samples that the trees which did not see them get wrong together; NaN when every tree saw every sample.</param>
/// <param name="Impurity">Per feature: its share of all decrease of impurity; sums to 1.</param>
/// <param name="Permutation">Per feature: drop of out-of-bag accuracy of a tree when the feature is shuffled, mean over trees.</param>
/// <param name="PermutationPerClass">Per feature, per class: the same for samples of one class.</param>
public sealed record ForestFindings(double OutOfBagError, double[] Impurity, double[] Permutation, double[][] PermutationPerClass)
{
    /// <summary>Each tree's own verdict; none once read from a file.</summary>
    internal IReadOnlyList<TreeVerdict> Trees { get; init; } = [];
}

/// <summary>
/// A random forest (Breiman 2001, doi:10.1023/A:1010933404324) over binned features, as ilastik grows it: √F features tried per split, trees grown
/// until pure, probabilities by the mean of the leaves' class shares. Votes are whole numbers, so no sum depends on its order.
/// </summary>
public sealed class Forest
{
    internal Forest(FeatureBins bins, IReadOnlyList<DecisionTree> trees, int classes) =>
        (Bins, Trees, Subtrees, Classes) = (bins, trees, [.. trees.Select(tree => new Subtrees(tree, Imaging.Subtrees.LinesOf(bins.Features)))], classes);

    /// <summary>The grid of the features.</summary>
    public FeatureBins Bins { get; }

    /// <summary>The trees.</summary>
    public IReadOnlyList<DecisionTree> Trees { get; }

    /// <summary>The same trees, as many voxels at once walk them.</summary>
    internal Subtrees[] Subtrees { get; }

    /// <summary>Classes.</summary>
    public int Classes { get; }

    /// <summary>Grows a forest. The same samples and options give the same forest, whatever the threads.</summary>
    /// <param name="columns">One column of values per feature.</param>
    /// <param name="classes">The class of each sample, 0 … <paramref name="classCount"/> − 1; each class has a sample.</param>
    /// <param name="classCount">2 to 256.</param>
    /// <param name="options">How.</param>
    /// <param name="walk">Threads; memory grows by 20 bytes per sample and thread.</param>
    /// <exception cref="InputError">The number of trees is out of range.</exception>
    public static (Forest Forest, ForestFindings Findings) Train(
        IReadOnlyList<float[]> columns, byte[] classes, int classCount, ForestOptions options, Traversal walk)
    {
        if (options.Trees is < 1 or > 10_000) throw new InputError($"trees: {options.Trees} is out of range; give 1 to 10000.");
        var bins = FeatureBins.Of(columns, walk);
        var samples = new BinnedSamples(bins, columns, classes, classCount, options.Balance, walk);
        var (trees, verdicts) = (new DecisionTree[options.Trees], new TreeVerdict[options.Trees]);
        var votes = new int[classes.Length * classCount];
        var growers = new ConcurrentBag<TreeGrower>();
        // vigra's and ilastik's rule
        var tries = Math.Max(1, (int)Math.Sqrt(columns.Count));
        walk.ForEach(options.Trees, t =>
        {
            if (!growers.TryTake(out var grower)) grower = new(samples, tries, options.MinSplit);
            var random = new CounterRandom(options.Seed, (ulong)t);
            trees[t] = grower.Grow(ref random);
            verdicts[t] = TreeVerdict.Of(trees[t], samples, grower, ref random, votes);
            growers.Add(grower);
        });
        return (new(bins, trees, classCount), TreeVerdict.Combine(verdicts, samples, votes));
    }

    /// <summary>Probabilities of many voxels, by class: the share of the trees' votes.</summary>
    /// <param name="columns">One column of values per feature, as in training.</param>
    /// <param name="walk">Threads.</param>
    public float[][] Probabilities(IReadOnlyList<float[]> columns, Traversal walk)
    {
        var count = columns[0].Length;
        var result = Enumerable.Range(0, Classes).Select(_ => new float[count]).ToArray();
        var (quantiser, idle) = (new BinQuantiser(Bins), new ConcurrentBag<ForestTraversal>());
        var whole = 1.0 / ((long)Trees.Count * DecisionTree.One);
        var tile = ForestTraversal.TileOf(Bins.Features);
        walk.ForEach((count + tile - 1) / tile, t =>
        {
            if (!idle.TryTake(out var traversal)) traversal = new(this);
            var (start, voxels) = (t * tile, Math.Min(tile, count - t * tile));
            for (var f = 0; f < columns.Count; f++) traversal.Take(quantiser, f, columns[f].AsSpan(start, voxels));
            traversal.Vote();
            for (var c = 0; c < Classes; c++)
                for (var v = 0; v < voxels; v++) result[c][start + v] = (float)(traversal.Votes[v * traversal.VoteStride + c] * whole);
            idle.Add(traversal);
        });
        return result;
    }

    /// <summary>Sum of all trees' votes for one voxel: plain, the oracle of <see cref="ForestTraversal"/>. They sum to trees × <see cref="DecisionTree.One"/>.</summary>
    public int[] Votes(ReadOnlySpan<float> features)
    {
        Span<byte> bins = new byte[Bins.Features];
        for (var f = 0; f < bins.Length; f++) bins[f] = Bins.Bin(f, features[f]);
        var votes = new int[Classes];
        foreach (var tree in Trees)
        {
            var row = tree.VotesOf(tree.Leaf(bins));
            for (var c = 0; c < votes.Length; c++) votes[c] += row[c];
        }
        return votes;
    }
}

/// <summary>What one tree's out-of-bag samples say about it.</summary>
internal sealed class TreeVerdict
{
    private readonly double[] _decrease;
    private readonly int[] _seen;
    // per feature and class: how many more samples are right with the feature than with it shuffled
    private readonly int[] _lost;

    private TreeVerdict(double[] decrease, int classes) => (_decrease, _seen, _lost) = (decrease, new int[classes], new int[decrease.Length * classes]);

    /// <summary>The feature's share of all decrease of impurity in the tree; NaN when nothing decreased.</summary>
    public double Impurity(int feature) => _decrease[feature] / _decrease.Sum();

    /// <summary>Drop of out-of-bag accuracy when the feature is shuffled; NaN when no sample was out of the bag.</summary>
    public double Permutation(int feature) => (double)_lost.AsSpan(feature * _seen.Length, _seen.Length).ToArray().Sum() / _seen.Sum();

    /// <summary>The same among the samples of one class.</summary>
    public double Permutation(int feature, int c) => (double)_lost[feature * _seen.Length + c] / _seen[c];

    /// <summary>
    /// Adds the tree's votes for its out-of-bag samples to <paramref name="votes"/>, and shuffles each feature among them. One shuffle serves all
    /// features, each alone; a sample is walked again only for features on its way, from the first node that asks for them.
    /// </summary>
    public static TreeVerdict Of(DecisionTree tree, BinnedSamples samples, TreeGrower grower, ref CounterRandom random, int[] votes)
    {
        var verdict = new TreeVerdict([.. grower.Decrease], samples.ClassCount);
        var outside = Enumerable.Range(0, samples.Count).Where(i => grower.Drawn[i] == 0).ToArray();
        var donors = outside.ToArray();
        for (var i = donors.Length - 1; i > 0; i--)
        {
            var j = random.NextInt(i + 1);
            (donors[i], donors[j]) = (donors[j], donors[i]);
        }
        var (leaves, met) = (new int[outside.Length], new int[samples.Features]);
        Span<byte> changed = new byte[samples.Features];
        for (var s = 0; s < outside.Length; s++)
        {
            var sample = samples.Sample(outside[s]);
            var donor = samples.Sample(donors[s]);
            var truth = samples.Classes[outside[s]];
            sample.CopyTo(changed);
            verdict._seen[truth]++;
            leaves[s] = tree.Leaf(sample);
            var right = IsRight(tree, leaves[s], truth);
            for (var i = 0; !DecisionTree.IsLeaf(tree.Nodes[i]);)
            {
                var node = tree.Nodes[i];
                var feature = DecisionTree.Feature(node);
                if (met[feature] <= s && donor[feature] != sample[feature])
                {
                    changed[feature] = donor[feature];
                    verdict._lost[feature * samples.ClassCount + truth] += right - IsRight(tree, tree.Leaf(changed, i), truth);
                    changed[feature] = sample[feature];
                }
                met[feature] = s + 1;
                i = DecisionTree.Next(node, sample[feature]);
            }
        }
        // whole numbers: the order of the trees does not show
        lock (votes)
        {
            for (var s = 0; s < outside.Length; s++)
            {
                var row = tree.VotesOf(leaves[s]);
                for (var c = 0; c < row.Length; c++) votes[outside[s] * samples.ClassCount + c] += row[c];
            }
        }
        return verdict;
    }

    private static int IsRight(DecisionTree tree, int leaf, int truth) => Largest(tree.VotesOf(leaf)) == truth ? 1 : 0;

    private static int Largest(ReadOnlySpan<int> votes)
    {
        var best = 0;
        for (var c = 1; c < votes.Length; c++) if (votes[c] > votes[best]) best = c;
        return best;
    }

    /// <summary>Means over the trees, in their order.</summary>
    public static ForestFindings Combine(TreeVerdict[] trees, BinnedSamples samples, int[] votes)
    {
        var (features, classes) = (samples.Features, samples.ClassCount);
        var (impurity, permutation) = (new double[features], new double[features]);
        var perClass = Enumerable.Range(0, features).Select(_ => new double[classes]).ToArray();
        foreach (var tree in trees)
        {
            var (sum, seen) = (tree._decrease.Sum(), tree._seen.Sum());
            for (var f = 0; f < features; f++)
            {
                if (sum > 0) impurity[f] += tree._decrease[f] / sum / trees.Length;
                var lost = tree._lost.AsSpan(f * classes, classes);
                var all = 0;
                for (var c = 0; c < classes; c++)
                {
                    all += lost[c];
                    if (tree._seen[c] > 0) perClass[f][c] += (double)lost[c] / tree._seen[c] / trees.Length;
                }
                if (seen > 0) permutation[f] += (double)all / seen / trees.Length;
            }
        }
        var (wrong, judged) = (0L, 0L);
        for (var i = 0; i < samples.Count; i++)
        {
            var row = votes.AsSpan(i * classes, classes);
            if (row.IndexOfAnyExcept(0) < 0) continue;
            judged++;
            wrong += Largest(row) == samples.Classes[i] ? 0 : 1;
        }
        return new(judged == 0 ? double.NaN : (double)wrong / judged, impurity, permutation, perClass) { Trees = trees };
    }
}

using System.Text.Json;

namespace Kerf.Imaging;

/// <summary>
/// Gradient-boosted trees (Chen and Guestrin 2016, doi:10.1145/2939672.2939785) as XGBoost wrote them, walked without it. Two classes have one tree a round, whose sum is
/// the logit of the second; more have one tree a class. Values are added as float in the order of the trees, as XGBoost does.
/// </summary>
public sealed class BoostedTrees
{
    /// <summary>Deepest tree that is read.</summary>
    public const int MostLevels = 16;

    // a node asks "value < Threshold?": yes leads to Next, no to the one after. A leaf asks what is true of every number and leads to itself
    private readonly record struct Node(int Feature, float Threshold, int Next);

    private readonly record struct Tree(Node[] Nodes, float[] Leaves, int Depth, int Group);

    private readonly Tree[] _trees;
    private readonly float[] _gain;

    private BoostedTrees(Tree[] trees, int features, int classes, float[] gain) => (_trees, Features, Classes, _gain) = (trees, features, classes, gain);

    /// <summary>Features that it looks at.</summary>
    public int Features { get; }

    /// <summary>Classes.</summary>
    public int Classes { get; }

    /// <summary>Trees of all rounds and classes.</summary>
    public int Count => _trees.Length;

    /// <summary>Per feature: its share of all gain of the splits; sums to 1, or 0 when nothing was split.</summary>
    public IReadOnlyList<double> Importance
    {
        get
        {
            var sum = _gain.Sum(g => (double)g);
            return [.. _gain.Select(g => sum > 0 ? g / sum : 0)];
        }
    }

    /// <summary>Sums per voxel: one for two classes, else one a class.</summary>
    public int Groups => GroupsOf(Classes);

    private static int GroupsOf(int classes) => classes == 2 ? 1 : classes;

    /// <summary>What a feature's value counts as: what is no number, or infinite, is 0.</summary>
    public static float Clean(float value) => float.IsFinite(value) ? value : 0;

    /// <summary>Probabilities of many voxels.</summary>
    /// <param name="tile">Values, feature by feature, <paramref name="stride"/> apart; all finite.</param>
    /// <param name="stride">Room of a feature.</param>
    /// <param name="count">Voxels, up to <paramref name="stride"/>.</param>
    /// <param name="probabilities">Receives them, class by class, <paramref name="stride"/> apart.</param>
    public void Predict(ReadOnlySpan<float> tile, int stride, int count, Span<float> probabilities)
    {
        var groups = Groups;
        var sums = probabilities[..(Classes * stride)];
        sums.Clear();
        foreach (var tree in _trees)
        {
            var to = sums.Slice(tree.Group * stride, count);
            var (v, nodes, leaves) = (0, tree.Nodes, tree.Leaves);
            // four walks at once: one waits for memory most of its time
            for (; v + 4 <= count; v += 4)
            {
                var (a, b, c, d) = (0, 0, 0, 0);
                for (var level = tree.Depth; level > 0; level--)
                {
                    (a, b) = (Next(nodes[a], tile, stride, v), Next(nodes[b], tile, stride, v + 1));
                    (c, d) = (Next(nodes[c], tile, stride, v + 2), Next(nodes[d], tile, stride, v + 3));
                }
                to[v] += leaves[a];
                to[v + 1] += leaves[b];
                to[v + 2] += leaves[c];
                to[v + 3] += leaves[d];
            }
            for (; v < count; v++)
            {
                var node = 0;
                for (var level = tree.Depth; level > 0; level--) node = Next(nodes[node], tile, stride, v);
                to[v] += leaves[node];
            }
        }
        Softmax(probabilities, stride, count, groups);
    }

    private static int Next(Node node, ReadOnlySpan<float> tile, int stride, int voxel) => node.Next + (tile[node.Feature * stride + voxel] < node.Threshold ? 0 : 1);

    // of one sum m: those of 0 and m
    private static void Softmax(Span<float> values, int stride, int count, int groups)
    {
        for (var v = 0; v < count; v++)
        {
            if (groups == 1)
            {
                var second = 1 / (1 + Math.Exp(-(double)values[v]));
                (values[v], values[stride + v]) = ((float)(1 - second), (float)second);
                continue;
            }
            var (top, sum) = (float.NegativeInfinity, 0.0);
            for (var c = 0; c < groups; c++) top = Math.Max(top, values[c * stride + v]);
            for (var c = 0; c < groups; c++) sum += Math.Exp((double)values[c * stride + v] - top);
            for (var c = 0; c < groups; c++) values[c * stride + v] = (float)(Math.Exp((double)values[c * stride + v] - top) / sum);
        }
    }

    /// <summary>Reads XGBoost's JSON (of 1.7; later ones keep it). Nothing of it is trusted: every index and number is looked at.</summary>
    /// <param name="json">The document.</param>
    /// <param name="features">Features that there are.</param>
    /// <param name="classes">Classes that there are.</param>
    /// <exception cref="InvalidDataException">It is not what XGBoost writes for these, or not sound.</exception>
    public static BoostedTrees Parse(ReadOnlyMemory<byte> json, int features, int classes)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var learner = document.RootElement.GetProperty("learner");
            var model = learner.GetProperty("gradient_booster").GetProperty("model");
            var info = model.GetProperty("tree_info");
            var groups = GroupsOf(classes);
            var gain = new float[features];
            // the same start for every class says nothing, and half a chance is a logit of 0
            if (classes == 2 && float.Parse(learner.GetProperty("learner_model_param").GetProperty("base_score").GetString()!, System.Globalization.CultureInfo.InvariantCulture) != 0.5f)
                throw new InvalidDataException();
            Tree[] trees = [.. model.GetProperty("trees").EnumerateArray().Select((tree, t) => Read(tree, info[t].GetInt32(), features, gain))];
            if (trees.Length == 0 || trees.Length != info.GetArrayLength() || trees.Any(tree => tree.Group < 0 || tree.Group >= groups)) throw new InvalidDataException();
            return new(trees, features, classes, gain);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("", exception);
        }
    }

    private static T[] Row<T>(JsonElement tree, string name, Func<JsonElement, T> value) => [.. tree.GetProperty(name).EnumerateArray().Select(value)];

    // breadth-first, siblings side by side; a node that is met twice or leads outside is refused
    private static Tree Read(JsonElement tree, int group, int features, float[] gain)
    {
        var (left, right) = (Row(tree, "left_children", e => e.GetInt32()), Row(tree, "right_children", e => e.GetInt32()));
        var (asked, limits, gains) = (Row(tree, "split_indices", e => e.GetInt32()), Row(tree, "split_conditions", e => e.GetSingle()), Row(tree, "loss_changes", e => e.GetSingle()));
        var count = left.Length;
        if (count is 0 or > 1 << (MostLevels + 1) || new[] { right.Length, asked.Length, limits.Length, gains.Length }.Any(n => n != count)) throw new InvalidDataException();
        var (nodes, leaves, met, depth) = (new List<Node> { default }, new List<float> { 0 }, new bool[count], 0);
        var open = new Queue<(int From, int To, int Level)>([(0, 0, 0)]);
        while (open.TryDequeue(out var next))
        {
            var (from, to, level) = next;
            if ((uint)from >= (uint)count || met[from] || level > MostLevels || !float.IsFinite(limits[from])) throw new InvalidDataException();
            met[from] = true;
            depth = Math.Max(depth, level);
            if (left[from] < 0)
            {
                (nodes[to], leaves[to]) = (new(0, float.PositiveInfinity, to), limits[from]);
                continue;
            }
            if ((uint)asked[from] >= (uint)features || !float.IsFinite(gains[from])) throw new InvalidDataException();
            gain[asked[from]] += Math.Max(0, gains[from]);
            nodes[to] = new(asked[from], limits[from], nodes.Count);
            open.Enqueue((left[from], nodes.Count, level + 1));
            open.Enqueue((right[from], nodes.Count + 1, level + 1));
            nodes.AddRange([default, default]);
            leaves.AddRange([0, 0]);
        }
        return new([.. nodes], [.. leaves], depth, group);
    }
}

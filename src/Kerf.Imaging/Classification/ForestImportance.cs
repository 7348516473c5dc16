namespace Kerf.Imaging;

/// <summary>How one number varies over the trees: the box of a box plot.</summary>
/// <param name="Name">A feature, or a group of features.</param>
/// <param name="Group">Smoothing, edge or texture.</param>
/// <param name="Mean">Mean over the trees.</param>
/// <param name="Quantiles">5, 25, 50, 75 and 95 %, interpolated linearly between the trees in order.</param>
public sealed record ImportanceBox(string Name, FeatureGroup Group, double Mean, double[] Quantiles);

/// <summary>One kind of importance: a box for every feature, in the forest's order, and one for every group that has features.</summary>
/// <param name="Kind">"impurity", "permutation", or "permutation of PHASE".</param>
/// <param name="Features">One box a feature.</param>
/// <param name="Groups">Per tree the features of a group are summed. For permutation that is the sum of drops, each feature shuffled alone.</param>
public sealed record ImportanceTable(string Kind, IReadOnlyList<ImportanceBox> Features, IReadOnlyList<ImportanceBox> Groups);

/// <summary>
/// Which features a forest decides by, as it varies over the trees (Breiman 2001, doi:10.1023/A:1010933404324): impurity is a feature's share of all decrease of
/// Gini impurity in a tree; permutation is the drop of the tree's accuracy on its out-of-bag samples when the feature is shuffled among them.
/// </summary>
public static class ForestImportance
{
    private static readonly double[] Quantiles = [0.05, 0.25, 0.5, 0.75, 0.95];

    /// <summary>All tables: impurity, permutation, permutation of each class.</summary>
    /// <param name="findings">What training found, fresh: a file keeps the tables, not the trees' numbers.</param>
    /// <param name="names">Names of the features.</param>
    /// <param name="groups">Group of each feature.</param>
    /// <param name="phases">Names of the classes.</param>
    internal static IReadOnlyList<ImportanceTable> Tables(
        ForestFindings findings, IReadOnlyList<string> names, IReadOnlyList<FeatureGroup> groups, IReadOnlyList<string> phases)
    {
        return
        [
            Table("impurity", (tree, f) => tree.Impurity(f)),
            Table("permutation", (tree, f) => tree.Permutation(f)),
            .. phases.Select((phase, c) => Table($"permutation of {phase}", (tree, f) => tree.Permutation(f, c))),
        ];

        ImportanceTable Table(string kind, Func<TreeVerdict, int, double> value)
        {
            var columns = names.Select((_, f) => findings.Trees.Select(tree => value(tree, f)).ToArray()).ToArray();
            return new(
                kind, [.. columns.Select((column, f) => Box(names[f], groups[f], column))],
                [.. groups.Distinct().Order().Select(group => Box(group.ToString().ToLowerInvariant(), group, Sum(columns.Where((_, f) => groups[f] == group))))]);
        }
    }

    private static double[] Sum(IEnumerable<double[]> columns) => columns.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    private static ImportanceBox Box(string name, FeatureGroup group, double[] trees)
    {
        double[] known = [.. trees.Where(double.IsFinite).Order()];
        if (known.Length == 0) return new(name, group, double.NaN, [.. Quantiles.Select(_ => double.NaN)]);
        return new(name, group, Brief(known.Average()), [.. Quantiles.Select(q => Brief(At(q)))]);

        // they are kept in every model file
        static double Brief(double value) => Math.Round(value, 7);

        double At(double q)
        {
            var place = q * (known.Length - 1);
            var low = (int)place;
            return known[low] + (place - low) * (known[Math.Min(low + 1, known.Length - 1)] - known[low]);
        }
    }
}

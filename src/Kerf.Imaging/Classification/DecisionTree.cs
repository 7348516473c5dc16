using System.Runtime.CompilerServices;

namespace Kerf.Imaging;

/// <summary>
/// One grown tree, flat. A node is eight bytes: its low half holds child·256 + b, its high half the feature. The question is "bin &gt; b?"; yes leads
/// to child − 1, no to child. So the next node is (low − bin) &gt;&gt; 8: the borrow of the subtraction is the branch. A leaf has itself for child and
/// b = 255, which no bin exceeds: a walk that goes on stays there; its high half is its row of votes. Siblings are neighbours; the first levels lie breadth-first, because
/// every walk reads them, and each subtree below lies depth-first, so that the end of a walk touches few cache lines.
/// </summary>
public sealed class DecisionTree
{
    /// <summary>Levels that lie breadth-first.</summary>
    internal const int TopLevels = 9;

    /// <summary>The vote of a leaf: its classes share this much, in whole numbers, so that sums do not depend on their order.</summary>
    public const int One = 1 << 16;

    /// <summary>Nodes that a tree may have: what 24 bits count.</summary>
    internal const int MostNodes = 1 << 24;

    private readonly ulong[] _nodes;
    private readonly int[] _votes;

    private DecisionTree(ulong[] nodes, int[] votes, int classes)
    {
        (_nodes, _votes, Classes) = (nodes, votes, classes);
        var depths = new int[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
        {
            if (IsLeaf(nodes[i])) continue;
            depths[Child(nodes[i])] = depths[Child(nodes[i]) - 1] = depths[i] + 1;
        }
        Depth = depths.Max();
    }

    /// <summary>Classes.</summary>
    public int Classes { get; }

    /// <summary>Longest walk.</summary>
    public int Depth { get; }

    internal ReadOnlySpan<ulong> Nodes => _nodes;

    /// <summary>Rows of votes, <see cref="VoteStride"/> apart; the first <see cref="Classes"/> are those of pure leaves.</summary>
    internal ReadOnlySpan<int> Votes => _votes;

    /// <summary>Values per row of votes: a multiple of four, for whole vectors.</summary>
    internal static int VoteStride(int classes) => (classes + 3) & ~3;

    internal static int Child(ulong node) => (int)((uint)node >> 8);

    internal static int Feature(ulong node) => (int)(node >> 32);

    internal static int Threshold(ulong node) => (byte)node;

    internal static bool IsLeaf(ulong node) => (byte)node == 255;

    internal static ulong Node(int child, int feature, int bin) => (ulong)(uint)feature << 32 | (uint)child << 8 | (byte)bin;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Next(ulong node, byte bin) => (int)((uint)node - bin >> 8);

    /// <summary>The rows of leaves that hold one class.</summary>
    internal static List<int[]> PureVotes(int classes) => [.. Enumerable.Range(0, classes).Select(c => Enumerable.Range(0, classes).Select(k => k == c ? One : 0).ToArray())];

    /// <summary>The leaf that a voxel with these bins comes to.</summary>
    internal int Leaf(ReadOnlySpan<byte> bins, int from = 0)
    {
        for (var (i, node) = (from, _nodes[from]); ; node = _nodes[i])
        {
            if (IsLeaf(node)) return i;
            i = Next(node, bins[Feature(node)]);
        }
    }

    /// <summary>The votes of a leaf, one per class; their sum is <see cref="One"/>.</summary>
    internal ReadOnlySpan<int> VotesOf(int leaf) => _votes.AsSpan(Feature(_nodes[leaf]) * VoteStride(Classes), Classes);

    /// <summary>Lays out nodes given in any order; children of a node are <c>Child</c> and the one before it, node 0 is the root.</summary>
    internal static DecisionTree Arrange(ReadOnlySpan<ulong> grown, IReadOnlyList<int[]> votes, int classes)
    {
        var nodes = new ulong[grown.Length];
        var used = 1;
        var queue = new Queue<(int From, int To, int Level)>([(0, 0, 0)]);
        var stack = new Stack<(int From, int To)>();
        while (queue.TryDequeue(out var top))
        {
            if (top.Level < TopLevels)
            {
                if (Place(top.From, top.To, grown) is not { } pair) continue;
                queue.Enqueue((Child(grown[top.From]) - 1, pair - 1, top.Level + 1));
                queue.Enqueue((Child(grown[top.From]), pair, top.Level + 1));
                continue;
            }
            stack.Push((top.From, top.To));
            while (stack.TryPop(out var next))
            {
                if (Place(next.From, next.To, grown) is not { } pair) continue;
                stack.Push((Child(grown[next.From]), pair));
                stack.Push((Child(grown[next.From]) - 1, pair - 1));
            }
        }
        var stride = VoteStride(classes);
        var table = new int[votes.Count * stride];
        for (var row = 0; row < votes.Count; row++) votes[row].CopyTo(table.AsSpan(row * stride));
        return new(nodes, table, classes);

        int? Place(int from, int to, ReadOnlySpan<ulong> grown)
        {
            var node = grown[from];
            if (IsLeaf(node))
            {
                nodes[to] = Node(to, Feature(node), 255);
                return null;
            }
            used += 2;
            nodes[to] = Node(used - 1, Feature(node), Threshold(node));
            return used - 1;
        }
    }
}

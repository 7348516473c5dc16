using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kerf.Imaging;

/// <summary>
/// The first levels of a tree, made complete: a leaf that lies above the last level goes on as a question that is always denied. All questions are
/// asked of 64 voxels at once, and masks carry who is where: a question costs a few instructions for all of them, and nothing waits for memory.
/// </summary>
internal sealed class TreeTop
{
    public const int Levels = 6, Ends = 1 << Levels;

    /// <summary>Voxels that go together; their bins lie by feature, <see cref="Group"/> bytes each.</summary>
    public const int Group = 64;

    // breadth first from index 1: where the feature's bins of a group begin, and the threshold as a signed byte
    private readonly int[] _offset = new int[Ends];
    private readonly sbyte[] _threshold = new sbyte[Ends];

    public TreeTop(DecisionTree tree)
    {
        var nodes = new int[2 * Ends];
        for (var i = 1; i < Ends; i++)
        {
            var node = tree.Nodes[nodes[i]];
            var leaf = DecisionTree.IsLeaf(node);
            (_offset[i], _threshold[i]) = leaf ? (0, sbyte.MaxValue) : (DecisionTree.Feature(node) * Group, Signed((byte)DecisionTree.Threshold(node)));
            (nodes[2 * i], nodes[2 * i + 1]) = leaf ? (nodes[i], nodes[i]) : (DecisionTree.Child(node), DecisionTree.Child(node) - 1);
        }
        Below = nodes[Ends..];
    }

    /// <summary>Where a walk goes on, by its way through the top: one bit a level, 1 for yes.</summary>
    public int[] Below { get; }

    /// <summary>A bin as vectors compare it: bytes have no unsigned comparison.</summary>
    public static sbyte Signed(byte bin) => (sbyte)(bin ^ 0x80);

    /// <summary>Writes the ways of a group of voxels.</summary>
    /// <param name="bins">Bins of the group, <see cref="Signed"/>, by feature.</param>
    /// <param name="ways">Room for <see cref="Group"/>.</param>
    public void Descend(ref sbyte bins, ref byte ways)
    {
        Unsafe.SkipInit(out Reached reached);
        ref var reach = ref Unsafe.As<Reached, Vector256<sbyte>>(ref reached);
        Unsafe.Add(ref reach, 2) = Unsafe.Add(ref reach, 3) = Vector256<sbyte>.AllBitsSet;
        ref var offsets = ref MemoryMarshal.GetArrayDataReference(_offset);
        ref var thresholds = ref MemoryMarshal.GetArrayDataReference(_threshold);
        var (low, high) = (Vector256<sbyte>.Zero, Vector256<sbyte>.Zero);
        var node = 1;
        for (var level = Levels - 1; level >= 0; level--)
        {
            var (yesLow, yesHigh) = (Vector256<sbyte>.Zero, Vector256<sbyte>.Zero);
            for (var end = 2 * node; node < end; node++)
            {
                ref var column = ref Unsafe.Add(ref bins, Unsafe.Add(ref offsets, node));
                var threshold = Vector256.Create(Unsafe.Add(ref thresholds, node));
                ref var here = ref Unsafe.Add(ref reach, 2 * node);
                var (l, h) = (here, Unsafe.Add(ref here, 1));
                var yl = l & Vector256.GreaterThan(Vector256.LoadUnsafe(ref column), threshold);
                var yh = h & Vector256.GreaterThan(Vector256.LoadUnsafe(ref column, 32), threshold);
                (yesLow, yesHigh) = (yesLow | yl, yesHigh | yh);
                if (level == 0) continue;
                ref var below = ref Unsafe.Add(ref reach, 4 * node);
                below = l ^ yl;
                Unsafe.Add(ref below, 1) = h ^ yh;
                Unsafe.Add(ref below, 2) = yl;
                Unsafe.Add(ref below, 3) = yh;
            }
            var bit = Vector256.Create((sbyte)(1 << level));
            (low, high) = (low | yesLow & bit, high | yesHigh & bit);
        }
        low.AsByte().StoreUnsafe(ref ways);
        high.AsByte().StoreUnsafe(ref ways, 32);
    }

    // who is at each node of the top: two vectors a node
    [InlineArray(2 * Ends)]
    private struct Reached { private Vector256<sbyte> _first; }
}

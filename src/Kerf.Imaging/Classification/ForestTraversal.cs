using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kerf.Imaging;

/// <summary>
/// Walks many voxels through a forest. The bins of a voxel lie together, a cache line for 61 features. Per tree and tile of voxels: eight steps through the
/// tree's breadth-first top, which stays in the first-level cache; then the voxels are sorted by the subtree they reached, so that what follows
/// reads each subtree once and not once per voxel; then batches of them walk on, and every few steps those that reached a leaf leave the batch.
/// Eight walks take each step side by side: independent steps hide each other's latency, and a step has no branch.
/// </summary>
internal sealed class ForestTraversal
{
    private const int Lanes = 8, Batch = 256;

    /// <summary>Steps between two looks for walks that have ended.</summary>
    private const int Steps = 5;

    // a node this many steps from the root lies among the first 2^(steps + 1)
    private const int TopSteps = DecisionTree.TopLevels - 1, TopNodes = 1 << DecisionTree.TopLevels;

    // a row of bins begins at a multiple of 64 bytes: its number in lines tells the voxel
    private const int LineBits = 6;

    private readonly Forest _forest;
    private readonly int[] _starts = new int[TopNodes + 1];
    private readonly uint[] _top, _leaves;
    // a walk is its node above the place of its voxel's bins
    private readonly ulong[] _walks;

    /// <summary>Prepares buffers; one instance per thread.</summary>
    public ForestTraversal(Forest forest)
    {
        _forest = forest;
        RowBytes = (forest.Bins.Features + 63) & ~63;
        VoteStride = DecisionTree.VoteStride(forest.Classes);
        // a tile's bins stay in the second-level cache
        Tile = Math.Max(Batch, (256 << 10) / RowBytes & -Batch);
        (_top, _leaves, _walks) = (new uint[Tile], new uint[Tile * (RowBytes >> LineBits)], new ulong[Tile]);
        // a walk that waits at a leaf reads the "feature" that is the leaf's row of votes, and throws it away
        Bins = new byte[Tile * RowBytes + forest.Trees.Max(t => t.Votes.Length)];
        Votes = new int[Tile * VoteStride];
    }

    /// <summary>Voxels per call.</summary>
    public int Tile { get; }

    /// <summary>Bytes from one voxel's bins to the next one's.</summary>
    public int RowBytes { get; }

    /// <summary>Values from one voxel's votes to the next one's.</summary>
    public int VoteStride { get; }

    /// <summary>Bins of <see cref="Tile"/> voxels, <see cref="RowBytes"/> apart: to be filled before <see cref="Vote"/>.</summary>
    public byte[] Bins { get; }

    /// <summary>Sums of votes of <see cref="Tile"/> voxels, <see cref="VoteStride"/> apart.</summary>
    public int[] Votes { get; }

    /// <summary>Sums the votes of all trees.</summary>
    public void Vote()
    {
        Array.Clear(Votes);
        foreach (var tree in _forest.Trees)
        {
            Descend(tree);
            Sort();
            for (var start = 0; start < Tile; start += Batch) Finish(tree, _walks.AsSpan(start, Batch));
            Add(tree);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Descend(DecisionTree tree)
    {
        ref var nodes = ref Unsafe.As<ulong, uint>(ref MemoryMarshal.GetReference(tree.Nodes));
        ref var row = ref MemoryMarshal.GetArrayDataReference(Bins);
        var stride = (nuint)RowBytes;
        for (var i = 0; i < _top.Length; i += Lanes)
        {
            nuint a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
            for (var step = TopSteps; step > 0; step--)
            {
                Step(ref nodes, ref row, ref a);
                Step(ref nodes, ref Unsafe.Add(ref row, 1 * stride), ref b);
                Step(ref nodes, ref Unsafe.Add(ref row, 2 * stride), ref c);
                Step(ref nodes, ref Unsafe.Add(ref row, 3 * stride), ref d);
                Step(ref nodes, ref Unsafe.Add(ref row, 4 * stride), ref e);
                Step(ref nodes, ref Unsafe.Add(ref row, 5 * stride), ref f);
                Step(ref nodes, ref Unsafe.Add(ref row, 6 * stride), ref g);
                Step(ref nodes, ref Unsafe.Add(ref row, 7 * stride), ref h);
            }
            ref var to = ref _top[i];
            Unsafe.Add(ref to, 0) = (uint)a;
            Unsafe.Add(ref to, 1) = (uint)b;
            Unsafe.Add(ref to, 2) = (uint)c;
            Unsafe.Add(ref to, 3) = (uint)d;
            Unsafe.Add(ref to, 4) = (uint)e;
            Unsafe.Add(ref to, 5) = (uint)f;
            Unsafe.Add(ref to, 6) = (uint)g;
            Unsafe.Add(ref to, 7) = (uint)h;
            row = ref Unsafe.Add(ref row, Lanes * stride);
        }
    }

    // by the node reached, counting
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sort()
    {
        var (starts, walks, stride) = (_starts, _walks, (uint)RowBytes);
        Array.Clear(starts);
        foreach (var node in _top) starts[(int)node + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        var row = 0u;
        foreach (var node in _top)
        {
            walks[starts[(int)node]++] = (ulong)node << 32 | row;
            row += stride;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Finish(DecisionTree tree, Span<ulong> batch)
    {
        for (var open = batch.Length; open > 0;)
        {
            // whole groups: the last walk stands in for those that miss
            for (var i = open; i % Lanes != 0; i++) batch[i] = batch[open - 1];
            var kept = 0;
            for (var i = 0; i < open; i += Lanes) kept += Advance(tree, ref batch[i], ref batch[kept]);
            open = kept;
        }
    }

    // Eight walks take some steps. Those that are at no leaf then go to kept, which may be the same place; gives their number
    private int Advance(DecisionTree tree, ref ulong walks, ref ulong kept)
    {
        ref var nodes = ref Unsafe.As<ulong, uint>(ref MemoryMarshal.GetReference(tree.Nodes));
        ref var bins = ref MemoryMarshal.GetArrayDataReference(Bins);
        ref var rowA = ref Row(ref bins, Unsafe.Add(ref walks, 0), out var a);
        ref var rowB = ref Row(ref bins, Unsafe.Add(ref walks, 1), out var b);
        ref var rowC = ref Row(ref bins, Unsafe.Add(ref walks, 2), out var c);
        ref var rowD = ref Row(ref bins, Unsafe.Add(ref walks, 3), out var d);
        ref var rowE = ref Row(ref bins, Unsafe.Add(ref walks, 4), out var e);
        ref var rowF = ref Row(ref bins, Unsafe.Add(ref walks, 5), out var f);
        ref var rowG = ref Row(ref bins, Unsafe.Add(ref walks, 6), out var g);
        ref var rowH = ref Row(ref bins, Unsafe.Add(ref walks, 7), out var h);
        for (var step = Steps; step > 0; step--)
        {
            Step(ref nodes, ref rowA, ref a);
            Step(ref nodes, ref rowB, ref b);
            Step(ref nodes, ref rowC, ref c);
            Step(ref nodes, ref rowD, ref d);
            Step(ref nodes, ref rowE, ref e);
            Step(ref nodes, ref rowF, ref f);
            Step(ref nodes, ref rowG, ref g);
            Step(ref nodes, ref rowH, ref h);
        }
        ref var leaves = ref MemoryMarshal.GetArrayDataReference(_leaves);
        var count = 0;
        Keep(ref nodes, a, Unsafe.Add(ref walks, 0), ref leaves, ref kept, ref count);
        Keep(ref nodes, b, Unsafe.Add(ref walks, 1), ref leaves, ref kept, ref count);
        Keep(ref nodes, c, Unsafe.Add(ref walks, 2), ref leaves, ref kept, ref count);
        Keep(ref nodes, d, Unsafe.Add(ref walks, 3), ref leaves, ref kept, ref count);
        Keep(ref nodes, e, Unsafe.Add(ref walks, 4), ref leaves, ref kept, ref count);
        Keep(ref nodes, f, Unsafe.Add(ref walks, 5), ref leaves, ref kept, ref count);
        Keep(ref nodes, g, Unsafe.Add(ref walks, 6), ref leaves, ref kept, ref count);
        Keep(ref nodes, h, Unsafe.Add(ref walks, 7), ref leaves, ref kept, ref count);
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Row(ref byte bins, ulong walk, out nuint node)
    {
        node = (nuint)(walk >> 32);
        return ref Unsafe.Add(ref bins, (uint)walk);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(ref uint nodes, ref byte row, ref nuint node)
    {
        var low = Unsafe.Add(ref nodes, node * 2);
        var feature = Unsafe.Add(ref nodes, node * 2 + 1);
        node = low - Unsafe.Add(ref row, feature) >> 8;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(ref uint nodes, nuint node, ulong walk, ref uint leaves, ref ulong kept, ref int count)
    {
        // a leaf's high half is its row of votes; that of another node is overwritten later
        Unsafe.Add(ref leaves, (uint)walk >> LineBits) = Unsafe.Add(ref nodes, node * 2 + 1);
        Unsafe.Add(ref kept, count) = (ulong)node << 32 | (uint)walk;
        count += (byte)Unsafe.Add(ref nodes, node * 2) == 255 ? 0 : 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Add(DecisionTree tree)
    {
        ref var table = ref MemoryMarshal.GetReference(tree.Votes);
        var (stride, lines) = ((nuint)VoteStride, RowBytes >> LineBits);
        for (nuint c = 0; c < stride; c += 4)
        {
            ref var sum = ref Votes[c];
            for (var i = 0; i < _leaves.Length; i += lines)
            {
                (Vector128.LoadUnsafe(ref sum) + Vector128.LoadUnsafe(ref Unsafe.Add(ref table, _leaves[i] * stride + c))).StoreUnsafe(ref sum);
                sum = ref Unsafe.Add(ref sum, stride);
            }
        }
    }
}

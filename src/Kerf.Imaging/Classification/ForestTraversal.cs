using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kerf.Imaging;

/// <summary>
/// Walks many voxels through a forest, tile by tile and tree by tree: the tree's top for 64 voxels at once (<see cref="TreeTop"/>); then the voxels are sorted by the
/// subtree they reached, so that what follows reads each subtree once and not once per voxel; then batches of them walk on, and every few steps those
/// that reached a leaf leave the batch. Eight walks take each step side by side: independent steps hide each other's latency, and a step has no
/// branch. The bins lie twice: by feature for the tops, by voxel for the walks, where 61 features share a cache line. When only the winner is asked for,
/// a voxel whose first class leads by more than the trees that are left can give takes no further part.
/// </summary>
internal sealed class ForestTraversal
{
    private const int Lanes = 8, Batch = 256;

    /// <summary>Steps between two looks for walks that have ended.</summary>
    private const int Steps = 5;

    // trees whose tops are asked while a group's bins lie in the first-level cache
    private const int Trees = 8;

    // a row of bins begins at a multiple of 64 bytes: its number in lines tells the voxel
    private const int LineBits = 6;

    private readonly Forest _forest;
    private readonly int[] _starts = new int[TreeTop.Ends];
    private readonly sbyte[] _bins;
    private readonly byte[] _rows, _ways;
    private readonly uint[] _leaves;
    // the voxels that take part come first; which they are, and the votes of all by their own place
    private readonly int[] _voxels, _counted;
    private int _open;
    // a walk is its node above the place of its voxel's bins
    private readonly ulong[] _walks;
    private readonly int _rowBytes;

    /// <summary>Prepares buffers; one instance per thread.</summary>
    public ForestTraversal(Forest forest)
    {
        _forest = forest;
        _rowBytes = (forest.Bins.Features + 63) & ~63;
        VoteStride = DecisionTree.VoteStride(forest.Classes);
        Tile = TileOf(forest.Bins.Features);
        (_bins, _ways) = (new sbyte[Tile * forest.Bins.Features], new byte[Tile * Trees]);
        (_leaves, _walks) = (new uint[Tile * (_rowBytes >> LineBits)], new ulong[Tile + Lanes]);
        // a walk that waits at a leaf reads the "feature" that is the leaf's row of votes, and throws it away
        _rows = new byte[Tile * _rowBytes + forest.Trees.Max(t => t.Votes.Length)];
        (_voxels, _counted, Votes) = (new int[Tile], new int[Tile * VoteStride], new int[Tile * VoteStride]);
    }

    /// <summary>Voxels per call for a number of features: their bins stay in the second-level cache.</summary>
    public static int TileOf(int features) => Math.Max(Batch, (256 << 10) / (features + 63 & ~63) & -Batch);

    /// <summary>Voxels per call.</summary>
    public int Tile { get; }

    /// <summary>Values from one voxel's votes to the next one's.</summary>
    public int VoteStride { get; }

    /// <summary>Sums of votes of <see cref="Tile"/> voxels, <see cref="VoteStride"/> apart.</summary>
    public int[] Votes { get; }

    /// <summary>Takes a feature of up to <see cref="Tile"/> voxels.</summary>
    public void Take(BinQuantiser quantiser, int feature, ReadOnlySpan<float> values)
    {
        for (var start = 0; start < values.Length; start += TreeTop.Group)
        {
            var part = values.Slice(start, Math.Min(TreeTop.Group, values.Length - start));
            quantiser.Bin(feature, part, _bins.AsSpan(start * _forest.Bins.Features + feature * TreeTop.Group, TreeTop.Group));
        }
    }

    /// <summary>Sums the votes of all trees, or of as many as decide which class has most (the first of equals).</summary>
    public void Vote(bool winnerOnly = false)
    {
        Transpose();
        Array.Clear(_counted);
        for (var v = 0; v < Tile; v++) _voxels[v] = v;
        _open = Tile;
        for (var first = 0; first < _forest.Trees.Count && _open > 0; first += Trees)
        {
            var count = Math.Min(Trees, _forest.Trees.Count - first);
            Descend(first, count);
            for (var t = 0; t < count; t++)
            {
                var tree = _forest.Trees[first + t];
                var open = Sort(tree, _forest.Tops[first + t].Below, _ways.AsSpan(t * Tile, _open));
                for (var start = 0; start < open; start += Batch) Finish(tree, start, Math.Min(Batch, open - start));
                Add(tree);
            }
            var left = _forest.Trees.Count - first - count;
            if (left == 0 || winnerOnly && left < first + count) Settle(left);
        }
    }

    // takes the voxels out whose winner the trees that are left cannot change
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Settle(int left)
    {
        var open = 0;
        for (var i = 0; i < _open; i++)
        {
            var votes = _counted.AsSpan(i * VoteStride, VoteStride);
            var (first, second) = (0, 0);
            foreach (var vote in votes) (first, second) = vote > first ? (vote, first) : (first, Math.Max(second, vote));
            if (left == 0 || first - second > left * DecisionTree.One)
            {
                votes.CopyTo(Votes.AsSpan(_voxels[i] * VoteStride));
                continue;
            }
            _voxels[open] = _voxels[i];
            votes.CopyTo(_counted.AsSpan(open * VoteStride));
            _rows.AsSpan(i * _rowBytes, _rowBytes).CopyTo(_rows.AsSpan(open * _rowBytes));
            open++;
        }
        _open = open;
        var features = _forest.Bins.Features;
        for (var v = 0; v < open; v++)
        {
            ref var to = ref _bins[v / TreeTop.Group * TreeTop.Group * features + v % TreeTop.Group];
            for (var f = 0; f < features; f++) Unsafe.Add(ref to, f * TreeTop.Group) = TreeTop.Signed(_rows[v * _rowBytes + f]);
        }
    }

    // rows of a voxel from columns of a group
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Transpose()
    {
        var features = _forest.Bins.Features;
        for (var start = 0; start < Tile; start += TreeTop.Group)
        {
            ref var from = ref _bins[start * features];
            ref var to = ref _rows[start * _rowBytes];
            for (var f = 0; f < features; f++)
            {
                for (var v = 0; v < TreeTop.Group; v++) Unsafe.Add(ref to, v * _rowBytes + f) = (byte)(Unsafe.Add(ref from, f * TreeTop.Group + v) ^ 0x80);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Descend(int first, int count)
    {
        for (var start = 0; start < _open; start += TreeTop.Group)
        {
            ref var bins = ref _bins[start * _forest.Bins.Features];
            for (var t = 0; t < count; t++) _forest.Tops[first + t].Descend(ref bins, ref _ways[t * Tile + start]);
        }
    }

    // by the subtree reached, counting: first those that walk on, whose number it gives, then those at leaves
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Sort(DecisionTree tree, int[] below, ReadOnlySpan<byte> ways)
    {
        var (starts, walks, stride) = (_starts, _walks, (uint)_rowBytes);
        Array.Clear(starts);
        foreach (var way in ways) starts[way]++;
        var (placed, open) = (0, 0);
        for (var pass = 0; pass < 2; pass++)
        {
            for (var way = 0; way < starts.Length; way++)
            {
                if (DecisionTree.IsLeaf(tree.Nodes[below[way]]) != (pass == 1)) continue;
                (starts[way], placed) = (placed, placed + starts[way]);
            }
            if (pass == 0) open = placed;
        }
        var row = 0u;
        foreach (var way in ways)
        {
            walks[starts[way]++] = (ulong)(uint)below[way] << 32 | row;
            row += stride;
        }
        for (var i = open; i < ways.Length; i++) _leaves[(uint)walks[i] >> LineBits] = (uint)(tree.Nodes[(int)(walks[i] >> 32)] >> 32);
        return open;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Finish(DecisionTree tree, int start, int count)
    {
        // room for a last whole group
        var batch = _walks.AsSpan(start, count + Lanes - 1);
        for (var open = count; open > 0;)
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
        ref var nodes = ref MemoryMarshal.GetReference(tree.Nodes);
        ref var bins = ref MemoryMarshal.GetArrayDataReference(_rows);
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
        nuint count = 0;
        Keep(ref nodes, a, Unsafe.Add(ref walks, 0), ref leaves, ref kept, ref count);
        Keep(ref nodes, b, Unsafe.Add(ref walks, 1), ref leaves, ref kept, ref count);
        Keep(ref nodes, c, Unsafe.Add(ref walks, 2), ref leaves, ref kept, ref count);
        Keep(ref nodes, d, Unsafe.Add(ref walks, 3), ref leaves, ref kept, ref count);
        Keep(ref nodes, e, Unsafe.Add(ref walks, 4), ref leaves, ref kept, ref count);
        Keep(ref nodes, f, Unsafe.Add(ref walks, 5), ref leaves, ref kept, ref count);
        Keep(ref nodes, g, Unsafe.Add(ref walks, 6), ref leaves, ref kept, ref count);
        Keep(ref nodes, h, Unsafe.Add(ref walks, 7), ref leaves, ref kept, ref count);
        return (int)count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Row(ref byte bins, ulong walk, out nuint node)
    {
        node = (nuint)(walk >> 32);
        return ref Unsafe.Add(ref bins, (uint)walk);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(ref ulong nodes, ref byte row, ref nuint node)
    {
        nuint low = Low(ref nodes, node);
        node = low - Unsafe.Add(ref row, (nuint)High(ref nodes, node)) >> 8;
    }

    // the halves of a node, each read by itself: no shift
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Low(ref ulong nodes, nuint node) => Unsafe.As<ulong, uint>(ref Unsafe.Add(ref nodes, node));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint High(ref ulong nodes, nuint node) => Unsafe.AddByteOffset(ref Unsafe.As<ulong, uint>(ref Unsafe.Add(ref nodes, node)), 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(ref ulong nodes, nuint node, ulong walk, ref uint leaves, ref ulong kept, ref nuint count)
    {
        // a leaf's high half is its row of votes; that of another node is overwritten later
        Unsafe.Add(ref leaves, (uint)walk >> LineBits) = High(ref nodes, node);
        Unsafe.Add(ref kept, count) = (ulong)node << 32 | (uint)walk;
        count += (byte)Low(ref nodes, node) == 255 ? 0u : 1u;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Add(DecisionTree tree)
    {
        ref var table = ref MemoryMarshal.GetReference(tree.Votes);
        var (stride, lines) = ((nuint)VoteStride, _rowBytes >> LineBits);
        for (nuint c = 0; c < stride; c += 4)
        {
            ref var sum = ref _counted[c];
            for (var i = 0; i < _open * lines; i += lines)
            {
                (Vector128.LoadUnsafe(ref sum) + Vector128.LoadUnsafe(ref Unsafe.Add(ref table, _leaves[i] * stride + c))).StoreUnsafe(ref sum);
                sum = ref Unsafe.Add(ref sum, stride);
            }
        }
    }
}

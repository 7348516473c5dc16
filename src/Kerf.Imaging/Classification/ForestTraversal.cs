using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Imaging;

/// <summary>
/// Walks many voxels through a forest, tile by tile and tree by tree, in rounds: each voxel that is not at a leaf answers the questions of its subtree
/// (<see cref="Subtrees"/>), eight walks at once follow their answers, and those that came to a leaf leave. When only the winner is asked for, a voxel whose first class leads by
/// more than the trees that are left can give takes no further part.
/// </summary>
internal sealed class ForestTraversal
{
    // walks that go together; their answers stay in the first-level cache
    private const int Batch = 128, Lanes = 8;

    // trees between two looks for voxels that are settled
    private const int Trees = 8;

    private readonly Forest _forest;
    private readonly int _lines;
    // bins by feature as they come, and by voxel as they are asked
    private readonly sbyte[] _columns;
    private readonly AlignedBuffer<byte> _rows;
    // the voxels that take part come first: which they are, and the votes of all by their own place
    private readonly int[] _voxels, _counted;
    private int _open;
    // the number of a voxel, and below it where the subtree begins that it is at, or the row of votes that it came to
    private readonly ulong[] _walks, _leaves, _starts;
    private int _done;
    // of a batch: masks of answers, then where they lead
    private readonly ulong[] _answers = new ulong[Batch];

    /// <summary>Prepares buffers; one instance per thread.</summary>
    public ForestTraversal(Forest forest)
    {
        _forest = forest;
        _lines = Subtrees.LinesOf(forest.Bins.Features);
        VoteStride = DecisionTree.VoteStride(forest.Classes);
        Tile = TileOf(forest.Bins.Features);
        (_columns, _rows) = (new sbyte[Tile * forest.Bins.Features], new(Tile * _lines * Subtrees.Line));
        (_walks, _leaves, _starts) = (new ulong[Tile + Lanes], new ulong[Tile + Lanes], [.. Enumerable.Range(0, Tile).Select(v => (ulong)v << 32)]);
        (_voxels, _counted, Votes) = (new int[Tile], new int[Tile * VoteStride], new int[Tile * VoteStride]);
    }

    /// <summary>Voxels per call for a number of features: their bins stay in the second-level cache.</summary>
    public static int TileOf(int features) => Math.Max(Batch, (256 << 10) / (Subtrees.LinesOf(features) * Subtrees.Line) & -Batch);

    /// <summary>Voxels per call.</summary>
    public int Tile { get; }

    /// <summary>Values from one voxel's votes to the next one's.</summary>
    public int VoteStride { get; }

    /// <summary>Sums of votes of <see cref="Tile"/> voxels, <see cref="VoteStride"/> apart.</summary>
    public int[] Votes { get; }

    /// <summary>Takes a feature of up to <see cref="Tile"/> voxels.</summary>
    public void Take(BinQuantiser quantiser, int feature, ReadOnlySpan<float> values) => quantiser.Bin(feature, values, _columns.AsSpan(feature * Tile, Tile));

    /// <summary>Sums the votes of all trees, or of as many as decide which class has most (the first of equals).</summary>
    public void Vote(bool winnerOnly = false)
    {
        Transpose();
        Array.Clear(_counted);
        for (var v = 0; v < Tile; v++) _voxels[v] = v;
        _open = Tile;
        for (var t = 0; t < _forest.Trees.Count && _open > 0; t++)
        {
            if (Avx2.IsSupported && _forest.Subtrees[t].Fits) Walk(_forest.Subtrees[t]);
            else Walk(_forest.Trees[t]);
            Add(_forest.Trees[t]);
            var left = _forest.Trees.Count - t - 1;
            if (winnerOnly && left <= t && (left == 0 || t % Trees == 0)) Settle(left);
        }
        if (!winnerOnly) _counted.CopyTo(Votes);
    }

    // rows of a voxel from columns, in squares that lie in the first-level cache; four features at once
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Transpose()
    {
        const int Side = 64;
        var (stride, features) = (_lines * Subtrees.Line, _forest.Bins.Features);
        for (var start = 0; start < Tile; start += Side)
        {
            for (var f = 0; f < features; f += 4)
            {
                ref var a = ref _columns[f * Tile + start];
                ref var b = ref _columns[Math.Min(f + 1, features - 1) * Tile + start];
                ref var c = ref _columns[Math.Min(f + 2, features - 1) * Tile + start];
                ref var d = ref _columns[Math.Min(f + 3, features - 1) * Tile + start];
                ref var to = ref _rows[start * stride + f];
                for (var v = 0; v < Side; v++)
                {
                    var four = (byte)Unsafe.Add(ref a, v) | (byte)Unsafe.Add(ref b, v) << 8 | (byte)Unsafe.Add(ref c, v) << 16 | Unsafe.Add(ref d, v) << 24;
                    Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, v * stride), four);
                }
            }
        }
    }

    // takes the voxels out whose winner the trees that are left cannot change
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Settle(int left)
    {
        var (open, stride) = (0, _lines * Subtrees.Line);
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
            _rows.Slice(i * stride, stride).CopyTo(_rows.Slice(open * stride, stride));
            open++;
        }
        _open = open;
    }

    // all voxels to their leaves: the first rounds batch by batch, while the rows lie in the first-level cache; then what is left of all batches together
    private void Walk(Subtrees tree)
    {
        _done = 0;
        var open = 0;
        for (var start = 0; start < _open; start += Batch)
        {
            var count = Math.Min(Batch, _open - start);
            Begin(tree, start, count);
            var kept = Follow(tree, start, count, 0, start);
            Second(tree, start, kept - start);
            open = Follow(tree, start, kept - start, 1, open);
        }
        for (var round = 2; open > 0; round++)
        {
            var kept = 0;
            for (var start = 0; start < open; start += Batch)
            {
                var count = Math.Min(Batch, open - start);
                Later(tree, start, count);
                kept = Follow(tree, start, count, round, kept);
            }
            open = kept;
        }
    }

    // the same, question by question: four walks side by side hide each other's latency, and a walk that came to a leaf stays there
    private void Walk(DecisionTree tree)
    {
        const int Side = 4;
        var nodes = tree.Nodes;
        var row = _lines * Subtrees.Line;
        for (var i = 0; i < _open; i += Side)
        {
            var (a, b, c, d) = (0, 0, 0, 0);
            for (var step = tree.Depth; step > 0; step--)
            {
                a = Next(nodes[a], i * row);
                b = Next(nodes[b], (i + 1) * row);
                c = Next(nodes[c], (i + 2) * row);
                d = Next(nodes[d], (i + 3) * row);
            }
            (_leaves[i], _leaves[i + 1], _leaves[i + 2], _leaves[i + 3]) = (Leaf(nodes[a], i), Leaf(nodes[b], i + 1), Leaf(nodes[c], i + 2), Leaf(nodes[d], i + 3));
        }
        // a leaf's "feature" is its row of votes: not to be read as one
        int Next(ulong node, int row) => DecisionTree.Next(node, (byte)(_rows[row + (DecisionTree.IsLeaf(node) ? 0 : DecisionTree.Feature(node))] ^ 0x80));
        static ulong Leaf(ulong node, int voxel) => (ulong)voxel << 32 | (uint)DecisionTree.Feature(node);
    }

    // the first round: every voxel, at the root
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Begin(Subtrees tree, int start, int count)
    {
        ref var row = ref Row(start);
        ref var answer = ref MemoryMarshal.GetArrayDataReference(_answers);
        ref var root = ref tree.Bytes;
        nuint i = 0;
        if (_lines == 1)
        {
            for (; i + 4 <= (uint)count; i += 4)
            {
                Unsafe.Add(ref answer, i) = Subtrees.Answer(ref root, ref row, 1, first: true);
                Unsafe.Add(ref answer, i + 1) = Subtrees.Answer(ref root, ref Unsafe.Add(ref row, Subtrees.Line), 1, first: true);
                Unsafe.Add(ref answer, i + 2) = Subtrees.Answer(ref root, ref Unsafe.Add(ref row, 2 * Subtrees.Line), 1, first: true);
                Unsafe.Add(ref answer, i + 3) = Subtrees.Answer(ref root, ref Unsafe.Add(ref row, 3 * Subtrees.Line), 1, first: true);
                row = ref Unsafe.Add(ref row, 4 * Subtrees.Line);
            }
        }
        for (; i < (uint)count; i++)
        {
            Unsafe.Add(ref answer, i) = Subtrees.Answer(ref root, ref row, _lines, first: true);
            row = ref Unsafe.Add(ref row, _lines * Subtrees.Line);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Answer(Subtrees tree, int start, int count, int lines, bool first)
    {
        ref var rows = ref Row(0);
        ref var walk = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_walks), start);
        ref var answer = ref MemoryMarshal.GetArrayDataReference(_answers);
        ref var subtrees = ref tree.Bytes;
        for (nuint i = 0; i < (uint)count; i++)
        {
            var at = Unsafe.Add(ref walk, i);
            ref var row = ref Unsafe.Add(ref rows, (nuint)(at >> 32) * (nuint)(lines * Subtrees.Line));
            Unsafe.Add(ref answer, i) = Subtrees.Answer(ref Unsafe.Add(ref subtrees, (nuint)(uint)at), ref row, lines, first);
        }
    }

    // constants make four kernels of one
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Second(Subtrees tree, int start, int count)
    {
        if (_lines == 1) Answer(tree, start, count, 1, first: true);
        else Answer(tree, start, count, _lines, first: true);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Later(Subtrees tree, int start, int count)
    {
        if (_lines == 1) Answer(tree, start, count, 1, first: false);
        else Answer(tree, start, count, _lines, first: false);
    }

    private ref sbyte Row(int voxel) => ref Unsafe.As<byte, sbyte>(ref _rows[voxel * _lines * Subtrees.Line]);

    // walks of a batch, by their answers, to leaves or to the next subtrees; those that go on move to kept and behind it. Gives where they end
    private int Follow(Subtrees tree, int start, int count, int round, int kept)
    {
        var walks = round == 0 ? _starts : _walks;
        Descend(walks, start, count, Subtrees.LevelsOf(round));
        Read(tree, count);
        return Part(walks, start, count, tree.Starts[round + 1], Subtrees.BytesOf(Subtrees.LevelsOf(round + 1), _lines), kept);
    }

    // masks of answers to the bytes that hold the ends they lead to; eight walks at once
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Descend(ulong[] from, int start, int count, int levels)
    {
        ref var answers = ref MemoryMarshal.GetArrayDataReference(_answers);
        ref var walks = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start);
        for (nuint i = 0; i < (uint)count; i += Lanes)
        {
            // ends lie behind features and thresholds, two bytes each; places below the last level count from 2^levels
            if (Avx512F.IsSupported)
            {
                var (mask, at) = (Vector512.LoadUnsafe(ref answers, i), Vector512<ulong>.One);
                for (var level = 0; level < levels; level++) at = at + at | Avx512F.ShiftRightLogicalVariable(mask, at) & Vector512<ulong>.One;
                (at + at + (Vector512.LoadUnsafe(ref walks, i) & Vector512.Create((ulong)uint.MaxValue))).StoreUnsafe(ref answers, i);
                continue;
            }
            var (one, low) = (Vector256<ulong>.One, Vector256.Create((ulong)uint.MaxValue));
            var (left, right, a, b) = (Vector256.LoadUnsafe(ref answers, i), Vector256.LoadUnsafe(ref answers, i + 4), one, one);
            for (var level = 0; level < levels; level++)
            {
                a = a + a + (Avx2.ShiftRightLogicalVariable(left, a) & one);
                b = b + b + (Avx2.ShiftRightLogicalVariable(right, b) & one);
            }
            (a + a + (Vector256.LoadUnsafe(ref walks, i) & low)).StoreUnsafe(ref answers, i);
            (b + b + (Vector256.LoadUnsafe(ref walks, i + 4) & low)).StoreUnsafe(ref answers, i + 4);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Read(Subtrees tree, int count)
    {
        ref var bytes = ref tree.Bytes;
        ref var at = ref MemoryMarshal.GetArrayDataReference(_answers);
        nuint i = 0;
        for (; i + 4 <= (uint)count; i += 4)
        {
            End(ref bytes, ref Unsafe.Add(ref at, i));
            End(ref bytes, ref Unsafe.Add(ref at, i + 1));
            End(ref bytes, ref Unsafe.Add(ref at, i + 2));
            End(ref bytes, ref Unsafe.Add(ref at, i + 3));
        }
        for (; i < (uint)count; i++) End(ref bytes, ref Unsafe.Add(ref at, i));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End(ref byte bytes, ref ulong at) => at = Unsafe.As<byte, ushort>(ref Unsafe.Add(ref bytes, (nuint)at));

    // open ends go on, the others are leaves
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Part(ulong[] from, int start, int count, uint next, uint size, int kept)
    {
        ref var ends = ref MemoryMarshal.GetArrayDataReference(_answers);
        ref var walks = ref MemoryMarshal.GetArrayDataReference(_walks);
        ref var old = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start);
        ref var leaves = ref MemoryMarshal.GetArrayDataReference(_leaves);
        nuint i = 0, to = (uint)kept, done = (uint)_done;
        if (Avx512F.IsSupported)
        {
            var (voxel, number) = (Vector512.Create((ulong)uint.MaxValue << 32), Vector512.Create((ulong)Subtrees.Open - 1));
            var (sizes, nexts) = (Vector512.Create((ulong)size), Vector512.Create((ulong)next));
            for (; i + Lanes <= (uint)count; i += Lanes)
            {
                var (end, who) = (Vector512.LoadUnsafe(ref ends, i), Vector512.LoadUnsafe(ref old, i) & voxel);
                // the bit of an open end is the sign
                var goes = Vector512.ShiftLeft(end, 48);
                var going = (nuint)BitOperations.PopCount(goes.ExtractMostSignificantBits());
                var on = Avx512F.Compress(Vector512<ulong>.Zero, goes, who | Vector512.Multiply((end & number).AsUInt32(), sizes.AsUInt32()).AsUInt64() + nexts);
                on.StoreUnsafe(ref walks, to);
                Avx512F.Compress(Vector512<ulong>.Zero, ~goes, who | end).StoreUnsafe(ref leaves, done);
                (to, done) = (to + going, done + Lanes - going);
            }
        }
        for (; i < (uint)count; i++)
        {
            var (end, who) = (Unsafe.Add(ref ends, i), Unsafe.Add(ref old, i) >> 32 << 32);
            Unsafe.Add(ref leaves, done) = who | end;
            Unsafe.Add(ref walks, to) = who | (uint)(end & Subtrees.Open - 1) * size + next;
            (to, done) = (to + (nuint)(end >> 15), done + 1 - (nuint)(end >> 15));
        }
        _done = (int)done;
        return (int)to;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Add(DecisionTree tree)
    {
        ref var table = ref MemoryMarshal.GetReference(tree.Votes);
        ref var counted = ref MemoryMarshal.GetArrayDataReference(_counted);
        var stride = (nuint)VoteStride;
        var leaves = _leaves.AsSpan(0, _open);
        if (stride == 4)
        {
            foreach (var leaf in leaves)
            {
                ref var sum = ref Unsafe.Add(ref counted, (nuint)(leaf >> 32) * 4);
                (Vector128.LoadUnsafe(ref sum) + Vector128.LoadUnsafe(ref table, (nuint)(uint)leaf * 4)).StoreUnsafe(ref sum);
            }
            return;
        }
        foreach (var leaf in leaves)
        {
            ref var sum = ref Unsafe.Add(ref counted, (nuint)(leaf >> 32) * stride);
            ref var votes = ref Unsafe.Add(ref table, (nuint)(uint)leaf * stride);
            for (nuint c = 0; c < stride; c += 4) (Vector128.LoadUnsafe(ref sum, c) + Vector128.LoadUnsafe(ref votes, c)).StoreUnsafe(ref sum, c);
        }
    }
}

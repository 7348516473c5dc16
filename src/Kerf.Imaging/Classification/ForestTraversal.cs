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
    // walks that go together; their answers stay in the first-level cache. Buffers end a whole vector behind the last walk
    private const int Batch = 128, Lanes = 16;

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
    // the number of a voxel times Subtrees.Open, plus that of the subtree that it is at or of the row of votes that it came to
    private readonly uint[] _walks, _leaves, _starts;
    private int _done;
    // of a batch: masks of answers (those of later subtrees are short), the bytes where the ends lie that they lead to, the ends
    private readonly ulong[] _answers = new ulong[Batch];
    private readonly uint[] _ends = new uint[Batch];

    /// <summary>Prepares buffers; one instance per thread.</summary>
    public ForestTraversal(Forest forest)
    {
        _forest = forest;
        _lines = Subtrees.LinesOf(forest.Bins.Features);
        VoteStride = DecisionTree.VoteStride(forest.Classes);
        Tile = TileOf(forest.Bins.Features);
        (_columns, _rows) = (new sbyte[Tile * forest.Bins.Features], new(Tile * _lines * Subtrees.Line));
        (_walks, _leaves, _starts) = (new uint[Tile + Lanes], new uint[Tile + Lanes], [.. Enumerable.Range(0, Tile).Select(v => (uint)v * Subtrees.Open)]);
        (_voxels, _counted, Votes) = (new int[Tile], new int[Tile * VoteStride], new int[Tile * VoteStride]);
    }

    /// <summary>Voxels per call for a number of features: their bins stay in the second-level cache.</summary>
    public static int TileOf(int features) => Math.Max(Batch, (128 << 10) / (Subtrees.LinesOf(features) * Subtrees.Line) & -Batch);

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
            if (Avx2.IsSupported && _forest.Subtrees[t].Fits)
            {
                Walk(_forest.Subtrees[t], t + 1 < _forest.Trees.Count ? _forest.Subtrees[t + 1] : null);
                Add(_forest.Trees[t]);
            }
            else Walk(_forest.Trees[t]);
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
    private void Walk(Subtrees tree, Subtrees? next)
    {
        _done = 0;
        var open = 0;
        var batches = (_open + Batch - 1) / Batch;
        for (var start = 0; start < _open; start += Batch)
        {
            var count = Math.Min(Batch, _open - start);
            next?.Prefetch(start / Batch, batches);
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
                Later(tree, round, start, count);
                kept = Follow(tree, start, count, round, kept);
            }
            open = kept;
        }
    }

    // the same, question by question, votes and all: four walks side by side hide each other's latency, and a walk that came to a leaf stays there
    private void Walk(DecisionTree tree)
    {
        const int Side = 4;
        var nodes = tree.Nodes;
        var row = _lines * Subtrees.Line;
        Span<int> at = stackalloc int[Side];
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
            (at[0], at[1], at[2], at[3]) = (a, b, c, d);
            for (var side = 0; side < Side; side++)
            {
                var votes = tree.VotesOf(at[side]);
                for (var k = 0; k < votes.Length; k++) _counted[(i + side) * VoteStride + k] += votes[k];
            }
        }
        // a leaf's "feature" is its row of votes: not to be read as one
        int Next(ulong node, int row) => DecisionTree.Next(node, (byte)(_rows[row + (DecisionTree.IsLeaf(node) ? 0 : DecisionTree.Feature(node))] ^ 0x80));
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

    // constants make four kernels of one
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Second(Subtrees tree, int start, int count)
    {
        if (_lines == 1) Answer(tree, 1, start, count, 1, ref _answers[0]);
        else Answer(tree, 1, start, count, _lines, ref _answers[0]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Later(Subtrees tree, int round, int start, int count)
    {
        if (_lines == 1) Answer(tree, round, start, count, 1, ref _ends[0]);
        else Answer(tree, round, start, count, _lines, ref _ends[0]);
    }

    // the answers of subtrees of the first levels fill 64 bits, those of later ones fit in 32
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Answer<T>(Subtrees tree, int round, int start, int count, int lines, ref T answers) where T : unmanaged
    {
        var first = typeof(T) == typeof(ulong);
        ref var rows = ref Row(0);
        ref var walk = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_walks), start);
        ref var subtrees = ref Unsafe.Add(ref tree.Bytes, tree.Starts[round]);
        nuint size = Subtrees.BytesOf(first, lines);
        for (nuint i = 0; i < (uint)count; i++)
        {
            nuint at = Unsafe.Add(ref walk, i);
            ref var row = ref Unsafe.Add(ref rows, at / Subtrees.Open * (nuint)(lines * Subtrees.Line));
            var answer = Subtrees.Answer(ref Unsafe.Add(ref subtrees, at % Subtrees.Open * size), ref row, lines, first);
            Unsafe.Add(ref answers, i) = Unsafe.As<ulong, T>(ref answer);
        }
    }

    private ref sbyte Row(int voxel) => ref Unsafe.As<byte, sbyte>(ref _rows[voxel * _lines * Subtrees.Line]);

    // walks of a batch, by their answers, to leaves or to the next subtrees; those that go on move to kept and behind it. Gives where they end
    private int Follow(Subtrees tree, int start, int count, int round, int kept)
    {
        var walks = round == 0 ? _starts : _walks;
        if (round == 0 && Avx512BW.IsSupported) Leave(tree, count);
        else
        {
            if (round < Subtrees.FirstRounds) DescendFirst(tree, round, walks, start, count);
            else DescendLater(tree, round, walks, start, count);
            Read(tree, count);
        }
        return Part(walks, start, count, kept);
    }

    // the first round's masks to ends: the root's lie in two registers
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Leave(Subtrees tree, int count)
    {
        ref var ends = ref Unsafe.As<byte, ushort>(ref Unsafe.Add(ref tree.Bytes, 2 << Subtrees.FirstLevels));
        var (low, high) = (Vector512.LoadUnsafe(ref ends), Vector512.LoadUnsafe(ref ends, 32));
        ref var answers = ref MemoryMarshal.GetArrayDataReference(_answers);
        for (nuint i = 0; i < (uint)count; i += 8)
        {
            var end = Avx512BW.PermuteVar32x16x2(low, Descend(Vector512.LoadUnsafe(ref answers, i)).AsUInt16(), high).AsUInt64();
            Avx512F.ConvertToVector256UInt32(end & Vector512.Create<ulong>(ushort.MaxValue)).StoreUnsafe(ref _ends[0], i);
        }
    }

    // masks of answers to the place below the last level that they lead to, from 2^levels
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Descend(Vector512<ulong> mask)
    {
        var at = Vector512<ulong>.One;
        for (var level = 0; level < Subtrees.FirstLevels; level++) at = at + at | Avx512F.ShiftRightLogicalVariable(mask, at) & Vector512<ulong>.One;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Descend(Vector256<ulong> mask)
    {
        var at = Vector256<ulong>.One;
        for (var level = 0; level < Subtrees.FirstLevels; level++) at = at + at + (Avx2.ShiftRightLogicalVariable(mask, at) & Vector256<ulong>.One);
        return at;
    }

    // masks of answers to the bytes that hold the ends they lead to
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DescendFirst(Subtrees tree, int round, uint[] from, int start, int count)
    {
        ref var answers = ref MemoryMarshal.GetArrayDataReference(_answers);
        ref var ends = ref MemoryMarshal.GetArrayDataReference(_ends);
        ref var walks = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start);
        var (begin, size) = (tree.Starts[round], Subtrees.BytesOf(first: true, _lines));
        for (nuint i = 0; i < (uint)count; i += 8)
        {
            var places = Avx512F.IsSupported
                ? Avx512F.ConvertToVector256UInt32(Descend(Vector512.LoadUnsafe(ref answers, i)))
                : Vector256.Narrow(Descend(Vector256.LoadUnsafe(ref answers, i)), Descend(Vector256.LoadUnsafe(ref answers, i + 4)));
            // ends lie behind features and thresholds, two bytes each
            var subtree = (Vector256.LoadUnsafe(ref walks, i) & Vector256.Create(Subtrees.Open - 1)) * size + Vector256.Create(begin);
            (subtree + places + places).StoreUnsafe(ref ends, i);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DescendLater(Subtrees tree, int round, uint[] from, int start, int count)
    {
        ref var ends = ref MemoryMarshal.GetArrayDataReference(_ends);
        ref var walks = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start);
        var (begin, size) = (tree.Starts[round], Subtrees.BytesOf(first: false, _lines));
        if (Avx512F.IsSupported)
        {
            for (nuint i = 0; i < (uint)count; i += 16)
            {
                var (mask, at) = (Vector512.LoadUnsafe(ref ends, i), Vector512<uint>.One);
                for (var level = 0; level < Subtrees.LaterLevels; level++) at = at + at | Avx512F.ShiftRightLogicalVariable(mask, at) & Vector512<uint>.One;
                var subtree = (Vector512.LoadUnsafe(ref walks, i) & Vector512.Create(Subtrees.Open - 1)) * size + Vector512.Create(begin);
                (subtree + at + at).StoreUnsafe(ref ends, i);
            }
            return;
        }
        for (nuint i = 0; i < (uint)count; i += 8)
        {
            var (mask, at) = (Vector256.LoadUnsafe(ref ends, i), Vector256<uint>.One);
            for (var level = 0; level < Subtrees.LaterLevels; level++) at = at + at + (Avx2.ShiftRightLogicalVariable(mask, at) & Vector256<uint>.One);
            var subtree = (Vector256.LoadUnsafe(ref walks, i) & Vector256.Create(Subtrees.Open - 1)) * size + Vector256.Create(begin);
            (subtree + at + at).StoreUnsafe(ref ends, i);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Read(Subtrees tree, int count)
    {
        ref var bytes = ref tree.Bytes;
        ref var at = ref MemoryMarshal.GetArrayDataReference(_ends);
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
    private static void End(ref byte bytes, ref uint at) => at = Unsafe.As<byte, ushort>(ref Unsafe.Add(ref bytes, (nuint)at));

    // open ends go on, the others are leaves
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Part(uint[] from, int start, int count, int kept)
    {
        ref var ends = ref MemoryMarshal.GetArrayDataReference(_ends);
        ref var walks = ref MemoryMarshal.GetArrayDataReference(_walks);
        ref var old = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(from), start);
        ref var leaves = ref MemoryMarshal.GetArrayDataReference(_leaves);
        nuint i = 0, to = (uint)kept, done = (uint)_done;
        if (Avx512F.IsSupported)
        {
            var number = Vector512.Create(Subtrees.Open - 1);
            for (; i + Lanes <= (uint)count; i += Lanes)
            {
                var end = Vector512.LoadUnsafe(ref ends, i);
                var walk = Vector512.AndNot(Vector512.LoadUnsafe(ref old, i), number) | end & number;
                // the bit of an open end is the sign
                var goes = Vector512.ShiftLeft(end, 16);
                var going = (nuint)BitOperations.PopCount(goes.ExtractMostSignificantBits());
                Avx512F.Compress(Vector512<uint>.Zero, goes, walk).StoreUnsafe(ref walks, to);
                Avx512F.Compress(Vector512<uint>.Zero, ~goes, walk).StoreUnsafe(ref leaves, done);
                (to, done) = (to + going, done + Lanes - going);
            }
        }
        for (; i < (uint)count; i++)
        {
            var end = Unsafe.Add(ref ends, i);
            var walk = Unsafe.Add(ref old, i) & ~(Subtrees.Open - 1) | end & Subtrees.Open - 1;
            (Unsafe.Add(ref leaves, done), Unsafe.Add(ref walks, to)) = (walk, walk);
            var going = (nuint)(end / Subtrees.Open);
            (to, done) = (to + going, done + 1 - going);
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
                ref var sum = ref Unsafe.Add(ref counted, (nuint)(leaf / Subtrees.Open) * 4);
                (Vector128.LoadUnsafe(ref sum) + Vector128.LoadUnsafe(ref table, (nuint)(leaf % Subtrees.Open) * 4)).StoreUnsafe(ref sum);
            }
            return;
        }
        foreach (var leaf in leaves)
        {
            ref var sum = ref Unsafe.Add(ref counted, (nuint)(leaf / Subtrees.Open) * stride);
            ref var votes = ref Unsafe.Add(ref table, (nuint)(leaf % Subtrees.Open) * stride);
            for (nuint c = 0; c < stride; c += 4) (Vector128.LoadUnsafe(ref sum, c) + Vector128.LoadUnsafe(ref votes, c)).StoreUnsafe(ref sum, c);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Imaging;

/// <summary>
/// A tree cut into complete subtrees of a few levels, round by round. All questions of a subtree are asked of one voxel at once: its row of 64 bins is a register, from which one
/// instruction (four where it is missing) picks the bins asked for, and another compares them. The answers are a mask of 64 bits; a walk down the subtree is
/// arithmetic on that mask, without branches and without memory. A leaf above the last level goes on as a question that is always denied.
/// </summary>
/// <remarks>
/// A subtree of 2^levels places: per place the feature's number within its line of bins, then the thresholds, then 16 bits per place where the walk goes on, and with several
/// lines the number of the line. Questions lie breadth-first from place 1.
/// </remarks>
internal sealed class Subtrees
{
    /// <summary>Bins of a voxel that are asked for at once.</summary>
    public const int Line = 64;

    /// <summary>Set in an end that is the number of a subtree of the next round; without it an end is a leaf's row of votes.</summary>
    public const uint Open = 1 << 15;

    /// <summary>Levels of the subtrees of the first rounds, which meet most of a tree, and of later ones: what hangs below is thin, and four levels are a cache line.</summary>
    public const int FirstLevels = 6, LaterLevels = 4;

    /// <summary>Rounds of <see cref="FirstLevels"/>.</summary>
    public const int FirstRounds = 2;

    private readonly AlignedBuffer<byte>? _bytes;

    /// <summary>Cuts a tree whose voxels have a number of lines of bins.</summary>
    public Subtrees(DecisionTree tree, int lines)
    {
        var (bytes, starts, roots) = (new List<byte>(), new List<uint>(), new List<int> { 0 });
        for (var round = 0; roots.Count > 0; round++)
        {
            // numbers of 15 bits count them
            if (roots.Count > Open || tree.Votes.Length / DecisionTree.VoteStride(tree.Classes) > Open) return;
            var next = new List<int>();
            starts.Add((uint)bytes.Count);
            foreach (var root in roots) Cut(tree, root, round < FirstRounds ? FirstLevels : LaterLevels, lines, bytes, next);
            roots = next;
        }
        // a walk at a leaf may name a round that is not there; the first two rounds are always gone through
        do starts.Add(0); while (starts.Count <= FirstRounds);
        Starts = [.. starts];
        _bytes = new(bytes.Count);
        for (var i = 0; i < bytes.Count; i++) _bytes[i] = bytes[i];
    }

    /// <summary>False for a tree too large for such numbers.</summary>
    public bool Fits => _bytes is not null;

    /// <summary>All subtrees.</summary>
    public ref byte Bytes => ref _bytes![0];

    /// <summary>Where those of a round begin.</summary>
    public uint[] Starts { get; } = [];

    /// <summary>Brings one of some equal parts into the second-level cache while another tree is walked.</summary>
    public unsafe void Prefetch(int part, int parts)
    {
        if (_bytes is null || !Sse.IsSupported) return;
        ref var bytes = ref _bytes[0];
        var (from, to) = ((long)_bytes.Length * part / parts, (long)_bytes.Length * (part + 1) / parts);
        for (var at = from & -Line; at < to; at += Line) Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref bytes, (nint)at)));
    }

    /// <summary>Bytes of a subtree.</summary>
    /// <param name="first">Of the first rounds.</param>
    /// <param name="lines">Lines of a voxel's bins.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint BytesOf(bool first, int lines) => (uint)((lines > 1 ? 5 : 4) << (first ? FirstLevels : LaterLevels));

    /// <summary>Lines of a voxel's bins.</summary>
    public static int LinesOf(int features) => (features + Line - 1) / Line;

    /// <summary>A bin as vectors compare it: many processors compare bytes with their sign only.</summary>
    public static sbyte Signed(byte bin) => (sbyte)(bin ^ 0x80);

    private static void Cut(DecisionTree tree, int root, int levels, int lines, List<byte> bytes, List<int> next)
    {
        var places = 1 << levels;
        var nodes = new int[2 * places];
        var (features, thresholds, line) = (new byte[places], new byte[places], new byte[places]);
        Array.Fill(thresholds, (byte)sbyte.MaxValue);
        nodes[1] = root;
        for (var i = 1; i < places; i++)
        {
            var node = tree.Nodes[nodes[i]];
            (nodes[2 * i], nodes[2 * i + 1]) = (nodes[i], nodes[i]);
            if (DecisionTree.IsLeaf(node)) continue;
            (features[i], line[i]) = ((byte)(DecisionTree.Feature(node) % Line), (byte)(DecisionTree.Feature(node) / Line));
            thresholds[i] = (byte)Signed((byte)DecisionTree.Threshold(node));
            (nodes[2 * i], nodes[2 * i + 1]) = (DecisionTree.Child(node), DecisionTree.Child(node) - 1);
        }
        bytes.AddRange(features);
        bytes.AddRange(thresholds);
        foreach (var node in nodes.AsSpan(places))
        {
            var leaf = DecisionTree.IsLeaf(tree.Nodes[node]);
            var end = (ushort)(leaf ? (uint)DecisionTree.Feature(tree.Nodes[node]) : (uint)next.Count | Open);
            bytes.AddRange([(byte)end, (byte)(end >> 8)]);
            if (!leaf) next.Add(node);
        }
        if (lines > 1) bytes.AddRange(line);
    }

    /// <summary>The answers of one voxel to all questions of a subtree, a bit each; those beyond its places mean nothing.</summary>
    /// <param name="subtree">Its first byte.</param>
    /// <param name="row">The voxel's bins, <see cref="Signed"/>.</param>
    /// <param name="lines">Lines of the row.</param>
    /// <param name="first">Of the first levels, or of the later ones.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Answer(ref byte subtree, ref sbyte row, int lines, bool first)
    {
        nuint places = 1u << (first ? FirstLevels : LaterLevels);
        if (Avx512Vbmi.IsSupported)
        {
            var features = Load(ref subtree, first).AsSByte();
            var bins = Avx512Vbmi.PermuteVar64x8(Vector512.LoadUnsafe(ref row), features);
            for (var line = 1; line < lines; line++)
            {
                var here = Vector512.Equals(Load(ref Unsafe.Add(ref subtree, 4 * places), first), Vector512.Create((byte)line)).AsSByte();
                bins = Vector512.ConditionalSelect(here, Avx512Vbmi.PermuteVar64x8(Vector512.LoadUnsafe(ref row, (nuint)(line * Line)), features), bins);
            }
            return Vector512.GreaterThan(bins, Load(ref Unsafe.Add(ref subtree, places), first).AsSByte()).ExtractMostSignificantBits();
        }
        if (!first) return Half(ref subtree, ref row, lines, LaterPlaces);
        return Half(ref subtree, ref row, lines, places) | (ulong)Half(ref Unsafe.Add(ref subtree, 32), ref row, lines, places) << 32;
    }

    private const nuint LaterPlaces = 1u << LaterLevels;

    // a small subtree shall not touch the next one's cache line
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Load(ref byte from, bool first) =>
        first ? Vector512.LoadUnsafe(ref from) : Vector128.LoadUnsafe(ref from).ToVector256Unsafe().ToVector512Unsafe();

    // 32 answers, or 16 and as many without meaning
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Half(ref byte subtree, ref sbyte row, int lines, nuint places)
    {
        var features = Vector256.LoadUnsafe(ref subtree);
        var bins = Pick(ref row, features);
        for (var line = 1; line < lines; line++)
        {
            var here = Vector256.Equals(places == LaterPlaces ? Vector128.LoadUnsafe(ref subtree, 4 * places).ToVector256() : Vector256.LoadUnsafe(ref subtree, 4 * places), Vector256.Create((byte)line)).AsSByte();
            bins = Vector256.ConditionalSelect(here, Pick(ref Unsafe.Add(ref row, line * Line), features), bins);
        }
        return Vector256.GreaterThan(bins, Vector256.LoadUnsafe(ref subtree, places).AsSByte()).ExtractMostSignificantBits();
    }

    // 32 of 64 bins, by number: a quarter at a time, where a number outside the quarter gives 0
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Pick(ref sbyte row, Vector256<byte> features)
    {
        var bins = Vector256<byte>.Zero;
        for (byte quarter = 0; quarter < Line; quarter += 16)
        {
            var table = Vector128.LoadUnsafe(ref row, quarter).AsByte();
            bins |= Avx2.Shuffle(Vector256.Create(table, table), Avx2.AddSaturate(features ^ Vector256.Create(quarter), Vector256.Create((byte)0x70)));
        }
        return bins.AsSByte();
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Imaging;

/// <summary>
/// Puts rows of feature values into bins: <see cref="FeatureBins.Bin"/> without branches, which a processor would guess wrong half the time.
/// A feature's thresholds are filled up to 255 with infinity, which no value exceeds, and make a tree of eight levels that lies in registers: sixteen values descend it side by
/// side. With half as many and half as wide registers eight values descend five levels; each then counts how many of its last eight thresholds it exceeds.
/// </summary>
internal sealed class BinQuantiser
{
    private const int Group = 8, Groups = FeatureBins.Most / Group;

    private readonly float[] _thresholds;
    // per feature: the same breadth-first from index 1
    private readonly float[] _tree;

    public BinQuantiser(FeatureBins bins)
    {
        _thresholds = new float[bins.Features * FeatureBins.Most];
        _tree = new float[bins.Features * FeatureBins.Most];
        Array.Fill(_thresholds, float.PositiveInfinity);
        for (var f = 0; f < bins.Features; f++)
        {
            var row = _thresholds.AsSpan(f * FeatureBins.Most, FeatureBins.Most);
            bins.Thresholds(f).CopyTo(row);
            for (var node = 1; node < FeatureBins.Most; node++)
            {
                // of 2^level nodes on a level, each halves what is left
                var level = BitOperations.Log2((uint)node);
                _tree[f * FeatureBins.Most + node] = row[(2 * (node - (1 << level)) + 1) * (FeatureBins.Most >> level + 1) - 1];
            }
        }
    }

    /// <summary>Writes the bin of each value of a feature, as <see cref="Subtrees.Signed"/>.</summary>
    public void Bin(int feature, ReadOnlySpan<float> values, Span<sbyte> target)
    {
        if (target.Length < values.Length) throw new ArgumentException("shorter than the values", nameof(target));
        var done = Avx512F.IsSupported ? Sixteens(feature, values, target) : Avx2.IsSupported ? Eights(feature, values, target) : 0;
        ref var thresholds = ref _thresholds[feature * FeatureBins.Most];
        for (var i = done; i < values.Length; i++)
        {
            nint bin = 0;
            for (nint half = FeatureBins.Most / 2; half > 0; half >>= 1) bin += values[i] > Unsafe.Add(ref thresholds, bin + half - 1) ? half : 0;
            target[i] = Subtrees.Signed((byte)bin);
        }
    }

    private int Sixteens(int feature, ReadOnlySpan<float> values, Span<sbyte> target)
    {
        ref var tree = ref _tree[feature * FeatureBins.Most];
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(target);
        var (first, fifth) = (Vector512.LoadUnsafe(ref tree), Vector512.LoadUnsafe(ref tree, 16));
        var (sixthA, sixthB) = (Vector512.LoadUnsafe(ref tree, 32), Vector512.LoadUnsafe(ref tree, 48));
        var (seventhA, seventhB) = (Vector512.LoadUnsafe(ref tree, 64), Vector512.LoadUnsafe(ref tree, 80));
        var (seventhC, seventhD) = (Vector512.LoadUnsafe(ref tree, 96), Vector512.LoadUnsafe(ref tree, 112));
        var (lastA, lastB) = (Vector512.LoadUnsafe(ref tree, 128), Vector512.LoadUnsafe(ref tree, 144));
        var (lastC, lastD) = (Vector512.LoadUnsafe(ref tree, 160), Vector512.LoadUnsafe(ref tree, 176));
        var (lastE, lastF) = (Vector512.LoadUnsafe(ref tree, 192), Vector512.LoadUnsafe(ref tree, 208));
        var (lastG, lastH) = (Vector512.LoadUnsafe(ref tree, 224), Vector512.LoadUnsafe(ref tree, 240));
        var i = 0;
        for (; i <= values.Length - 16; i += 16)
        {
            // a permutation reads four bits of a node's number, or five of two registers; the bits above choose among permutations
            var v = Vector512.LoadUnsafe(ref from, (nuint)i);
            var node = Vector512<int>.One;
            for (var level = 0; level < 4; level++) node = Down(node, v, Avx512F.PermuteVar16x32(first, node));
            node = Down(node, v, Avx512F.PermuteVar16x32(fifth, node));
            node = Down(node, v, Avx512F.PermuteVar16x32x2(sixthA, node, sixthB));
            var sixth = Vector512.ShiftLeft(node, 26).AsSingle();
            node = Down(node, v, Avx512F.BlendVariable(Avx512F.PermuteVar16x32x2(seventhA, node, seventhB), Avx512F.PermuteVar16x32x2(seventhC, node, seventhD), sixth));
            sixth = Vector512.ShiftLeft(node, 26).AsSingle();
            var low = Avx512F.BlendVariable(Avx512F.PermuteVar16x32x2(lastA, node, lastB), Avx512F.PermuteVar16x32x2(lastC, node, lastD), sixth);
            var high = Avx512F.BlendVariable(Avx512F.PermuteVar16x32x2(lastE, node, lastF), Avx512F.PermuteVar16x32x2(lastG, node, lastH), sixth);
            node = Down(node, v, Avx512F.BlendVariable(low, high, Vector512.ShiftLeft(node, 25).AsSingle()));
            Avx512F.ConvertToVector128SByte(node ^ Vector512.Create(0x80)).StoreUnsafe(ref to, (nuint)i);
        }
        return i;
    }

    private int Eights(int feature, ReadOnlySpan<float> values, Span<sbyte> target)
    {
        ref var coarse = ref _tree[feature * FeatureBins.Most];
        ref var thresholds = ref _thresholds[feature * FeatureBins.Most];
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(target);
        var (top, fourth) = (Vector256.LoadUnsafe(ref coarse), Vector256.LoadUnsafe(ref coarse, 8));
        var (fifthLow, fifthHigh) = (Vector256.LoadUnsafe(ref coarse, 16), Vector256.LoadUnsafe(ref coarse, 24));
        // the first threshold of each value's group
        Span<int> first = stackalloc int[8];
        var i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            var v = Vector256.LoadUnsafe(ref from, (nuint)i);
            var node = Vector256<int>.One;
            node = Down(node, v, Avx2.PermuteVar8x32(top, node));
            node = Down(node, v, Avx2.PermuteVar8x32(top, node));
            node = Down(node, v, Avx2.PermuteVar8x32(top, node));
            node = Down(node, v, Avx2.PermuteVar8x32(fourth, node));
            // a permutation reads three bits of a node's number; the fourth chooses the half
            var half = Vector256.ShiftLeft(node, 28).AsSingle();
            node = Down(node, v, Avx.BlendVariable(Avx2.PermuteVar8x32(fifthLow, node), Avx2.PermuteVar8x32(fifthHigh, node), half));
            Vector256.ShiftLeft(node - Vector256.Create(Groups), 3).CopyTo(first);
            for (var k = 0; k < 8; k++) Unsafe.Add(ref to, i + k) = Subtrees.Signed(Fine(first[k], Unsafe.Add(ref from, i + k), ref thresholds));
        }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Down(Vector256<int> node, Vector256<float> value, Vector256<float> threshold) =>
        node + node - Vector256.GreaterThan(value, threshold).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Down(Vector512<int> node, Vector512<float> value, Vector512<float> threshold) =>
        node + node - Vector512.GreaterThan(value, threshold).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Fine(int first, float value, ref float thresholds) =>
        (byte)(first + BitOperations.PopCount(Vector256.GreaterThan(Vector256.Create(value), Vector256.LoadUnsafe(ref thresholds, (nuint)first)).ExtractMostSignificantBits()));
}

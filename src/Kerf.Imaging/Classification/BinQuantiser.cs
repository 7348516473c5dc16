using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Imaging;

/// <summary>
/// Puts rows of feature values into bins: <see cref="FeatureBins.Bin"/> without branches, which a processor would guess wrong half the time.
/// A feature's thresholds are filled up to 256 with infinity, which no value exceeds. Every eighth of them makes a tree of five levels that lies in registers: eight values
/// descend it side by side. Each then counts how many of its last eight thresholds it exceeds.
/// </summary>
internal sealed class BinQuantiser
{
    private const int Group = 8, Groups = FeatureBins.Most / Group;

    private readonly float[] _thresholds;
    // per feature, breadth first from index 1: the last threshold of the first 31 groups
    private readonly float[] _coarse;

    public BinQuantiser(FeatureBins bins)
    {
        _thresholds = new float[bins.Features * FeatureBins.Most];
        _coarse = new float[bins.Features * Groups];
        Array.Fill(_thresholds, float.PositiveInfinity);
        for (var f = 0; f < bins.Features; f++)
        {
            var row = _thresholds.AsSpan(f * FeatureBins.Most, FeatureBins.Most);
            bins.Thresholds(f).CopyTo(row);
            for (var node = 1; node < Groups; node++)
            {
                // of 2^level nodes on a level, each halves what is left of the 32 groups
                var level = BitOperations.Log2((uint)node);
                var half = Groups >> level + 1;
                var group = (2 * (node - (1 << level)) + 1) * half - 1;
                _coarse[f * Groups + node] = row[group * Group + Group - 1];
            }
        }
    }

    /// <summary>Writes the bin of each value of a feature, as <see cref="TreeTop.Signed"/>.</summary>
    public void Bin(int feature, ReadOnlySpan<float> values, Span<sbyte> target)
    {
        if (target.Length < values.Length) throw new ArgumentException("shorter than the values", nameof(target));
        var done = Avx2.IsSupported ? Eights(feature, values, target) : 0;
        ref var thresholds = ref _thresholds[feature * FeatureBins.Most];
        for (var i = done; i < values.Length; i++)
        {
            nint bin = 0;
            for (nint half = FeatureBins.Most / 2; half > 0; half >>= 1) bin += values[i] > Unsafe.Add(ref thresholds, bin + half - 1) ? half : 0;
            target[i] = TreeTop.Signed((byte)bin);
        }
    }

    private int Eights(int feature, ReadOnlySpan<float> values, Span<sbyte> target)
    {
        ref var coarse = ref _coarse[feature * Groups];
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
            for (var k = 0; k < 8; k++) Unsafe.Add(ref to, i + k) = TreeTop.Signed(Fine(first[k], Unsafe.Add(ref from, i + k), ref thresholds));
        }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Down(Vector256<int> node, Vector256<float> value, Vector256<float> threshold) =>
        node + node - Vector256.GreaterThan(value, threshold).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Fine(int first, float value, ref float thresholds) =>
        (byte)(first + BitOperations.PopCount(Vector256.GreaterThan(Vector256.Create(value), Vector256.LoadUnsafe(ref thresholds, (nuint)first)).ExtractMostSignificantBits()));
}

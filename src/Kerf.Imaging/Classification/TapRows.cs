using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>
/// Symmetric convolutions along rows of padded buffers. All loops run over whole vectors: rows have room for the padding lanes, whose values are
/// finite and never read. Each lane does the same fused multiply-adds in the same order, so the bits do not depend on the vector's width.
/// </summary>
internal static class TapRows
{
    /// <summary>Rows are padded to a multiple of this many values.</summary>
    public const int Padding = 16;

    public static int Padded(int count) => (count + Padding - 1) / Padding * Padding;

    /// <summary>target[i] = taps[0]·source[i] + Σ taps[k]·(source[i − k·stride] + source[i + k·stride]).</summary>
    public static void Smooth(ref double source, int stride, ReadOnlySpan<double> taps, ref double target, int count)
    {
        ref var weights = ref MemoryMarshal.GetReference(taps);
        var lanes = Vector<double>.Count;
        // four vectors at a time: their sums are independent chains that hide the latency of the multiply-adds
        var i = 0;
        for (; i <= count - 4 * lanes; i += 4 * lanes)
        {
            ref var s = ref Unsafe.Add(ref source, i);
            ref var before = ref s;
            ref var after = ref s;
            var w = new Vector<double>(weights);
            var (a, b, c, d) = (Load(ref s, 0) * w, Load(ref s, lanes) * w, Load(ref s, 2 * lanes) * w, Load(ref s, 3 * lanes) * w);
            for (var k = 1; k < taps.Length; k++)
            {
                before = ref Unsafe.Subtract(ref before, stride);
                after = ref Unsafe.Add(ref after, stride);
                w = new(Unsafe.Add(ref weights, k));
                a = Vector.FusedMultiplyAdd(w, Load(ref before, 0) + Load(ref after, 0), a);
                b = Vector.FusedMultiplyAdd(w, Load(ref before, lanes) + Load(ref after, lanes), b);
                c = Vector.FusedMultiplyAdd(w, Load(ref before, 2 * lanes) + Load(ref after, 2 * lanes), c);
                d = Vector.FusedMultiplyAdd(w, Load(ref before, 3 * lanes) + Load(ref after, 3 * lanes), d);
            }
            ref var t = ref Unsafe.Add(ref target, i);
            Store(a, ref t, 0);
            Store(b, ref t, lanes);
            Store(c, ref t, 2 * lanes);
            Store(d, ref t, 3 * lanes);
        }
        for (; i < count; i += lanes)
        {
            ref var s = ref Unsafe.Add(ref source, i);
            var a = Load(ref s, 0) * new Vector<double>(weights);
            for (var k = 1; k < taps.Length; k++)
                a = Vector.FusedMultiplyAdd(new Vector<double>(Unsafe.Add(ref weights, k)), Load(ref s, -k * stride) + Load(ref s, k * stride), a);
            Store(a, ref Unsafe.Add(ref target, i), 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<double> Load(ref double at, int offset) => Vector.LoadUnsafe(ref Unsafe.Add(ref at, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Load(ref float at, int offset) => Vector.LoadUnsafe(ref Unsafe.Add(ref at, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<double> value, ref double at, int offset) => value.StoreUnsafe(ref Unsafe.Add(ref at, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<float> value, ref float at, int offset) => value.StoreUnsafe(ref Unsafe.Add(ref at, offset));

    /// <summary>Two vectors of double as one of float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<double> low, Vector<double> high, ref float at, int offset) => Vector.Narrow(low, high).StoreUnsafe(ref Unsafe.Add(ref at, offset));
}

/// <summary>Five taps or fewer, by value, so that they stay in registers: c·f(0) + Σ wₖ·(f(k) ± f(−k)).</summary>
internal readonly struct FiveTaps(double[] taps)
{
    public readonly Vector<double> W0 = new(taps[0]), W1 = new(taps.Length > 1 ? taps[1] : 0), W2 = new(taps.Length > 2 ? taps[2] : 0);

    /// <summary>Even kernel: smoothing or second derivative. s1 = f(1) + f(−1), s2 = f(2) + f(−2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<double> Even(Vector<double> centre, Vector<double> s1, Vector<double> s2) =>
        Vector.FusedMultiplyAdd(W2, s2, Vector.FusedMultiplyAdd(W1, s1, W0 * centre));

    /// <summary>Odd kernel: first derivative. d1 = f(1) − f(−1), d2 = f(2) − f(−2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<double> Odd(Vector<double> d1, Vector<double> d2) => Vector.FusedMultiplyAdd(W2, d2, W1 * d1);
}

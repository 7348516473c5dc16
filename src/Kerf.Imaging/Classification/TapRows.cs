using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>
/// Symmetric convolutions along rows of padded buffers, in float or double. All loops run over whole vectors: rows have room for the padding lanes, whose values
/// are finite and never read. Each lane does the same fused multiply-adds in the same order, so the bits do not depend on the vector's width. The order is from
/// the ends of a kernel, where its weights are small, to the centre: less is rounded.
/// </summary>
internal static class TapRows
{
    /// <summary>Rows are padded to a multiple of this many values.</summary>
    public const int Padding = 16;

    /// <summary>Columns of a strip: four vectors of float.</summary>
    public static int Strip => 4 * Vector<float>.Count;

    public static int Padded(int count) => (count + Padding - 1) / Padding * Padding;

    /// <summary>target[i] = taps[0]·source[i] + Σ taps[k]·(source[i − k·stride] + source[i + k·stride]).</summary>
    public static void Smooth<T>(ref T source, int stride, ReadOnlySpan<T> taps, ref T target, int count) where T : unmanaged
    {
        ref var weights = ref MemoryMarshal.GetReference(taps);
        var lanes = Vector<T>.Count;
        // four vectors at a time: their sums are independent chains that hide the latency of the multiply-adds
        var i = 0;
        for (; i <= count - 4 * lanes; i += 4 * lanes)
        {
            ref var s = ref Unsafe.Add(ref source, i);
            ref var before = ref Unsafe.Subtract(ref s, (taps.Length - 1) * stride);
            ref var after = ref Unsafe.Add(ref s, (taps.Length - 1) * stride);
            Vector<T> w, a = default, b = default, c = default, d = default;
            for (var k = taps.Length - 1; k > 0; k--)
            {
                w = new(Unsafe.Add(ref weights, k));
                a = Fused(w, Load(ref before, 0) + Load(ref after, 0), a);
                b = Fused(w, Load(ref before, lanes) + Load(ref after, lanes), b);
                c = Fused(w, Load(ref before, 2 * lanes) + Load(ref after, 2 * lanes), c);
                d = Fused(w, Load(ref before, 3 * lanes) + Load(ref after, 3 * lanes), d);
                before = ref Unsafe.Add(ref before, stride);
                after = ref Unsafe.Subtract(ref after, stride);
            }
            ref var t = ref Unsafe.Add(ref target, i);
            w = new(weights);
            Store(Fused(w, Load(ref s, 0), a), ref t, 0);
            Store(Fused(w, Load(ref s, lanes), b), ref t, lanes);
            Store(Fused(w, Load(ref s, 2 * lanes), c), ref t, 2 * lanes);
            Store(Fused(w, Load(ref s, 3 * lanes), d), ref t, 3 * lanes);
        }
        for (; i < count; i += lanes)
        {
            ref var s = ref Unsafe.Add(ref source, i);
            var a = Vector<T>.Zero;
            for (var k = taps.Length - 1; k > 0; k--)
                a = Fused(new(Unsafe.Add(ref weights, k)), Load(ref s, -k * stride) + Load(ref s, k * stride), a);
            Store(Fused(new(weights), Load(ref s, 0), a), ref Unsafe.Add(ref target, i), 0);
        }
    }

    /// <summary>
    /// The same down a strip, whose lines follow each other: <paramref name="count"/> lines, line i going to target[i·<paramref name="step"/>]. Two lines at a time:
    /// what one of them loads for tap k, the other needs for tap k − 1. One line behind the last that is needed is read as well.
    /// </summary>
    public static void SmoothStrip<T>(ref T source, ReadOnlySpan<T> taps, ref T target, int step, int count) where T : unmanaged
    {
        ref var weights = ref MemoryMarshal.GetReference(taps);
        var (lanes, line, radius) = (Vector<T>.Count, Strip, taps.Length - 1);
        for (var column = 0; column < Strip; column += 4 * lanes)
        {
            for (var i = 0; i < count; i += 2)
            {
                // f(−k) and f(k) of the first line; f(1 − k) and f(1 + k) of the second
                ref var before = ref Unsafe.Add(ref source, (i - radius) * line + column);
                ref var after = ref Unsafe.Add(ref source, (i + 1 + radius) * line + column);
                var (l0, l1, l2, l3) = (Load(ref before, 0), Load(ref before, lanes), Load(ref before, 2 * lanes), Load(ref before, 3 * lanes));
                var (r0, r1, r2, r3) = (Load(ref after, 0), Load(ref after, lanes), Load(ref after, 2 * lanes), Load(ref after, 3 * lanes));
                Vector<T> w, a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
                for (var k = radius; k > 0; k--)
                {
                    before = ref Unsafe.Add(ref before, line);
                    after = ref Unsafe.Subtract(ref after, line);
                    w = new(Unsafe.Add(ref weights, k));
                    Pair(w, 0, ref before, ref after, ref l0, ref r0, ref a0, ref b0);
                    Pair(w, lanes, ref before, ref after, ref l1, ref r1, ref a1, ref b1);
                    Pair(w, 2 * lanes, ref before, ref after, ref l2, ref r2, ref a2, ref b2);
                    Pair(w, 3 * lanes, ref before, ref after, ref l3, ref r3, ref a3, ref b3);
                }
                w = new(weights);
                ref var t = ref Unsafe.Add(ref target, i * step + column);
                Store(Fused(w, l0, a0), ref t, 0);
                Store(Fused(w, l1, a1), ref t, lanes);
                Store(Fused(w, l2, a2), ref t, 2 * lanes);
                Store(Fused(w, l3, a3), ref t, 3 * lanes);
                if (i + 1 == count) break;
                t = ref Unsafe.Add(ref t, step);
                Store(Fused(w, r0, b0), ref t, 0);
                Store(Fused(w, r1, b1), ref t, lanes);
                Store(Fused(w, r2, b2), ref t, 2 * lanes);
                Store(Fused(w, r3, b3), ref t, 3 * lanes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Pair(Vector<T> w, int at, ref T before, ref T after, ref Vector<T> left, ref Vector<T> right, ref Vector<T> a, ref Vector<T> b)
        {
            var (nextLeft, nextRight) = (Load(ref before, at), Load(ref after, at));
            a = Fused(w, left + nextRight, a);
            b = Fused(w, nextLeft + right, b);
            (left, right) = (nextLeft, nextRight);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Load<T>(ref T at, int offset) where T : unmanaged => Vector.LoadUnsafe(ref Unsafe.Add(ref at, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector<T> value, ref T at, int offset) where T : unmanaged => value.StoreUnsafe(ref Unsafe.Add(ref at, offset));

    /// <summary>Where numbers of T are to be made that end as floats: among them, or in a row for <see cref="Settle{T}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T Place<T>(ref float target, ref T row) => ref typeof(T) == typeof(float) ? ref Unsafe.As<float, T>(ref target) : ref row;

    /// <summary>Brings a row of double to its floats.</summary>
    public static void Settle<T>(Span<T> row, Span<float> target) where T : unmanaged
    {
        if (typeof(T) == typeof(double)) TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<T, double>(row)[..target.Length], target);
    }

    /// <summary>a·b + c, rounded once; float or double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Fused<T>(Vector<T> a, Vector<T> b, Vector<T> c) => typeof(T) == typeof(float)
        ? Vector.FusedMultiplyAdd(Vector.AsVectorSingle(a), Vector.AsVectorSingle(b), Vector.AsVectorSingle(c)).As<float, T>()
        : Vector.FusedMultiplyAdd(Vector.AsVectorDouble(a), Vector.AsVectorDouble(b), Vector.AsVectorDouble(c)).As<double, T>();
}

/// <summary>Five taps or fewer, by value, so that they stay in registers: c·f(0) + Σ wₖ·(f(k) ± f(−k)).</summary>
internal readonly struct FiveTaps<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector<T> _w0, _w1, _w2;

    /// <summary>Takes the taps from the centre outwards.</summary>
    /// <param name="taps">One to three.</param>
    /// <param name="total">
    /// The sum of an even kernel's five taps, which the last tap then keeps, however the others are rounded: a difference of two smoothings is small beside either.
    /// </param>
    public FiveTaps(double[] taps, double? total = null)
    {
        T[] w = [.. taps.Select(T.CreateTruncating)];
        if (total is { } sum && w.Length > 1)
            w[^1] = T.CreateTruncating((sum - double.CreateTruncating(w[0])) / 2 - (w.Length > 2 ? double.CreateTruncating(w[1]) : 0));
        (_w0, _w1, _w2) = (new(w[0]), new(w.Length > 1 ? w[1] : T.Zero), new(w.Length > 2 ? w[2] : T.Zero));
    }

    /// <summary>Even kernel: smoothing or second derivative. s1 = f(1) + f(−1), s2 = f(2) + f(−2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Even(Vector<T> centre, Vector<T> s1, Vector<T> s2) => TapRows.Fused(_w2, s2, TapRows.Fused(_w1, s1, _w0 * centre));

    /// <summary>Even kernel of three taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Even(Vector<T> centre, Vector<T> s1) => TapRows.Fused(_w1, s1, _w0 * centre);

    /// <summary>Odd kernel: first derivative. d1 = f(1) − f(−1), d2 = f(2) − f(−2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Odd(Vector<T> d1, Vector<T> d2) => TapRows.Fused(_w2, d2, _w1 * d1);

    /// <summary>Odd kernel of two taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Odd(Vector<T> d1) => _w1 * d1;
}

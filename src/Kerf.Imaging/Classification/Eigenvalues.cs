using System.Numerics;
using System.Runtime.CompilerServices;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>
/// Eigenvalues of rows of symmetric 2×2 and 3×3 matrices, largest first. The 3×3 case is the trigonometric solution (Smith 1961,
/// doi:10.1145/355578.366316; as vigra and fastfilters use it): λ = q + 2p·cos(φ + 2πk/3), cos 3φ = r = det((A − qI)/p)/2. q, p and r are made in the
/// matrix's own precision: one of nearly rank one leaves nothing of a float's digits to its smaller eigenvalues. What follows is float: once
/// w = 1 − |r| and the differences q − p are known, all that is left keeps its digits. cos and sin of arccos(1 − w)/3 are polynomials in w.
/// </summary>
internal static class Eigenvalues
{
    /// <summary>2×2: rows of yy, yx, xx; two planes of eigenvalues.</summary>
    public static void Of2<T>(ref T rows, int stride, ref float target, int plane, int count) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var x = 0; x < count; x += Vector<float>.Count)
        {
            var (large, small) = Solve(ref Unsafe.Add(ref rows, x), stride);
            var (large2, small2) = typeof(T) == typeof(float) ? default : Solve(ref Unsafe.Add(ref rows, x + Vector<T>.Count), stride);
            Store(Narrow(large, large2), ref target, x);
            Store(Narrow(small, small2), ref target, plane + x);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static (Vector<T> Large, Vector<T> Small) Solve(ref T at, int stride)
        {
            var (yy, yx, xx, half) = (Load(ref at, 0), Load(ref at, stride), Load(ref at, 2 * stride), Constant<T>(0.5));
            var (mean, difference) = ((yy + xx) * half, (yy - xx) * half);
            var root = Vector.SquareRoot(Fused(difference, difference, yx * yx));
            return (mean + root, mean - root);
        }
    }

    /// <summary>3×3: rows of zz, yy, xx, zy, zx, yx, which are lost; three planes of eigenvalues.</summary>
    public static void Of3<T>(ref T rows, int stride, ref float target, int plane, int count) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // three short loops: what waits for a root or a quotient in one of them leaves the processor room to begin with the next voxels
        for (var x = 0; x < count; x += Vector<float>.Count)
        {
            Reduce(ref Unsafe.Add(ref rows, x), stride);
            if (typeof(T) == typeof(double)) Reduce(ref Unsafe.Add(ref rows, x + Vector<T>.Count), stride);
        }
        ref var reduced = ref Unsafe.As<T, float>(ref rows);
        var reducedStride = stride * Unsafe.SizeOf<T>() / sizeof(float);
        for (var x = 0; x < count; x += Vector<float>.Count)
        {
            var low = Spread(ref Unsafe.Add(ref rows, x), stride);
            var high = typeof(T) == typeof(float) ? default : Spread(ref Unsafe.Add(ref rows, x + Vector<T>.Count), stride);
            ref var to = ref Unsafe.Add(ref reduced, x);
            Store(Narrow(low.Extreme, high.Extreme), ref to, 0);
            Store(Narrow(low.Pair, high.Pair), ref to, reducedStride);
            Store(Narrow(low.P, high.P), ref to, 2 * reducedStride);
            Store(Narrow(low.W, high.W), ref to, 3 * reducedStride);
        }
        for (var x = 0; x < count; x += Vector<float>.Count)
        {
            ref var at = ref Unsafe.Add(ref reduced, x);
            var (large, middle, small) = Roots(Load(ref at, 0), Load(ref at, reducedStride), Load(ref at, 2 * reducedStride), Load(ref at, 3 * reducedStride));
            Store(large, ref target, x);
            Store(middle, ref target, plane + x);
            Store(small, ref target, 2 * plane + x);
        }
    }

    // the first three rows become q, p² and det(A − qI)/2
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reduce<T>(ref T at, int stride) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (zz, yy, xx) = (Load(ref at, 0), Load(ref at, stride), Load(ref at, 2 * stride));
        var (zy, zx, yx) = (Load(ref at, 3 * stride), Load(ref at, 4 * stride), Load(ref at, 5 * stride));
        var q = (zz + yy + xx) * Constant<T>(1 / 3.0);
        var (b0, b1, b2) = (zz - q, yy - q, xx - q);
        var off = Fused(yx, yx, Fused(zx, zx, zy * zy));
        var diagonal = Fused(b2, b2, Fused(b1, b1, b0 * b0));
        // det = b0(b1 b2 − yx²) + zy(yx zx − zy b2) + zx(zy yx − b1 zx)
        var (minor0, minor1, minor2) = (b1 * b2 - yx * yx, yx * zx - zy * b2, zy * yx - b1 * zx);
        Store(q, ref at, 0);
        Store(Fused(diagonal, Constant<T>(1 / 6.0), off * Constant<T>(1 / 3.0)), ref at, stride);
        Store(Fused(b0, minor0, Fused(zx, minor2, zy * minor1)) * Constant<T>(0.5), ref at, 2 * stride);
    }

    // With ψ = arccos(|r|)/3 and p taking the sign of r, one eigenvalue is q + 2p·cos ψ and the others q − p·cos ψ ± √3·|p|·sin ψ: q + 2p, q − p, p and 1 − |r|
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<T> Extreme, Vector<T> Pair, Vector<T> P, Vector<T> W) Spread<T>(ref T at, int stride) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (q, square, determinant) = (Load(ref at, 0), Load(ref at, stride), Load(ref at, 2 * stride));
        var p = Vector.SquareRoot(square);
        // where p is 0 the matrix is q·I, and any r will do; r = det/2p³
        var inverse = Vector<T>.One / Vector.ConditionalSelect(Vector.GreaterThan(square, Vector<T>.Zero), square, Vector<T>.One);
        var r = determinant * inverse * (p * inverse);
        p = Vector.ConditionalSelect(Vector.LessThan(r, Vector<T>.Zero), -p, p);
        var w = Vector<T>.One - Vector.Abs(r);
        return (q + (p + p), q - p, p, Vector.ConditionalSelect(Vector.GreaterThan(w, Vector<T>.Zero), w, Vector<T>.Zero));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<float> Large, Vector<float> Middle, Vector<float> Small) Roots(Vector<float> extreme, Vector<float> pair, Vector<float> p, Vector<float> w)
    {
        var rise = p * w * OneMinusCosine(w);
        var spread = Vector.Abs(p) * new Vector<float>(1.7320508f) * Vector.SquareRoot(w) * Sine(w);
        (extreme, pair) = (extreme - (rise + rise), pair + rise);
        var (upper, lower) = (pair + spread, pair - spread);
        return (Vector.ConditionalSelect(Vector.GreaterThan(extreme, upper), extreme, upper),
            Vector.ConditionalSelect(Vector.LessThan(p, Vector<float>.Zero), lower, upper),
            Vector.ConditionalSelect(Vector.LessThan(extreme, lower), extreme, lower));
    }

    // a vector of float: it is one, or there are two halves in double
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Narrow<T>(Vector<T> low, Vector<T> high) =>
        typeof(T) == typeof(float) ? Vector.AsVectorSingle(low) : Vector.Narrow(Vector.AsVectorDouble(low), Vector.AsVectorDouble(high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Constant<T>(double value) where T : IBinaryFloatingPointIeee754<T> => new(T.CreateTruncating(value));

    // (1 − cos(arccos(1 − w)/3))/w on [0, 1], relative error below 4·10⁻⁸: Chebyshev's interpolation
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> OneMinusCosine(Vector<float> w)
    {
        var s = new Vector<float>(0.000236914617f);
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(-0.000402415997f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.000655703991f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.000230532706f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.00142272085f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.00425867707f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.0164613506f));
        return Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.111111108f));
    }

    // sin(arccos(1 − w)/3)/√w on [0, 1], relative error below 6·10⁻⁸
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Sine(Vector<float> w)
    {
        var s = new Vector<float>(0.000380536225f);
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(-0.000419703408f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.000928019482f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.00118432414f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.00470007443f));
        s = Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.0218221763f));
        return Vector.FusedMultiplyAdd(s, w, new Vector<float>(0.471404543f));
    }
}

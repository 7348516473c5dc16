using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kerf.Imaging;

/// <summary>
/// Eigenvalues of many symmetric 2×2 and 3×3 matrices at once, largest first. The 3×3 case is the trigonometric solution (Smith 1961,
/// doi:10.1145/355578.366316; as vigra and fastfilters use it): λ = q + 2p·cos(φ + 2πk/3), cos 3φ = r = det((A − qI)/p)/2. <see cref="Reduce"/> gives q, p and r
/// in double, because a matrix of nearly rank one leaves nothing of a float's digits to its smaller eigenvalues. <see cref="Roots"/> works in float: once
/// w = 1 − |r| and the differences q − p are known, all that is left keeps its digits. cos and sin of arccos(1 − w)/3 are polynomials in w.
/// </summary>
internal static class Eigenvalues
{
    /// <summary>2×2: matrix (a, b; b, c) per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector<double> Large, Vector<double> Small) Of2(Vector<double> a, Vector<double> b, Vector<double> c)
    {
        var half = new Vector<double>(0.5);
        var mean = (a + c) * half;
        var difference = (a - c) * half;
        var root = Vector.SquareRoot(Vector.FusedMultiplyAdd(difference, difference, b * b));
        return (mean + root, mean - root);
    }

    /// <summary>3×3: matrix (zz, zy, zx; zy, yy, yx; zx, yx, xx) per lane: the mean q of its eigenvalues, their spread p, and r = cos 3φ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector<double> Q, Vector<double> P, Vector<double> R) Reduce(
        Vector<double> zz, Vector<double> yy, Vector<double> xx, Vector<double> zy, Vector<double> zx, Vector<double> yx)
    {
        var q = (zz + yy + xx) * new Vector<double>(1 / 3.0);
        var (b0, b1, b2) = (zz - q, yy - q, xx - q);
        var off = Vector.FusedMultiplyAdd(yx, yx, Vector.FusedMultiplyAdd(zx, zx, zy * zy));
        var diagonal = Vector.FusedMultiplyAdd(b2, b2, Vector.FusedMultiplyAdd(b1, b1, b0 * b0));
        var square = Vector.FusedMultiplyAdd(diagonal, new Vector<double>(1 / 6.0), off * new Vector<double>(1 / 3.0));
        var p = Vector.SquareRoot(square);
        // where p is 0 the matrix is q·I, and any r will do
        var inverse = new Vector<double>(0.5) / Vector.ConditionalSelect(Vector.GreaterThan(p, new Vector<double>(1e-100)), p * square, Vector<double>.One);
        // det = b0(b1 b2 − yx²) − zy(zy b2 − yx zx) + zx(zy yx − b1 zx)
        var minor0 = Vector.FusedMultiplyAdd(b1, b2, -(yx * yx));
        var minor1 = Vector.FusedMultiplyAdd(zy, b2, -(yx * zx));
        var minor2 = Vector.FusedMultiplyAdd(zy, yx, -(b1 * zx));
        var determinant = Vector.FusedMultiplyAdd(b0, minor0, Vector.FusedMultiplyAdd(zx, minor2, -(zy * minor1)));
        return (q, p, determinant * inverse);
    }

    /// <summary>Eigenvalues of two vectors of reduced matrices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector<float> Large, Vector<float> Middle, Vector<float> Small) Roots(
        (Vector<double> Q, Vector<double> P, Vector<double> R) low, (Vector<double> Q, Vector<double> P, Vector<double> R) high)
    {
        // With ψ = arccos(|r|)/3 and p taking the sign of r, one eigenvalue is q + 2p·cos ψ and the others q − p·cos ψ ± √3·|p|·sin ψ
        var (p0, p1) = (Signed(low.P, low.R), Signed(high.P, high.R));
        var p = Vector.Narrow(p0, p1);
        var extreme = Vector.Narrow(low.Q + (p0 + p0), high.Q + (p1 + p1));
        var pair = Vector.Narrow(low.Q - p0, high.Q - p1);
        var w = Vector.Narrow(Vector<double>.One - Vector.Abs(low.R), Vector<double>.One - Vector.Abs(high.R));
        w = Vector.ConditionalSelect(Vector.GreaterThan(w, Vector<float>.Zero), w, Vector<float>.Zero);
        var rise = p * w * OneMinusCosine(w);
        var spread = Vector.Abs(p) * new Vector<float>(1.7320508f) * Vector.SquareRoot(w) * Sine(w);
        (extreme, pair) = (extreme - (rise + rise), pair + rise);
        var (upper, lower) = (pair + spread, pair - spread);
        return (Vector.ConditionalSelect(Vector.GreaterThan(extreme, upper), extreme, upper),
            Vector.ConditionalSelect(Vector.LessThan(p, Vector<float>.Zero), lower, upper),
            Vector.ConditionalSelect(Vector.LessThan(extreme, lower), extreme, lower));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector<double> Signed(Vector<double> p, Vector<double> r) => Vector.ConditionalSelect(Vector.LessThan(r, Vector<double>.Zero), -p, p);
    }

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

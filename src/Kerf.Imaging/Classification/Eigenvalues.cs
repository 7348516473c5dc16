using System.Numerics;
using System.Runtime.CompilerServices;

namespace Kerf.Imaging;

/// <summary>
/// Eigenvalues of many symmetric 2×2 and 3×3 matrices at once, largest first. The 3×3 case is the trigonometric solution (Smith 1961,
/// doi:10.1145/355578.366316; as vigra and fastfilters use it): λ = q + 2p·cos(φ + 2πk/3), cos 3φ = det((A − qI)/p)/2. Arc cosine, cosine and
/// sine are polynomials in multiply-adds, so that the bits do not depend on the vector's width; error about 10⁻⁸ of the spread. In double, because a matrix of nearly rank one leaves nothing of a float's digits to its smaller eigenvalues.
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

    /// <summary>3×3: matrix (zz, zy, zx; zy, yy, yx; zx, yx, xx) per lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector<double> Large, Vector<double> Middle, Vector<double> Small) Of3(
        Vector<double> zz, Vector<double> yy, Vector<double> xx, Vector<double> zy, Vector<double> zx, Vector<double> yx)
    {
        var q = (zz + yy + xx) * new Vector<double>(1 / 3.0);
        var (b0, b1, b2) = (zz - q, yy - q, xx - q);
        var off = Vector.FusedMultiplyAdd(yx, yx, Vector.FusedMultiplyAdd(zx, zx, zy * zy));
        var diagonal = Vector.FusedMultiplyAdd(b2, b2, Vector.FusedMultiplyAdd(b1, b1, b0 * b0));
        var p = Vector.SquareRoot(Vector.FusedMultiplyAdd(diagonal, new Vector<double>(1 / 6.0), off * new Vector<double>(1 / 3.0)));
        // where p is 0 the matrix is q·I: 1/p is replaced by 0 and every eigenvalue becomes q
        var inverse = Vector.ConditionalSelect(Vector.GreaterThan(p, Vector<double>.Zero), Vector<double>.One / p, Vector<double>.Zero);
        var (n0, n1, n2, m0, m1, m2) = (b0 * inverse, b1 * inverse, b2 * inverse, zy * inverse, zx * inverse, yx * inverse);
        // det = n0(n1 n2 − m2²) − m0(m0 n2 − m2 m1) + m1(m0 m2 − n1 m1)
        var minor0 = Vector.FusedMultiplyAdd(n1, n2, -(m2 * m2));
        var minor1 = Vector.FusedMultiplyAdd(m0, n2, -(m2 * m1));
        var minor2 = Vector.FusedMultiplyAdd(m0, m2, -(n1 * m1));
        var determinant = Vector.FusedMultiplyAdd(n0, minor0, Vector.FusedMultiplyAdd(m1, minor2, -(m0 * minor1)));
        var r = Vector.Max(Vector.Min(determinant * new Vector<double>(0.5), Vector<double>.One), -Vector<double>.One);
        var phi = ArcCosine(r) * new Vector<double>(1 / 3.0);
        var square = phi * phi;
        var twoP = p + p;
        var cosine = Cosine(square);
        var sine = Sine(phi, square);
        var large = Vector.FusedMultiplyAdd(twoP, cosine, q);
        // cos(φ + 2π/3) = −½ cos φ − (√3/2) sin φ, and cos(φ − 2π/3) = −½ cos φ + (√3/2) sin φ
        var common = Vector.FusedMultiplyAdd(-p, cosine, q);
        var spread = p * new Vector<double>(1.7320508075688772) * sine;
        return (large, common + spread, common - spread);
    }

    // Abramowitz & Stegun 4.4.46: √(1 − |x|)·P(|x|), error below 2·10⁻⁸; π − that for negative x
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> ArcCosine(Vector<double> x)
    {
        var a = Vector.Abs(x);
        var polynomial = new Vector<double>(-0.0012624911);
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(0.0066700901));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(-0.0170881256));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(0.0308918810));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(-0.0501743046));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(0.0889789874));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(-0.2145988016));
        polynomial = Vector.FusedMultiplyAdd(polynomial, a, new Vector<double>(1.5707963050));
        var positive = Vector.SquareRoot(Vector<double>.One - a) * polynomial;
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<double>.Zero), new Vector<double>(Math.PI) - positive, positive);
    }

    // Taylor to φ¹² on [0, π/3]: error below 10⁻¹⁰
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> Cosine(Vector<double> square)
    {
        var s = new Vector<double>(-1 / 3628800.0);
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(1 / 40320.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(-1 / 720.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(1 / 24.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(-0.5));
        return Vector.FusedMultiplyAdd(s, square, Vector<double>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> Sine(Vector<double> phi, Vector<double> square)
    {
        var s = new Vector<double>(-1 / 39916800.0);
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(1 / 362880.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(-1 / 5040.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(1 / 120.0));
        s = Vector.FusedMultiplyAdd(s, square, new Vector<double>(-1 / 6.0));
        return phi * Vector.FusedMultiplyAdd(s, square, Vector<double>.One);
    }
}

namespace Kerf.Imaging;

/// <summary>What a plane between slices is made of: weights of the slices around it. Filling is linear along z, so this is all that methods differ in.</summary>
/// <param name="First">Number of the first slice that counts.</param>
/// <param name="Weights">Weights of the slices from there on; they sum to 1.</param>
/// <param name="At">The plane, in input planes.</param>
internal readonly record struct KnotWeights(int First, double[] Weights, double At)
{
    /// <summary>
    /// Slices on each side that a spline passes through. A natural spline forgets a knot by a factor of 2 + √3 for each knot between, so eight on each side leave 3·10⁻⁵
    /// of the effect of what lies beyond, and the spline can be evaluated plane by plane in bounded memory.
    /// </summary>
    public const int Reach = 8;

    /// <summary>Weights of a plane at <paramref name="at"/> (in input planes) among slices at the planes <paramref name="knots"/>.</summary>
    public static KnotWeights Of(FillMethod method, int[] knots, double at, int reach = Reach)
    {
        var next = Array.FindIndex(knots, knot => knot >= at - 1e-9);
        // beyond the outermost slices they repeat
        if (next < 0) return new(knots.Length - 1, [1], at);
        if (next == 0 || Math.Abs(knots[next] - at) < 1e-9) return new(next, [1], at);
        var before = next - 1;
        var t = (at - knots[before]) / (knots[next] - knots[before]);
        if (method == FillMethod.Nearest) return new(t > 0.5 ? next : before, [1], at);
        if (method is FillMethod.Linear or FillMethod.Flow) return new(before, [1 - t, t], at);
        var first = Math.Max(0, before - reach + 1);
        var last = Math.Min(knots.Length - 1, next + reach - 1);
        return new(first, Spline(knots.AsSpan(first, last - first + 1), before - first, at), at);
    }

    // value at a point of the natural spline through each unit vector: [a, b, c, d] of the interval applied to the knots' second derivatives
    private static double[] Spline(ReadOnlySpan<int> x, int interval, double at)
    {
        var n = x.Length;
        var weights = new double[n];
        var h = (double)x[interval + 1] - x[interval];
        var (a, b) = ((x[interval + 1] - at) / h, (at - x[interval]) / h);
        for (var unit = 0; unit < n; unit++)
        {
            var second = SecondDerivatives(x, unit);
            weights[unit] = (unit == interval ? a : 0) + (unit == interval + 1 ? b : 0)
                + ((a * a * a - a) * second[interval] + (b * b * b - b) * second[interval + 1]) * h * h / 6;
        }
        return weights;
    }

    // of the natural spline that is 1 at one knot and 0 at the others: the tridiagonal system by elimination
    private static double[] SecondDerivatives(ReadOnlySpan<int> x, int unit)
    {
        var n = x.Length;
        var (second, upper) = (new double[n], new double[n]);
        for (var i = 1; i < n - 1; i++)
        {
            double left = x[i] - x[i - 1], right = x[i + 1] - x[i];
            double Value(int k) => k == unit ? 1 : 0;
            var slope = (Value(i + 1) - Value(i)) / right - (Value(i) - Value(i - 1)) / left;
            var pivot = 2 * (left + right) - left * upper[i - 1];
            upper[i] = right / pivot;
            second[i] = (6 * slope - left * second[i - 1]) / pivot;
        }
        for (var i = n - 2; i >= 1; i--) second[i] -= upper[i] * second[i + 1];
        return second;
    }
}

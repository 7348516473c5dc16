namespace Kerf.Imaging;

/// <summary>
/// Positions of slices from displacements between pairs of them: weighted least squares over all pairs, slice 0 at 0, made robust by
/// reweighting with 1/(1 + (r/σ)²)² (Geman and McClure), σ from the median residual of each lag. What moves unlike the rest (a slanted particle, a pore
/// that closes) loses its vote, the more so over long lags.
/// </summary>
internal static class Trajectory
{
    private const int Rounds = 12;

    /// <summary>Positions (y, x) of all slices; and the root mean square residual, in pixels, weighted as in the solution.</summary>
    public static ((double Y, double X)[] Positions, double Residual) Solve(IReadOnlyList<Displacement> pairs, int slices)
    {
        var reach = pairs.Count == 0 ? 1 : pairs.Max(p => p.Lag);
        var trust = Enumerable.Repeat(1.0, pairs.Count).ToArray();
        var positions = new (double Y, double X)[slices];
        var residuals = new double[pairs.Count];
        double top = 0, bottom = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var y = Axis(pairs, trust, slices, reach, p => (p.Y, p.WeightY));
            var x = Axis(pairs, trust, slices, reach, p => (p.X, p.WeightX));
            for (var i = 0; i < slices; i++) positions[i] = (y[i], x[i]);
            for (var i = 0; i < pairs.Count; i++)
            {
                var (p, from) = (pairs[i], pairs[i].Slice - pairs[i].Lag);
                var (ry, rx) = (p.Y - y[p.Slice] + y[from], p.X - x[p.Slice] + x[from]);
                residuals[i] = Math.Sqrt(ry * ry + rx * rx);
            }
            (top, bottom) = (0, 0);
            for (var lag = 1; lag <= reach; lag++)
            {
                var members = Enumerable.Range(0, pairs.Count).Where(i => pairs[i].Lag == lag).ToArray();
                if (members.Length == 0) continue;
                var sorted = members.Select(i => residuals[i]).Order().ToArray();
                // the median length of a normal two-vector is 1.1774 σ
                var sigma = Math.Max(0.005, sorted[sorted.Length / 2] / 1.1774);
                foreach (var i in members)
                {
                    // twice σ: the bulk keeps its weight, 4σ and more lose it
                    var fall = 1 + residuals[i] * residuals[i] / (4 * sigma * sigma);
                    trust[i] = 1 / (fall * fall * sigma * sigma);
                    var weight = trust[i] * (pairs[i].WeightY + pairs[i].WeightX);
                    (top, bottom) = (top + weight * residuals[i] * residuals[i], bottom + weight);
                }
            }
        }
        return (positions, bottom > 0 ? Math.Sqrt(top / bottom) : 0);
    }

    // normal equations, a band as wide as the longest lag, by Cholesky
    private static double[] Axis(
        IReadOnlyList<Displacement> pairs, double[] trust, int slices, int reach, Func<Displacement, (double Shift, double Weight)> part)
    {
        var band = new double[slices, reach + 1];
        var right = new double[slices];
        // a breath of a prior that slices lie where the slice before lies: decides only what no pair tells
        for (var k = 1; k < slices; k++) Add(k, 1, 0, 1e-9);
        for (var i = 0; i < pairs.Count; i++)
        {
            var (shift, weight) = part(pairs[i]);
            Add(pairs[i].Slice, pairs[i].Lag, shift, weight * trust[i]);
        }
        band[0, 0] += 1e12 * (1 + band[0, 0]);
        return Cholesky(band, right, reach);

        void Add(int k, int lag, double shift, double weight)
        {
            band[k, 0] += weight;
            band[k - lag, 0] += weight;
            band[k, lag] -= weight;
            right[k] += weight * shift;
            right[k - lag] -= weight * shift;
        }
    }

    // band[i, d] holds element (i, i − d)
    private static double[] Cholesky(double[,] band, double[] right, int reach)
    {
        var n = right.Length;
        for (var i = 0; i < n; i++)
        {
            for (var d = Math.Min(reach, i); d >= 0; d--)
            {
                var j = i - d;
                var sum = band[i, d];
                for (var e = d + 1; e <= reach && i - e >= 0; e++)
                {
                    var back = j - (i - e);
                    if (back <= reach) sum -= band[i, e] * band[j, back];
                }
                band[i, d] = d == 0 ? Math.Sqrt(Math.Max(sum, 1e-300)) : sum / band[j, 0];
            }
        }
        for (var i = 0; i < n; i++)
        {
            for (var d = 1; d <= reach && i - d >= 0; d++) right[i] -= band[i, d] * right[i - d];
            right[i] /= band[i, 0];
        }
        for (var i = n - 1; i >= 0; i--)
        {
            right[i] /= band[i, 0];
            for (var d = 1; d <= reach && i - d >= 0; d++) right[i - d] -= band[i, d] * right[i];
        }
        var origin = right[0];
        return [.. right.Select(v => v - origin)];
    }
}

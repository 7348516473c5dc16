namespace Kerf.Imaging;

/// <summary>Places marks to a small fraction of a pixel by what they look like on average.</summary>
internal static class RulerTemplate
{
    private const int Rounds = 3;

    /// <summary>
    /// Refines each column of a mark in place: its mean appearance A·T(x − δ) + b is fitted to each slice by least squares (Gauss–Newton), the appearance coming from all slices;
    /// marks whose surroundings overlap are fitted together. A fit that leaves by more than two pixels is not taken, and marks that lie almost on each other are dropped.
    /// </summary>
    public static void Refine(float[][] profiles, RulerMark[] marks, int reach)
    {
        for (var round = 0; round < Rounds; round++)
        {
            // what a mark looks like, from where it stands alone
            var templates = Array.ConvertAll(marks, m => Mean(profiles, [.. m.X.Select((x, z) => Near(marks, m, z, 2 * reach).Any() ? double.NaN : x)], reach));
            for (var z = 0; z < profiles.Length; z++)
            {
                var shifts = new double[marks.Length];
                for (var m = 0; m < marks.Length; m++)
                {
                    if (!double.IsFinite(marks[m].X[z])) continue;
                    int[] group = [m, .. Near(marks, marks[m], z, 2 * reach)];
                    shifts[m] = group.Skip(1).Any(o => Math.Abs(marks[o].X[z] - marks[m].X[z]) < 0.4 * reach) ? double.NaN
                        : Fit(profiles[z], [.. group.Select(g => templates[g])], [.. group.Select(g => marks[g].X[z])], reach);
                }
                for (var m = 0; m < marks.Length; m++) marks[m].X[z] = Math.Abs(shifts[m]) < 2 ? marks[m].X[z] + shifts[m] : double.NaN;
            }
        }
    }

    private static IEnumerable<int> Near(RulerMark[] marks, RulerMark mark, int z, double distance) =>
        Enumerable.Range(0, marks.Length).Where(o => marks[o] != mark && Math.Abs(marks[o].X[z] - mark.X[z]) < distance);

    // mean of the profile around a mark, −reach−2 … reach+2
    private static double[] Mean(float[][] profiles, double[] x, int reach)
    {
        var template = new double[2 * reach + 5];
        var count = 0;
        for (var z = 0; z < x.Length; z++)
        {
            if (!double.IsFinite(x[z])) continue;
            count++;
            for (var i = 0; i < template.Length; i++) template[i] += At<float>(profiles[z], x[z] + i - reach - 2);
        }
        for (var i = 0; i < template.Length; i++) template[i] /= Math.Max(1, count);
        return template;
    }

    // shift of the first of marks that overlap: p = Σ (A·T + B·T′) + b over the surroundings of the first, shift −B/A; repeated
    private static double Fit(float[] profile, double[][] templates, double[] x, int reach)
    {
        var at = (double[])x.Clone();
        var unknowns = 2 * at.Length + 1;
        for (var step = 0; step < 6; step++)
        {
            var normal = new double[unknowns, unknowns + 1];
            var start = (int)Math.Floor(at.Min()) - reach;
            var end = (int)Math.Ceiling(at.Max()) + reach;
            var row = new double[unknowns + 1];
            for (var column = start; column <= end; column++)
            {
                for (var m = 0; m < at.Length; m++)
                    (row[2 * m], row[2 * m + 1]) = (Value(templates[m], column - at[m], reach), (Value(templates[m], column - at[m] + 0.5, reach) - Value(templates[m], column - at[m] - 0.5, reach)));
                (row[^2], row[^1]) = (1, profile[Math.Clamp(column, 0, profile.Length - 1)]);
                for (var i = 0; i < unknowns; i++)
                    for (var j = 0; j <= unknowns; j++) normal[i, j] += row[i] * row[j];
            }
            if (!Solve(normal)) return double.NaN;
            for (var m = 0; m < at.Length; m++)
            {
                var (a, b) = (normal[2 * m, unknowns], normal[2 * m + 1, unknowns]);
                if (a < 0.1) return double.NaN;
                at[m] -= Math.Clamp(b / a, -1, 1);
            }
        }
        return at[0] - x[0];
    }

    // the template without its level at the ends, 0 outside
    private static double Value(double[] template, double x, int reach)
    {
        var level = (template[0] + template[^1]) / 2;
        return Math.Abs(x) > reach + 1 ? 0 : At<double>(template, x + reach + 2) - level;
    }

    // Gauss–Jordan with pivoting; the solution stands in the last column
    private static bool Solve(double[,] a)
    {
        var n = a.GetLength(0);
        for (var c = 0; c < n; c++)
        {
            var pivot = c;
            for (var r = c + 1; r < n; r++)
                if (Math.Abs(a[r, c]) > Math.Abs(a[pivot, c])) pivot = r;
            if (Math.Abs(a[pivot, c]) < 1e-9) return false;
            for (var j = 0; j <= n; j++) (a[c, j], a[pivot, j]) = (a[pivot, j], a[c, j]);
            for (var r = 0; r < n; r++)
            {
                if (r == c) continue;
                var factor = a[r, c] / a[c, c];
                for (var j = c; j <= n; j++) a[r, j] -= factor * a[c, j];
            }
        }
        for (var c = 0; c < n; c++) a[c, n] /= a[c, c];
        return true;
    }

    // cubic convolution (Keys, a = −½), the outermost values repeated
    private static double At<T>(ReadOnlySpan<T> profile, double x) where T : System.Numerics.INumberBase<T>
    {
        var i = (int)Math.Floor(x);
        var t = x - i;
        double p0 = V(profile, i - 1), p1 = V(profile, i), p2 = V(profile, i + 1), p3 = V(profile, i + 2);
        return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
    }

    private static double V<T>(ReadOnlySpan<T> profile, int k) where T : System.Numerics.INumberBase<T> => double.CreateTruncating(profile[Math.Clamp(k, 0, profile.Length - 1)]);
}

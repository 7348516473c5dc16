namespace Kerf.Imaging;

/// <summary>How far one place of slice <paramref name="Slice"/> is displaced against the slice <paramref name="Lag"/> before it.</summary>
/// <param name="Slice">The later slice.</param>
/// <param name="Lag">Slices between the two.</param>
/// <param name="Y">Displacement in pixels.</param>
/// <param name="X">Displacement in pixels.</param>
/// <param name="WeightY">Curvature of the correlation peak along y: how sharply Y is known, on a scale of its own.</param>
/// <param name="WeightX">The same along x.</param>
internal readonly record struct Displacement(int Slice, int Lag, double Y, double X, double WeightY, double WeightX);

/// <summary>
/// The displacement between the tiles of two slices by phase correlation (Kuglin and Hines 1975) with sub-pixel refinement on the correlation
/// itself, a trigonometric sum, by Newton's method. Each frequency ring weighs γ/(1 − γ²), γ being the phase coherence found there over all
/// tiles (after Hannan and Thomson 1973, doi:10.1109/PROC.1973.9296): noise and structure that changed weigh little.
/// </summary>
internal sealed class PairShift(TileSpectra tiles)
{
    private const int Rings = 24;
    private const double FarthestTile = 3;

    private readonly int[] _ring = [.. tiles.Frequencies.Select(f => Math.Min(Rings - 1, (int)(Math.Sqrt(f.Y * f.Y + f.X * f.X) * 4 * Rings)))];

    // ky = 0 is kept for kx and −kx; frequencies below one and a half cycles per tile are the taper's
    private readonly float[] _once = [.. tiles.Frequencies.Select(f =>
        f.Y * tiles.Height * f.Y * tiles.Height + f.X * tiles.Width * f.X * tiles.Width < 2.25 ? 0f : f.Y == 0 ? 0.5f : 1f)];

    private readonly float[] _first = [.. tiles.Frequencies.Select(f => (float)Math.Exp(-(f.Y * f.Y + f.X * f.X) / (2 * 0.1 * 0.1)))];

    /// <summary>
    /// One displacement for each tile that both slices have, relative to where the tiles were cut; and the coherence (0 to 1) over all.
    /// </summary>
    public List<(double Y, double X, double WeightY, double WeightX)> Measure((float[] Re, float[] Im)?[] later, (float[] Re, float[] Im)?[] earlier, int reach, out double coherence)
    {
        var count = tiles.Frequencies.Length;
        var cross = new List<(float[] Re, float[] Im)>();
        var (poolRe, poolIm) = (new float[count], new float[count]);
        for (var tile = 0; tile < later.Length; tile++)
        {
            if (later[tile] is not { } a || earlier[tile] is not { } b) continue;
            var (re, im) = (new float[count], new float[count]);
            for (var i = 0; i < count; i++)
            {
                re[i] = a.Re[i] * b.Re[i] + a.Im[i] * b.Im[i];
                im[i] = a.Im[i] * b.Re[i] - a.Re[i] * b.Im[i];
                poolRe[i] += re[i];
                poolIm[i] += im[i];
            }
            cross.Add((re, im));
        }
        var found = new List<(double, double, double, double)>();
        coherence = 0;
        if (cross.Count == 0) return found;
        var weights = _once.Select((w, i) => w * _first[i]).ToArray();
        var (y, x) = Peak(poolRe, poolIm, weights, reach);
        (y, x, _, _) = Climb(poolRe, poolIm, weights, y, x, 4);
        weights = Coherent(poolRe, poolIm, y, x, cross.Count, out coherence);
        (y, x, _, _) = Climb(poolRe, poolIm, weights, y, x, 4);
        foreach (var (re, im) in cross)
        {
            var (ty, tx, wy, wx) = Climb(re, im, weights, y, x, 5);
            if (wy > 0 && wx > 0 && Math.Abs(ty - y) < FarthestTile && Math.Abs(tx - x) < FarthestTile) found.Add((ty, tx, wy, wx));
        }
        // a lone voice for all tiles, in case no tile has a peak of its own
        if (found.Count == 0) found.Add((y, x, 1e-6, 1e-6));
        return found;
    }

    private (double Y, double X) Peak(float[] re, float[] im, float[] weights, int reach)
    {
        var image = tiles.Correlate([.. re.Select((v, i) => v * weights[i])], [.. im.Select((v, i) => v * weights[i])]);
        var (best, at) = (float.NegativeInfinity, (0, 0));
        var (reachY, reachX) = (Math.Min(reach, tiles.Height / 2 - 1), Math.Min(reach, tiles.Width / 2 - 1));
        for (var dy = -reachY; dy <= reachY; dy++)
        {
            for (var dx = -reachX; dx <= reachX; dx++)
            {
                var value = image[(dy + tiles.Height) % tiles.Height * tiles.Width + (dx + tiles.Width) % tiles.Width];
                if (value > best) (best, at) = (value, (dy, dx));
            }
        }
        return at;
    }

    // weight of each ring from its coherence at the displacement found; coherence over all is the weights' own mean of it
    private float[] Coherent(float[] re, float[] im, double y, double x, int tileCount, out double overall)
    {
        var (sums, counts) = (new double[Rings], new double[Rings]);
        for (var i = 0; i < re.Length; i++)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * (tiles.Frequencies[i].Y * y + tiles.Frequencies[i].X * x));
            sums[_ring[i]] += _once[i] * (re[i] * cos - im[i] * sin);
            counts[_ring[i]] += _once[i];
        }
        var ring = new double[Rings];
        for (var r = 0; r < Rings; r++)
        {
            // below three standard errors of chance there is nothing to learn
            var gamma = counts[r] > 0 ? sums[r] / (counts[r] * tileCount) : 0;
            gamma = Math.Max(gamma - 1 / Math.Sqrt(Math.Max(1, counts[r]) * tileCount), 0);
            ring[r] = Math.Min(gamma, 0.98) / (1 - Math.Min(gamma, 0.98) * Math.Min(gamma, 0.98));
        }
        if (ring.All(w => w == 0)) Array.Fill(ring, 1e-3);
        var weights = new float[re.Length];
        var (top, bottom) = (0.0, 0.0);
        for (var i = 0; i < weights.Length; i++) weights[i] = (float)(_once[i] * ring[_ring[i]]);
        for (var r = 0; r < Rings; r++) (top, bottom) = (top + ring[r] * sums[r], bottom + ring[r] * counts[r] * tileCount);
        overall = bottom > 0 ? Math.Clamp(top / bottom, 0, 1) : 0;
        return weights;
    }

    // Newton on C(d) = Σ w·Re(U·e^(2πi f·d)), at most half a pixel a step; the weights are −C″ at the top, 0 where it is none
    private (double Y, double X, double WeightY, double WeightX) Climb(float[] re, float[] im, float[] weights, double y, double x, int steps)
    {
        var (columns, rows) = (2 * tiles.BandX + 1, tiles.BandY + 1);
        var (turnX, turnY) = (new (double Cos, double Sin)[columns], new (double Cos, double Sin)[rows]);
        double yy = 0, xx = 0;
        for (var step = 0; step <= steps; step++)
        {
            for (var i = 0; i < columns; i++) turnX[i] = Turn((i - tiles.BandX) * x / tiles.Width);
            for (var i = 0; i < rows; i++) turnY[i] = Turn(i * y / tiles.Height);
            double gy = 0, gx = 0, xy = 0;
            (yy, xx) = (0, 0);
            for (int i = 0, c = 0; c < columns; c++)
            {
                var (cx, sx) = turnX[c];
                double sumGrad = 0, sumGradY = 0, sumReal = 0, sumRealY = 0, sumRealYy = 0;
                for (var ky = 0; ky < rows; ky++, i++)
                {
                    var (cy, sy) = turnY[ky];
                    var (cos, sin) = (cx * cy - sx * sy, cx * sy + sx * cy);
                    var imaginary = weights[i] * (re[i] * sin + im[i] * cos);
                    var real = weights[i] * (re[i] * cos - im[i] * sin);
                    sumGrad += imaginary;
                    sumGradY += imaginary * ky;
                    sumReal += real;
                    sumRealY += real * ky;
                    sumRealYy += real * ky * ky;
                }
                double kx = c - tiles.BandX;
                gx -= kx * sumGrad;
                gy -= sumGradY;
                xx += kx * kx * sumReal;
                xy += kx * sumRealY;
                yy += sumRealYy;
            }
            // from waves per tile to radians per pixel
            var (py, px) = (2 * Math.PI / tiles.Height, 2 * Math.PI / tiles.Width);
            (gy, gx, yy, xy, xx) = (gy * py, gx * px, yy * py * py, xy * py * px, xx * px * px);
            var determinant = yy * xx - xy * xy;
            if (!(yy > 0 && determinant > 1e-9 * yy * xx)) return (y, x, 0, 0);
            if (step == steps) break;
            var (dy, dx) = ((xx * gy - xy * gx) / determinant, (yy * gx - xy * gy) / determinant);
            var shorten = Math.Min(1, 0.5 / Math.Max(1e-12, Math.Sqrt(dy * dy + dx * dx)));
            (y, x) = (y + dy * shorten, x + dx * shorten);
        }
        return (y, x, yy, xx);
    }

    private static (double Cos, double Sin) Turn(double turns)
    {
        var (sin, cos) = Math.SinCos(2 * Math.PI * turns);
        return (cos, sin);
    }
}
